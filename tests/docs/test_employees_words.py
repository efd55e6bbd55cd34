"""The employees' page speaks every language that it offers, wholly: ``make check`` fails where a sentence is missing."""

import re
from configparser import ConfigParser
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from mdm.people.model import LANGUAGES as SPOKEN
from mdm.portal.letters import LINK
from web.portal.language import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "web" / "portal" / "translations"
PLACES = re.compile(r"%\(\w+\)s")


def sentences() -> set[str]:
    """What the page says, read out of the code as the catalogues are."""
    parser = ConfigParser()
    parser.read_string((FOLDER / "babel.cfg").read_text(encoding="utf-8"))
    ways = [(section.partition(":")[2].strip(), section.partition(":")[0]) for section in parser.sections()]
    options = {pattern: {"trimmed": "true"} for pattern, method in ways if method == "jinja2"}
    keywords = {"_": None, "gettext": None, "N_": None}
    found = extract_from_dir(str(ROOT), method_map=ways, options_map=options, keywords=keywords)
    return {str(message) for _file, _line, message, _comments, _context in found if message}


def test_everybody_may_read_in_the_language_that_stands_in_their_record() -> None:
    assert set(SPOKEN) == set(LANGUAGES) == set(LINK)


def test_every_sentence_is_there_in_every_language() -> None:
    said = sentences()
    assert len(said) > 150
    for language in LANGUAGES:
        if language == "en":
            continue
        with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
            catalogue = read_po(file)
        missing = sorted(text for text in said if text not in catalogue or not catalogue[text].string)
        assert missing == [], language


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_a_translation_fills_the_same_places(language: str) -> None:
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file)

    wrong = [
        message.id
        for message in catalogue
        if message.id and set(PLACES.findall(str(message.id))) != set(PLACES.findall(str(message.string)))
    ]

    assert wrong == []
