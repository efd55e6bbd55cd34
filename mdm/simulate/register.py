"""What one installation's simulated fleet keeps for the next run: one line for each device that was enrolled."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Generic, TypeVar

from mdm.simulate.identities import FOLDER


@dataclass(frozen=True, slots=True)
class Kept:
    """An enrolled device: its number in the fleet, and the fingerprint of the authority that it enrolled under."""

    number: int
    ca: str


K = TypeVar("K", bound=Kept)


class Register(Generic[K]):
    """``HOME/simulated/<name>.jsonl`` (0600), read for one authority: what enrolled elsewhere is not there."""

    def __init__(self, home: Path, name: str, kind: type[K], ca: str) -> None:
        folder = home / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / f"{name}.jsonl"
        self.kind = kind
        self.ca = ca

    def read(self) -> dict[int, K]:
        """The devices that this installation enrolled, by number; a line that cannot be read is left out."""
        found = {}
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else ():
            try:
                one = self.kind(**json.loads(line))
            except (ValueError, TypeError):
                continue
            if one.ca == self.ca:
                found[one.number] = one
        return found

    def add(self, one: K) -> None:
        """Writes one device down."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(one)) + "\n")
