"""The diary and the signer: having the last line signed, and the whole proved against everything that was signed."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from mdm.audit import service
from mdm.audit.model import AuditEntry, AuditHead
from mdm.audit.proof import Proof
from mdm.audit.witness import Witness, only_key
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


def last_kept(engine: Engine) -> int:
    """The line of the last head that the database keeps, 0 for none."""
    with transaction(engine, write=False) as session:
        return session.scalar(select(AuditHead.number).order_by(AuditHead.number.desc()).limit(1)) or 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of proving the diary, and what it was compared with."""

    proof: Proof
    signer_asked: bool
    witness: Witness | None = None
    last: int = 0
    """The greatest line that it was compared with: the chain alone protects what came after it."""

    @property
    def proved(self) -> bool | None:
        """True for a diary that is as it was written, False for one that is not.

        None when there was neither signer nor witness: a chain that is whole says nothing of lines cut from its end, or of
        a chain that somebody made anew.
        """
        compared = self.signer_asked or self.witness is not None
        return self.proof.sound if compared or not self.proof.sound else None


def prove(session: Session, client: SignerClient, witness: Witness | None = None, *, key: str = "") -> Outcome:
    """Proves the diary's chain, and compares it with every head that the signer keeps and that a witness holds.

    Either alone is enough. ``key`` pins the signer's public key; otherwise the signer's own word counts, and while it does
    not answer the witness's. Raises InvalidError for a witness without heads, or with heads of several signers.
    """
    heads = list(witness.heads) if witness is not None else []
    try:
        known, asked = client.ca().head_key, True
        heads += client.heads()
    except UnavailableError:
        asked = False
        known = only_key(witness) if witness is not None and not key else ""
    last = max((head.number for head in heads), default=0)
    return Outcome(service.verify(session, key or known, heads), asked, witness, last)
