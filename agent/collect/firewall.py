"""Section ``firewall``: whether something filters what comes in."""

import os
import re
from typing import Any

from agent import programs
from agent.roots import Root

_WANTS = ("/etc/systemd/system/multi-user.target.wants", "/etc/systemd/system/sysinit.target.wants")

_NFTABLES = ("nftables.service", "havenmeester-firewall.service")


def _enabled(root: Root, unit: str) -> bool:
    return any(unit in (root.names(folder) or []) for folder in _WANTS)


def _ufw(root: Root) -> bool | None:
    text = root.read("/etc/ufw/ufw.conf", 65536)
    found = re.search(r"^ENABLED=[\"']?(\w+)", text, re.MULTILINE) if text else None
    return found.group(1).lower() == "yes" if found else None


def _filters_input() -> bool | None:
    """Whether the kernel's own rules have a chain on the way in that refuses something; None when they may not be seen."""
    if os.geteuid() != 0 or programs.find("nft") is None:
        return None
    outcome = programs.run(["nft", "list", "ruleset"], timeout=20)
    if not outcome.good:
        return None
    return "hook input" in outcome.text and re.search(r"policy drop|\b(drop|reject)\b", outcome.text) is not None


def collect(root: Root) -> dict[str, Any]:
    """The section. What is enabled at start counts; on the running machine the kernel's rules are asked too."""
    if _ufw(root):
        return {"active": True, "backend": "ufw"}
    if _enabled(root, "firewalld.service"):
        return {"active": True, "backend": "firewalld"}
    if any(_enabled(root, unit) for unit in _NFTABLES) and root.exists("/etc/nftables.conf"):
        return {"active": True, "backend": "nftables"}
    filtering = _filters_input() if root.real else None
    if filtering:
        return {"active": True, "backend": "nftables"}
    # Only a machine whose units and ufw can be seen may be said to have none.
    visible = root.names("/etc/systemd/system") is not None
    if filtering is False or (visible and not root.real):
        return {"active": False, "backend": "none"}
    return {"active": None, "backend": "unknown"}
