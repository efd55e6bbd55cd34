"""Moving in from Snipe-IT and out again: bring a file, look at what would happen, take it."""

from flask import current_app, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.desk.exchange import kept
from mdm.desk.exchange.export import export_assets
from mdm.desk.exchange.service import Files, SnipeKind, import_snipe
from mdm.imports.plan import More, Outcome
from mdm.overview import desk_words
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.common.sealed import SEAL
from web.console.desk.frame import desk_page
from web.console.desk.once import once
from web.console.frame import translated
from web.console.pages.helpers import BOTH, GET, Route, done, refused, text

SHOWN = 200


@may(Permission.DEVICE_MANAGE)
def desk_exchange(call: Call) -> Response:
    """The form that brings a file, and the file that goes out."""
    if request.method == "GET":
        return _form(call)

    def bring() -> Response:
        try:
            kind = SnipeKind(text("kind")) if text("kind") in set(SnipeKind) else SnipeKind.ASSETS
            files = Files(_upload("file"), _upload("models"), _upload("statuses"))
            name = getattr(request.files.get("file"), "filename", "") or ""
            only = text("only_ours") == "yes"
            row = kept.keep(call, current_app.extensions[SEAL], kind, files, name=name, only_ours=only)
        except HavenmeesterError as error:
            return _form(call, refused(call, error))
        return done(gettext("The file was read. Nothing is taken yet."), url_for("desk_exchange_file", uid=row.uid))

    return once(call, bring)


def _form(call: Call, failure: Failure | None = None) -> Response:
    response = desk_page(
        call,
        "desk/exchange.html",
        kinds=translated(desk_words.SNIPE_LISTS),
        failure=failure,
        values=request.form,
        export=call.actor.may_somewhere(Permission.DEVICE_EXPORT),
    )
    return failure.stamp(response) if failure else response


def _upload(name: str) -> bytes:
    file = request.files.get(name)
    return file.read() if file is not None else b""


@may(Permission.DEVICE_MANAGE)
def desk_exchange_file(call: Call, uid: str) -> Response:
    """What would come of each line; taking them all, or giving it up."""
    if request.method == "GET":
        return _preview(call, uid)
    seal = current_app.extensions[SEAL]
    try:
        row, files, only_ours = kept.kept(call, seal, uid)
        if text("step") == "drop":
            kept.forget(call, row)
            return done(gettext("The file was forgotten. Nothing was taken."), url_for("desk_exchange"))
        chosen = (line for line in request.form.getlist("back") if line.isascii() and line.isdigit() and len(line) < 9)
        more = More(seal, frozenset(map(int, chosen)))
        result = import_snipe(call, SnipeKind(row.kind), files, more, name=row.name, only_ours=only_ours)
        if not result.applied:
            return _preview(call, uid)
        kept.forget(call, row)
    except HavenmeesterError as error:
        return _form(call, refused(call, error))
    counts = {
        outcome: result.count(outcome)
        for outcome in (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.SKIPPED)
    }
    told = gettext(
        "Taken. New: %(new)s, changed: %(changed)s, as before: %(same)s, left out: %(out)s.",
        new=counts[Outcome.CREATED],
        changed=counts[Outcome.UPDATED],
        same=counts[Outcome.UNCHANGED],
        out=counts[Outcome.SKIPPED] + result.left_out,
    )
    return done(told, url_for("desk_exchange"))


def _preview(call: Call, uid: str) -> Response:
    seal = current_app.extensions[SEAL]
    try:
        row, files, only_ours = kept.kept(call, seal, uid)
        result = import_snipe(
            call, SnipeKind(row.kind), files, More(seal), name=row.name, dry_run=True, only_ours=only_ours
        )
    except HavenmeesterError as error:
        return _form(call, refused(call, error))
    changed = [line for line in result.rows if line.outcome in (Outcome.CREATED, Outcome.UPDATED)]
    return desk_page(
        call,
        "desk/exchange_file.html",
        file=row,
        result=result,
        counts=result.counts,
        errors=result.errors[:SHOWN],
        more_errors=max(0, len(result.errors) - SHOWN),
        changed=changed[:SHOWN],
        more_changed=max(0, len(changed) - SHOWN),
        kind=row.kind,
        skipped=result.skipped[:SHOWN],
        more_skipped=max(0, len(result.skipped) - SHOWN),
    )


@may(Permission.DEVICE_EXPORT, write=True)
def desk_exchange_out(call: Call) -> Response:
    """Every device of the actor's as Snipe-IT's importer takes it."""
    response = Response(export_assets(call), mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="snipe-it-{call.now:%Y-%m-%d}.csv"'
    return response


ROUTES: tuple[Route, ...] = (
    ("/desk/stock/exchange", "desk_exchange", desk_exchange, BOTH),
    ("/desk/stock/exchange/assets.csv", "desk_exchange_out", desk_exchange_out, GET),
    ("/desk/stock/exchange/<uid>", "desk_exchange_file", desk_exchange_file, BOTH),
)
