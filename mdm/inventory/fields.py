"""What an asset record may say: each field cleaned, checked and told apart from what somebody only typed to fill it."""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import TypedDict

from mdm.core.errors import N_, InvalidError
from mdm.core.money import CURRENCY, MOST
from mdm.core.text import clean
from mdm.inventory.model import DeviceKind, Measure, Ownership, Platform

_JUNK_SERIALS = frozenset(
    {
        "",
        "-",
        "0",
        "00000000",
        "0123456789",
        "123456789",
        "default string",
        "n/a",
        "none",
        "not applicable",
        "not specified",
        "null",
        "oem",
        "system serial number",
        "to be filled by o.e.m.",
        "unknown",
    }
)
"""What makers and virtual machines write where a serial number belongs; it identifies nothing."""


class AssetData(TypedDict, total=False):
    """What a person may write about a device; a key that is missing is not touched."""

    tag: str | None
    serial: str | None
    imei: str | None
    name: str
    platform: str
    kind: str
    manufacturer: str
    model: str
    phone_number: str
    ownership: str
    ring: str
    service_point_id: int | None
    owner_unit_id: int | None
    purchased_on: date | None
    warranty_until: date | None
    cost_cents: int | None
    currency: str
    supplier: str
    order_number: str
    contract: str
    contract_until: date | None
    measure: str
    custom: dict[str, str]
    note: str


def serial(value: object) -> str | None:
    """The serial number in one line; None where it is missing or one of the fillers that makers write there."""
    text = clean(value, 128)
    return None if text.casefold() in _JUNK_SERIALS else text


def imei(value: object) -> str | None:
    """The IMEI as 14 to 16 digits, None when empty. Raises ValueError for anything else."""
    digits = "".join(character for character in clean(value, 40) if character not in " -/.")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and 14 <= len(digits) <= 16):
        raise ValueError(N_("An IMEI has 14 to 16 digits."))
    return digits


def _line(limit: int) -> Callable[[object], str]:
    return lambda value: clean(value, limit)


def _optional(limit: int) -> Callable[[object], str | None]:
    return lambda value: clean(value, limit) or None


def _one_of(names: type[StrEnum]) -> Callable[[object], str]:
    def check(value: object) -> str:
        text = clean(value, 32).casefold()
        if text not in {name.value for name in names}:
            raise ValueError(N_("This must be one of: %s.") % ", ".join(sorted(name.value for name in names)))
        return text

    return check


def _day(value: object) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(clean(value, 10))
    except ValueError:
        raise ValueError(N_("A date is written as 2026-11-21.")) from None


def _row(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _amount(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST:
        raise ValueError(N_("An amount is written as 1234.56, without a minus, and is at most 20 million."))
    return value


def _currency(value: object) -> str:
    text = clean(value, 8).upper()
    if text and not (len(text) == 3 and text.isascii() and text.isalpha()):
        raise ValueError(N_("A currency has three letters, such as EUR."))
    return text


def _measure(value: object) -> str:
    return "" if value in (None, "") else _one_of(Measure)(value)


CUSTOM_MOST = 60
"""Fields of another asset system that one device may carry."""


def _custom(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError(N_("Further fields are names with texts."))  # noqa: TRY004 -- a wrong field, not a wrong program
    kept = {clean(name, 64): clean(text, 2000) for name, text in list(value.items())[:CUSTOM_MOST]}
    return {name: text for name, text in kept.items() if name and text}


_CLEANERS: dict[str, Callable[[object], object]] = {
    "tag": _optional(64),
    "serial": serial,
    "imei": imei,
    "name": _line(255),
    "platform": _one_of(Platform),
    "kind": _one_of(DeviceKind),
    "manufacturer": _line(128),
    "model": _line(128),
    "phone_number": _line(32),
    "ownership": _one_of(Ownership),
    "ring": _line(32),
    "service_point_id": _row,
    "owner_unit_id": _row,
    "purchased_on": _day,
    "warranty_until": _day,
    "cost_cents": _amount,
    "currency": _currency,
    "supplier": _line(128),
    "order_number": _line(64),
    "contract": _line(128),
    "contract_until": _day,
    "measure": _measure,
    "custom": _custom,
    "note": lambda value: clean(value, 4000, lines=True),
}


def cleaned(data: AssetData) -> dict[str, object]:
    """The data as it is stored. Raises InvalidError that names every wrong field and every unknown one.

    An amount without a currency is in the city's own.
    """
    wrong: dict[str, str] = {}
    kept: dict[str, object] = {}
    for key, value in data.items():
        cleaner = _CLEANERS.get(key)
        if cleaner is None:
            wrong[key] = N_("There is no such field.")
            continue
        try:
            kept[key] = cleaner(value)
        except ValueError as error:
            wrong[key] = str(error)
    if wrong:
        raise InvalidError(N_("The device was not saved: correct the fields that are marked."), fields=wrong)
    if kept.get("cost_cents") is not None and not kept.get("currency"):
        kept["currency"] = CURRENCY
    return kept
