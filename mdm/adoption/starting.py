"""What the demonstration begins with: the pilot's groups, invited week by week, so that the page shows something true to life."""

from datetime import timedelta
from typing import Final

from sqlalchemy import select

from mdm.adoption.model import Channel, InvitationRun, InvitedState, Invitee, RunLine
from mdm.core.ids import new_uid
from mdm.inventory.model import Device
from mdm.people.model import Person
from mdm.storage.call import Call

WEEKS: Final = 9
"""How long ago the first group was invited; each following group a week later."""
SLOWEST: Final = 19
"""Days that the slowest took to set up their device."""


def load(call: Call) -> int:
    """Enters how the pilot was invited; how many people. Nothing where anybody was invited before.

    Who has a device in hand set it up within three weeks; the last group waits for its invitation. Nobody is written to.
    """
    if call.session.scalar(select(Invitee.person_id).limit(1)) is not None:
        return 0
    people = call.session.scalars(
        select(Person).where(Person.left_on.is_(None), Person.unit_id.is_not(None)).order_by(Person.unit_id, Person.id)
    ).all()
    holders = set(call.session.scalars(select(Device.person_id).where(Device.person_id.is_not(None))))
    units = list(dict.fromkeys(person.unit_id for person in people))
    invited = 0
    for place, unit in enumerate(units[:-1]):
        group = [person for person in people if person.unit_id == unit]
        _group(call, group, holders, weeks=max(1, WEEKS - place))
        invited += len(group)
    return invited


def _group(call: Call, group: list[Person], holders: set[int | None], *, weeks: int) -> None:
    at = call.now - timedelta(weeks=weeks)
    run = InvitationRun(
        uid=new_uid(), key=new_uid(), made_by=call.actor.name, made_at=at, chosen={"list": "people"}, total=len(group),
        finished_at=at + timedelta(minutes=1),
    )  # fmt: skip
    call.session.add(run)
    call.session.flush()
    for person in group:
        person.created_at = min(person.created_at, at)
        took = timedelta(days=1 + person.id * 7 % SLOWEST, hours=person.id % 9)
        active = at + took if person.id in holders and at + took < call.now else None
        reminded = at + timedelta(days=7) if active is None or took.days >= 7 else None
        told = at + timedelta(days=14) if active is None or took.days >= 14 else None
        call.session.add(RunLine(run_id=run.id, person_id=person.id, given="", state=InvitedState.MAIL.value, at=at))
        call.session.add(
            Invitee(
                person_id=person.id, invited_at=at, first_invited_at=at, channel=Channel.MAIL.value,
                activated_at=active,
                reminded_at=reminded if reminded and reminded < call.now else None,
                reminder=Channel.MAIL.value if reminded and reminded < call.now else "",
                lead_told_at=told if told and told < call.now else None,
            )
        )  # fmt: skip
    call.session.flush()
