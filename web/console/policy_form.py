"""The guided editor's form: from the catalogue to fields, and from what was sent back to settings."""

import re
from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from mdm.policies import catalogue
from mdm.policies.catalogue.keys import LISTS, Field, Type

ROWS_MOST = 100
_ROW = re.compile(r"s\.([a-z_.]+)\[(\d{1,4})\]\.([a-z_]+)\Z")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def read(form: MultiDict[str, str]) -> dict[str, Any]:
    """The settings that a form holds; what was left empty is not set. Wrong values stay as they are, for the check."""
    rows = _rows(form)
    settings: dict[str, Any] = {}
    for key, setting in catalogue.known().items():
        kind = setting.spec.type
        if kind is Type.RECORDS:
            found = [_record(setting.spec.fields, rows[key][number]) for number in sorted(rows.get(key, {}))]
            kept = [record for record in found if record]
            if kept:
                settings[key] = kept[: ROWS_MOST + 1]
        elif kind is Type.WINDOW:
            window = _window(form, key)
            if window:
                settings[key] = window
        else:
            text = form.get(f"s.{key}", "")
            if text.strip():
                settings[key] = catalogue.from_form(key, text.replace("\r\n", "\n"))
    return settings


def _rows(form: MultiDict[str, str]) -> dict[str, dict[int, dict[str, str]]]:
    rows: dict[str, dict[int, dict[str, str]]] = {}
    for name, value in form.items():
        found = _ROW.match(name)
        if found:
            rows.setdefault(found[1], {}).setdefault(int(found[2]), {})[found[3]] = value
    return rows


def _record(fields: tuple[Field, ...], given: Mapping[str, str]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for field in fields:
        text = given.get(field.name, "").replace("\r\n", "\n")
        if text.strip():
            record[field.name] = _value(field, text)
    # A row in which only a yes or no was left standing was not meant as a row.
    return record if any(not isinstance(value, bool) for value in record.values()) else {}


def _value(field: Field, text: str) -> Any:
    kind, stripped = field.spec.type, text.strip()
    if kind is Type.BOOL:
        return {"true": True, "false": False}.get(stripped, stripped)
    if kind is Type.INT:
        return int(stripped) if stripped.isascii() and stripped.isdigit() and len(stripped) < 10 else stripped
    if kind in LISTS:
        return [line.strip() for line in text.splitlines() if line.strip()]
    return text if kind in (Type.MULTILINE, Type.CERTIFICATE) else stripped


def _window(form: MultiDict[str, str], key: str) -> dict[str, Any]:
    days = [day for day in DAYS if day in form.getlist(f"s.{key}.days")]
    begin, end = form.get(f"s.{key}.from", "").strip(), form.get(f"s.{key}.to", "").strip()
    return {"days": days, "from": begin, "to": end} if days or begin or end else {}
