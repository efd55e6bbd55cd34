"""Writing archives that come out the same twice: ``ar`` and ``tar.gz``, with no owner and no time of their own.

The same files give the same bytes on every machine, so that whoever signs a package can see that it is theirs.
"""

import gzip
import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

WHEN: Final = 1_767_225_600
"""The time of every entry: 2026-01-01."""
AR_MAGIC: Final = b"!<arch>\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its path without a slash before it, its bytes, its mode."""

    path: str
    content: bytes
    mode: int = 0o644


def tar_gz(entries: Iterable[Entry], *, prefix: str = "") -> bytes:
    """A compressed tar archive of files and the folders that they need, owned by root, sorted by path."""
    found = sorted(entries, key=lambda entry: entry.path)
    folders: set[str] = set()
    for entry in found:
        parts = entry.path.split("/")[:-1]
        folders |= {"/".join(parts[: number + 1]) for number in range(len(parts))}
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=WHEN) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for folder in sorted(folders):
            info = _info(prefix + folder, 0o755)
            info.type = tarfile.DIRTYPE
            tar.addfile(info)
        for entry in found:
            info = _info(prefix + entry.path, entry.mode)
            info.size = len(entry.content)
            tar.addfile(info, io.BytesIO(entry.content))
    return out.getvalue()


def _info(name: str, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode, info.mtime = mode, WHEN
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    return info


def ar(members: Iterable[tuple[str, bytes]]) -> bytes:
    """An ``ar`` archive in the common format of deb(5): names of at most 15 characters."""
    out = bytearray(AR_MAGIC)
    for name, content in members:
        if len(name) > 15 or not name.isascii():
            raise ValueError(name)
        out += f"{name:<16}{WHEN:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        out += content
        if len(content) % 2:
            out += b"\n"
    return bytes(out)
