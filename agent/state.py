"""The state folder: who we are, what the server knows of us, what we hold. Mode 0700; every write survives a crash.

identity.json       device, gateway, organisation, order key, root, which keys are in use; written last when enrolling
ca.pem, keys/N/     the one authority that we trust; key and certificate, by number
desired.json        the desired state in hand           applied.json  what we changed, and what was there before
before/SHA256       contents that we replaced           known.json    digests that the server has acknowledged
spool/*.json        reports that wait                   commands.json commands done, and answers that wait
orders.journal      one line per step of an order, and the same again in DIR.orders beside the folder
roster.json         who may approve                     presence.json secret and codes of presence
lock.json, messages.json, contact.json, wiped.json, log
"""

import fcntl
import os
import signal
import time
from pathlib import Path
from typing import Any, Final, TextIO

from agent import disk, errors
from agent.errors import AgentError
from agent.roots import Root

DEFAULT: Final = "/var/lib/havenmeester-agent"
MAX_LOG: Final = 128 * 1024
RESERVE: Final = 256 * 1024
CONTACT_EVERY: Final = 60
"""Seconds between two notes of the last contact, so that an idle agent does not wear out a disk."""


class Identity:
    """What enrollment gave us. ``load`` reads it; ``save`` replaces it in one step."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.device: str = fields["device"]
        self.gateway: str = fields["gateway"]
        self.organisation: str = fields["organisation"]
        self.order_key: str = fields["order_key"]
        self.root: str = fields["root"]
        self.current: str = fields["current"]
        self.public_key: str = fields["public_key"]
        self.former: list[str] = fields.get("former", [])
        self.not_before: int = fields["not_before"]
        self.not_after: int = fields["not_after"]


class State:
    """One state folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).absolute()
        self._lock: TextIO | None = None
        self._contact = 0.0

    def file(self, name: str) -> Path:
        """A file of the state folder."""
        return self.folder / name

    def keys(self, number: str) -> Path:
        """The folder of one key with its certificate."""
        return self.folder / "keys" / number

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file of the state; empty when it is not there."""
        return disk.read_json(self.file(name))

    def save(self, name: str, value: dict[str, Any]) -> None:
        """Replaces a JSON file of the state."""
        disk.write_json(self.file(name), value)

    def identity(self) -> Identity:
        """Who we are. Raises AgentError when this folder is not enrolled or when its identity is damaged."""
        fields = self.read("identity.json")
        if not fields:
            if self.file("wiped.json").exists():
                raise AgentError(
                    "This device was wiped by an order, and its identity was removed. Enrol it again.",
                    errors.NOT_ENROLLED,
                )
            raise AgentError(
                f"This device is not enrolled: there is no identity in {self.folder}. "
                "Ask for an invitation and run: havenmeester-agent enroll URL",
                errors.NOT_ENROLLED,
            )
        try:
            return Identity(fields)
        except KeyError as missing:
            raise AgentError(
                f"The identity in {self.folder} is damaged: {missing} is missing. Restore the folder, or enrol again."
            ) from missing

    def root(self, asked: str | None) -> Root:
        """The root that this device was enrolled with. Raises AgentError when another one is asked for."""
        enrolled = Root(self.identity().root)
        if asked is not None and Root(asked).folder != enrolled.folder:
            raise AgentError(
                f"This device was enrolled with --root {enrolled}; it does not touch {Root(asked)}. "
                "Nothing was changed."
            )
        return enrolled

    def hold(self) -> None:
        """Takes the folder for this process. Raises AgentError when another one has it."""
        disk.make_folder(self.folder)
        lock = self.file("lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            pid = lock.read().strip()
            lock.close()
            raise AgentError(
                f"Another agent (process {pid or 'unknown'}) works with {self.folder}. Stop it first, or wait for it.",
                errors.BUSY,
            ) from None
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def hold_from_resident(self, patience: float = 15) -> None:
        """Takes the folder, and asks a resident agent that has it to stop. Raises AgentError when it does not."""
        deadline = time.monotonic() + patience
        asked = False
        while True:
            try:
                self.hold()
            except AgentError:
                if time.monotonic() > deadline:
                    raise
            else:
                return
            pid = self.file("lock").read_text(encoding="utf-8").strip()
            if pid.isdigit() and not asked:
                asked = True
                os.kill(int(pid), signal.SIGTERM)
            time.sleep(0.05)

    def reserve(self) -> None:
        """Keeps some room on the disk for the day when it is full: whoever fills a disk must not stop a wipe by it."""
        place = self.file("reserve")
        try:
            if not place.exists():
                disk.write(place, os.urandom(RESERVE))
        except OSError:
            place.unlink(missing_ok=True)

    def make_room(self) -> None:
        """Gives the reserved room back."""
        self.file("reserve").unlink(missing_ok=True)

    def log(self, sentence: str) -> None:
        """Adds a line with the time to the agent's own log, which is kept short."""
        path = self.file("log")
        line = f"{now_text()} {sentence}\n"
        try:
            if path.exists() and path.stat().st_size > MAX_LOG:
                path.replace(self.file("log.1"))
            with path.open("a", encoding="utf-8", errors="replace") as file:
                file.write(line)
        except OSError:
            # A full disk must stop neither a check-in nor a repair; the log is the least of it.
            return

    def note_contact(self, error: str = "") -> None:
        """Notes when the gateway last answered, or why it does not; at most once a minute while nothing changes."""
        now = time.time()
        if not error and now - self._contact < CONTACT_EVERY:
            return
        self._contact = 0.0 if error else now
        before = self.read("contact.json")
        note = {"at": before.get("at") if error else now_text(), "error": error}
        if note != before:
            try:
                self.save("contact.json", note)
            except OSError as trouble:
                self.log(f"The last contact could not be noted: {trouble.strerror}.")


def now_text(at: float | None = None) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
