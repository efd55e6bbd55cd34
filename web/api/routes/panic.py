"""Calls for help: hearing of them, answering, closing; the duty roster; exercises.

Where a phone was is shown on the console alone, to somebody who looks, and stands in the diary with their name.
"""

from typing import Any
from zoneinfo import ZoneInfo

from apiflask import APIBlueprint
from flask import current_app
from sqlalchemy import func, select

from mdm.core.errors import N_, InvalidError
from mdm.core.permissions import Permission, Where
from mdm.panic import drills, duty, model, queries, raising, service
from mdm.panic.states import OPEN
from mdm.settings import Settings
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, cut, walk
from web.api.paging import PageQuery as Paged
from web.api.shapes import panic as shapes
from web.api.shapes.panic import PanicCall, PanicCallWhole, PanicDuty, PanicExercise, PanicReport
from web.common.app import SETTINGS

api = APIBlueprint(
    "panic",
    __name__,
    tag={"name": "Calls for help", "description": "The panic button: who calls, who comes, exercises."},
)
VIEW, ANSWER, MANAGE = Permission.PANIC_VIEW, Permission.PANIC_ANSWER, Permission.PANIC_MANAGE


@operation(api, "GET", "/panic/calls", VIEW, query=shapes.PanicCallsQuery, answer=shapes.PanicCallPage)
def list_panic_calls(call: Call, query: shapes.PanicCallsQuery) -> Page[PanicCall]:
    """List calls for help.

    Newest first; those at your places.
    """
    wanted = queries.alarms_select(call)
    if query.open is not None:
        state = model.PanicAlarm.state
        wanted = wanted.where(state.in_(OPEN) if query.open else state.not_in(OPEN))

    def fetch(mark: tuple[int] | None, limit: int) -> list[model.PanicAlarm]:
        rows = wanted if mark is None else wanted.where(model.PanicAlarm.id < mark[0])
        return list(call.session.scalars(rows.limit(limit)))

    rows, following = walk(query, fetch, lambda row: (row.id,))
    total = call.session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0
    items = [PanicCall.model_validate(_shown(line)) for line in queries.lines_for(call, rows)]
    return shapes.PanicCallPage(items=items, next=following, total=total)


@operation(api, "GET", "/panic/calls/<uid:panic_call_uid>", VIEW, answer=PanicCallWhole)
def get_panic_call(call: Call, panic_call_uid: str) -> PanicCallWhole:
    """Read a call for help.

    With who was told and all that happened.
    """
    return _whole(call, queries.alarm(call, panic_call_uid))


@operation(api, "POST", "/panic/calls/<uid:panic_call_uid>/acknowledge", ANSWER, answer=PanicCallWhole, problems=(409,))
def acknowledge_panic_call(call: Call, panic_call_uid: str) -> PanicCallWhole:
    """Say that somebody comes.

    It falls silent, and nobody else is told. Several may come. 409 when it is over.
    """
    return _whole(call, service.acknowledge(call, panic_call_uid))


@operation(
    api,
    "POST",
    "/panic/calls/<uid:panic_call_uid>/close",
    ANSWER,
    body=shapes.PanicReportNew,
    answer=PanicCallWhole,
    problems=(409,),
)
def close_panic_call(call: Call, panic_call_uid: str, body: shapes.PanicReportNew) -> PanicCallWhole:
    """Close a call for help with a report.

    409 while nobody has answered it, or when it is closed already.
    """
    return _whole(call, service.close(call, panic_call_uid, _report(body)))


@operation(api, "POST", "/panic/calls/<uid:reported_call_uid>/report", VIEW, answer=PanicReport)
def read_panic_report(call: Call, reported_call_uid: str) -> PanicReport:
    """Read the report of a call for help.

    That it was read stands in the diary. 403 for those whom it is not for.
    """
    return PanicReport.model_validate(service.read_report(call, reported_call_uid))


@operation(api, "GET", "/panic/duty", VIEW, query=Paged, answer=shapes.PanicDutyPage)
def list_panic_duty(call: Call, query: Paged) -> Page[PanicDuty]:
    """List the duty roster.

    The lines at your places that are not over, by place and rank.
    """
    rows, following, total = cut(duty.roster(call), query, lambda row: row.id)
    return shapes.PanicDutyPage(items=[_duty(call, row) for row in rows], next=following, total=total)


@operation(api, "POST", "/panic/duty", MANAGE, body=shapes.PanicDutyNew, answer=PanicDuty, status=201)
def add_panic_duty(call: Call, body: shapes.PanicDutyNew) -> PanicDuty:
    """Put somebody on duty.

    An account, or an employee by their e-mail address, on days and at hours of the city's clock.
    """
    line = duty.Line(
        who=body.who,
        where=_place(body),
        begins=body.begins,
        ends=body.ends,
        from_day=body.from_day or call.now.astimezone(_zone()).date(),
        until_day=body.until_day,
        days=tuple(body.days),
        rank=body.rank,
        phone=body.phone,
    )
    return _duty(call, duty.add(call, line))


@operation(api, "DELETE", "/panic/duty/<key:panic_duty_id>", MANAGE, answer=None, status=204)
def remove_panic_duty(call: Call, panic_duty_id: int) -> None:
    """Take a line off the duty roster.

    Calls that are open already go on as they began.
    """
    duty.remove(call, panic_duty_id)


@operation(api, "GET", "/panic/exercises", VIEW, query=Paged, answer=shapes.PanicExercisePage)
def list_panic_exercises(call: Call, query: Paged) -> Page[PanicExercise]:
    """List exercises.

    Newest first, with their figures; the last fifty at your places.
    """
    rows, following, total = cut(drills.all_of(call), query, lambda row: row.uid)
    return shapes.PanicExercisePage(items=[_exercise(call, row) for row in rows], next=following, total=total)


@operation(
    api,
    "POST",
    "/panic/exercises",
    MANAGE,
    body=shapes.PanicExerciseNew,
    answer=PanicExercise,
    status=201,
    problems=(409,),
)
def begin_panic_exercise(call: Call, body: shapes.PanicExerciseNew) -> PanicExercise:
    """Begin an exercise.

    The red button stays a true one meanwhile. 409 where one is under way at this place.
    """
    return _exercise(call, drills.begin(call, _place(body), body.minutes, body.note))


@operation(api, "GET", "/panic/exercises/<uid:panic_exercise_uid>", VIEW, answer=PanicExercise)
def get_panic_exercise(call: Call, panic_exercise_uid: str) -> PanicExercise:
    """Read an exercise with its figures.

    Seconds count from the press to the first answer.
    """
    return _exercise(call, drills.drill(call, panic_exercise_uid))


@operation(
    api,
    "POST",
    "/panic/exercises/<uid:panic_exercise_uid>/call",
    MANAGE,
    answer=PanicCallWhole,
    status=201,
    problems=(409,),
)
def call_in_panic_exercise(call: Call, panic_exercise_uid: str) -> PanicCallWhole:
    """Raise a practised call for help.

    One for each exercise: again gives the same. 409 after its end.
    """
    return _whole(call, raising.by_drill(call, panic_exercise_uid))


@operation(
    api,
    "POST",
    "/panic/exercises/<uid:panic_exercise_uid>/end",
    MANAGE,
    body=shapes.PanicExerciseEnd,
    answer=PanicExercise,
)
def end_panic_exercise(call: Call, panic_exercise_uid: str, body: shapes.PanicExerciseEnd) -> PanicExercise:
    """End an exercise.

    What rings of it stops. Ended before, what was learned is kept anew.
    """
    return _exercise(call, drills.end(call, panic_exercise_uid, body.learned))


def _zone() -> ZoneInfo:
    settings: Settings = current_app.extensions[SETTINGS]
    return ZoneInfo(settings.timezone)


def _place(body: shapes.PanicWhere) -> Where:
    if body.service_point_id and body.unit_id:
        sentence = N_("Give a service point or a unit, not both. Nothing was changed.")
        raise InvalidError(sentence, code="one_of")
    return Where(body.service_point_id, body.unit_id)


def _report(body: shapes.PanicReportNew) -> service.Report:
    written = body.model_dump() | {"outcome": service.Outcome(body.outcome)}
    return service.Report(**written)


def _shown(line: queries.Line) -> dict[str, Any]:
    alarm = line.alarm
    own = {name: getattr(alarm, name, None) for name in PanicCall.model_fields}
    return own | {"device_name": alarm.device_label, "place": line.place, "outcome": line.outcome or None}


def _whole(call: Call, alarm: model.PanicAlarm) -> PanicCallWhole:
    (line,) = queries.lines_for(call, [alarm])
    names = ("name", "rung", "told_at", "answered_at")
    told = [
        {name: getattr(one, name) for name in names} | {"ways": one.ways.split()} for one in queries.told(call, alarm)
    ]
    return PanicCallWhole.model_validate(_shown(line) | {"told": told, "events": list(queries.lines(call, alarm))})


def _duty(call: Call, row: model.PanicDuty) -> PanicDuty:
    own = {name: getattr(row, name, None) for name in PanicDuty.model_fields}
    on = duty.is_on(row, call.now, _zone())
    return PanicDuty.model_validate(own | {"days": row.days.split(), "on_now": on})


def _exercise(call: Call, row: model.PanicDrill) -> PanicExercise:
    own = {name: getattr(row, name) for name in PanicExercise.model_fields if hasattr(row, name)}
    figures = drills.figures(call, row)
    counted = {name: getattr(figures, name) for name in ("calls", "answered", "told", "silent", "middle")}
    return PanicExercise.model_validate(own | counted | {"seconds": list(figures.seconds)})
