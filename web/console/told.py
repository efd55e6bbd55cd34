"""Lines of the diary as sentences: who did what to what, with a link where there is something to look at."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from flask import g, url_for
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy import RowMapping
from werkzeug.routing import BuildError

from mdm.compliance.rules import RULES
from mdm.core.permissions import Permission
from mdm.overview import details, diary_words, sentences, words

PAGES: dict[str, tuple[str, str, Permission]] = {
    "act": ("act", "number", Permission.ORDER_VIEW),
    "device": ("device", "uid", Permission.DEVICE_VIEW),
    "invitation": ("invitation", "uid", Permission.ENROLLMENT_VIEW),
    "order": ("approval", "number", Permission.ORDER_VIEW),
    "person": ("person", "number", Permission.PEOPLE_VIEW),
    "policy": ("policy", "number", Permission.POLICY_VIEW),
    "service_point": ("service_point", "number", Permission.ORG_VIEW),
    "unit": ("unit", "number", Permission.ORG_VIEW),
}
"""The page of a kind of subject, what its address is called, and what its reader must be allowed to do."""


class Told(Protocol):
    """What of a line of the diary is needed to tell it."""

    @property
    def action(self) -> str:
        """``noun.verb``."""

    @property
    def actor_name(self) -> str:
        """Who did it."""

    @property
    def subject_kind(self) -> str:
        """The kind of thing that it was done to."""

    @property
    def subject_id(self) -> str:
        """Its id."""

    @property
    def subject_name(self) -> str:
        """What a reader knows it by."""

    @property
    def details(self) -> dict[str, Any]:
        """What changed."""


@dataclass(frozen=True, slots=True)
class ListedLine:
    """A line as it stands in a row of the list of the diary."""

    action: str
    actor_name: str
    subject_kind: str
    subject_id: str
    subject_name: str
    details: dict[str, Any]


def listed(row: RowMapping) -> ListedLine:
    """The line behind a row of the list."""
    return ListedLine(
        row["_action"],
        row["_actor_name"],
        row["_subject_kind"],
        row["_subject_id"],
        row["_name"],
        row["_details"] or {},
    )


def details_of(line: Told) -> list[tuple[str, str]]:
    """What else the line says, as pairs of words; names of fields that have no word are shown as they are."""
    return [(_label(key), _value(key, value)) for key, value in line.details.items() if value not in (None, "", [], {})]


def _label(key: str) -> str:
    return str(gettext(details.LABELS[key])) if key in details.LABELS else key.replace("_", " ")


def _value(key: str, value: object) -> str:
    if isinstance(value, bool):
        answer = words.YES_NO["yes" if value else "no"]
        return str(gettext(answer))
    vocabulary: Mapping[str, str] = details.VALUES.get(key, {})
    if isinstance(value, str):
        return str(gettext(vocabulary[value])) if value in vocabulary else value
    if isinstance(value, list) and all(isinstance(one, str | int) for one in value):
        return ", ".join(_value(key, one) if isinstance(one, str) else str(one) for one in value)
    if isinstance(value, list) and all(isinstance(one, list) and one for one in value):
        # Pairs of id and name, as of the devices of one act.
        return ", ".join(str(one[-1] or one[0]) for one in value)
    if isinstance(value, dict) and set(value) == {"before", "after"}:
        return f"{_value(key, value['before'])} → {_value(key, value['after'])}"
    if isinstance(value, dict) and all(isinstance(one, str | int | bool) for one in value.values()):
        return ", ".join(f"{_label(name)}: {_value(name, one)}" for name, one in value.items())
    return str(value) if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False)


def told(line: Told) -> Markup:
    """The line as a sentence in the person's language. Names are escaped: some of them were written by strangers."""
    sentence = sentences.SENTENCES.get(line.action)
    who, what = _who(line), _what(line)
    if sentence is not None:
        return Markup(gettext(sentence)) % {"who": who, "what": what}  # noqa: S704 -- our sentence; % escapes the names
    action = (
        gettext(diary_words.ACTIONS[line.action])
        if line.action in diary_words.ACTIONS
        else line.action.replace("_", " ")
    )
    return Markup("%s %s %s") % (who, action, what)


def event_counts(acts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Actions with how often, in words."""
    return [
        (str(gettext(diary_words.ACTIONS.get(action, action.replace(".", " ").replace("_", " ")))), n)
        for action, n in acts
    ]


def _who(line: Told) -> Markup:
    name = sentences.ACTORS.get(line.actor_name)
    return Markup("<b>%s</b>") % (gettext(name) if name else line.actor_name)


def _what(line: Told) -> Markup:
    name = line.subject_name or str(line.details.get("for", "")) or line.subject_id
    if line.subject_kind == "compliance_rule":
        name = gettext(RULES[name].label) if name in RULES else name
    elif line.subject_kind == "batch":
        name = gettext("Devices: %(count)s", count=len(line.details.get("devices", ())))
    endpoint, parameter, permission = PAGES.get(line.subject_kind, ("", "", Permission.AUDIT_VIEW))
    if not endpoint or not g.actor.may_somewhere(permission):
        return Markup("<b>%s</b>") % name
    values: dict[str, Any] = {parameter: line.subject_id}
    try:
        address = url_for(endpoint, **values)
    except (BuildError, ValueError):
        # What was only asked for, or made by a permit for many, is named by words and has no page of its own.
        return Markup("<b>%s</b>") % name
    return Markup('<a href="%s">%s</a>') % (address, name)
