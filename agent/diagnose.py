"""What helps to understand an agent from afar: its own log, journals and versions. Nobody's files, and no secrets."""

import json
import ssl
import sys
from typing import Any, Final

from agent import VERSION, wire
from agent.roots import Root
from agent.state import State

LOG_CHARACTERS: Final = 96 * 1024
ROWS: Final = 100


def _log(state: State) -> str:
    text = ""
    for name in ("log.1", "log"):
        path = state.file(name)
        if path.exists():
            text += path.read_text(encoding="utf-8", errors="replace")
    return text[-LOG_CHARACTERS:]


def bundle(state: State, root: Root) -> dict[str, Any]:
    """At most ``wire.MAX_DIAGNOSTICS`` characters as JSON; the log is cut from its beginning when that is needed."""
    applied = state.read("applied.json")
    commands = state.read("commands.json").get("commands", {})
    found: dict[str, Any] = {
        "agent": VERSION,
        "python": sys.version.split()[0],
        "tls": ssl.OPENSSL_VERSION,
        "kernel": root.line("/proc/sys/kernel/osrelease"),
        "uptime": root.line("/proc/uptime"),
        "contact": state.read("contact.json"),
        "desired": applied.get("digest"),
        "resources": dict(list(applied.get("resources", {}).items())[:ROWS]),
        "tampered": applied.get("tampered", {}),
        "commands": {
            name: {"verb": entry["verb"], "at": entry["at"], "state": (entry["result"] or {}).get("state", "begun")}
            for name, entry in list(commands.items())[-ROWS:]
        },
        "waiting_reports": len(list(state.file("spool").glob("*.json"))),
        "log": _log(state),
    }
    size = len(json.dumps(found))
    if size > wire.MAX_DIAGNOSTICS:
        # A character can cost six when it is escaped; cutting what is too much at least six times is always enough.
        found["log"] = found["log"][size - wire.MAX_DIAGNOSTICS :]
        while len(json.dumps(found)) > wire.MAX_DIAGNOSTICS and found["log"]:
            found["log"] = found["log"][len(found["log"]) // 2 + 1 :]
    return found
