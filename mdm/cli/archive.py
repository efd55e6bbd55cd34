"""What a backup is: one tar file with the database, the signer's keys and ledger, the other keys, files and configuration.

``manifest.json`` comes first and names every member with its size and SHA-256. The file holds keys: whoever has it has the
installation, so it is written readable by its owner only.
"""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from mdm.core.errors import ConfigurationError, InvalidError
from mdm.privacy import tombstones
from mdm.settings import FILE, Settings

MANIFEST = "manifest.json"
FORMAT = 1
FOLDERS = ("signer", "keys", "tls", "files", "android", "releases")
ERASED = tombstones.FILE
"""Who was erased: a restore adds up the lists of backup and home, and takes all of them away again."""
SQLITE = "database.sqlite"
POSTGRESQL = "database.pgdump"
BLOCK = 1024 * 1024

Tell = Callable[[str, int], None]
"""Told the name of what was just done with, and its bytes."""


def members(home: Path) -> Iterator[Path]:
    """The files of the home folder that belong into a backup, but for databases."""
    for name in FOLDERS:
        folder = home / name
        if folder.is_dir():
            yield from sorted(path for path in folder.rglob("*") if path.is_file() and not _left_out(path))
    yield from (home / name for name in (FILE, ERASED) if (home / name).is_file())


def _left_out(path: Path) -> bool:
    return (
        path.name in ("lock",)
        or path.suffix in (".db", ".sqlite", ".part", ".new")
        or path.name.endswith(("-wal", "-shm", "-journal"))
    )


def ledgers(home: Path) -> list[Path]:
    """SQLite files of the signer, which are copied by SQLite itself."""
    return sorted(path for path in (home / "signer").glob("*") if path.suffix in (".db", ".sqlite"))


def copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy of a SQLite database that is in use, by its online backup."""
    with closing(sqlite3.connect(source, timeout=30)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new, pages=1000)


def tool(name: str) -> str:
    """A program of PostgreSQL, from PATH or from where Debian keeps it; raises ConfigurationError."""
    found = shutil.which(name)
    if found is None:
        places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
        found = str(places[0]) if places else None
    if found is None:
        raise ConfigurationError(
            "The program %(name)s is not installed. Nothing was written.",
            name=name,
            mend="apt-get install postgresql-client, in the version of the server or a newer one.",
        )
    return found


def run_tool(settings: Settings, name: str, *arguments: str) -> None:
    """Runs a program of PostgreSQL on our database, the password in the environment; raises ConfigurationError."""
    url = make_url(settings.database)
    environment = os.environ | {"PGPASSWORD": url.password or ""}
    where = ["--dbname", url.set(drivername="postgresql", password=None).render_as_string()]
    done = subprocess.run(
        [tool(name), *where, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ConfigurationError(
            "%(name)s failed: %(why)s", name=name, why=last, mend="See what it says, and try again."
        )


def write(settings: Settings, target: Path, about: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Writes the backup and returns its manifest. A file that is half written is never left under the name of a whole one."""
    with tempfile.TemporaryDirectory(prefix="havenmeester-", dir=target.parent) as scratch:
        folder = Path(scratch)
        files: dict[str, Path] = {}
        if settings.database.startswith("sqlite"):
            files[SQLITE] = folder / SQLITE
            copy_sqlite(Path(make_url(settings.database).database or ""), files[SQLITE])
        else:
            files[POSTGRESQL] = folder / POSTGRESQL
            run_tool(settings, "pg_dump", "--format=custom", f"--file={files[POSTGRESQL]}")
        for ledger in ledgers(settings.home):
            name = str(ledger.relative_to(settings.home))
            files[name] = folder / ledger.name
            copy_sqlite(ledger, files[name])
        files |= {str(path.relative_to(settings.home)): path for path in members(settings.home)}
        manifest = about | {"format": FORMAT, "files": {name: _measured(path) for name, path in files.items()}}
        draft = folder / "backup.tar"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w") as tar:
                _add_manifest(tar, manifest)
                for name, path in files.items():
                    tar.add(path, name, recursive=False)
                    tell(name, path.stat().st_size)
            raw.flush()
            os.fsync(raw.fileno())
        draft.replace(target)
    return manifest


def _add_manifest(tar: tarfile.TarFile, manifest: dict[str, Any]) -> None:
    text = json.dumps(manifest, indent=2).encode()
    entry = tarfile.TarInfo(MANIFEST)
    entry.size, entry.mode = len(text), 0o600
    tar.addfile(entry, io.BytesIO(text))


def _measured(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return {"size": path.stat().st_size, "sha256": digest.hexdigest()}


@contextmanager
def unpacked(backup: Path, beside: Path, tell: Tell) -> Iterator[tuple[dict[str, Any], Path]]:
    """The manifest and a folder with every member, all of them proved; raises InvalidError for whatever is not right."""
    with tempfile.TemporaryDirectory(prefix="havenmeester-", dir=beside) as scratch:
        folder = Path(scratch)
        try:
            with tarfile.open(backup, "r:") as tar:
                manifest = _read_manifest(tar)
                tar.extractall(folder, members=_wanted(tar, manifest), filter="data")
        except (tarfile.TarError, EOFError, OSError, ValueError) as error:
            raise InvalidError(
                "%(file)s is no backup of Havenmeester, or it is damaged: %(why)s.", file=backup.name, why=error
            ) from error
        for name, known in manifest["files"].items():
            path = folder / name
            if not path.is_file() or _measured(path) != known:
                raise InvalidError("%(name)s in the backup is missing or damaged. Nothing was changed.", name=name)
            tell(name, int(known["size"]))
        yield manifest, folder


def _read_manifest(tar: tarfile.TarFile) -> dict[str, Any]:
    first = tar.next()
    file = tar.extractfile(first) if first is not None and first.name == MANIFEST and first.size < BLOCK else None
    if file is None:
        raise ValueError("it has no manifest")
    manifest: dict[str, Any] = json.loads(file.read())
    if manifest.get("format") != FORMAT or not isinstance(manifest.get("files"), dict):
        raise ValueError("its manifest is of another version")
    return manifest


def _wanted(tar: tarfile.TarFile, manifest: dict[str, Any]) -> list[tarfile.TarInfo]:
    entries = [entry for entry in tar.getmembers() if entry.name != MANIFEST]
    names = [entry.name for entry in entries]
    if sorted(names) != sorted(manifest["files"]) or any(not entry.isreg() for entry in entries):
        raise ValueError("its members are not those of its manifest")
    return entries
