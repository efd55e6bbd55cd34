"""The typed catalogue of settings: data in TOML files, loaded once, checked when loaded. Knows no database."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from mdm.policies.catalogue import editor as _editor
from mdm.policies.catalogue import secrets as _secrets
from mdm.policies.catalogue import values as _values
from mdm.policies.catalogue.keys import LISTS, Category, Setting, Type
from mdm.policies.catalogue.load import load_folder
from mdm.policies.catalogue.secrets import MASK
from mdm.policies.catalogue.show import shown
from mdm.policies.catalogue.values import Checked

__all__ = [
    "MASK",
    "Category",
    "Checked",
    "Setting",
    "categories",
    "check",
    "find",
    "form",
    "from_form",
    "keep_secrets",
    "known",
    "label",
    "mask",
    "mask_value",
    "show",
    "validate",
]


@cache
def categories() -> tuple[Category, ...]:
    """Every category in its order. Raises CatalogueError when the data are wrong: once, at the first use."""
    return load_folder()


@cache
def known() -> Mapping[str, Setting]:
    """Every setting by its key, in the catalogue's order."""
    return {setting.key: setting for category in categories() for setting in category.settings}


def find(key: str) -> Setting | None:
    """The setting with this key, None where the catalogue has none (any more)."""
    return known().get(key)


def label(key: str, language: str = "en") -> str:
    """What a person calls the setting; the key itself for one that the catalogue does not have."""
    setting = find(key)
    return setting.label.to(language) if setting else key


def check(settings: object, language: str = "en") -> Checked:
    """The settings cleaned, and a sentence in ``language`` for every place that is wrong."""
    return _values.check(settings, known(), language)


def validate(settings: object, language: str = "en") -> dict[str, str]:
    """A sentence for every place that is wrong (``wifi.networks[1].ssid``); empty when all is right."""
    return check(settings, language).errors


def form(language: str = "en") -> list[dict[str, Any]]:
    """The catalogue as plain data from which a page draws an editor."""
    return _editor.form(categories(), language)


def mask(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they may be shown: every secret is ``MASK``."""
    return _secrets.mask(settings, known())


def mask_value(key: str, value: Any) -> Any:
    """One value as it may be shown."""
    return _secrets.mask_value(find(key), value)


def keep_secrets(settings: Any, former: Mapping[str, Any]) -> Any:
    """The settings with every ``MASK`` replaced by the secret that the record of the same name had in ``former``."""
    return _secrets.keep(settings, former, known())


def show(key: str, value: Any, language: str = "en") -> str:
    """A value as a person reads it, secrets masked: ``On``, ``12 characters``, ``stad.be, genk.be``."""
    return shown(find(key), mask_value(key, value), language)


def from_form(key: str, text: str) -> Any:
    """What a plain form field says, as the type of the setting: texts for lists are one item per line.

    A text that cannot be read as the type is given back as it is, so that the check refuses it with its place.
    """
    setting = find(key)
    kind = setting.spec.type if setting else Type.TEXT
    stripped = text.strip()
    if kind is Type.BOOL:
        return {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}.get(
            stripped.lower(), text
        )
    if kind is Type.INT:
        digits = stripped.removeprefix("-")
        return int(stripped) if digits.isascii() and digits.isdigit() and len(digits) < 10 else text
    if kind in LISTS:
        return [line.strip() for line in text.splitlines() if line.strip()]
    return text
