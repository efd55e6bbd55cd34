"""What an installation begins with, as data: a quest of five assignments and six guides; in the pilot also three ambassadors.

Whatever people wrote themselves is left alone.
"""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import select

from mdm.core.actor import Actor, ActorKind
from mdm.guidance import ambassadors, asking, guides, quests
from mdm.guidance.model import Ambassador, Guide, Quest
from mdm.guidance.quests import Draft, TaskDraft
from mdm.people.model import LANGUAGES, Person
from mdm.storage.call import Call

LASTS: Final = timedelta(days=27)
AMBASSADORS: Final = 3


def load(call: Call) -> None:
    """Enters the starting content where there is none. For somebody who may do everything."""
    load_quest(call)
    load_guides(call)


def load_pilot(call: Call) -> None:
    """The starting content, and for the demonstration three colleagues who have agreed to help."""
    load(call)
    if call.session.scalar(select(Ambassador.id).limit(1)) is not None:
        return
    spoken: set[str] = set()
    query = select(Person).where(Person.number.is_not(None), Person.left_on.is_(None)).order_by(Person.id)
    for person in call.session.scalars(query).all():
        if person.language in spoken or len(spoken) == AMBASSADORS:
            continue
        spoken.add(person.language)
        ambassadors.name(
            call,
            person.number or "",
            languages=tuple(dict.fromkeys((person.language, "nl"))),
            about="Eerste stappen, wachtwoorden, apps",
            unit_id=person.unit_id,
        )
        colleague = Actor(ActorKind.EMPLOYEE, person.id, person.name, (), call.actor.request_id)
        asking.agree(call.by(colleague), helps=True, phone=False, email=True)


def load_guides(call: Call) -> bool:
    """The first guides, in every language; False where there is a guide already."""
    if call.session.scalar(select(Guide.id).limit(1)) is not None:
        return False
    for told in table("guides")["guide"]:
        uid = ""
        for language in LANGUAGES:
            draft = guides.Draft(
                language=language,
                title=told["title"][language],
                text=told["text"][language],
                platform=told.get("platform", ""),
                kind=told.get("kind", ""),
                model=told.get("model", ""),
                position=told["position"],
            )
            uid = (guides.edit(call, uid, draft) if uid else guides.create(call, draft)).uid
    return True


def load_quest(call: Call) -> bool:
    """The first quest, in every language, for four weeks from today; False where there is a quest already."""
    if call.session.scalar(select(Quest.id).limit(1)) is not None:
        return False
    told = table("quest")
    uid = ""
    for language in LANGUAGES:
        draft = _draft(told, language, call)
        uid = (quests.edit(call, uid, draft) if uid else quests.create(call, draft)).uid
    return True


def _draft(told: Mapping[str, Any], language: str, call: Call) -> Draft:
    today = call.now.date()
    return Draft(
        language=language,
        title=told["title"][language],
        intro=told["intro"][language],
        first_day=today,
        last_day=today + LASTS,
        tasks=[
            TaskDraft(task["title"][language], task["text"][language], task["check"], task.get("target", ""))
            for task in told["task"]
        ],
        personas=told["personas"],
    )


def table(name: str) -> dict[str, Any]:
    """One file of ``mdm/guidance/data`` by its name without ending."""
    return tomllib.loads((files("mdm.guidance") / "data" / f"{name}.toml").read_text("utf-8"))
