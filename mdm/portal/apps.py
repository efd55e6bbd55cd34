"""Applications at the employee's own door: what one's devices should have, what may be asked for, asking, taking back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from mdm.audit import service as audit
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Role
from mdm.core.text import clean
from mdm.inventory.model import Application, Device
from mdm.overview import device as devices
from mdm.people import employee
from mdm.people.model import Person
from mdm.policies.model import Cohort
from mdm.portal import app_places
from mdm.portal.app_moves import moved
from mdm.portal.model import AppOffer, AppRequest, AppState
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

MOST_ASKED: Final = 10
"""Wishes of one person that may wait at a time."""
MAX_WHY: Final = 500


@dataclass(frozen=True, slots=True)
class Given:
    """An application that the city gives one of the person's devices."""

    name: str
    here: bool
    """Whether the device has it."""
    itself: bool
    """Whether it comes by itself; else the person may install it."""


def given(call: Call, device: Device) -> list[Given]:
    """What policies give this device: by the persona, the unit, and what was granted. By name."""
    cohort = call.session.get(Cohort, device.cohort_id) if device.cohort_id is not None else None
    settings: dict[str, Any] = cohort.settings if cohort is not None else {}
    required, available = (wanted(settings.get(key), device.platform) for key in ("apps.required", "apps.available"))
    named = names(call, device.platform, {*required, *available})
    reader = employee.lent(call, Role.DESK_CLERK)
    there = {line.identifier for line in devices.applications(reader, device) if line.application_id is not None}
    found = [
        Given(named.get(one) or spoken(one), one in there, one in required) for one in sorted({*required, *available})
    ]
    return sorted(found, key=lambda one: one.name.lower())


def wanted(listed: object, platform: str) -> list[str]:
    """The identifiers of a list of applications that count on this platform, without the word before them. Pure."""
    if not isinstance(listed, list):
        return []
    found = []
    for one in listed:
        word, colon, name = str(one).partition(":")
        if not colon:
            found.append(word)
        elif word == platform:
            found.append(name)
    return found


def spoken(identifier: str) -> str:
    """What an application is called that nobody has named: ``be.stad.noodknop`` is Noodknop. Pure."""
    last = identifier.rpartition(".")[2]
    return last[:1].upper() + last[1:] if last != identifier and last else identifier


def names(call: Call, platform: str, identifiers: set[str]) -> dict[str, str]:
    """What people call these applications: as the city's offer says, else as devices say."""
    told = select(Application.identifier, Application.name).where(
        Application.platform == platform, Application.identifier.in_(identifiers), Application.name != ""
    )
    offered = select(AppOffer.identifier, AppOffer.name).where(
        AppOffer.platform == platform, AppOffer.identifier.in_(identifiers)
    )
    return {row[0]: row[1] for query in (told, offered) for row in call.session.execute(query)}


def offers(call: Call) -> list[AppOffer]:
    """What the person may ask for now: of their persona, for a device that they hold, not asked for or granted yet."""
    person = employee.me(call)
    platforms = call.session.scalars(select(Device.platform).where(Device.person_id == person.id).distinct()).all()
    taken = select(AppRequest.offer_id).where(AppRequest.person_id == person.id, AppRequest.slot.is_not(None))
    query = select(AppOffer).where(
        AppOffer.closed_at.is_(None), AppOffer.platform.in_(platforms), AppOffer.id.not_in(taken)
    )
    found = [one for one in call.session.scalars(query) if may_ask(one.personas, person.persona)]
    return sorted(found, key=lambda one: (one.name.lower(), one.id))


def may_ask(personas: Sequence[str], persona: str) -> bool:
    """Whether somebody of this persona may ask; an empty list is everybody. Pure."""
    return not personas or persona in personas


def offer(call: Call, uid: str) -> AppOffer:
    """One of ``offers``; NotFoundError for all others."""
    for one in offers(call):
        if one.uid == uid:
            return one
    raise NotFoundError(N_("You cannot ask for this application, or you asked for it already."))


def mine(call: Call) -> list[tuple[AppRequest, AppOffer]]:
    """What the person asked for, newest first, with the answers; at most thirty."""
    rows = call.session.execute(
        select(AppRequest, AppOffer)
        .join(AppOffer, AppOffer.id == AppRequest.offer_id)
        .where(AppRequest.person_id == employee.me(call).id)
        .order_by(AppRequest.id.desc())
        .limit(30)
    )
    return [(row[0], row[1]) for row in rows]


def ask(call: Call, uid: str, why: str) -> AppRequest:
    """Asks for an application with a sentence why; the wish that is open already is given back.

    Raises NotFoundError for what may not be asked for, InvalidError without a sentence, ConflictError for too many wishes.
    """
    person = employee.me(call)
    known = call.session.scalar(
        select(AppRequest)
        .join(AppOffer, AppOffer.id == AppRequest.offer_id)
        .where(AppOffer.uid == uid, AppRequest.person_id == person.id, AppRequest.slot.is_not(None))
    )
    if known is not None:
        return known
    found = offer(call, uid)
    sentence = clean(why, MAX_WHY, lines=True)
    if not sentence:
        raise InvalidError(N_("Nothing was sent yet."), fields={"why": N_("Say in a few words what you need it for.")})
    _refuse_more(call, person)
    made = AppRequest(
        uid=new_uid(),
        offer_id=found.id,
        person_id=person.id,
        slot=f"{found.id}:{person.id}",
        state=AppState.ASKED.value,
        why=sentence,
        asked_at=call.now,
    )
    call.session.add(made)
    flush_unique(call.session, ConflictError(N_("You asked for this already. Nothing was changed.")))
    audit.record(call, "app_request.asked", ("app_request", made.uid), name=found.name, where=person.where)
    return made


def take_back(call: Call, uid: str) -> AppRequest:
    """Takes one's own wish back, or gives an application back that was granted; twice is like once.

    Raises NotFoundError for another's wish, ConflictError for one that was refused.
    """
    person = employee.me(call)
    found = call.session.scalar(
        select(AppRequest).where(AppRequest.uid == uid, AppRequest.person_id == person.id).with_for_update()
    )
    if found is None:
        raise NotFoundError(N_("You did not ask for this. Nothing was changed."))
    if moved(found, AppState.WITHDRAWN):
        found.answered_at, found.answered_by, found.answer = call.now, person.name, ""
        call.session.flush()
        name = call.session.get_one(AppOffer, found.offer_id).name
        audit.record(call, "app_request.withdrawn", ("app_request", found.uid), name=name, where=person.where)
        app_places.follow_person(call, person.id)
    return found


def _refuse_more(call: Call, person: Person) -> None:
    waiting = select(func.count()).where(AppRequest.person_id == person.id, AppRequest.state == AppState.ASKED.value)
    if (call.session.scalar(waiting) or 0) >= MOST_ASKED:
        raise ConflictError(
            N_("You wait for %(count)s answers already. Nothing was sent; take one back first."), count=MOST_ASKED
        )
