"""Having the signer seal a roster, and the diary know it: for ``roster``, and for the demonstration."""

from typing import TYPE_CHECKING

from mdm.cli.work import work
from mdm.settings import Settings
from mdm.signing.client import SignerClient
from mdm.signing.papers import Paper

if TYPE_CHECKING:
    from mdm.access.relying_party import RelyingParty


def seal(settings: Settings, paper: Paper) -> int:
    """Has a roster sealed, with the founding secret when it is the first: its version. Raises what the signer refuses."""
    from mdm.audit import service as audit
    from mdm.orders import mirror

    client = SignerClient(settings.signer_socket, timeout=30)
    version = int(paper.fields["version"])
    if version == 1:
        from mdm.signer.keys import founding_secret

        client.found_roster(secret=founding_secret(settings.home), roster=paper.text, proofs=list(paper.proofs))
    else:
        client.change_roster(roster=paper.text, proofs=list(paper.proofs))
    with work(settings=settings) as call:
        people = [{"person": one["person"], "name": one["name"]} for one in paper.fields["approvers"]]
        audit.record(
            call,
            "roster.founded" if version == 1 else "roster.changed",
            ("roster", version),
            name=f"{version}",
            details={"people": people},
        )
        # The worker would notice within seconds; whoever did this sees it at once.
        mirror.take_rosters(call, client.rosters(mirror.version(call)))
    return version


def party(settings: Settings) -> "RelyingParty":
    """The console as passkeys know it."""
    from mdm.access.relying_party import relying_party

    return relying_party(settings.console_base, settings.organisation)
