"""The machine that the agent sees: ``/``, or a folder that stands for it.

Reading resolves symbolic links inside the folder, as a chroot would: a link to ``/etc/x`` under a root means the root's
own ``etc/x``. What cannot be read is None: unknown, never a guess.
"""

import os
import stat
from pathlib import Path

MAX_LINKS = 40
MAX_READ = 4 * 1024 * 1024


class Root:
    """One root. ``real`` is true for ``/`` itself: only there are programs asked and services switched on."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).resolve()
        self.real = self.folder == Path("/")

    def __str__(self) -> str:
        return str(self.folder)

    def path(self, inside: str) -> Path | None:
        """Where an absolute path lies once its links are followed inside the root; None when they go in circles."""
        if self.real:
            return Path(inside)
        left = [part for part in reversed(inside.split("/")) if part not in ("", ".")]
        here: list[str] = []
        links = 0
        while left:
            part = left.pop()
            if part == "..":
                here = here[:-1]
                continue
            try:
                target = str(self.folder.joinpath(*here, part).readlink())
            except OSError:
                here.append(part)
                continue
            links += 1
            if links > MAX_LINKS:
                return None
            if target.startswith("/"):
                here = []
            left.extend(piece for piece in reversed(target.split("/")) if piece not in ("", "."))
        return self.folder.joinpath(*here)

    def read(self, inside: str, limit: int = MAX_READ) -> str | None:
        """The text of a regular file, at most ``limit`` bytes of it; None when it cannot be read."""
        path = self.path(inside)
        if path is None:
            return None
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            # Asked before ``fdopen``, which raises for a folder.
            os.close(descriptor)
            return None
        with os.fdopen(descriptor, "rb") as file:
            try:
                return file.read(limit).decode(errors="replace")
            except OSError:
                return None

    def line(self, inside: str) -> str | None:
        """The first line of a file without spaces around it; None when there is none or it is empty."""
        text = self.read(inside, 4096)
        first = text.split("\n", 1)[0].strip() if text else ""
        return first or None

    def names(self, inside: str) -> list[str] | None:
        """The sorted names in a folder; None when it cannot be listed."""
        path = self.path(inside)
        try:
            return sorted(entry.name for entry in path.iterdir()) if path else None
        except OSError:
            return None

    def status(self, inside: str) -> os.stat_result | None:
        """``stat`` of what a path leads to; None when there is nothing."""
        path = self.path(inside)
        try:
            return path.stat() if path else None
        except OSError:
            return None

    def exists(self, inside: str) -> bool:
        """Whether something is there."""
        return self.status(inside) is not None
