"""Raw payloads: pieces of a platform's own configuration that the catalogue has no setting for. Pure.

On Linux a payload is a resource of the wire protocol without its id: a file, a managed policy of Chromium, a network or a
unit. It is checked here so that it is refused when it is saved, and not on two hundred devices.
"""

import configparser
import json
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent import wire
from mdm.core.errors import N_
from mdm.core.text import clean
from mdm.policies.catalogue.load import PLATFORMS

MAX_PAYLOADS = 50
MAX_CONTENT = 128 * 1024
"""Characters of one payload as JSON."""
ROOTS = ("/etc/", "/usr/local/share/")
"""Where a payload may put a file; the agent has a narrower list of its own and refuses what is not on it."""
FORBIDDEN = (
    # Whatever decides who may sign in or become root.
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/pam.d",
    "/etc/ld.so.preload",
    "/etc/havenmeester",
    "/etc/crypttab",
    "/etc/fstab",
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}\Z")
_MODE = re.compile(r"0[0-7]{3}\Z")


def checked(payloads: object, errors: dict[str, str]) -> list[dict[str, Any]]:
    """The payloads that are right; what is wrong goes into ``errors`` under ``payloads[n].field``."""
    if not isinstance(payloads, Sequence) or isinstance(payloads, str):
        errors["payloads"] = N_("Give a list of payloads.")
        return []
    if len(payloads) > MAX_PAYLOADS:
        errors["payloads"] = N_("Too many payloads: at most 50.")
        return []
    kept: list[dict[str, Any]] = []
    for number, raw in enumerate(payloads):
        place = f"payloads[{number}]"
        if not isinstance(raw, Mapping) or set(raw) != {"platform", "name", "content"}:
            errors[place] = N_("A payload has platform, name and content.")
            continue
        name, content = clean(raw["name"], 100), _content(raw["content"])
        if raw["platform"] not in PLATFORMS:
            errors[f"{place}.platform"] = N_("This platform is not known.")
        elif not name or any((one["platform"], one["name"]) == (raw["platform"], name) for one in kept):
            errors[f"{place}.name"] = N_("A payload needs a name of its own.")
        elif content is None:
            errors[f"{place}.content"] = N_("The content is not JSON, or longer than 128 KiB.")
        elif raw["platform"] in CHECKS and (fault := CHECKS[raw["platform"]](content)):
            errors[f"{place}.content"] = fault
        else:
            kept.append({"platform": raw["platform"], "name": name, "content": content})
    return kept


def _content(raw: object) -> Any:
    """The content as data: given as such, or as text in JSON; None when it is neither, or too long.

    A NUL, half a surrogate pair or an infinite number is no content either: not every database can keep them.
    """
    try:
        value = json.loads(raw) if isinstance(raw, str) and len(raw) <= MAX_CONTENT else raw
        text = wire.canonical(value).decode()
    except (ValueError, TypeError, RecursionError):
        return None
    return value if len(text) <= MAX_CONTENT and "\\u0000" not in text else None


def linux_fault(content: object) -> str:
    """What is wrong with a payload for Linux, "" when nothing is."""
    if not isinstance(content, Mapping) or content.get("kind") not in _LINUX:
        return N_("On Linux a payload is an object with the kind file, chromium, network or unit.")
    fields, check = _LINUX[content["kind"]]
    strange = set(content) - {"kind", *fields}
    if strange or not set(fields) - _OPTIONAL <= set(content):
        return N_("A %(kind)s has the fields: %(fields)s.") % {"kind": content["kind"], "fields": ", ".join(fields)}
    return check(content)


def _file(content: Mapping[str, Any]) -> str:
    path = content["path"]
    if not isinstance(path, str) or clean(path, 500) != path or posixpath.normpath(path) != path:
        return N_("The path is not a plain absolute path.")
    if not path.startswith(ROOTS) or any(path == one or path.startswith(one) for one in FORBIDDEN):
        return N_("A payload may not write %(path)s.") % {"path": path}
    if not isinstance(content["content"], str):
        return N_("The content of a file is a text.")
    if not isinstance(content.get("mode", "0644"), str) or not _MODE.match(content.get("mode", "0644")):
        return N_("The mode is four octal digits, the first of them 0.")
    if content.get("validate", "none") not in wire.VALIDATORS:
        return N_("The validator is one of: %(words)s.") % {"words": ", ".join(wire.VALIDATORS)}
    after = content.get("after", [])
    if not isinstance(after, list) or any(one not in wire.AFTER for one in after):
        return N_("What to do after is a list of: %(words)s.") % {"words": ", ".join(wire.AFTER)}
    return ""


def _chromium(content: Mapping[str, Any]) -> str:
    good = isinstance(content["content"], Mapping) and all(re.match(r"[A-Z]\w+\Z", key) for key in content["content"])
    return "" if good else N_("A managed policy of Chromium is an object of policy names and values.")


def _ini(content: Mapping[str, Any], suffix: str) -> str:
    name, text = content["name"], content["content"]
    if not isinstance(name, str) or not _NAME.match(name) or not name.endswith(suffix):
        return N_("The name is not one for this kind of file.")
    if not isinstance(text, str):
        return N_("The content of a file is a text.")
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#", ";"))
    try:
        parser.read_string(text)
    except configparser.Error:
        return N_("The content has no sections with keys and values.")
    return ""


def _network(content: Mapping[str, Any]) -> str:
    return _ini(content, "")


def _unit(content: Mapping[str, Any]) -> str:
    if not isinstance(content.get("enable", True), bool):
        return N_("Enable is true or false.")
    suffix = next((one for one in (".service", ".timer", ".path") if str(content["name"]).endswith(one)), ".service")
    return _ini(content, suffix)


_OPTIONAL = frozenset({"mode", "validate", "after", "enable"})
_LINUX: Mapping[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any]], str]]] = {
    "chromium": (("content",), _chromium),
    "file": (("path", "content", "mode", "validate", "after"), _file),
    "network": (("name", "content"), _network),
    "unit": (("name", "content", "enable"), _unit),
}
CHECKS: dict[str, Callable[[object], str]] = {"linux": linux_fault}
"""What is wrong with a payload, "" when nothing is, by platform; interpreters of other platforms add theirs."""
