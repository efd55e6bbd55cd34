"""Texts by language: which one somebody reads, and which ones may be kept. Pure."""

from collections.abc import Mapping
from typing import Any

from mdm.core.text import clean
from mdm.people.model import LANGUAGES

FALL_BACK = ("en", "nl", *LANGUAGES)
"""Where nobody wrote it in the reader's language, the first of these is shown."""


def said(texts: Mapping[str, Any], language: str) -> str:
    """The text in this language, else in the first one that there is; empty where there is none."""
    for one in (language, *FALL_BACK):
        if texts.get(one):
            return str(texts[one])
    return ""


def spoken(texts: Mapping[str, Any], language: str) -> str:
    """The language in which ``said`` speaks: a screen reader must know it."""
    return next((one for one in (language, *FALL_BACK) if texts.get(one)), language)


def written(
    before: Mapping[str, Any], language: str, text: object, limit: int, *, lines: bool = False
) -> dict[str, str]:
    """The texts with this one in its language; an empty one is taken out. Everything else stays as it was."""
    kept = {one: str(before[one]) for one in LANGUAGES if before.get(one)}
    cleaned = clean(text, limit, lines=lines)
    if language in LANGUAGES:
        kept.pop(language, None)
        if cleaned:
            kept[language] = cleaned
    return kept


def paragraphs(text: str) -> list[str]:
    """The text as plain paragraphs: lines that are not empty. Whatever else stands in it is shown as it is written."""
    return [line.strip() for line in text.splitlines() if line.strip()]
