"""Pictures of devices at the counter: re-encoded so that nothing but the picture is kept, sealed, in the home's files.

A camera writes the place, the time, the phone and a small copy of the picture into the file. None of that is kept: the
picture is decoded under limits, turned upright, made smaller and encoded anew, without any of it. The file on the disk is
sealed with the key of this installation, so that a copy of the folder shows nobody's kitchen table.
"""

import hashlib
import io
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import select

from mdm.core.actor import require
from mdm.core.errors import N_, InvalidError, NotFoundError, TooLargeError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission, Where
from mdm.desk.custody.model import Custody, Photo
from mdm.inventory import queries as devices
from mdm.storage.call import Call
from mdm.storage.seal import Seal

FORMATS: Final = ("JPEG", "PNG", "WEBP")
MAX_BYTES: Final = 12 * 1024 * 1024
MAX_PIXELS: Final = 50_000_000
"""What a phone's camera makes; a small file that unfolds to more is refused before it is decoded."""
EDGE: Final = 1600
"""The longer side of what is kept, in pixels."""
QUALITY: Final = 80
MOST: Final = 6
"""Pictures of one take-in."""
FOLDER: Final = "files"
UNUSED: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture as it is kept."""

    content: bytes
    width: int
    height: int

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


class Folder:
    """Where pictures lie: ``HOME/files``, one sealed file each. Without the key they can only be removed."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    def remove(self, uid: str) -> None:
        """Deletes one file; twice is like once."""
        self._path(uid).unlink(missing_ok=True)

    def has(self, uid: str) -> bool:
        """Whether the file is there."""
        return self._path(uid).is_file()

    def _path(self, uid: str) -> Path:
        return self._folder / f"{uid}.photo"


class Files(Folder):
    """The same folder with the key: files are written sealed, readable by the owner only, and opened."""

    def __init__(self, home: Path, seal: Seal) -> None:
        super().__init__(home)
        self._seal = seal

    def put(self, uid: str, content: bytes) -> None:
        """Writes one file so that it is whole or not there."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(uid)
        part = path.with_suffix(".part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(self._seal.seal(content, f"desk_photo:{uid}"))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)

    def get(self, uid: str) -> bytes | None:
        """What was put; None when the file is gone."""
        try:
            return self._seal.open(self._path(uid).read_bytes(), f"desk_photo:{uid}")
        except FileNotFoundError:
            return None


def take(call: Call, files: Files, device_uid: str, service_point_id: int, raw: bytes) -> Photo:
    """Keeps one picture of a device; a take-in of this device names it later by its ``uid``.

    Raises TooLargeError over 12 MB or 50 million pixels, InvalidError (``photo_wrong``) for what is no JPEG, PNG or WebP.
    """
    where = Where(service_point_id)
    require(call.actor, Permission.DESK_WORK, where)
    device = devices.device_by_uid(call, device_uid)
    require(call.actor, Permission.DESK_WORK, device.where)
    kept = bare(raw)
    row = Photo(
        uid=new_uid(),
        digest=kept.digest,
        size=len(kept.content),
        width=kept.width,
        height=kept.height,
        service_point_id=service_point_id,
        unit_id=device.unit_id,
        device_id=device.id,
        taken_by=call.actor.name,
        taken_at=call.now,
    )
    call.session.add(row)
    call.session.flush()
    # Before the row is committed: a file without a row is tidied away, a row without a file would be a lie.
    files.put(row.uid, kept.content)
    return row


def bare(raw: bytes) -> Kept:
    """The picture without anything that came with it, as JPEG with its longer side at most 1600. Raises as ``take``. Pure."""
    if len(raw) > MAX_BYTES:
        raise TooLargeError(N_("A picture has at most 12 MB. Nothing was kept; take it once more, smaller."))
    try:
        with warnings.catch_warnings():
            # What the library only warns of is refused here.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=FORMATS) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise _too_many()
                opened.draft("RGB", (EDGE, EDGE))
                upright = ImageOps.exif_transpose(opened)
                flat = _flat(upright)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many() from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, ArithmeticError, MemoryError) as error:
        raise InvalidError(
            N_("This is no picture that can be read (JPEG, PNG or WebP). Nothing was kept; take it once more."),
            fields={"photo": N_("A JPEG, PNG or WebP is needed.")},
            code="photo_wrong",
        ) from error
    flat.thumbnail((EDGE, EDGE))
    # A new image of the pixels alone: nothing of what the file said beside them can come along.
    clean = Image.frombytes("RGB", flat.size, flat.tobytes())
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=QUALITY, optimize=True)
    return Kept(out.getvalue(), *clean.size)


def content(call: Call, files: Files, uid: str) -> bytes:
    """One picture as JPEG; NotFoundError when it is not there or not at one of the actor's places, or was forgotten."""
    row = call.session.scalar(select(Photo).where(Photo.uid == uid))
    found = files.get(uid) if row is not None and call.actor.may(Permission.DESK_VIEW, row.where) else None
    if found is None:
        raise NotFoundError(N_("There is no such picture, or it is not one of yours."))
    return found


def of_custody(call: Call, custody: Custody) -> Sequence[Photo]:
    """The pictures of one custody that the actor has been given already."""
    return call.session.scalars(select(Photo).where(Photo.custody_id == custody.id).order_by(Photo.id)).all()


def attach(call: Call, uids: Sequence[str], custody: Custody) -> None:
    """Ties pictures to the custody that they show the end of; InvalidError for one of another device, or too many."""
    rows = call.session.scalars(select(Photo).where(Photo.uid.in_(uids))).all() if uids else []
    mine = [row for row in rows if row.device_id == custody.device_id and row.custody_id in (None, custody.id)]
    if len(mine) != len(set(uids)) or len(mine) > MOST:
        sentence = N_("A picture is missing, or shows another device. Nothing was done; take it once more.")
        raise InvalidError(sentence, fields={"photo": sentence}, code="photo_wrong")
    for row in mine:
        row.custody_id = custody.id


def forget(call: Call, files: Folder, before: datetime, limit: int = 200) -> int:
    """Deletes pictures taken before that moment, and those that nothing took within a day; how many."""
    rows = call.session.scalars(
        select(Photo)
        .where(
            (Photo.taken_at < before) | ((Photo.custody_id.is_(None)) & (Photo.taken_at < call.now - UNUSED)),
        )
        .limit(limit)
    ).all()
    for row in rows:
        files.remove(row.uid)
        call.session.delete(row)
    return len(rows)


def _flat(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        seen = image.convert("RGBA")
        ground = Image.new("RGB", seen.size, "white")
        ground.paste(seen, mask=seen.getchannel("A"))
        return ground
    return image.convert("RGB")


def _too_many() -> TooLargeError:
    return TooLargeError(N_("A picture has at most 50 million pixels. Nothing was kept; take it once more, smaller."))
