"""What a door brings for each act at the counter, and what it gets back."""

from dataclasses import dataclass, field
from datetime import datetime

from mdm.core.permissions import Where
from mdm.desk.custody.kit import KitGiven
from mdm.desk.custody.model import Condition, Custody, Paper
from mdm.desk.repairs.model import Repair
from mdm.orders.model import Order


@dataclass(frozen=True, slots=True)
class Signed:
    """How it was signed: drawn at the clerk's screen, by a typed name, or on the person's own phone (``request``)."""

    strokes: object = None
    """As the page sent them; ``mdm/desk/paper/strokes.py`` checks them."""
    typed: str = ""
    request: str = ""
    """Id of the signature that was asked for by a link."""


@dataclass(frozen=True, slots=True)
class HandOut:
    """Devices with their kit into one person's hands, at one service point."""

    person_id: int
    devices: tuple[str, ...]
    """Their ids (uid). One that the person has already only gets the kit added."""
    service_point_id: int
    kit: tuple[KitGiven, ...] = ()
    loan: bool = False
    due_at: datetime | None = None
    note: str = ""
    signed: Signed | None = None
    unsigned: str = ""
    """Why nobody signs; one of the two must be there."""
    invite: bool = True
    """Whether a device that is not enrolled gets an invitation for this person."""
    key: str = ""
    """What the page or program calls this act: the same key again is answered the same, and nothing is done twice."""

    @property
    def where(self) -> Where:
        """The service point at which it happens."""
        return Where(self.service_point_id)


@dataclass(frozen=True, slots=True)
class KitBack:
    """How many of one line came back; the rest of it is noted as missing."""

    line_id: int
    returned: int


@dataclass(frozen=True, slots=True)
class Seen:
    """How a device looks when it comes back: words, a note, pictures (uids of ``photos.take``)."""

    condition: Condition = Condition.UNSEEN
    note: str = ""
    photos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TakeIn:
    """One device back over the counter."""

    device: str
    service_point_id: int
    custody: str = ""
    """Id of the custody that the clerk saw; another one meanwhile is refused. Empty: whichever is open."""
    seen: Seen = field(default_factory=Seen)
    kit: tuple[KitBack, ...] | None = None
    """What came back of the kit; None: nobody looked, all of it stays in the person's name."""
    presence: str = ""
    """The code that the device shows: it is then wiped in the hand-in lane."""
    signed: Signed | None = None
    note: str = ""
    faults: tuple[str, ...] = ()
    """What is wrong with it (``repairs.model.Fault``): a repair is opened."""
    shelf: str = ""
    """Code of the shelf that it is put on."""
    key: str = ""

    @property
    def where(self) -> Where:
        """The service point at which it happens."""
        return Where(self.service_point_id)


@dataclass(frozen=True, slots=True)
class Swap:
    """A broken device in, a loaner out, for the same person, with one signature."""

    broken: str
    loaner: str
    service_point_id: int
    custody: str = ""
    seen: Seen = field(default_factory=lambda: Seen(Condition.BROKEN))
    kit_back: tuple[KitBack, ...] | None = None
    kit: tuple[KitGiven, ...] = ()
    due_at: datetime | None = None
    loan: bool = True
    """Whether what goes out is a loan; False: it replaces the broken one for good."""
    faults: tuple[str, ...] = ()
    """What is wrong with the broken one; none: no repair is opened."""
    presence: str = ""
    signed: Signed | None = None
    unsigned: str = ""
    note: str = ""
    invite: bool = True
    key: str = ""

    @property
    def where(self) -> Where:
        """The service point at which it happens."""
        return Where(self.service_point_id)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was made for a device; ``url`` is known only now, and empty when an answer is given again."""

    device: str
    uid: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class HandedOut:
    """What came of it. ``again``: it had been done already, and nothing was done now."""

    paper: Paper | None
    """None only for a device that was in these hands already without a paper."""
    custodies: tuple[Custody, ...]
    invited: tuple[Invited, ...] = ()
    not_invited: tuple[str, ...] = ()
    """Devices that are not enrolled and got no invitation, because the signer has never answered here."""
    again: bool = False


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What came of it. ``order``: the wipe that was asked for, where the device proved its presence."""

    paper: Paper | None
    custody: Custody
    order: Order | None = None
    repair: Repair | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Swapped:
    """What came of it: the broken one's closed custody, the loaner's open one, and one paper for both."""

    paper: Paper
    back: Custody
    out: Custody
    order: Order | None = None
    repair: Repair | None = None
    invited: tuple[Invited, ...] = ()
    again: bool = False
