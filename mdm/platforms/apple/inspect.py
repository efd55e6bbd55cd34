"""Looking at a configuration profile before it is saved: what is in it, and everything that is to be said about it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from mdm.core.text import clean
from mdm.platforms.apple import upload
from mdm.platforms.apple.declarations import PREFIX
from mdm.platforms.apple.enrollment_profile import IDENTIFIER
from mdm.platforms.apple.schema.check import Finding, Severity, errors, payloads_of
from mdm.platforms.apple.schema.table import Target


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
