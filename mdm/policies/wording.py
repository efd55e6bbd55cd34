"""What this room says to a person in every language of the console, read once from ``texts.toml``."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from mdm.policies.catalogue.keys import Texts
from mdm.policies.catalogue.load import texts


@cache
def _chapters() -> Mapping[str, Mapping[str, Texts]]:
    document = tomllib.loads((files(__package__) / "texts.toml").read_text("utf-8"))
    return {chapter: {key: texts(raw) for key, raw in entries.items()} for chapter, entries in document.items()}


def say(chapter: str, key: str, language: str, **params: object) -> str:
    """The sentence under ``chapter`` and ``key``, filled. Raises KeyError for one that is not there."""
    sentence = _chapters()[chapter][key].to(language)
    return sentence % params if params else sentence


def all_of(chapter: str, language: str) -> dict[str, str]:
    """Every sentence of a chapter, unfilled."""
    return {key: text.to(language) for key, text in _chapters()[chapter].items()}
