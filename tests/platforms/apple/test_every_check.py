"""Each of the 128 black-box checks is a test that carries its number, or has a written reason in ``docs/iphone.md``."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
PAGE = TESTS.parent / "docs" / "iphone.md"
ALL = set(range(1, 129))


def numbers(name: str) -> set[int]:
    """The checks that a test names: ``test_check_94_…``, ``test_checks_62_and_63_…``, ``test_checks_18_to_32_…``."""
    found = re.match(r"test_(?:checks?_)?((?:\d{1,3}_)(?:(?:(?:to|and)_)?\d{1,3}_)*)", name)
    if found is None:
        return set()
    held: set[int] = set()
    words = found[1].strip("_").split("_")
    for place, word in enumerate(words):
        if word == "to":
            held |= set(range(int(words[place - 1]), int(words[place + 1]) + 1))
        elif word != "and":
            held.add(int(word))
    return held & ALL


def reasoned() -> set[int]:
    """The checks of which the page says why they are not as listed."""
    listed = PAGE.read_text().partition("Not as the list has them, and why:")[2]
    held: set[int] = set()
    for first, last in re.findall(r"^- (\d+)(?: to (\d+))?", listed, re.MULTILINE):
        held |= set(range(int(first), int(last or first) + 1))
    return held


def test_every_check_is_a_test_with_its_number_or_has_a_reason() -> None:
    named: set[int] = set()
    for file in TESTS.rglob("test_*.py"):
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE):
            named |= numbers(name)
    assert sorted(ALL - named - reasoned()) == []
    assert len(named) > 100
