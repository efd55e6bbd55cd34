"""Section ``packages``: what dpkg has installed."""

from typing import Any

from agent.collect import dpkg
from agent.roots import Root

MAX_PACKAGES = 10_000


def collect(root: Root) -> dict[str, Any]:
    """Names and versions; ``items`` is None on a machine without dpkg."""
    found = dpkg.installed(root)
    if found is None:
        return {"manager": None, "items": None}
    return {"manager": "dpkg", "items": {package.name: package.version for package in found[:MAX_PACKAGES]}}
