"""Lines of the diary as sentences: who did what to what, with a link where there is something to look at."""

from typing import Any

from flask import g, url_for
from flask_babel import gettext
from markupsafe import Markup

from mdm.audit.model import AuditEntry
from mdm.compliance.rules import RULES
from mdm.core.permissions import Permission
from mdm.overview import sentences, words

PAGES: dict[str, tuple[str, str, Permission]] = {
    "device": ("device", "uid", Permission.DEVICE_VIEW),
    "invitation": ("invitation", "uid", Permission.ENROLLMENT_VIEW),
    "order": ("approval", "number", Permission.ORDER_VIEW),
    "person": ("person", "number", Permission.PEOPLE_VIEW),
    "policy": ("policy", "number", Permission.POLICY_VIEW),
    "service_point": ("service_point", "number", Permission.ORG_VIEW),
    "unit": ("unit", "number", Permission.ORG_VIEW),
}
"""The page of a kind of subject, what its address is called, and what its reader must be allowed to do."""


def told(line: AuditEntry) -> Markup:
    """The line as a sentence in the person's language. Names are escaped: some of them were written by strangers."""
    sentence = sentences.SENTENCES.get(line.action)
    who, what = _who(line), _what(line)
    if sentence is not None:
        return Markup(gettext(sentence)) % {"who": who, "what": what}  # noqa: S704 -- our sentence; % escapes the names
    action = gettext(words.ACTIONS[line.action]) if line.action in words.ACTIONS else line.action.replace("_", " ")
    return Markup("%s %s %s") % (who, action, what)


def _who(line: AuditEntry) -> Markup:
    name = sentences.ACTORS.get(line.actor_name)
    return Markup("<b>%s</b>") % (gettext(name) if name else line.actor_name)


def _what(line: AuditEntry) -> Markup:
    name = line.subject_name or str(line.details.get("for", "")) or line.subject_id
    if line.subject_kind == "compliance_rule":
        name = gettext(RULES[name].label) if name in RULES else name
    elif line.subject_kind == "batch":
        name = gettext("Devices: %(count)s", count=len(line.details.get("devices", ())))
    endpoint, parameter, permission = PAGES.get(line.subject_kind, ("", "", Permission.AUDIT_VIEW))
    if not endpoint or not g.actor.may_somewhere(permission):
        return Markup("<b>%s</b>") % name
    values: dict[str, Any] = {parameter: line.subject_id}
    return Markup('<a href="%s">%s</a>') % (url_for(endpoint, **values), name)
