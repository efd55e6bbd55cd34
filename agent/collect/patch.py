"""Section ``patch``: how far behind this machine is, counted from the package lists that apt has already fetched."""

import re
from pathlib import Path
from typing import Any

from agent.collect import dpkg
from agent.roots import Root
from agent.state import now_text

LISTS = "/var/lib/apt/lists"
_SECURITY = re.compile(r"(^|[_-])security([._-]|$)")


def _candidates(path: Path, have: dict[str, str], best: dict[str, tuple[str, bool]], *, security: bool) -> None:
    for fields in dpkg.paragraphs(path, ("Package", "Version")):
        name, version = fields.get("Package", ""), fields.get("Version", "")
        if name not in have or version == have[name]:
            continue
        known = best.get(name)
        if known is None or dpkg.version_key(version) > dpkg.version_key(known[0]):
            best[name] = (version, security)


def pending(root: Root) -> tuple[int | None, int | None]:
    """How many packages have a newer version in the lists, and how many of those from a security archive.

    None twice when there are no lists, or when they are kept compressed in a form that we do not read.
    """
    names = [name for name in root.names(LISTS) or [] if name.endswith("_Packages")]
    packages = dpkg.installed(root)
    if not names or packages is None:
        return None, None
    have = {package.name: package.version for package in packages}
    best: dict[str, tuple[str, bool]] = {}
    for name in names:
        path = root.path(f"{LISTS}/{name}")
        if path is None:
            continue
        try:
            _candidates(path, have, best, security=bool(_SECURITY.search(name)))
        except OSError:
            return None, None
    newer = [
        security
        for name, (version, security) in best.items()
        if dpkg.version_key(version) > dpkg.version_key(have[name])
    ]
    return len(newer), sum(newer)


def reboot_required(root: Root) -> bool | None:
    """Whether a package asked for a restart; None when the folder where that is noted is not there."""
    if not root.exists("/run"):
        return None
    return root.exists("/run/reboot-required")


def collect(root: Root) -> dict[str, Any]:
    """The section. ``last_update`` is when a package was last installed, upgraded or removed."""
    updates, security = pending(root)
    status = root.status(dpkg.STATUS)
    return {
        "pending_updates": updates,
        "pending_security": security,
        "last_update": now_text(status.st_mtime) if status else None,
        "reboot_required": reboot_required(root),
    }
