"""Writes below a root and nowhere else: every folder on the way is opened without following links.

What was there is described by a *mark*: ``absent``, ``file:MODE:SHA256``, ``link:TARGET``, or ``other`` for whatever we
leave alone (a folder, a device, something behind a link, a file too big to keep).
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from agent import disk
from agent.apply.targets import MAX_CONTENT, Target, UnfitError, file_mark
from agent.roots import Root
from agent.state import State

ABSENT = "absent"
OTHER = "other"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def folder_of(root: Root, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """(descriptor of the folder, last name) of an absolute path. Raises OSError; UnfitError for a link on the way."""
    *parts, name = path[1:].split("/")
    here = os.open(root.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            if make:
                _make(here, part)
            try:
                below = os.open(part, _FOLDER, dir_fd=here)
            except OSError as trouble:
                if trouble.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise UnfitError(
                        f"On the way to {path}, {part} is not a plain folder. Nothing was written."
                    ) from trouble
                raise
            os.close(here)
            here = below
        yield here, name
    finally:
        os.close(here)


def _make(here: int, part: str) -> None:
    try:
        os.mkdir(part, 0o755, dir_fd=here)
    except FileExistsError:
        return
    # The agent's own umask is strict, but the programs that read these folders are not all root.
    os.chmod(part, 0o755, dir_fd=here)  # noqa: S103 -- a system folder, as every package makes it
    os.fsync(here)


def _read(here: int, name: str) -> tuple[str, bytes]:
    """(mark, content) of what is at a name."""
    try:
        seen = os.stat(name, dir_fd=here, follow_symlinks=False)
    except FileNotFoundError:
        return ABSENT, b""
    if stat.S_ISLNK(seen.st_mode):
        return f"link:{os.readlink(name, dir_fd=here)}", b""
    if not stat.S_ISREG(seen.st_mode) or seen.st_size > MAX_CONTENT * 2:
        return OTHER, b""
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=here)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(MAX_CONTENT * 2 + 1)
    return file_mark(content, stat.S_IMODE(seen.st_mode)), content


def read(root: Root, path: str) -> tuple[str, bytes]:
    """(mark, content) of what is at a path; content is empty for all but files."""
    try:
        with folder_of(root, path) as (here, name):
            return _read(here, name)
    except FileNotFoundError:
        return ABSENT, b""
    except (OSError, UnfitError):
        return OTHER, b""


def write(root: Root, target: Target) -> None:
    """Puts a file or link in its place in one step. Raises OSError, and UnfitError when something else is there."""
    with folder_of(root, target.path, make=True) as (here, name):
        if _read(here, name)[0] == OTHER:
            raise UnfitError(f"At {target.path} is something that is not a plain file. Nothing was written.")
        beside = f".{name[:200]}.havenmeester"
        _remove(here, beside)
        if target.link:
            os.symlink(target.link, beside, dir_fd=here)
        else:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(beside, flags, 0o600, dir_fd=here), "wb") as file:
                file.write(target.content)
                os.fchmod(file.fileno(), target.mode)
                file.flush()
                os.fsync(file.fileno())
        os.rename(beside, name, src_dir_fd=here, dst_dir_fd=here)
        os.fsync(here)


def _remove(here: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=here)
    except FileNotFoundError:
        return
    os.fsync(here)


def remove(root: Root, path: str) -> None:
    """Takes a file or link away; nothing there is fine. Raises OSError."""
    try:
        with folder_of(root, path) as (here, name):
            _remove(here, name)
    except FileNotFoundError:
        return


def keep(state: State, mark: str, content: bytes) -> None:
    """Keeps what is about to be replaced, so that there is a way back."""
    if mark.startswith("file:"):
        disk.make_folder(state.file("before"))
        place = state.file("before") / mark.rpartition(":")[2]
        if not place.exists():
            disk.write(place, content)


def put_back(root: Root, state: State, path: str, mark: str) -> None:
    """Brings a path back to a mark that was kept. Raises OSError or UnfitError when that cannot be done."""
    if mark == ABSENT:
        remove(root, path)
    elif mark.startswith("link:"):
        write(root, Target(path, b"", 0o777, mark.removeprefix("link:")))
    elif mark.startswith("file:"):
        _, mode, digest = mark.split(":")
        write(root, Target(path, (state.file("before") / digest).read_bytes(), int(mode, 8)))


def tidy(state: State, marks: set[str]) -> None:
    """Forgets kept contents that no record leads back to."""
    folder = state.file("before")
    if folder.is_dir():
        needed = {mark.rpartition(":")[2] for mark in marks}
        for entry in folder.iterdir():
            if entry.name not in needed:
                entry.unlink(missing_ok=True)
