"""Values as a person reads them."""

from typing import Any

from mdm.policies.catalogue.keys import Setting, Type
from mdm.policies.wording import say

MAX_SHOWN = 12
"""Items of a list that are named; the rest is counted."""


def shown(setting: Setting | None, value: Any, language: str) -> str:
    """The value in words; an em dash for none. Secrets must be masked already."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return say("value", "on" if value else "off", language)
    spec = setting.spec if setting else None
    if spec and spec.type is Type.CHOICE:
        return next((choice.label.to(language) for choice in spec.choices if choice.value == value), str(value))
    if spec and spec.type is Type.WINDOW and isinstance(value, dict):
        days = ", ".join(say("day", day, language) for day in value["days"])
        return f"{days} {value['from']} - {value['to']}"
    if isinstance(value, list):
        return _list(setting, value)
    return f"{value} {say('unit', spec.unit, language)}" if spec and spec.unit else str(value)


def _list(setting: Setting | None, value: list[Any]) -> str:
    identity = setting.spec.identity if setting else ""
    names = [str(item.get(identity, item)) if isinstance(item, dict) else str(item) for item in value]
    rest = len(names) - MAX_SHOWN
    return ", ".join(names[:MAX_SHOWN]) + (f" (+{rest})" if rest > 0 else "")
