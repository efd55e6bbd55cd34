"""A hand-out that is being put together. All of it stands in the address: a page loaded anew, a second window and a line that
drops lose nothing, and nothing is written before it is signed."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from mdm.core.text import clean
from mdm.desk.custody.asked import HandOut, Signed
from mdm.desk.custody.kit import KitGiven
from web.console.pages.helpers import day_field

MOST = 20
"""Devices, and lines of kit, that one hand-out can have."""
LONGEST = 512


@dataclass(frozen=True, slots=True)
class Draft:
    """What has been scanned so far. ``kit`` is ``kind:code`` for a piece, and ``kind`` once for each one without a code."""

    person: int | None = None
    devices: tuple[str, ...] = ()
    kit: tuple[str, ...] = ()
    loan: bool = False
    due: str = ""
    step: str = ""
    """Empty while things are scanned; ``sign`` or ``unsigned`` afterwards."""
    request: str = ""
    """The signature that was asked for on the person's own phone."""

    @classmethod
    def read(cls, source: MultiDict[str, str]) -> "Draft":
        """The draft of an address or a form; what is not understood is left out."""
        person = source.get("person", "")
        step = source.get("step", "")
        return cls(
            person=int(person) if person.isascii() and person.isdigit() and len(person) < 15 else None,
            devices=_several(source.getlist("device"), 64),
            kit=tuple(clean(one, 128) for one in source.getlist("kit")[:MOST] if clean(one, 128)),
            loan=source.get("loan", "") == "yes",
            due=clean(source.get("due", ""), 10),
            step=step if step in ("sign", "unsigned", "phone") else "",
            request=clean(source.get("request", ""), 64),
        )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The draft as fields of an address or a form."""
        single = {
            "person": str(self.person or ""),
            "loan": "yes" if self.loan else "",
            "due": self.due,
            "step": self.step,
            "request": self.request,
        }
        return [
            *((name, value) for name, value in single.items() if value),
            *(("device", uid) for uid in self.devices),
            *(("kit", one) for one in self.kit),
        ]

    @property
    def hidden(self) -> dict[str, list[str]]:
        """The same, by name."""
        found: dict[str, list[str]] = {}
        for name, value in self.pairs:
            found.setdefault(name, []).append(value)
        return found

    def url(self, **changes: Any) -> str:
        """The address of the draft with these changes."""
        pairs = replace(self, **changes).pairs
        return "/desk/hand-out" + (f"?{urlencode(pairs)}" if pairs else "")

    def with_device(self, uid: str) -> "Draft":
        """With one device more; one that is there already stays there once."""
        return replace(self, devices=tuple(dict.fromkeys((*self.devices, uid)))[:MOST])

    def with_kit(self, line: str) -> "Draft":
        """With one line of kit more; a numbered piece that is there already stays there once."""
        if ":" in line and line in self.kit:
            return self
        return replace(self, kit=(*self.kit, line)[:MOST])

    def without_last(self) -> "Draft":
        """Without what was scanned last: the kit, then the devices, then the person."""
        if self.kit:
            return replace(self, kit=self.kit[:-1])
        if self.devices:
            return replace(self, devices=self.devices[:-1])
        return replace(self, person=None)

    @property
    def given(self) -> tuple[KitGiven, ...]:
        """The lines of kit as custody takes them; those without a code are counted."""
        pieces = [KitGiven(kind, code) for kind, _, code in (one.partition(":") for one in self.kit) if code]
        plain = [one.rstrip(":") for one in self.kit if not one.partition(":")[2]]
        return (*pieces, *(KitGiven(kind, quantity=plain.count(kind)) for kind in dict.fromkeys(plain)))

    def wanted(
        self,
        place_id: int,
        zone: str,
        *,
        key: str = "",
        note: str = "",
        signed: Signed | None = None,
        unsigned: str = "",
    ) -> HandOut:
        """What custody is asked for. A due date is the end of that day in the city's time zone. Raises InvalidError."""
        due = day_field("due", {"due": self.due})
        return HandOut(
            person_id=self.person or 0,
            devices=self.devices,
            service_point_id=place_id,
            kit=self.given,
            loan=self.loan,
            due_at=datetime.combine(due, time(23, 59), ZoneInfo(zone)) if due else None,
            note=note,
            signed=signed,
            unsigned=unsigned,
            key=key,
        )


def _several(written: Iterable[str], longest: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in (clean(value, longest) for value in written) if one))[:MOST]
