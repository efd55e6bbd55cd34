"""What an installation begins with, as data: a quest of five assignments. Whatever people wrote themselves is left alone."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import select

from mdm.guidance import quests
from mdm.guidance.model import Quest
from mdm.guidance.quests import Draft, TaskDraft
from mdm.people.model import LANGUAGES
from mdm.storage.call import Call

LASTS: Final = timedelta(days=27)


def load(call: Call) -> bool:
    """Enters the starting content where there is none; whether anything was entered. For somebody who may do everything."""
    return load_quest(call)


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
