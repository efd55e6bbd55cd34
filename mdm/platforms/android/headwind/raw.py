"""Raw parts for the free agent: files to place, and how its own screen looks. Everything else is refused. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

from mdm.core.errors import N_
from mdm.core.text import clean
from mdm.platforms.android.headwind.config import LOOKS

MAX_FILES: Final = 50
_PATH: Final = re.compile(r"/(?:[A-Za-z0-9 ._-]{1,100}/){0,8}[A-Za-z0-9 ._-]{1,100}\Z")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")
_COLOUR: Final = re.compile(r"#[0-9A-Fa-f]{6}\Z")


def fault(content: Mapping[str, Any]) -> str:
    """What is wrong with the content of a raw part, "" when nothing is."""
    strange = sorted(set(content) - LOOKS - {"files"})
    if strange:
        return N_("The agent is not told %(name)s. A payload for it has only: %(names)s.") % {
            "name": clean(strange[0], 40),
            "names": ", ".join(sorted(LOOKS | {"files"})),
        }
    for key, value in content.items():
        if key != "files" and (wrong := _look(key, value)):
            return wrong
    files = content.get("files", [])
    if not isinstance(files, list) or len(files) > MAX_FILES:
        return N_("Files are a list of at most 50.")
    return next((wrong for one in files if (wrong := _file(one))), "")


def _look(key: str, value: object) -> str:
    if key.endswith("Color"):
        good = isinstance(value, str) and bool(_COLOUR.match(value))
        return "" if good else N_("A colour is written like #1a5fb4.")
    if key == "iconSize":
        return "" if value in ("SMALL", "MEDIUM", "LARGE") else N_("The size of icons is SMALL, MEDIUM or LARGE.")
    whole = isinstance(value, int) and not isinstance(value, bool)
    return "" if whole and value in (0, 1, 2) else N_("The orientation is 0, 1 or 2.")


def _file(one: object) -> str:
    if not isinstance(one, Mapping) or not {"path"} <= set(one) <= {"path", "digest", "remove"}:
        return N_("A file has a path, and the digest of what was uploaded, or remove.")
    path, digest, gone = one["path"], one.get("digest", ""), one.get("remove", False)
    if not isinstance(path, str) or not _PATH.match(path) or ".." in path.split("/"):
        return N_("The path of a file is a plain one that begins with a slash.")
    if not isinstance(gone, bool) or not isinstance(digest, str):
        return N_("Remove is true or false, and a digest a text.")
    if not gone and not _DIGEST.match(digest):
        return N_("The digest is the SHA-256 of a file that was uploaded, 64 hexadecimal digits.")
    return ""
