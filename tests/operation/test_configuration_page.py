"""The page about the configuration says what the code does, and the example file is read by it."""

import tomllib
from pathlib import Path

import pytest

from mdm.cli.configuration_page import PAGE, page
from mdm.cli.install import write_example
from mdm.settings import FILE, Settings, load


def test_the_page_is_what_the_settings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m mdm.cli.configuration_page"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_key_has_its_line_and_an_explanation(name: str) -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if f"`HAVENMEESTER_{name.upper()}`" in line]
    assert len(lines) == 1
    assert (Settings.model_fields[name].description or "").endswith(".")


def test_the_example_without_its_comments_is_a_configuration_with_every_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path))
    write_example(tmp_path)
    lines = (tmp_path / f"{FILE}.example").read_text().splitlines()
    keys = [
        line[2:]
        for line in lines
        if line.startswith("# ") and " = " in line and line[2:].split(" = ")[0].isidentifier()
    ]
    text = "\n".join(keys)
    assert set(tomllib.loads(text)) == Settings.model_fields.keys() - {"home"}
    plain = load()
    (tmp_path / FILE).write_text(text)
    assert load() == plain
