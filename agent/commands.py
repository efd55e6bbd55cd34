"""What is done once: each command is noted before it is begun, and its answer is kept until the server has it.

A command that was interrupted is never begun again: its answer says that it was interrupted. A command that comes twice
gets the answer of the first time.
"""

import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypedDict

from agent import diagnose, programs, update
from agent.roots import Root
from agent.state import State, now_text
from agent.text import printable

KEEP_SECONDS: Final = 30 * 86_400
MAX_KEPT: Final = 500
MAX_MESSAGES: Final = 20
RESTART_SECONDS: Final = 600
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


class Entry(TypedDict):
    """One command in the journal. ``result`` is None while it is being done."""

    verb: str
    at: int
    boot: str
    result: dict[str, Any] | None
    delivered: bool
    args: dict[str, Any]
    """Kept for a wipe (until its order is in the journal, nothing has begun, and it is looked at again) and for an update
    (its answer comes after another start)."""


def done(detail: str = "", data: dict[str, Any] | None = None) -> dict[str, Any]:
    """An answer without its id."""
    answer: dict[str, Any] = {"state": "done"}
    return answer | ({"detail": detail} if detail else {}) | ({"data": data} if data else {})


def not_done(state: str, detail: str) -> dict[str, Any]:
    """``failed`` or ``refused``, with the reason."""
    return {"state": state, "detail": detail}


class Commands:
    """The journal of one state folder, and the verbs. ``refresh`` and ``wipe`` are given by whoever can do them."""

    def __init__(
        self, state: State, root: Root, verbs: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]]
    ) -> None:
        self.state, self.root = state, root
        self.verbs = {
            "message": self._message,
            "lock": self._lock,
            "unlock": self._unlock,
            "restart": self._restart,
            "diagnostics": self._diagnostics,
            **verbs,
        }
        self.entries: dict[str, Entry] = state.read("commands.json").get("commands", {})

    def _save(self) -> None:
        self.state.save("commands.json", {"commands": self.entries})

    def boot(self) -> str:
        """An id that changes when the machine starts; empty where there is none."""
        return self.root.line("/proc/sys/kernel/random/boot_id") or ""

    def waiting(self) -> list[dict[str, Any]]:
        """Answers that the server does not have yet, the oldest first."""
        return [
            {"id": name, **entry["result"]}
            for name, entry in self.entries.items()
            if entry["result"] is not None and not entry["delivered"]
        ]

    def delivered(self, names: list[str]) -> None:
        """The server has these answers."""
        for name in names:
            if name in self.entries:
                self.entries[name]["delivered"] = True
                result = self.entries[name]["result"]
                if result is not None:
                    # What was long is not needed to say the same again in short.
                    result.pop("data", None)
        self._forget_old()
        self._save()

    def _forget_old(self) -> None:
        limit = time.time() - KEEP_SECONDS
        old = [name for name, entry in self.entries.items() if entry["delivered"] and entry["at"] < limit]
        spare = [name for name, entry in self.entries.items() if entry["delivered"]]
        old += spare[: max(0, len(self.entries) - MAX_KEPT)]
        for name in old:
            self.entries.pop(name, None)

    def settle_interrupted(self) -> None:
        """Answers for what was begun when the agent last stopped: a restart has happened, anything else was cut short."""
        changed = False
        for entry in self.entries.values():
            if entry["result"] is not None or entry["verb"] == "wipe":
                continue
            if entry["verb"] == "restart":
                if entry["boot"] != self.boot():
                    entry["result"] = done("The machine has started again.")
                elif time.time() > entry["at"] + RESTART_SECONDS:
                    entry["result"] = not_done("failed", "The machine did not restart.")
                else:
                    continue
            elif entry["verb"] == "update":
                entry["result"] = update.settle(self.state, str(entry["args"].get("version", "")))
                if entry["result"] is None:
                    continue
            else:
                entry["result"] = not_done("failed", "The agent was stopped while it did this. It was not done again.")
            changed = True
        if changed:
            self._save()

    def set_result(self, name: str, verb: str, result: dict[str, Any]) -> None:
        """Notes an answer, also for a command whose note was lost."""
        entry: Entry = {
            "verb": verb,
            "at": int(time.time()),
            "boot": "",
            "result": result,
            "delivered": False,
            "args": {},
        }
        self.entries[name] = entry
        self._save()

    def take(self, command: dict[str, Any]) -> None:
        """Does one command, or repeats the answer of the first time. One without a usable id is left aside."""
        name, verb, args = command.get("id"), command.get("verb"), command.get("args")
        if not isinstance(name, str) or not _ID.fullmatch(name):
            self.state.log("A command without a usable id was left aside.")
            return
        known = self.entries.get(name)
        if known is not None:
            known["delivered"] = False
            self._save()
            return
        entry: Entry = {
            "verb": printable(verb, 32),
            "at": int(time.time()),
            "boot": self.boot(),
            "result": None,
            "delivered": False,
            "args": args if verb in ("wipe", "update") and isinstance(args, dict) else {},
        }
        self.entries[name] = entry
        try:
            self._save()
        except OSError:
            # Not noted, so not begun: the server gives it again.
            del self.entries[name]
            raise
        result = self._do(name, command)
        if result is not None:
            entry["result"] = result
            entry["args"] = {}
            self._save()
            self.state.log(f"Command {entry['verb']} {name}: {result['state']}. {result.get('detail', '')}")

    def _do(self, name: str, command: dict[str, Any]) -> dict[str, Any] | None:
        verb, args = command.get("verb"), command.get("args")
        if verb not in self.verbs:
            return not_done("refused", "This agent does not know that command.")
        try:
            late = datetime.fromisoformat(str(command.get("expires"))).timestamp() < time.time()
        except ValueError:
            return not_done("refused", "The command does not say until when it holds.")
        if late:
            return not_done("refused", f"The command has expired: it is {now_text()} on this device.")
        result = self.verbs[verb](name, args if isinstance(args, dict) else {})
        return result or None

    # The verbs

    def _message(self, _: str, args: dict[str, Any]) -> dict[str, Any]:
        text = printable(args.get("text"), 2000, lines=True)
        if not text:
            return not_done("refused", "The message holds no text.")
        kept = self.state.read("messages.json").get("messages", [])
        self.state.save("messages.json", {"messages": [*kept, {"at": now_text(), "text": text}][-MAX_MESSAGES:]})
        if not self.root.real:
            return done("Kept for havenmeester-agent status; under a root there is no screen to show it on.")
        outcome = programs.run(["wall"], stdin=text.encode())
        return done(
            "Shown on every terminal." if outcome.good else f"Kept for status; not shown: {outcome.text[-200:]}"
        )

    def _sessions(self, verb: str) -> str:
        """Asks logind about every session. Returns what went wrong."""
        outcome = programs.run(["loginctl", verb])
        return "" if outcome.good else outcome.text[-300:] or "loginctl failed"

    def _lock(self, _: str, args: dict[str, Any]) -> dict[str, Any]:
        trouble = self._sessions("lock-sessions") if self.root.real else ""
        if trouble:
            return not_done("failed", f"The sessions could not be locked: {trouble}")
        self.state.save("lock.json", {"locked": True, "since": now_text(), "text": printable(args.get("text"), 500)})
        return done(
            "Every session is locked." if self.root.real else "Noted as locked; under a root there is no session."
        )

    def _unlock(self, _: str, __: dict[str, Any]) -> dict[str, Any]:
        trouble = self._sessions("unlock-sessions") if self.root.real else ""
        if trouble:
            return not_done("failed", f"The sessions could not be unlocked: {trouble}")
        self.state.file("lock.json").unlink(missing_ok=True)
        return done("Every session is unlocked." if self.root.real else "No longer noted as locked.")

    def _restart(self, _: str, __: dict[str, Any]) -> dict[str, Any]:
        if not self.root.real:
            return not_done("refused", "This agent runs under a root: there is no machine that it could restart.")
        outcome = programs.run(["shutdown", "-r", "+1", "Havenmeester restarts this machine in one minute."])
        # No answer yet: the machine says that it has restarted when it has.
        return {} if outcome.good else not_done("failed", f"The machine does not restart: {outcome.text[-300:]}")

    def _diagnostics(self, _: str, __: dict[str, Any]) -> dict[str, Any]:
        return done(data=diagnose.bundle(self.state, self.root))
