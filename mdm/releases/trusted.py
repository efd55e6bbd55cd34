"""The root document by which devices judge releases: what a package carries, so that a device trusts from its first day."""

from pathlib import Path
from typing import Final

REPOSITORY: Final = "releases/repository"


def root(home: Path) -> bytes | None:
    """The first root document of this installation; None where releases were not founded yet."""
    try:
        return (home / REPOSITORY / "metadata" / "1.root.json").read_bytes()
    except OSError:
        return None
