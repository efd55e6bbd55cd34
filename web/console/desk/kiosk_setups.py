"""Setting kiosks up over SSH: asking for one or for a file of them, and watching how it goes. The work is a process's own."""

from collections.abc import Mapping
from typing import Any

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, ConflictError, HavenmeesterError, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.kiosks import access, queries, service, sheet
from mdm.kiosks.model import State, Step
from mdm.kiosks.wanted import ACCOUNT, checked
from mdm.org.queries import service_points
from mdm.overview import desk_words
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.desk.frame import desk_page
from web.console.desk.place import desk_place
from web.console.identity import settings
from web.console.pages.helpers import BOTH, GET, POST, Route, back, done, number, refused, text, warn

MAX_FILE = 1024 * 1024
FIELDS = ("host", "port", "account", "host_key", "service_point", "email", "name", "sign_in")
STEPS = tuple(step.value for step in Step)


@may(Permission.KIOSK_BOOTSTRAP)
def setups(call: Call) -> Response:
    """Set-ups, the newest first."""
    found = queries.setups(call, before=number("before", request.args))
    more = found[-1].row.id if len(found) == queries.PAGE else None
    return desk_page(call, "desk/kiosks/setups.html", lines=found, more=more)


@may(Permission.KIOSK_BOOTSTRAP)
def setup_new(call: Call) -> Response:
    """Asks for one kiosk."""
    if request.method == "GET":
        return _form(call)
    try:
        made = service.begin(call, checked(**{name: text(name) for name in FIELDS}))
    except HavenmeesterError as error:
        return _form(call, refused(call, error))
    return done(gettext("It is begun."), url_for("desk_kiosk_setup", uid=made.uid))


def _form(call: Call, failure: Failure | None = None) -> Response:
    here = desk_place(call)
    values = dict(request.form) if failure else {"service_point": here.code if here else ""}
    asked = values.get("account", "") or "root"
    account = asked if ACCOUNT.fullmatch(asked) else "root"
    response = desk_page(
        call,
        "desk/kiosks/setup_new.html",
        failure=failure,
        values=values,
        points=[(point.code, point.name) for point in service_points(call)],
        words=desk_words,
        lines=access.access(settings().home).lines(account),
        networks=settings().kiosk_networks,
    )
    return failure.stamp(response) if failure else response


@may(Permission.KIOSK_BOOTSTRAP)
def setup_file(call: Call) -> Response:
    """Looks at a file row by row, then has all of it begun. What was read stands in the form, to be mended there."""
    if request.method == "GET":
        return _sheet(call, "", None)
    try:
        data = _given()
    except HavenmeesterError as error:
        return _sheet(call, text("rows"), None, refused(call, error))
    written = data.decode("utf-8-sig", errors="replace")
    try:
        if text("step") == "begin":
            batch, _made = sheet.begin(call, data)
            return done(gettext("They are begun."), url_for("desk_kiosk_batch", batch=batch))
        return _sheet(call, written, sheet.look(call, data))
    except HavenmeesterError as error:
        return _sheet(call, written, None, refused(call, error))


def _given() -> bytes:
    file = request.files.get("file")
    data = file.stream.read(MAX_FILE + 1) if file is not None and file.filename else text("rows").encode()
    if len(data) > MAX_FILE:
        raise InvalidError(N_("The file is larger than 1 MB. Nothing was begun."), code="file_large")
    if not data.strip():
        raise InvalidError(N_("Choose a file, or paste its rows. Nothing was begun."), code="file_missing")
    return data


def _sheet(call: Call, rows: str, looked: list[sheet.Row] | None, failure: Failure | None = None) -> Response:
    response = desk_page(
        call,
        "desk/kiosks/setup_file.html",
        failure=failure,
        rows=rows,
        looked=looked,
        wrong=sum(bool(row.problems) for row in looked or ()),
        columns=list(sheet.COLUMNS),
        most=sheet.MOST,
    )
    return failure.stamp(response) if failure else response


@may(Permission.KIOSK_BOOTSTRAP)
def setup(call: Call, uid: str) -> Response:
    """One set-up: how far it is, and everything that happened."""
    return _setup(call, "desk/kiosks/setup.html", uid)


@may(Permission.KIOSK_BOOTSTRAP)
def setup_state(call: Call, uid: str) -> Response:
    """The part of it that changes by itself."""
    return _setup(call, "desk/kiosks/_setup_state.html", uid)


def _setup(call: Call, template: str, uid: str) -> Response:
    line = queries.line(call, uid)
    at = STEPS.index(line.row.step)
    finished = line.row.state == State.DONE
    return desk_page(
        call,
        template,
        line=line,
        row=line.row,
        steps=STEPS,
        at=len(STEPS) if finished else at,
        told=[(entry, *_told(entry)) for entry in reversed(line.row.log)],
    )


def _told(entry: Mapping[str, Any]) -> tuple[str, str]:
    """A line of what happened in the reader's language, and what a machine said in its own."""
    word, said = entry.get("word", ""), entry.get("said", "")
    if word in desk_words.KIOSK_LOG:
        return gettext(desk_words.KIOSK_LOG[word], **entry["params"]), said
    if word in desk_words.KIOSK_PROBLEMS:
        return gettext(desk_words.KIOSK_PROBLEMS[word]), said
    return "", entry["text"]


@may(Permission.KIOSK_BOOTSTRAP)
def setup_change(call: Call, uid: str) -> Response:
    """Takes it back, or tries it again."""
    verbs = {"withdraw": service.withdraw, "again": service.again}
    verb = verbs.get(text("step"))
    if verb is None:
        raise InvalidError(N_("Choose what to do. Nothing was changed."))
    try:
        verb(call, uid)
    except ConflictError as error:
        warn(refused(call, error))
        return back(url_for("desk_kiosk_setup", uid=uid))
    sentence = gettext("It is tried again.") if verb is service.again else gettext("It is taken back.")
    return done(sentence, url_for("desk_kiosk_setup", uid=uid))


@may(Permission.KIOSK_BOOTSTRAP)
def batch(call: Call, batch: str) -> Response:
    """Every kiosk of one file, with how far it is."""
    return _batch(call, "desk/kiosks/batch.html", batch)


@may(Permission.KIOSK_BOOTSTRAP)
def batch_state(call: Call, batch: str) -> Response:
    """The part of it that changes by itself."""
    return _batch(call, "desk/kiosks/_batch_state.html", batch)


def _batch(call: Call, template: str, batch: str) -> Response:
    found = queries.setups(call, batch=batch) if batch else []
    if not found:
        raise NotFoundError(N_("There is no such file of kiosks, or none of it is at one of your places."))
    counts = queries.counts(call, batch)
    return desk_page(
        call, template, lines=found, batch=batch, counts=counts, waits=queries.any_open(counts), words=desk_words
    )


ROUTES: tuple[Route, ...] = (
    ("/desk/kiosks/setups", "desk_kiosk_setups", setups, GET),
    ("/desk/kiosks/setups/new", "desk_kiosk_setup_new", setup_new, BOTH),
    ("/desk/kiosks/setups/file", "desk_kiosk_setup_file", setup_file, BOTH),
    ("/desk/kiosks/setups/batch/<batch>", "desk_kiosk_batch", batch, GET),
    ("/desk/kiosks/setups/batch/<batch>/state", "desk_kiosk_batch_state", batch_state, GET),
    ("/desk/kiosks/setups/<uid>", "desk_kiosk_setup", setup, GET),
    ("/desk/kiosks/setups/<uid>/state", "desk_kiosk_setup_state", setup_state, GET),
    ("/desk/kiosks/setups/<uid>/change", "desk_kiosk_setup_change", setup_change, POST),
)
