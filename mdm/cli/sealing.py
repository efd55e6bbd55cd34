"""Having the signer seal a roster, and the diary know it: for ``roster``, and for the demonstration."""

from pathlib import Path
from typing import TYPE_CHECKING

from mdm.cli.work import work
from mdm.settings import Settings
from mdm.signing.client import SignerClient
from mdm.signing.papers import Paper

if TYPE_CHECKING:
    from mdm.access.relying_party import RelyingParty


def seal(settings: Settings, paper: Paper, secret: Path | None = None) -> int:
    """Has a roster sealed: its version. Raises what the signer refuses.

    For the first one ``secret`` is the file of the founding secret, where it is not in the home's own folder of the signer.
    """
    from mdm.orders import mirror

    client = SignerClient(settings.signer_socket, timeout=30)
    version = int(paper.fields["version"])
    if version == 1:
        from mdm.signer.keys import founding_secret

        known = secret.read_text(encoding="ascii").strip() if secret else founding_secret(settings.home)
        client.found_roster(secret=known, roster=paper.text, proofs=list(paper.proofs))
    else:
        client.change_roster(roster=paper.text, proofs=list(paper.proofs))
    with work(settings=settings) as call:
        # The worker would notice within seconds; whoever did this sees it at once.
        mirror.take_rosters(call, client.rosters(mirror.version(call)))
    return version


def party(settings: Settings) -> "RelyingParty":
    """The console as passkeys know it."""
    from mdm.access.relying_party import relying_party

    return relying_party(settings.console_base, settings.organisation)
