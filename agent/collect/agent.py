"""Section ``agent``: what the agent says of itself."""

import os
import sys
from typing import Any

from agent import VERSION
from agent.roots import Root


def collect(root: Root, tampered: list[str], roster: int) -> dict[str, Any]:
    """The section. ``tampered`` lists what another hand had changed when it was last looked at, ``roster`` is the
    version of the roster of approvers in hand, 0 for none."""
    return {
        "version": VERSION,
        "python": ".".join(map(str, sys.version_info[:3])),
        "tampered": sorted(tampered),
        "privileged": os.geteuid() == 0,
        "root": str(root),
        "roster": roster,
    }
