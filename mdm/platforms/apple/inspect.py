"""Looking at a configuration profile before it is saved: what is in it, and everything that is to be said about it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from mdm.core.text import clean
from mdm.platforms.apple import upload
from mdm.platforms.apple.declarations import PREFIX
from mdm.platforms.apple.enrollment_profile import IDENTIFIER
from mdm.platforms.apple.schema.check import Finding, Severity, errors, payloads_of
from mdm.platforms.apple.schema.table import Target, version


@dataclass(frozen=True, slots=True)
class Seen:
    """A profile that could be read."""

    identifier: str
    name: str
    organisation: str
    payloads: Sequence[str]
    """Types, each as often as it is there."""
    findings: Sequence[Finding]
    """Errors first."""

    @property
    def may_be_saved(self) -> bool:
        """Whether no finding is an error."""
        return not errors(self.findings)


def look(file: bytes, target: Target) -> Seen:
    """What a profile is. Raises InvalidError for a file that is none, is too large, or whose signature is wrong."""
    document = upload.opened(file)
    identifier = clean(document.get("PayloadIdentifier"), 255)
    found = list(upload.judged(document, target))
    if identifier.startswith((PREFIX, IDENTIFIER)):
        found.append(Finding(Severity.ERROR, "PayloadIdentifier", "own_identifier"))
    return Seen(
        identifier=identifier,
        name=clean(document.get("PayloadDisplayName"), 255),
        organisation=clean(document.get("PayloadOrganization"), 255),
        payloads=[clean(one.get("PayloadType"), 128) or "?" for _, one in payloads_of(document)],
        findings=sorted(found, key=lambda one: one.severity is not Severity.ERROR),
    )


KINDS: Final[Mapping[str, Target]] = {
    "supervised": Target(supervised=True, user_enrollment=False),
    "city": Target(supervised=False, user_enrollment=False),
    "private": Target(supervised=False, user_enrollment=True),
}
"""The kinds of phones that a profile can be judged for: the city's supervised ones, its other ones, and private ones."""


@dataclass(frozen=True, slots=True)
class Concern:
    """One finding with the kinds of phones that it is true of; none named: of every one."""

    finding: Finding
    kinds: tuple[str, ...]


def look_for_each(file: bytes, system: str) -> tuple[Seen, list[Concern]]:
    """What a profile is, and everything that is to be said about it, by the kinds of phones it concerns.

    ``system`` is the version of the phones that it is for, empty for any. Raises InvalidError like ``look``.
    """
    seen = look(file, Target(version(system)))
    by_kind = {name: look(file, replace(target, version=version(system))).findings for name, target in KINDS.items()}
    concerns: list[Concern] = [Concern(one, ()) for one in seen.findings]
    known = {_mark(one) for one in seen.findings}
    for one in chain.from_iterable(by_kind.values()):
        if _mark(one) not in known:
            known.add(_mark(one))
            kinds = tuple(name for name in KINDS if any(_mark(found) == _mark(one) for found in by_kind[name]))
            concerns.append(Concern(one, kinds))
    return seen, sorted(concerns, key=lambda one: (bool(one.kinds), one.finding.severity is not Severity.ERROR))


def _mark(finding: Finding) -> tuple[str, str, str]:
    return finding.severity.value, finding.path, finding.code
