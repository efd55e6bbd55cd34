"""What phones fetch: applications and other files, uploaded by people, kept once by their digest in ``HOME/android``."""

import hashlib
import hmac
import os
import secrets
import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, InvalidError, NotFoundError, TooLargeError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.platforms.android import apk
from mdm.platforms.android.headwind import wire
from mdm.platforms.android.model import AndroidFile
from mdm.storage.call import Call
from mdm.storage.once import made_once

FOLDER: Final = "android"
SUFFIX: Final = ".apk"
CHUNK: Final = 1024 * 1024
KEY: Final = "files.key"


class Store:
    """The folder of one installation. A file lies there under the digest of its bytes, readable by its owner only."""

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER

    def path(self, digest: str) -> Path:
        """Where the file with this digest lies."""
        return self.folder / digest

    def take(self, stream: BinaryIO, limit: int = apk.MAX_SIZE) -> Path:
        """Writes what comes to a file of its own, for ``keep`` or the bin. Raises TooLargeError above ``limit`` bytes."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, size = self.folder / f"{new_uid()}.new", 0
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            while part := stream.read(CHUNK):
                size += len(part)
                if size > limit:
                    break
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        if size > limit:
            path.unlink()
            raise TooLargeError(
                N_("The file is larger than %(limit)s bytes. Nothing was kept."), limit=limit, code="file_large"
            )
        return path

    def token(self, digest: str) -> str:
        """The part of a file's address that nobody guesses who was not told it: 128 bits, hexadecimal."""
        return hmac.digest(self._key, digest.encode(), "sha256").hex()[:32]

    @cached_property
    def _key(self) -> bytes:
        return made_once(self.folder / KEY, lambda: secrets.token_bytes(32))


def upload(call: Call, store: Store, name: str, stream: BinaryIO) -> AndroidFile:
    """Keeps a file that a person uploads. One that ends in ``.apk`` must be an application that phones would install.

    The same bytes again give what was kept before. A newer version of an application takes the place of the one before.
    Raises DeniedError, TooLargeError, InvalidError (``apk_wrong``, ``apk_older``, ``apk_signer``).
    """
    require(call.actor, Permission.PHONES_MANAGE)
    name = clean(Path(name.replace("\\", "/")).name, 255) or "file"
    path = store.take(stream)
    try:
        return _keep(call, store, name, path)
    finally:
        path.unlink(missing_ok=True)


def _keep(call: Call, store: Store, name: str, path: Path) -> AndroidFile:
    if path.stat().st_size == 0:
        raise InvalidError(N_("The file is empty. Nothing was kept."), code="file_empty")
    is_application = name.lower().endswith(SUFFIX)
    found = apk.read(path) if is_application else _plain(path)
    known = call.session.scalar(select(AndroidFile).where(AndroidFile.digest == found.digest))
    if known is not None:
        known.in_use = True
    elif found.package:
        _replaces(call, found)
    kept = known or AndroidFile(
        digest=found.digest,
        md5=found.md5,
        name=name,
        size=found.size,
        package=found.package,
        version=found.version,
        version_code=found.code,
        signer=found.signer,
        in_use=True,
        created_by=clean(call.actor.name, 255),
        created_at=call.now,
    )
    target = store.path(found.digest)
    if not target.exists():
        shutil.move(path, target)
    if known is None:
        call.session.add(kept)
        call.session.flush()
        _record(call, "phone_file.added", kept)
    return kept


def _plain(path: Path) -> apk.Apk:
    sha, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            sha.update(part)
            md5.update(part)
    return apk.Apk("", "", 0, sha.hexdigest(), md5.hexdigest(), "", path.stat().st_size)


def _replaces(call: Call, found: apk.Apk) -> None:
    """The version before goes out of use. A phone installs no older one over it, and none that somebody else signed."""
    before = package(call.session, found.package)
    if before is None:
        return
    if before.signer != found.signer:
        raise InvalidError(
            N_(
                "%(package)s was uploaded before, signed by somebody else (%(before)s, now %(now)s). Phones would refuse it. "
                "Nothing was kept. Take the earlier one out of use first if this is meant."
            ),
            code="apk_signer",
            package=found.package,
            before=before.signer[:16],
            now=found.signer[:16],
        )
    if before.version_code > found.code:
        raise InvalidError(
            N_("%(package)s %(version)s is in use, which is newer. Phones install nothing older. Nothing was kept."),
            code="apk_older",
            package=found.package,
            version=before.version,
        )
    before.in_use = False


def retire(call: Call, digest: str) -> AndroidFile:
    """Takes a file out of use; phones that have it keep it. Twice is like once. Raises NotFoundError, DeniedError."""
    require(call.actor, Permission.PHONES_MANAGE)
    found = call.session.scalar(select(AndroidFile).where(AndroidFile.digest == digest))
    if found is None:
        raise NotFoundError(N_("There is no such file. Nothing was changed."))
    if found.in_use:
        found.in_use = False
        _record(call, "phone_file.retired", found)
    return found


def _record(call: Call, action: str, kept: AndroidFile) -> None:
    details = {"package": kept.package, "version": kept.version, "digest": kept.digest, "signer": kept.signer}
    audit.record(call, action, ("phone_file", kept.digest[:32]), name=kept.package or kept.name, details=details)


def in_use(session: Session) -> Sequence[AndroidFile]:
    """Every file that phones still get, applications first, by name. For the machinery and for pages that asked a right."""
    return session.scalars(
        select(AndroidFile)
        .where(AndroidFile.in_use.is_(True))
        .order_by(AndroidFile.package == "", AndroidFile.package, AndroidFile.name)
    ).all()


class Fetched(NamedTuple):
    """What a phone is told of a file."""

    digest: str
    md5: str
    name: str
    package: str
    version: str
    version_code: int


def shelf(session: Session) -> Sequence[Fetched]:
    """What phones are told of every file that they still get."""
    columns = (getattr(AndroidFile, name) for name in Fetched._fields)
    return [Fetched(*row) for row in session.execute(select(*columns).where(AndroidFile.in_use.is_(True)))]


def fetched(session: Session, digest: str) -> AndroidFile | None:
    """The file with this digest, if phones still get it; None otherwise."""
    return session.scalar(select(AndroidFile).where(AndroidFile.digest == digest, AndroidFile.in_use.is_(True)))


def package(session: Session, name: str) -> AndroidFile | None:
    """The application of this package that is in use; None where nobody uploaded one."""
    return session.scalar(
        select(AndroidFile)
        .where(AndroidFile.package == name, AndroidFile.in_use.is_(True))
        .order_by(AndroidFile.version_code.desc())
        .limit(1)
    )


def agent(session: Session) -> AndroidFile | None:
    """The vendor's agent that phones are set up with; None where nobody uploaded it."""
    return package(session, wire.AGENT)
