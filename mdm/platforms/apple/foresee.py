"""What a phone would say of settings before they are saved: rendered, then judged by Apple's own facts. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mdm.platforms.apple import documents, plist
from mdm.platforms.apple.documents import Resource
from mdm.platforms.apple.schema.check import Finding, Severity, check, errors
from mdm.platforms.apple.schema.lint import locks_out
from mdm.platforms.apple.schema.profile import check_profile
from mdm.platforms.apple.schema.table import COMMAND, DECLARATION, Target, version
from mdm.platforms.port import Foreseen

SYSTEMS: Final = ("18.0", "26.0", "27.0")
"""Versions of the system that differ in what they are told."""
_MINE: Final = "PayloadContent["


def foresee(resources: Sequence[Resource]) -> list[Foreseen]:
    """What these resources would do to a supervised phone of the city, each thing once, the gravest first.

    Faults by the schema, which the phone would refuse; and what locks people out of it, although each setting is right.
    """
    found: dict[tuple[str, str], Foreseen] = {}
    for system in SYSTEMS:
        target = Target(version(system), supervised=True, user_enrollment=False)
        chosen = documents.chosen(resources, target)
        for keys, finding in (*_faults(chosen, target), *_together(chosen)):
            params = {**finding.params, "path": _place(finding)}
            said = Foreseen(finding.code, finding.severity is Severity.ERROR, keys, finding.sentence, params)
            found.setdefault((finding.code, said.params["path"]), said)
    return sorted(found.values(), key=lambda one: not one.grave)


def _faults(chosen: Sequence[Resource], target: Target) -> Iterator[tuple[tuple[str, ...], Finding]]:
    for resource in chosen:
        keys = tuple(resource["keys"])
        for one in documents.declarations([resource]):
            yield from ((keys, finding) for finding in errors(check(DECLARATION, one["type"], one["payload"], target)))
        for profile in documents.profiles([resource], ""):
            if profile.items:
                request, values = profile.command
                found = check(COMMAND, request, values, target)
            else:
                found = check_profile(plist.read(profile.content), target)
            yield from ((keys, finding) for finding in errors(found))


def _together(chosen: Sequence[Resource]) -> Iterator[tuple[tuple[str, ...], Finding]]:
    """What all of it does together, each thing with the settings from whose resources it comes."""
    payloads: list[Mapping[str, Any]] = []
    keys: dict[str, list[str]] = {}
    for resource in chosen:
        mine = (
            [{"PayloadType": resource["type"], **resource["payload"]}]
            if resource["kind"] == documents.DECLARATION
            else []
        )
        mine += resource.get("payloads", [])
        payloads += mine
        for payload in mine:
            keys.setdefault(str(payload["PayloadType"]), []).extend(resource["keys"])
    for finding in locks_out(payloads, passcode_escrowed=True):
        named = finding.path.split(".")[0]
        where = [kind for kind in keys if any(one["PayloadType"] == kind and named in one for one in payloads)]
        yield tuple(dict.fromkeys(key for kind in where for key in keys[kind])), finding


def _place(finding: Finding) -> str:
    """The key of Apple's within its payload: where that payload stands in a profile of ours is nobody's concern."""
    path = finding.path
    return path.partition(").")[2] or path if path.startswith(_MINE) else path
