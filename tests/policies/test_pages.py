"""The pages about policies tell the truth."""

import re
from pathlib import Path

from mdm.policies import catalogue
from mdm.policies.catalogue.page import page
from mdm.policies.document import FIELDS, flattened, parse_document
from mdm.policies.scope import FITS

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_settings_is_the_catalogue() -> None:
    assert (DOCS / "settings.md").read_text() == page(), "run: python -m mdm.policies.catalogue.page > docs/settings.md"


def test_the_example_of_a_policy_file_is_right() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", (DOCS / "policies.md").read_text(), re.DOTALL)
    errors: dict[str, str] = {}

    document = parse_document(example.encode())

    assert set(document) <= FIELDS
    assert catalogue.validate(flattened(document["settings"], errors)) == {}
    assert errors == {}


def test_every_kind_of_target_is_explained() -> None:
    text = (DOCS / "policies.md").read_text()

    assert {kind for kind in FITS if f"`{kind}:" not in text and f"`{kind}`" not in text} == set()
