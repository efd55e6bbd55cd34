"""The city's side of asking for an application: what may be asked for, who asked, and the answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.guidance.texts import written
from mdm.inventory import groups
from mdm.inventory.model import Platform
from mdm.outbox import service as outbox
from mdm.people.model import LANGUAGES, Person, Persona
from mdm.policies.document import apply_document
from mdm.portal import app_places
from mdm.portal.app_moves import moved
from mdm.portal.letters import answer_letter
from mdm.portal.model import AppOffer, AppRequest, AppState
from mdm.storage.call import Call
from mdm.storage.scoping import within
from mdm.storage.unique import flush_unique

SHOWN: Final = 200
MAX_ANSWER: Final = 500
MAX_ABOUT: Final = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """One line of the list: the wish, what for, and who."""

    request: AppRequest
    offer: AppOffer
    person: Person


def wishes(call: Call, states: Collection[AppState] = (AppState.ASKED,)) -> list[Wish]:
    """Who at the actor's places asked for what, the longest waiting first; at most 200."""
    rows = call.session.execute(
        select(AppRequest, AppOffer, Person)
        .join(AppOffer, AppOffer.id == AppRequest.offer_id)
        .join(Person, Person.id == AppRequest.person_id)
        .where(
            within(call.actor.scope(Permission.APPLICATION_DECIDE), Person.service_point_id, Person.unit_id),
            AppRequest.state.in_([state.value for state in states]),
        )
        .order_by(AppRequest.id if AppState.ASKED in states else AppRequest.answered_at.desc(), AppRequest.id)
        .limit(SHOWN)
    )
    return [Wish(*row) for row in rows]


def answer(call: Call, uid: str, to: AppState, sentence: str = "") -> AppRequest:
    """Grants or refuses a wish, or takes back what was granted; the person gets a letter. Twice is like once.

    Raises NotFoundError for a wish at another place, InvalidError for a refusal without a reason, ConflictError for a wish
    that was answered otherwise and for an offer whose group of devices is gone.
    """
    asked = wish(call, uid)
    require(call.actor, Permission.APPLICATION_DECIDE, asked.person.where)
    said = clean(sentence, MAX_ANSWER, lines=True)
    if to is not AppState.GRANTED and not said:
        raise InvalidError(
            N_("Say why, so that the person understands it. Nothing was changed."), fields={"answer": N_("Say why.")}
        )
    if to is AppState.GRANTED and asked.offer.group_id is None:
        raise ConflictError(
            N_("The group of devices of %(name)s is gone, so it cannot be given. Nothing was changed. Offer it anew."),
            name=asked.offer.name,
        )
    found = asked.request
    if not moved(found, to):
        return found
    found.answered_at, found.answered_by, found.answer = call.now, call.actor.name, said
    call.session.flush()
    audit.record(
        call,
        f"app_request.{'taken_away' if to is AppState.WITHDRAWN else to.value}",
        ("app_request", found.uid),
        name=asked.offer.name,
        where=asked.person.where,
        details={"person": asked.person.id, "reason": said},
    )
    app_places.follow_person(call, asked.person.id)
    if asked.person.email:
        subject, text = answer_letter(
            asked.person.language,
            granted=to is AppState.GRANTED,
            name=asked.person.name,
            app=asked.offer.name,
            asked=found.why,
            why=said,
        )
        outbox.post(call, "mail", {"to": asked.person.email, "subject": subject, "text": text})
    return found


def offers(call: Call) -> list[tuple[AppOffer, int]]:
    """Everything that is or was offered, with how many people have it, by name."""
    require(call.actor, Permission.POLICY_VIEW)
    count = (
        select(func.count(AppRequest.id))
        .where(AppRequest.offer_id == AppOffer.id, AppRequest.state == AppState.GRANTED.value)
        .scalar_subquery()
    )
    rows = call.session.execute(
        select(AppOffer, count).order_by(AppOffer.closed_at.is_not(None), AppOffer.name, AppOffer.id)
    )
    return [(row[0], row[1]) for row in rows]


def offer(
    call: Call,
    *,
    name: str,
    about: str | Mapping[str, str],
    platform: str,
    identifier: str,
    personas: Sequence[str] = (),
) -> AppOffer:
    """Lets employees ask for an application: makes a group of devices, and a policy that gives it to that group.

    ``about`` is the city's sentence, or that sentence by language. Raises InvalidError with the fields, ConflictError when
    it is offered already.
    """
    require(call.actor, Permission.POLICY_EDIT)
    require(call.actor, Permission.APPLICATION_DECIDE)
    called, key = clean(name, 80), clean(identifier, 255)
    _check(called, key, platform, personas)
    taken = ConflictError(N_("This application is offered already. Nothing was changed."), code="app_offered")
    if call.session.scalar(select(AppOffer.id).where(AppOffer.platform == platform, AppOffer.identifier == key)):
        raise taken
    title = f"{called} ({platform})"
    group = groups.create(call, f"App: {title}")
    applied = apply_document(
        call,
        {
            "name": f"App: {title}",
            "settings": {"apps.required": [f"{platform}:{key}"]},
            "assignments": [{"include": [{"kind": "group", "id": group.id}]}],
        },
    )
    made = AppOffer(
        uid=new_uid(),
        name=called,
        about="",
        platform=platform,
        identifier=key,
        personas=list(dict.fromkeys(personas)),
        group_id=group.id,
        policy_id=applied.policy_id,
        created_at=call.now,
    )
    _describe(made, about)
    call.session.add(made)
    flush_unique(call.session, taken)
    audit.record(call, "app_offer.made", ("app_offer", made.uid), name=called, details={"identifier": key})
    return made


def one(call: Call, uid: str) -> AppOffer:
    """One offer; NotFoundError without it."""
    require(call.actor, Permission.POLICY_VIEW)
    found = call.session.scalar(select(AppOffer).where(AppOffer.uid == uid))
    if found is None:
        raise NotFoundError(N_("There is no such offer."))
    return found


def edit(call: Call, uid: str, *, about: Mapping[str, str], personas: Sequence[str]) -> AppOffer:
    """Says anew what an application is good for, by language, and who may ask for it. Who has it keeps it.

    Raises NotFoundError, and InvalidError for a persona that is none.
    """
    require(call.actor, Permission.POLICY_EDIT)
    found = one(call, uid)
    _check(found.name, found.identifier, found.platform, personas)
    before = (found.about, found.about_in, found.personas)
    _describe(found, about)
    found.personas = list(dict.fromkeys(personas))
    if before != (found.about, found.about_in, found.personas):
        audit.record(call, "app_offer.edited", ("app_offer", uid), name=found.name)
    return found


def close(call: Call, uid: str, *, closed: bool = True) -> AppOffer:
    """Stops offering an application, or offers it again; who has it keeps it. Twice is like once. NotFoundError without it."""
    require(call.actor, Permission.POLICY_EDIT)
    found = one(call, uid)
    if (found.closed_at is not None) != closed:
        found.closed_at = call.now if closed else None
        audit.record(call, f"app_offer.{'closed' if closed else 'reopened'}", ("app_offer", uid), name=found.name)
    return found


def waiting(call: Call) -> int:
    """How many wishes wait for an answer at the actor's places."""
    query = (
        select(func.count(AppRequest.id))
        .join(Person, Person.id == AppRequest.person_id)
        .where(
            within(call.actor.scope(Permission.APPLICATION_DECIDE), Person.service_point_id, Person.unit_id),
            AppRequest.state == AppState.ASKED.value,
        )
    )
    return call.session.scalar(query) or 0


def wish(call: Call, uid: str) -> Wish:
    """One wish at the actor's places, locked until the transaction ends. Raises NotFoundError."""
    row = call.session.execute(
        select(AppRequest, AppOffer, Person)
        .join(AppOffer, AppOffer.id == AppRequest.offer_id)
        .join(Person, Person.id == AppRequest.person_id)
        .where(
            AppRequest.uid == uid,
            within(call.actor.scope(Permission.APPLICATION_DECIDE), Person.service_point_id, Person.unit_id),
        )
        .with_for_update(of=AppRequest)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFoundError(N_("There is no such wish, or it is not at one of your places."))
    return Wish(*row)


def sentences(found: AppOffer) -> dict[str, str]:
    """What an application is good for, by language. A sentence of before counts as Dutch, the city's own language."""
    return dict(found.about_in) if found.about_in is not None else {"nl": found.about} if found.about else {}


def _describe(made: AppOffer, about: str | Mapping[str, str]) -> None:
    """Keeps the sentence: as one in the city's words, or by language, of which the first stands for all others."""
    if isinstance(about, str):
        made.about, made.about_in = clean(about, MAX_ABOUT, lines=True), None
        return
    kept: dict[str, str] = {}
    for language in LANGUAGES:
        kept = written(kept, language, about.get(language, ""), MAX_ABOUT, lines=True)
    made.about, made.about_in = next(iter(kept.values()), ""), kept or None


def _check(name: str, identifier: str, platform: str, personas: Sequence[str]) -> None:
    wrong: dict[str, str] = {}
    if not name:
        wrong["name"] = N_("Give a name.")
    if not identifier or ":" in identifier:
        wrong["identifier"] = N_("Give the package or bundle, without a word before it.")
    if platform not in set(Platform):
        wrong["platform"] = N_("Choose one from the list.")
    if not set(personas) <= set(Persona):
        wrong["personas"] = N_("Choose one from the list.")
    if wrong:
        raise InvalidError(N_("This offer is not right. Nothing was saved."), fields=wrong)
