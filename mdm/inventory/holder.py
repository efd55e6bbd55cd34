"""Who holds a device, as this room needs it: whoever hands out brings it along, because people live in another room."""

from dataclasses import dataclass

from mdm.core.text import fold


@dataclass(frozen=True, slots=True)
class Holder:
    """A person as a device remembers them. ``unit_id`` and ``persona`` are what assignments choose by."""

    person_id: int
    name: str
    number: str | None = None
    email: str | None = None
    unit_id: int | None = None
    persona: str = ""

    @property
    def searched(self) -> str:
        """What a search for this person may hit."""
        return fold(" ".join(part for part in (self.name, self.number, self.email) if part))
