"""Files between their check and their import: sealed, only for whoever brought them, forgotten after a day."""

import io
import zipfile
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mdm.access.idempotency import speaker
from mdm.core.errors import N_, GoneError, InvalidError
from mdm.core.ids import new_uid
from mdm.core.text import clean
from mdm.desk.exchange.model import ExchangeFile
from mdm.desk.exchange.service import Files, SnipeKind
from mdm.storage.call import Call
from mdm.storage.seal import Seal

KEPT: Final = timedelta(days=1)
_MEMBERS: Final = ("main", "models", "statuses")


def keep(
    call: Call, seal: Seal, kind: SnipeKind, files: Files, *, name: str = "", only_ours: bool = False
) -> ExchangeFile:
    """Keeps files that somebody brought; raises InvalidError when there is none."""
    if not files.main:
        raise InvalidError(N_("Nothing was read: choose a file."), fields={"file": N_("Choose a file.")})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in _MEMBERS:
            archive.writestr(member, getattr(files, member))
        archive.writestr("only_ours", b"1" if only_ours else b"")
    row = ExchangeFile(
        uid=new_uid(), speaker=speaker(call.actor), kind=kind.value, name=clean(name, 128), created_at=call.now
    )
    row.content = seal.seal(packed.getvalue(), _place(row.uid))
    call.session.add(row)
    call.session.flush()
    return row


def kept(call: Call, seal: Seal, uid: str) -> tuple[ExchangeFile, Files, bool]:
    """What the actor brought, and whether only what we manage is taken; GoneError when it is another's or forgotten."""
    row = call.session.scalar(
        select(ExchangeFile).where(
            ExchangeFile.uid == uid,
            ExchangeFile.speaker == speaker(call.actor),
            ExchangeFile.created_at > call.now - KEPT,
        )
    )
    if row is None:
        raise GoneError(N_("This file is not kept any more. Nothing was changed; bring it again."))
    with zipfile.ZipFile(io.BytesIO(seal.open(row.content, _place(row.uid)))) as archive:
        found = {member: archive.read(member) for member in _MEMBERS}
        only_ours = bool(archive.read("only_ours"))
    return row, Files(**found), only_ours


def forget(call: Call, row: ExchangeFile) -> None:
    """Forgets a file that was taken, or that nobody wants."""
    call.session.delete(row)
    call.session.flush()


def tidy(session: Session, now: datetime) -> None:
    """Forgets every file that is older than a day."""
    session.execute(delete(ExchangeFile).where(ExchangeFile.created_at <= now - KEPT))


def _place(uid: str) -> str:
    return f"exchange:{uid}:content"
