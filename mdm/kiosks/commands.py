"""Every command that is ever run on a kiosk over SSH. The table is closed: no value is put into a line, ever.

SSH hands one line to the account's shell; so each word here holds nothing that a shell would take for more than a word, and
what differs from kiosk to kiosk travels as data on a command's input (``onsite.py``).
"""

import re
from dataclasses import dataclass
from typing import Final

FOLDER: Final = ".havenmeester-setup"
"""In the account's home folder; made by the first upload and removed by the last step."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./=:-]+")


@dataclass(frozen=True, slots=True)
class Command:
    """``argv`` in full; ``seconds`` it may take; ``root`` when it is run by ``sudo -n`` from another account."""

    argv: tuple[str, ...]
    seconds: float = 60
    root: bool = False

    def line(self, *, sudo: bool = False) -> str:
        """The line that is sent. Raises ValueError for a word that is not plain: no such word is in the table."""
        words = ("sudo", "-n", *self.argv) if sudo and self.root else self.argv
        for word in words:
            if not _PLAIN.fullmatch(word):
                raise ValueError(word)
        return " ".join(words)


def _helper(verb: str, seconds: float = 60, *, root: bool = False) -> Command:
    return Command(("python3", "-I", f"{FOLDER}/onsite.py", verb), seconds, root)


def _write(name: str, seconds: float = 60) -> Command:
    return Command(("dd", f"of={FOLDER}/{name}", "bs=65536", "status=none"), seconds)


COMMANDS: Final[dict[str, Command]] = {
    "prepare": Command(("mkdir", "-p", "-m", "0700", FOLDER)),
    "write_helper": _write("onsite.py"),
    "write_package": _write("agent.deb", 600),
    "look": _helper("look"),
    "check": _helper("check", 120),
    "install": _helper("install", 600, root=True),
    "enrol": _helper("enrol", 180, root=True),
    "start": _helper("start", 180, root=True),
    "undo": _helper("undo", 300, root=True),
    "forget": Command(("rm", "-rf", FOLDER)),
    "close": _helper("close"),
}
