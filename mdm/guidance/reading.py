"""Guides at the employee's own door: those for their very devices, and whether one helped."""

from collections.abc import Sequence

from sqlalchemy import select

from mdm.core.errors import N_, NotFoundError
from mdm.guidance.fitting import fit
from mdm.guidance.model import Guide, GuideVote
from mdm.inventory.model import Device
from mdm.people import employee
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique


def guides(call: Call) -> list[Guide]:
    """The guides for the devices in the person's name, the closest first; those for every device for whoever has none."""
    mine = call.session.scalars(select(Device).where(Device.person_id == employee.me(call).id)).all()
    return _sorted(_shown(call), mine)


def for_device(call: Call, device: Device, most: int = 3) -> list[Guide]:
    """The guides that are closest to this device: for its model, its kind, its platform."""
    employee.me(call)
    return _sorted(_shown(call), [device])[:most]


def guide(call: Call, uid: str) -> tuple[Guide, bool | None]:
    """One guide, whatever device it is for, and whether the person said that it helped; None: they have not said.

    Raises NotFoundError for one that is not shown.
    """
    found = call.session.scalar(select(Guide).where(Guide.uid == uid, Guide.hidden_at.is_(None)))
    if found is None:
        raise NotFoundError(N_("This guide is not there any more."))
    vote = _vote(call, found)
    return found, vote.helped if vote is not None else None


def vote(call: Call, uid: str, *, helped: bool, language: str) -> None:
    """Whether it helped, in the language that it was read in. Each person has one vote; the last one counts."""
    found, _said = guide(call, uid)
    kept = _vote(call, found)
    if kept is None:
        kept = GuideVote(
            guide_id=found.id, person_id=employee.me(call).id, helped=helped, language=language, at=call.now
        )
        call.session.add(kept)
    kept.helped, kept.language, kept.at = helped, language[:8], call.now
    flush_unique(call.session, NotFoundError(N_("That did not work. Try again.")))


def _shown(call: Call) -> Sequence[Guide]:
    query = select(Guide).where(Guide.hidden_at.is_(None)).order_by(Guide.position, Guide.id)
    return call.session.scalars(query).all()


def _sorted(shown: Sequence[Guide], devices: Sequence[Device]) -> list[Guide]:
    """Those that fit one of the devices, the closest first; without a device those that fit every one."""
    ranked = []
    for guide_ in shown:
        fits = [found for found in (fit(guide_, device) for device in devices) if found is not None]
        if fits or (not devices and not (guide_.platform or guide_.kind or guide_.model)):
            ranked.append((-max(fits, default=0), guide_))
    return [guide_ for _rank, guide_ in sorted(ranked, key=lambda line: line[0])]


def _vote(call: Call, found: Guide) -> GuideVote | None:
    return call.session.scalar(
        select(GuideVote).where(GuideVote.guide_id == found.id, GuideVote.person_id == employee.me(call).id)
    )
