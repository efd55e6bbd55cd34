"""A device that comes back, as far as it was put together: all of it stands in the address, as in ``draft.py``."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from mdm.core.text import clean
from mdm.desk.custody.agreement import Line
from mdm.desk.custody.asked import KitBack, Seen, Signed, Swap, TakeIn
from mdm.desk.custody.model import Condition

MOST_LINES = 20
PRESENCE = 8
"""Digits of the code by which a device proves that it lies on the counter."""


@dataclass(frozen=True, slots=True)
class Back:
    """``device`` comes back; for a swap, ``loaner`` goes out instead. ``missing`` names lines of kit that did not come along."""

    device: str = ""
    custody: str = ""
    """Which custody the clerk saw: another one meanwhile is refused."""
    loaner: str = ""
    condition: str = Condition.GOOD.value
    missing: frozenset[int] = frozenset()
    presence: str = ""
    step: str = ""
    request: str = ""

    @classmethod
    def read(cls, source: MultiDict[str, str], *, condition: Condition) -> "Back":
        """Out of an address or a form; what is not understood is left out, and ``condition`` stands where none is said."""
        step, said = source.get("step", ""), source.get("condition", "")
        return cls(
            device=clean(source.get("device", ""), 64),
            custody=clean(source.get("custody", ""), 64),
            loaner=clean(source.get("loaner", ""), 64),
            condition=said if said in {one.value for one in Condition} else condition.value,
            missing=frozenset(
                int(one)
                for one in source.getlist("missing")[:MOST_LINES]
                if one.isascii() and one.isdigit() and len(one) < 15
            ),
            presence=digits(source.get("presence", "")),
            step=step if step in ("sign", "phone", "unsigned") else "",
            request=clean(source.get("request", ""), 64),
        )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """As fields of an address or a form."""
        single = {
            "device": self.device,
            "custody": self.custody,
            "loaner": self.loaner,
            "condition": self.condition,
            "presence": self.presence,
            "step": self.step,
            "request": self.request,
        }
        return [
            *((name, value) for name, value in single.items() if value),
            *(("missing", str(number)) for number in sorted(self.missing)),
        ]

    def url(self, path: str, **changes: Any) -> str:
        """The address with these changes."""
        return f"{path}?{urlencode(replace(self, **changes).pairs)}"

    def toggled(self, line: int) -> frozenset[int]:
        """``missing`` with this line in it, or out of it."""
        return self.missing ^ {line}

    def kit_back(self, lines: tuple[Line, ...]) -> tuple[KitBack, ...]:
        """What came back of these lines: all that is still out, and nothing of those that are missing."""
        return tuple(KitBack(line.row.id, 0 if line.row.id in self.missing else line.lacking) for line in lines)

    def take_in(
        self,
        place_id: int,
        lines: tuple[Line, ...],
        *,
        key: str = "",
        note: str = "",
        photos: tuple[str, ...] = (),
        signed: Signed | None = None,
    ) -> TakeIn:
        """What custody is asked for."""
        return TakeIn(
            device=self.device,
            service_point_id=place_id,
            custody=self.custody,
            seen=Seen(Condition(self.condition), note, photos),
            kit=self.kit_back(lines),
            presence=self.presence,
            signed=signed,
            key=key,
        )

    def swap(
        self,
        place_id: int,
        lines: tuple[Line, ...],
        *,
        key: str = "",
        fault: str = "",
        photos: tuple[str, ...] = (),
        signed: Signed | None = None,
        unsigned: str = "",
    ) -> Swap:
        """What custody is asked for when something else goes out instead."""
        return Swap(
            broken=self.device,
            loaner=self.loaner,
            service_point_id=place_id,
            custody=self.custody,
            seen=Seen(Condition(self.condition), fault, photos),
            kit_back=self.kit_back(lines),
            faults=("other",) if fault else (),
            presence=self.presence,
            signed=signed,
            unsigned=unsigned,
            key=key,
        )


def digits(written: str) -> str:
    """The code by which a device proves its presence, as people write it; empty when it is none."""
    found = "".join(one for one in written if not one.isspace() and one not in "-.")
    return found if len(found) == PRESENCE and found.isascii() and found.isdigit() else ""
