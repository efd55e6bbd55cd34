"""Quests: what there is, writing one, how it goes, the list for the draw, the draw."""

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.guidance import quests as service
from mdm.guidance.model import Quest
from mdm.guidance.progress import tasks_of
from mdm.guidance.quests import TASKS, Draft, TaskDraft
from mdm.guidance.texts import said
from mdm.org import queries as org
from mdm.overview.people_words import QUEST_CHECKS
from mdm.overview.words import LANGUAGES, PERSONAS
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.frame import translated
from web.console.pages.helpers import BOTH, GET, POST, Route, day_field, done, page, refused, text


@may(Permission.GUIDANCE_VIEW)
def guidance(call: Call) -> Response:
    """Every quest with its figures."""
    found = service.quests(call)
    return page(
        "guidance/quests.html",
        quests=[(one, service.figures(call, one)) for one in found],
        today=call.now.date(),
        said=said,
    )


def _language() -> str:
    wanted = request.values.get("language", "nl")
    return wanted if wanted in LANGUAGES else "nl"


def _form(call: Call, found: Quest | None, failure: Failure | None = None) -> Response:
    response = page(
        "guidance/quest_form.html",
        quest=found,
        tasks=list(tasks_of(call, found.id)) if found else [],
        language=_language(),
        offered=list(LANGUAGES.items()),
        checks=translated(QUEST_CHECKS),
        personas=translated(PERSONAS),
        units=[(line.unit.id, line.unit.name, line.depth) for line in org.units(call)],
        points=[(point.id, point.name) for point in org.service_points(call)],
        numbers=range(1, TASKS + 1),
        values=request.form if failure else None,
        failure=failure,
        said=said,
    )
    return failure.stamp(response) if failure else response


def _numbers(name: str) -> list[int]:
    return [int(one) for one in request.form.getlist(name)[:200] if one.isascii() and one.isdigit() and len(one) < 15]


def _draft() -> Draft:
    return Draft(
        language=_language(),
        title=text("title"),
        intro=text("intro"),
        first_day=day_field("first_day"),
        last_day=day_field("last_day"),
        tasks=[
            TaskDraft(text(f"title_{one}"), text(f"text_{one}"), text(f"check_{one}"), text(f"target_{one}"))
            for one in range(1, TASKS + 1)
        ],
        personas=request.form.getlist("personas")[:20],
        units=_numbers("units"),
        service_points=_numbers("service_points"),
    )


@may(Permission.GUIDANCE_MANAGE)
def quest_new(call: Call) -> Response:
    """Writes a new quest."""
    if request.method == "GET":
        return _form(call, None)
    try:
        made = service.create(call, _draft())
    except HavenmeesterError as error:
        return _form(call, None, refused(call, error))
    return done(gettext("The quest was saved."), url_for("quest", uid=made.uid))


@may(Permission.GUIDANCE_MANAGE)
def quest_edit(call: Call, uid: str) -> Response:
    """Writes one language of a quest, and what holds for all."""
    if request.method == "GET":
        return _form(call, service.quest(call, uid))
    try:
        service.edit(call, uid, _draft())
    except HavenmeesterError as error:
        failure = refused(call, error)
        return _form(call, service.quest(call, uid), failure)
    return done(gettext("The quest was saved."), url_for("quest_edit", uid=uid, language=_language()))


def _quest(call: Call, uid: str, failure: Failure | None = None) -> Response:
    found = service.quest(call, uid)
    points, units = org.names_seen(call, found.service_points, found.units)
    response = page(
        "guidance/quest.html",
        quest=found,
        tasks=tasks_of(call, found.id),
        figures=service.figures(call, found),
        finishers=service.finishers(call, found),
        winners=service.winners(call, found) if call.actor.may(Permission.GUIDANCE_MANAGE) else [],
        manages=call.actor.may(Permission.GUIDANCE_MANAGE),
        over=call.now.date() > found.last_day,
        units=units,
        points=points,
        others=len(set(found.units) - set(units)) + len(set(found.service_points) - set(points)),
        failure=failure,
        said=said,
    )
    return failure.stamp(response) if failure else response


@may(Permission.GUIDANCE_VIEW)
def quest(call: Call, uid: str) -> Response:
    """How one goes: figures, who finished and agreed, the draw."""
    return _quest(call, uid)


@may(Permission.GUIDANCE_MANAGE)
def quest_draw(call: Call, uid: str) -> Response:
    """Fixes the list, or draws from it."""
    try:
        if text("step") == "fix":
            service.fix_list(call, uid)
            return done(gettext("The list is fixed; its digest stands in the diary."), url_for("quest", uid=uid))
        count = text("count")
        service.draw(
            call, uid, int(count) if count.isascii() and count.isdigit() and len(count) < 5 else 0, text("seed")
        )
    except HavenmeesterError as error:
        return _quest(call, uid, refused(call, error))
    return done(gettext("It is drawn."), url_for("quest", uid=uid))


ROUTES: tuple[Route, ...] = (
    ("/guidance", "guidance", guidance, GET),
    ("/guidance/quests/new", "quest_new", quest_new, BOTH),
    ("/guidance/quests/<uid>", "quest", quest, GET),
    ("/guidance/quests/<uid>/edit", "quest_edit", quest_edit, BOTH),
    ("/guidance/quests/<uid>/draw", "quest_draw", quest_draw, POST),
)
