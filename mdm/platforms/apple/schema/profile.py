"""A configuration profile as a whole: its envelope, each of its payloads, and what they do together. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mdm.platforms.apple.schema.check import MAX_FINDINGS, Finding, Severity, check, payloads_of
from mdm.platforms.apple.schema.lint import locks_out
from mdm.platforms.apple.schema.table import PROFILE, Target, entries

MAX_PAYLOADS: Final = 100
MANAGEMENT: Final = "com.apple.mdm"
"""The payload that makes a device managed: only our own enrollment profile may carry it."""


def check_profile(content: Mapping[str, Any], target: Target, *, enrolling: bool = False) -> list[Finding]:
    """What is wrong with a profile; empty when nothing is. ``enrolling`` is for the enrollment profile itself."""
    found = check(PROFILE, "TopLevel", content, target)
    if content.get("PayloadType") != "Configuration":
        found.append(Finding(Severity.ERROR, "PayloadType", "not_allowed", {"allowed": "Configuration"}))
    payloads = list(payloads_of(content))
    if not payloads or len(payloads) > MAX_PAYLOADS:
        found.append(Finding(Severity.ERROR, "PayloadContent", "repetition", {"least": "1", "most": str(MAX_PAYLOADS)}))
    for path, payload in payloads[:MAX_PAYLOADS]:
        found += _payload(path, payload, target, enrolling=enrolling)
    found += _together(payloads)
    found += locks_out([payload for _, payload in payloads])
    return found[:MAX_FINDINGS]


def _payload(path: str, payload: Mapping[str, Any], target: Target, *, enrolling: bool) -> Iterator[Finding]:
    known = {node["k"] for entry in entries(PROFILE, "CommonPayloadKeys") for node in entry["s"]}
    common = {key: value for key, value in payload.items() if key in known}
    yield from check(PROFILE, "CommonPayloadKeys", common, target, path=path)
    name = payload.get("PayloadType")
    if name == MANAGEMENT and not enrolling:
        yield Finding(Severity.ERROR, path, "management")
    elif isinstance(name, str):
        own = _own_keys(name)
        rest = {key: value for key, value in payload.items() if key not in known or key in own}
        yield from check(PROFILE, name, rest, target, path=f"{path}({name})")


def _own_keys(name: str) -> frozenset[str]:
    """Keys that a payload has in its own right although every payload has one of that name."""
    return frozenset(node["k"] for entry in entries(PROFILE, name) for node in entry["s"])


def _together(payloads: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[Finding]:
    for key in ("PayloadIdentifier", "PayloadUUID"):
        seen: set[str] = set()
        for path, payload in payloads:
            value = payload.get(key)
            if isinstance(value, str) and value in seen:
                yield Finding(Severity.ERROR, f"{path}.{key}", "collides")
            elif isinstance(value, str):
                seen.add(value)
    counts = Counter(str(payload.get("PayloadType")) for _, payload in payloads)
    for name, count in counts.items():
        if count > 1 and any(entry["o"].get("M") for entry in entries(PROFILE, name)):
            yield Finding(Severity.ERROR, name, "once")
