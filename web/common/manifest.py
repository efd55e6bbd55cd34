"""The names that the build gave to the files of the front end."""

import json
from functools import lru_cache

from web.common.places import DIST


@lru_cache(maxsize=1)
def _manifest() -> dict[str, str]:
    files: dict[str, str] = json.loads((DIST / "manifest.json").read_text())["files"]
    return files


def built(name: str) -> str:
    """The name of a file after it was built, by the one before.

    Where the front end is not built, the name itself: it leads nowhere, and the page comes bare and can be used all the same.
    """
    try:
        return _manifest()[name]
    except FileNotFoundError:
        return name
