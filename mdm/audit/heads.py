"""The diary and the signer: having the last line signed, and the whole proved against everything that was signed."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from mdm.audit import service
from mdm.audit.model import AuditEntry, AuditHead
from mdm.audit.proof import Proof
from mdm.core.errors import UnavailableError
from mdm.signing.client import SignerClient
from mdm.signing.seals import Head
from mdm.storage.engine import transaction


def seal(engine: Engine, client: SignerClient) -> Head | None:
    """The head of the diary's last line, signed and kept; None for an empty diary. Sealing twice is like once.

    No transaction is open while the signer is asked.

    Raises UnavailableError when the signer is away, DeniedError (``head_back``) when the diary has fewer lines, or others,
    than the signer remembers: somebody cut it, wrote it anew, or brought back an old database.
    """
    with transaction(engine, write=False) as session:
        last = session.execute(select(AuditEntry.id, AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)).first()
        known = session.scalar(select(AuditHead.number).order_by(AuditHead.number.desc()).limit(1))
    if last is None:
        return None
    head = client.sign_head(last.id, last.hash)
    if head.number != known:
        with transaction(engine) as session:
            session.merge(
                AuditHead(
                    number=head.number,
                    hash=head.hash,
                    at=datetime.fromtimestamp(head.at, UTC),
                    signature=head.signature,
                )
            )
    return head


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of proving the diary, and whether the signer could be asked."""

    proof: Proof
    signer_asked: bool
    """False while the signer does not answer: a chain that is whole proves nothing then of lines cut from its end."""

    @property
    def proved(self) -> bool | None:
        """True for a diary that is as it was written, False for one that is not, None when the signer could not be asked."""
        return self.proof.sound if self.signer_asked or not self.proof.sound else None


def prove(session: Session, client: SignerClient) -> Outcome:
    """Proves the diary's chain, and compares it with every head that the signer keeps, when the signer answers."""
    try:
        key, witnessed = client.ca().head_key, list(client.heads())
    except UnavailableError:
        return Outcome(service.verify(session), signer_asked=False)
    return Outcome(service.verify(session, key, witnessed), signer_asked=True)
