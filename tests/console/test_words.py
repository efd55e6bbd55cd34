"""The console speaks Dutch and French wherever it speaks: no page shows a sentence that nobody translated."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

WEB = Path(__file__).resolve().parents[2] / "web"
PLACES = re.compile(r"%\(\w+\)s")


def sentences() -> set[str]:
    """What the pages themselves say."""
    found = extract_from_dir(
        str(WEB / "console"),
        method_map=[("**.py", "python"), ("templates/**.html", "jinja2")],
        options_map={"templates/**.html": {"trimmed": "true"}},
        keywords={"_": None, "gettext": None, "N_": None},
    )
    return {str(message) for _file, _line, message, _comments, _context in found if message}


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_every_sentence_of_a_page_is_translated(language: str) -> None:
    with (WEB / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file)

    missing = sorted(text for text in sentences() if text not in catalogue or not catalogue[text].string)

    assert len(sentences()) > 500
    assert missing == []
    assert [message.id for message in catalogue if message.fuzzy and message.id] == []


def _places(text: str | tuple[str, ...] | list[str]) -> set[str]:
    """The places of a sentence, or of all its forms where it is written for one and for many."""
    return set(PLACES.findall(text if isinstance(text, str) else " ".join(text)))


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_a_translation_fills_the_same_places(language: str) -> None:
    with (WEB / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file)

    wrong = [
        message.id
        for message in catalogue
        if message.id and message.string and _places(message.id) != _places(message.string)
    ]

    assert wrong == []
