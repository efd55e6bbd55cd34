"""Box mode: scan, scan, scan. Each scan counts at once; what went wrong stays on top; the last one can be undone."""

from flask import flash, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.custody import box
from mdm.desk.custody.model import BoxLine, BoxOutcome, BoxRun, Paper
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.desk.draft import LONGEST
from web.console.desk.frame import desk_page, worked_at
from web.console.desk.keys import Key
from web.console.desk.once import once
from web.console.desk.place import desk_place
from web.console.pages.helpers import BOTH, Route, refused, text

SHOWN = 100
"""Lines that the page shows: a box that goes on must not make each scan slower. All of them stand on the paper."""


@may(Permission.DESK_WORK)
def desk_box(call: Call) -> Response:
    """Where a box is begun, or gone on with."""
    if request.method == "POST":
        try:
            run = box.start(call, worked_at(call).id)
        except HavenmeesterError as error:
            return _begin(call, refused(call, error))
        return make_response(redirect(url_for("desk_box_run", uid=run.uid), 303))
    return _begin(call)


def _begin(call: Call, failure: Failure | None = None) -> Response:
    place = desk_place(call)
    runs = [(run, box.counts(call, run)) for run in (box.open_runs(call, place.id) if place else ())]
    response = desk_page(call, "desk/box_begin.html", runs=runs, wrong=failure.sentence if failure else "")
    return failure.stamp(response) if failure else response


@may(Permission.DESK_WORK)
def desk_box_run(call: Call, uid: str) -> Response:
    """One box: its field and its list. U and Enter undoes the last one, F and Enter finishes."""
    if request.method == "GET":
        return _show(call, box.run(call, uid))
    entry = clean(request.form.get("code", ""), LONGEST)
    line, failure = None, None
    try:
        if entry.lower() == "f":
            return _finish(call, uid)
        if entry.lower() == "u":
            # An answer that was lost on its way must not undo a second one.
            return once(call, lambda: _undo(call, uid))
        if entry:
            line = box.scan(call, uid, entry, key=text("key"))
    except HavenmeesterError as error:
        failure = refused(call, error)
    response = _show(call, box.run(call, uid), line, failure)
    return failure.stamp(response) if failure else response


def _undo(call: Call, uid: str) -> Response:
    line = box.undo(call, uid)
    if line is None:
        flash(gettext("There is nothing to undo."), "warning")
    else:
        flash(gettext("Undone: %(device)s is with %(holder)s again.", device=line.label, holder=line.holder), "done")
    return make_response(redirect(url_for("desk_box_run", uid=uid), 303))


def _finish(call: Call, uid: str) -> Response:
    run = box.finish(call, uid)
    paper = call.session.get(Paper, run.paper_id) if run.paper_id is not None else None
    if paper is None:
        flash(gettext("The box is finished. Nothing came back in it, so there is no receipt."), "done")
        return make_response(redirect(url_for("desk_box"), 303))
    return make_response(redirect(url_for("desk_paper", uid=paper.uid), 303))


def _show(call: Call, run: BoxRun, line: BoxLine | None = None, failure: Failure | None = None) -> Response:
    paper = call.session.get(Paper, run.paper_id) if run.paper_id is not None else None
    return desk_page(
        call,
        "desk/box.html",
        camera=True,
        run=run,
        paper=paper,
        counts=box.counts(call, run),
        lines=box.lines(call, run, limit=SHOWN),
        line=line,
        taken=line is not None and line.outcome == BoxOutcome.TAKEN,
        wrong=failure.sentence if failure else "",
        keys=[
            Key("u", gettext("Undo the last one"), icon="arrow-back-up"),
            Key("f", gettext("Finish the box"), icon="check"),
        ],
    )


ROUTES: tuple[Route, ...] = (
    ("/desk/box", "desk_box", desk_box, BOTH),
    ("/desk/box/<uid>", "desk_box_run", desk_box_run, BOTH),
)
