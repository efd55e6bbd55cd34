"""What the templates themselves show, without a browser."""

import re
from pathlib import Path

TEMPLATES = sorted((Path(__file__).resolve().parents[2] / "web").glob("*/templates/**/*.html"))
REFUSED = re.compile(r"{%-? (?:el)?if (?:failure|sentence)[^%]*%}<(?:div|p) [^>]*role=\"alert\"[^>]*>")


def test_a_refusal_leads_to_itself_or_stands_at_the_field_that_has_the_focus() -> None:
    refusals = [(path.name, one) for path in TEMPLATES for one in REFUSED.findall(path.read_text("utf-8"))]

    assert len(refusals) > 40
    assert [one for one in refusals if "autofocus" not in one[1] and 'id="code-wrong"' not in one[1]] == []
