"""Checks and cleans values against the catalogue: every refusal carries the exact place, like ``wifi.networks[1].ssid``."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from mdm.core.text import clean
from mdm.policies.catalogue.formats import FORMATS, is_url
from mdm.policies.catalogue.keys import LISTS, Field, Setting, Spec, Type
from mdm.policies.catalogue.secrets import MASK
from mdm.policies.wording import say

MAX_ITEMS = 500
"""Items of one list."""
MAX_RECORDS = 100
MAX_LIST_TEXT = 512
"""Characters of one item of a list."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*\Z")


@dataclass(slots=True)
class Checked:
    """The cleaned settings that are right, and a sentence for every place that is not."""

    settings: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


class _RefusedError(Exception):
    def __init__(self, key: str, place: str = "", **params: object) -> None:
        self.key, self.place, self.params = key, place, params
        super().__init__(key)


def check(settings: object, known: Mapping[str, Setting], language: str = "en") -> Checked:
    """Everything that is right in ``settings``, cleaned, and what is wrong with the rest. Raises nothing."""
    result = Checked()
    if not isinstance(settings, Mapping):
        result.errors["settings"] = say("refusal", "not_settings", language)
        return result
    for key, value in settings.items():
        if not isinstance(key, str) or key not in known:
            result.errors[clean(key, 80) or "settings"] = say("refusal", "unknown_key", language)
            continue
        errors: list[_RefusedError] = []
        cleaned = _setting(known[key], value, errors)
        for error in errors:
            result.errors.setdefault(key + error.place, say("refusal", error.key, language, **error.params))
        if not errors:
            result.settings[key] = cleaned
    return result


def _setting(setting: Setting, value: object, errors: list[_RefusedError]) -> object:
    try:
        if setting.spec.type is Type.RECORDS:
            return _records(setting, value, errors)
        if setting.spec.type in LISTS:
            return _items(setting.spec, value, errors)
        return _one(setting.spec, value)
    except _RefusedError as error:
        errors.append(error)
        return None


def _one(spec: Spec, value: object) -> object:
    return _CHECKS[spec.type](spec, value)


def _bool(_spec: Spec, value: object) -> bool:
    if not isinstance(value, bool):
        raise _RefusedError("bool")
    return value


def _int(spec: Spec, value: object) -> int:
    low, high = spec.min or 0, spec.max or 0
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _RefusedError("int", min=low, max=high)
    return value


def _choice(spec: Spec, value: object) -> str:
    if not isinstance(value, str) or spec.choice_order(value) < 0:
        raise _RefusedError("choice", choices=", ".join(choice.value for choice in spec.choices))
    return value


def _text(spec: Spec, value: object, *, lines: bool = False, limit: int | None = None) -> str:
    if not isinstance(value, str):
        raise _RefusedError("text")
    limit = limit or spec.limit
    if len(value) > limit:
        raise _RefusedError("long", limit=limit)
    value = unicodedata.normalize("NFC", value.replace("\r\n", "\n").strip())
    if clean(value, limit * 2, lines=lines) != value:
        raise _RefusedError("control")
    if not value:
        raise _RefusedError("empty")
    if spec.format and not FORMATS[spec.format](value):
        raise _RefusedError(spec.format)
    return value


def _multiline(spec: Spec, value: object) -> str:
    return _text(spec, value, lines=True)


def _url(spec: Spec, value: object) -> str:
    text = _text(spec, value, limit=2000)
    if not is_url(text, spec.schemes):
        raise _RefusedError("url", schemes=", ".join(f"{scheme}://" for scheme in spec.schemes))
    return text


def _certificate(spec: Spec, value: object) -> str:
    text = _text(spec, value, lines=True)
    if "PRIVATE KEY" in text:
        raise _RefusedError("private_key")
    try:
        if not _PEM.match(text):
            raise _RefusedError("certificate")
        x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise _RefusedError("certificate") from error
    return text + "\n"


def _window(_spec: Spec, value: object) -> dict[str, object]:
    if not isinstance(value, Mapping) or set(value) != {"days", "from", "to"}:
        raise _RefusedError("window")
    days, start, end = value["days"], value["from"], value["to"]
    if not isinstance(days, list) or not days or any(day not in DAYS for day in days):
        raise _RefusedError("window", ".days")
    for name, moment in (("from", start), ("to", end)):
        if not isinstance(moment, str) or not FORMATS["time"](moment):
            raise _RefusedError("time", f".{name}")
    if start == end:
        raise _RefusedError("window", ".to")
    return {"days": [day for day in DAYS if day in days], "from": start, "to": end}


def _texts(spec: Spec, value: object) -> list[str]:
    errors: list[_RefusedError] = []
    items = _items(spec, value, errors)
    if errors:
        raise errors[0]
    return items


_CHECKS: Mapping[Type, Callable[[Spec, object], object]] = {
    Type.BOOL: _bool,
    Type.CERTIFICATE: _certificate,
    Type.CHOICE: _choice,
    Type.INT: _int,
    Type.MULTILINE: _multiline,
    Type.TEXT: _text,
    Type.TEXTS: _texts,
    Type.URL: _url,
    Type.WINDOW: _window,
}
_ITEM_FORMAT = {Type.APPS: "app_item", Type.URLS: "url_filter"}


def _items(spec: Spec, value: object, errors: list[_RefusedError]) -> list[str]:
    """A list of texts, each of them right and none twice."""
    if not isinstance(value, list):
        raise _RefusedError("list")
    if not value:
        raise _RefusedError("empty")
    if len(value) > MAX_ITEMS:
        raise _RefusedError("many", limit=MAX_ITEMS)
    item_spec = Spec(Type.TEXT, limit=MAX_LIST_TEXT, format=_ITEM_FORMAT.get(spec.type, spec.format))
    kept: list[str] = []
    for number, item in enumerate(value):
        try:
            kept.append(_item(item_spec, item, kept))
        except _RefusedError as error:
            error.place = f"[{number}]"
            errors.append(error)
    return kept


def _item(spec: Spec, item: object, kept: list[str]) -> str:
    text = _text(spec, item)
    if text in kept:
        raise _RefusedError("twice")
    return text


def _records(setting: Setting, value: object, errors: list[_RefusedError]) -> list[dict[str, object]]:
    """A list of records, each with its fields in the catalogue's order and none with another's name."""
    if not isinstance(value, list):
        raise _RefusedError("list")
    if not value:
        raise _RefusedError("empty")
    if len(value) > MAX_RECORDS:
        raise _RefusedError("many", limit=MAX_RECORDS)
    identity = setting.spec.identity
    names: set[object] = set()
    kept = []
    for number, raw in enumerate(value):
        found: list[_RefusedError] = []
        record = _record(setting, raw, found)
        if not found and record[identity] in names:
            found.append(_RefusedError("twice", f".{identity}"))
        names.add(record.get(identity))
        for error in found:
            error.place = f"[{number}]{error.place}"
        errors.extend(found)
        kept.append(record)
    return kept


def _record(setting: Setting, raw: object, errors: list[_RefusedError]) -> dict[str, object]:
    if not isinstance(raw, Mapping):
        errors.append(_RefusedError("record"))
        return {}
    fields = {field.name: field for field in setting.spec.fields}
    errors.extend(_RefusedError("unknown_field", f".{clean(name, 40)}") for name in raw if name not in fields)
    record: dict[str, object] = {}
    for name, one in fields.items():
        value = raw.get(name)
        if value is None or value in ("", []):
            if one.required:
                errors.append(_RefusedError("required", f".{name}"))
            continue
        try:
            record[name] = _field(one, value)
        except _RefusedError as error:
            error.place = f".{name}{error.place}"
            errors.append(error)
    whole = _WHOLE.get(setting.key)
    if whole and not errors:
        whole(record, errors)
    return record


def _field(one: Field, value: object) -> object:
    if one.secret and value == MASK:
        raise _RefusedError("masked")
    return _one(one.spec, value)


def _wifi(record: Mapping[str, object], errors: list[_RefusedError]) -> None:
    """What of a network belongs together: IEEE 802.11i allows 8 to 63 characters as a passphrase."""
    secret, security = record.get("passphrase"), record["security"]
    if security == "peap":
        missing = [name for name in ("identity", "passphrase", "domain") if name not in record]
        errors.extend(_RefusedError("peap", f".{name}") for name in missing)
    elif (security == "open") != (secret is None) or (isinstance(secret, str) and not 8 <= len(secret) <= 63):
        errors.append(_RefusedError("passphrase", ".passphrase"))


def _ikev2(record: Mapping[str, object], errors: list[_RefusedError]) -> None:
    """What of a tunnel belongs together: nothing asks the user for what is missing when it connects by itself."""
    needed = ("username", "secret") if record["method"] == "password" else ("secret",)
    errors.extend(_RefusedError("ikev2", f".{name}") for name in needed if name not in record)


def _usb(record: Mapping[str, object], errors: list[_RefusedError]) -> None:
    """A name alone would allow everything, or nothing."""
    if "kind" not in record and "id" not in record:
        errors.append(_RefusedError("usb_empty", ".kind"))


def _dot1x(record: Mapping[str, object], errors: list[_RefusedError]) -> None:
    """What of a network belongs together: a machine at a closed port cannot be told afterwards."""
    if record["method"] == "peap":
        if "password" not in record:
            errors.append(_RefusedError("dot1x_password", ".password"))
        return
    missing = [name for name in ("certificate", "private_key") if name not in record]
    errors.extend(_RefusedError("dot1x_certificate", f".{name}") for name in missing)
    if not missing and not _belongs(str(record["private_key"]), str(record["certificate"]), record.get("password")):
        errors.append(_RefusedError("dot1x_key", ".private_key"))


def _belongs(key: str, certificate: str, password: object) -> bool:
    secret = str(password).encode() if password and "ENCRYPTED" in key else None
    try:
        own = serialization.load_pem_private_key(key.encode(), secret).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return own == x509.load_pem_x509_certificate(certificate.encode()).public_key()


def _enforcement(record: Mapping[str, object], errors: list[_RefusedError]) -> None:
    """Blocking comes before wiping; and leaving it to Google leaves nothing else to say."""
    block, wipe = record.get("block_after"), record.get("wipe_after")
    if record.get("as_google") and (block is not None or wipe is not None):
        errors.append(_RefusedError("as_google", ".as_google"))
    elif isinstance(block, int) and isinstance(wipe, int) and block >= wipe:
        errors.append(_RefusedError("block_first", ".wipe_after"))


_WHOLE: Mapping[str, Callable[[Mapping[str, object], list[_RefusedError]], None]] = {
    "dot1x.networks": _dot1x,
    "enforcement.rules": _enforcement,
    "usb.allowed": _usb,
    "vpn.ikev2": _ikev2,
    "wifi.networks": _wifi,
}
