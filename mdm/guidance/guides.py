"""The city's side of guides: writing them, one language at a time, and whether they helped."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import case, func, select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, InvalidError, NotFoundError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.guidance.fitting import film_allowed
from mdm.guidance.model import Guide, GuideVote
from mdm.guidance.quests import see
from mdm.guidance.texts import said, written
from mdm.inventory.model import DeviceKind, Platform
from mdm.people.model import LANGUAGES
from mdm.storage.call import Call

MAX_TITLE: Final = 120
MAX_TEXT: Final = 4000


@dataclass(frozen=True, slots=True)
class Draft:
    """A guide as it is written, in one language; the texts in other languages stay as they are."""

    language: str
    title: str
    text: str
    film: str = ""
    platform: str = ""
    kind: str = ""
    model: str = ""
    position: int = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One guide with its votes."""

    guide: Guide
    helped: int
    not_helped: int


def guides(call: Call) -> list[Line]:
    """Every guide with its votes, those that are shown first, in their order."""
    see(call)
    counts = {
        row[0]: (row[1], row[2])
        for row in call.session.execute(
            select(
                GuideVote.guide_id,
                func.sum(case((GuideVote.helped, 1), else_=0)),
                func.sum(case((GuideVote.helped, 0), else_=1)),
            ).group_by(GuideVote.guide_id)
        )
    }
    query = select(Guide).order_by(Guide.hidden_at.is_not(None), Guide.position, Guide.id)
    return [Line(one, *counts.get(one.id, (0, 0))) for one in call.session.scalars(query)]


def votes(call: Call, found: Guide) -> Sequence[tuple[str, int, int]]:
    """By language: how many it helped, and how many not."""
    see(call)
    rows = call.session.execute(
        select(
            GuideVote.language,
            func.sum(case((GuideVote.helped, 1), else_=0)),
            func.sum(case((GuideVote.helped, 0), else_=1)),
        )
        .where(GuideVote.guide_id == found.id)
        .group_by(GuideVote.language)
        .order_by(GuideVote.language)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def guide(call: Call, uid: str) -> Guide:
    """One guide; NotFoundError when it is not there."""
    see(call)
    found = call.session.scalar(select(Guide).where(Guide.uid == uid))
    if found is None:
        raise NotFoundError(N_("There is no such guide."))
    return found


def create(call: Call, draft: Draft, films: Collection[str] = ()) -> Guide:
    """Writes a new guide. ``films`` are the hosts whose films may be linked. Raises InvalidError with the fields."""
    require(call.actor, Permission.GUIDANCE_MANAGE)
    _check(draft, films, "")
    made = Guide(uid=new_uid(), title={}, text={}, created_at=call.now)
    call.session.add(made)
    _write(call, made, draft)
    _record(call, "guide.created", made, {"language": draft.language})
    return made


def edit(call: Call, uid: str, draft: Draft, films: Collection[str] = ()) -> Guide:
    """Writes one language of a guide, and what holds for all. Raises as ``create``. A film that stood there may stay."""
    require(call.actor, Permission.GUIDANCE_MANAGE)
    found = guide(call, uid)
    _check(draft, films, found.film)
    _write(call, found, draft)
    _record(call, "guide.edited", found, {"language": draft.language})
    return found


def hide(call: Call, uid: str, *, hidden: bool = True) -> Guide:
    """Takes a guide off the employees' page, or puts it back. Twice is like once."""
    require(call.actor, Permission.GUIDANCE_MANAGE)
    found = guide(call, uid)
    if (found.hidden_at is not None) != hidden:
        found.hidden_at = call.now if hidden else None
        _record(call, "guide.hidden" if hidden else "guide.shown", found, {})
    return found


def _write(call: Call, found: Guide, draft: Draft) -> None:
    found.title = written(found.title, draft.language, draft.title, MAX_TITLE)
    found.text = written(found.text, draft.language, draft.text, MAX_TEXT, lines=True)
    found.film, found.model = draft.film, clean(draft.model, 64)
    found.platform, found.kind, found.position = draft.platform, draft.kind, draft.position
    call.session.flush()


def _check(draft: Draft, films: Collection[str], kept: str) -> None:
    wrong: dict[str, str] = {}
    if draft.language not in LANGUAGES:
        wrong["language"] = N_("Choose one from the list.")
    if not clean(draft.title, MAX_TITLE):
        wrong["title"] = N_("Give a title.")
    if not clean(draft.text, MAX_TEXT, lines=True) and not draft.film:
        wrong["text"] = N_("Write something, or link a film.")
    if draft.film and draft.film != kept and not film_allowed(draft.film, films):
        wrong["film"] = N_("Give an https address at one of the hosts that are allowed for films.")
    if draft.platform and draft.platform not in set(Platform):
        wrong["platform"] = N_("Choose one from the list.")
    if draft.kind and draft.kind not in set(DeviceKind):
        wrong["kind"] = N_("Choose one from the list.")
    if not 0 <= draft.position <= 1000:
        wrong["position"] = N_("Give a number from 0 to 1000.")
    if wrong:
        raise InvalidError(N_("This guide is not right. Nothing was saved."), fields=wrong)


def _record(call: Call, action: str, found: Guide, details: dict[str, object]) -> None:
    audit.record(call, action, ("guide", found.uid), name=said(found.title, "en"), details=details)
