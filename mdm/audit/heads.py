"""Having the diary's last line signed: read, ask the signer, write. No transaction is open while the signer is asked."""

from datetime import UTC, datetime

from sqlalchemy import Engine, select

from mdm.audit.model import AuditEntry, AuditHead
from mdm.signing.client import SignerClient
from mdm.signing.seals import Head
from mdm.storage.engine import transaction


def seal(engine: Engine, client: SignerClient) -> Head | None:
    """The head of the diary's last line, signed and kept; None for an empty diary. Sealing twice is like once.

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
