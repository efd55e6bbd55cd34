"""A Unix socket's address may be at most 107 bytes long; the folder that it stands in may be deeper than that."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST = 100


@contextmanager
def short(path: Path) -> Iterator[str]:
    """An address for ``path`` that fits, as long as the block lasts: by way of its folder's descriptor where needed.

    Raises OSError when the folder is not there.
    """
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
