"""Whether something may be sent: checked against Apple's own facts before it is saved. Pure.

An error is what the device would refuse or what would do harm there; a warning is what it would pass over.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from mdm.core.errors import N_
from mdm.platforms.apple.schema.table import COMMAND, PROFILE, Node, Target, entries, version

MAX_DEPTH: Final = 32
MAX_FINDINGS: Final = 100


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong at ``path``. ``code`` is stable; ``sentence`` and ``params`` are for people."""

    severity: Severity
    path: str
    code: str
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The English sentence, not yet filled."""
        return SENTENCES[self.code]

    @property
    def text(self) -> str:
        """The English sentence, filled."""
        return self.sentence % {"path": self.path or "…", **self.params}


SENTENCES: Final = {
    "apn_alone": N_(
        "The access points of the operator would be replaced, and no Wi-Fi is given: a mistake leaves the device without network."
    ),
    "automated_only": N_("%(path)s works only on devices that were enrolled automatically."),
    "calls": N_("Without notifications of the telephone nobody hears that somebody calls."),
    "captive": N_("Without %(path)s the device cannot sign in to the Wi-Fi of a hotel or a train."),
    "collides": N_("%(path)s stands here twice."),
    "deprecated": N_("%(path)s is deprecated since %(version)s."),
    "dns_fixed": N_("With %(path)s nobody at the device can leave a name server that does not answer."),
    "empty": N_("%(path)s must not be empty."),
    "enrollment_forbidden": N_("%(path)s is not allowed on private devices."),
    "enrollment_ignored": N_("%(path)s has no effect on private devices."),
    "erases": N_(
        "After %(attempts)s wrong passcodes the device erases itself, and no unlock token is kept for this device."
    ),
    "format": N_("%(path)s does not have the right form."),
    "hidden": N_("On the home screen, but not among the applications that may run: %(apps)s."),
    "locked_app": N_("The device is locked into %(app)s, but its list of applications does not let it run."),
    "management": N_("%(path)s would hand the device to another management. Only an enrollment profile may carry it."),
    "missing": N_("%(path)s is missing."),
    "needed_app": N_("The list of allowed applications leaves out %(apps)s."),
    "no_network": N_(
        "Only known Wi-Fi networks would be allowed, but this profile brings none: the device could lose its network."
    ),
    "not_allowed": N_("%(path)s must be one of: %(allowed)s."),
    "once": N_("%(path)s may be there only once on a device."),
    "own_identifier": N_("%(path)s is one of our own. Give the profile another one."),
    "pairing": N_("Without pairing, a device that lost its network cannot be mended by cable."),
    "proxy_alone": N_("Without %(path)s the device has no network while the proxy's configuration cannot be read."),
    "range": N_("%(path)s must lie between %(least)s and %(most)s."),
    "removed": N_("%(path)s exists no longer since %(version)s."),
    "repetition": N_("%(path)s must have between %(least)s and %(most)s entries."),
    "rights": N_("%(path)s of 0 gives the management no right at all."),
    "supervision": N_("%(path)s works only on supervised devices."),
    "too_deep": N_("%(path)s is nested too deeply."),
    "too_new": N_("%(path)s needs at least version %(version)s."),
    "tunnel_fixed": N_("With %(path)s nobody at the device can switch off a tunnel that does not come up."),
    "tunnel_push": N_(
        "All traffic goes through the tunnel, pushes too: without the tunnel the device hears nothing of us."
    ),
    "two_lists": N_("Allowed and blocked applications cannot both be listed on one device."),
    "type": N_("%(path)s must be of the type %(wanted)s."),
    "unchecked": N_("The keys of %(path)s are not published yet: they are sent unchecked."),
    "unknown": N_("%(path)s is not known."),
    "unknown_key": N_("The key %(path)s is not known."),
    "web_clips": N_("Web clips are not shown unless com.apple.webapp is among the allowed applications."),
}
_WORDS: Final = {
    "s": "string",
    "i": "integer",
    "r": "real",
    "b": "boolean",
    "t": "date",
    "d": "data",
    "a": "array",
    "o": "dictionary",
}
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "s": (str,),
    "i": (int,),
    "r": (int, float),
    "b": (bool,),
    "t": (datetime,),
    "d": (bytes,),
    "a": (list, tuple),
    "o": (Mapping,),
}


def errors(findings: Sequence[Finding]) -> list[Finding]:
    """Those that must keep the thing from being saved."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def check(kind: str, name: str, value: Mapping[str, Any], target: Target, *, path: str = "") -> list[Finding]:
    """What is wrong with this command, payload or declaration for this target; empty when nothing is.

    Where Apple publishes variants under one name, the one that fits best counts. An unknown name is a warning for a
    payload, which may belong to an app, and an error for the rest.
    """
    found = entries(kind, name)
    if not found:
        severity = Severity.WARNING if kind == PROFILE else Severity.ERROR
        return [Finding(severity, path or name, "unknown")]
    tries = [_entry(kind, entry, name, value, target, path) for entry in found]
    return min(tries, key=lambda one: (len(errors(one)), len(one)))


def _entry(kind: str, entry: Node, name: str, value: Mapping[str, Any], target: Target, path: str) -> list[Finding]:
    walk = _Walk(target)
    walk.system(entry["o"], path or name)
    if kind == COMMAND:
        # What a device cannot carry out is not sent to it; a payload that it passes over may wait for an update.
        walk.found = [one if one.code == "deprecated" else replace(one, severity=Severity.ERROR) for one in walk.found]
    if entry.get("v"):
        walk.add(Severity.WARNING, path or name, "unchecked")
    else:
        walk.dictionary([entry["s"]], value, path)
    return walk.found


class _Walk:
    """One walk through a value, beside the nodes that describe it. ``lists`` are the lists of nodes it stands in."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.found: list[Finding] = []

    def add(self, severity: Severity, path: str, code: str, **params: str) -> None:
        if len(self.found) < MAX_FINDINGS:
            self.found.append(Finding(severity, path[:200], code, params))

    def error(self, path: str, code: str, **params: str) -> None:
        self.add(Severity.ERROR, path, code, **params)

    def system(self, facts: Node, path: str) -> None:
        """What the operating system, supervision and the kind of enrollment have to say."""
        target = self.target
        here = target.version
        for letter, code in (("x", "removed"), ("p", "deprecated")):
            limit = version(facts.get(letter))
            if here is not None and limit is not None and here >= limit:
                self.add(Severity.WARNING, path, code, version=facts[letter])
        least = version(facts.get("i"))
        if here is not None and least is not None and here < least:
            self.add(Severity.WARNING, path, "too_new", version=facts["i"])
        if facts.get("S") and target.supervised is False:
            self.add(Severity.WARNING, path, "supervision")
        if facts.get("D") and target.automated is False:
            self.add(Severity.WARNING, path, "automated_only")
        self._enrollment(facts, path)

    def _enrollment(self, facts: Node, path: str) -> None:
        if self.target.user_enrollment is None:
            return
        mode = facts.get("U")
        if self.target.user_enrollment and mode == "forbidden":
            self.error(path, "enrollment_forbidden")
        elif self.target.user_enrollment and mode == "ignored":
            self.add(Severity.WARNING, path, "enrollment_ignored")
        kinds = facts.get("E")
        if kinds is None:
            return
        if self.target.user_enrollment and "user" not in kinds:
            self.error(path, "enrollment_forbidden")
        elif not self.target.user_enrollment and self.target.supervised is False and "device" not in kinds:
            self.add(Severity.WARNING, path, "supervision")

    def dictionary(self, lists: list[Sequence[Node]], value: Mapping[str, Any], path: str) -> None:
        """Every key that is there, and every one that should be."""
        if len(lists) > MAX_DEPTH:
            return self.error(path, "too_deep")
        known = {node["k"]: node for node in lists[-1] if not node.get("v")}
        free = next((node for node in lists[-1] if node.get("v")), None)
        for key, content in value.items():
            place = f"{path}.{key}" if path else str(key)
            node = known.get(key, free)
            if node is None:
                self.add(Severity.WARNING, place, "unknown_key")
            else:
                self.value(node, lists, content, place)
        for key, node in known.items():
            if node.get("q") and key not in value and not self._forbidden(node):
                self.error(f"{path}.{key}" if path else key, "missing")
        return None

    def _forbidden(self, node: Node) -> bool:
        """Whether a key that is required in general has no place in this kind of enrollment."""
        mode = node.get("o", {}).get("U")
        return bool(self.target.user_enrollment and mode == "forbidden")

    def value(self, node: Node, lists: list[Sequence[Node]], value: Any, path: str) -> None:
        """One value beside its node."""
        letter: str = node["t"]
        self.system(node.get("o", {}), path)
        if not _right_type(letter, value):
            return self.error(path, "type", wanted=_WORDS.get(letter, letter))
        self._limits(node, value, path)
        below = _below(node, lists)
        if below is None:
            return None
        if letter == "o":
            return self.dictionary([*lists, below] if "s" in node else [*lists[: -node["b"]], below], value, path)
        if letter == "a":
            inner = [*lists, below] if "s" in node else [*lists[: -node["b"]], below]
            for number, item in enumerate(value):
                self._item(inner, item, f"{path}[{number}]")
        return None

    def _item(self, lists: list[Sequence[Node]], item: Any, path: str) -> None:
        """One entry of an array: of the only kind there is, or of the one that its ``Item`` names."""
        nodes = lists[-1]
        if len(lists) > MAX_DEPTH:
            return self.error(path, "too_deep")
        if len(nodes) == 1:
            return self.value(nodes[0], lists, item, path)
        if not isinstance(item, Mapping):
            return self.error(path, "type", wanted="dictionary")
        for node in nodes:
            if any(one["k"] == "Item" and item.get("Item") in one.get("e", ()) for one in node.get("s", ())):
                return self.value(node, lists, item, path)
        return self.error(f"{path}.Item", "not_allowed", allowed=", ".join(node["k"] for node in nodes))

    def _limits(self, node: Node, value: Any, path: str) -> None:
        allowed = node.get("e")
        if allowed is not None and value not in allowed:
            self.error(path, "not_allowed", allowed=", ".join(str(one) for one in allowed)[:400])
        values = node.get("w")
        if values is not None and value not in values:
            self.error(path, "not_allowed", allowed=", ".join(values)[:400])
        elif values is not None:
            self.system(values[value], f"{path}={value}")
        if "n" in node and not _within(node["n"], value):
            self.error(path, "range", **_bounds(node["n"]))
        if "c" in node and isinstance(value, Sequence) and not _within(node["c"], len(value)):
            self.error(path, "repetition", **_bounds(node["c"]))
        if "f" in node and not re.fullmatch(node["f"], value[:4096]):
            self.error(path, "format")
        if node.get("q") and value == "" and node["t"] == "s":
            self.add(Severity.WARNING, path, "empty")


def _below(node: Node, lists: list[Sequence[Node]]) -> Sequence[Node] | None:
    found: Sequence[Node] | None = lists[-node["b"]] if "b" in node else node.get("s")
    return found


def _right_type(letter: str, value: Any) -> bool:
    if letter == "*":
        return True
    if isinstance(value, bool):
        return letter == "b"
    if letter == "r" and isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, _TYPES[letter])


def _within(limits: Sequence[float | None], value: Any) -> bool:
    least, most = limits
    return (least is None or value >= least) and (most is None or value <= most)


def _bounds(limits: Sequence[float | None]) -> dict[str, str]:
    return {name: "…" if limit is None else str(limit) for name, limit in zip(("least", "most"), limits, strict=True)}


def payloads_of(content: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Path and payload of every payload of a profile that is one."""
    inner = content.get("PayloadContent")
    for number, payload in enumerate(inner if isinstance(inner, list) else []):
        if isinstance(payload, Mapping):
            yield f"PayloadContent[{number}]", payload
