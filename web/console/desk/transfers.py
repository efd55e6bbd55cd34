"""Transfers between service points: the list, one transfer as both ends see it, and its document."""

from flask import flash, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission, Where
from mdm.desk.paper import transfer as document
from mdm.desk.stock import look, queries, service
from mdm.desk.stock.model import Shelf, Transfer
from mdm.org.model import ServicePoint
from mdm.org.queries import service_point_names, service_points
from mdm.overview import desk_words
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.desk.frame import desk_page
from web.console.desk.once import once
from web.console.desk.place import desk_place
from web.console.frame import moment, word
from web.console.identity import settings
from web.console.pages.helpers import BOTH, GET, Route, number, refused, text


@may(Permission.DESK_VIEW)
def desk_transfers(call: Call) -> Response:
    """The transfers from and to the clerk's service point; a form begins another one."""
    if request.method == "GET":
        return _transfers(call)

    def begin() -> Response:
        place = desk_place(call)
        try:
            if place is None:
                raise InvalidError(N_("Choose first where you work. Nothing was begun."))
            made = service.open_transfer(call, place.id, text("to"), note=text("note"))
        except HavenmeesterError as error:
            return _transfers(call, refused(call, error))
        return make_response(redirect(url_for("desk_transfer", uid=made.uid), 303))

    return once(call, begin)


def _transfers(call: Call, failure: Failure | None = None) -> Response:
    place = desk_place(call)
    found = queries.transfers(call, service_point_id=place.id if place else None)
    response = desk_page(
        call,
        "desk/stock/transfers.html",
        transfers=found,
        counts=queries.line_counts(call, [one.id for one in found]),
        names=service_point_names(call.session, {end for one in found for end in (one.from_id, one.to_id)}),
        known=[point for point in service_points(call) if place is None or point.id != place.id],
        failure=failure,
        values=request.form,
    )
    return failure.stamp(response) if failure else response


@may(Permission.DESK_VIEW)
def desk_transfer(call: Call, uid: str) -> Response:
    """One transfer: listing and sending at one end, receiving at the other."""
    if request.method == "GET":
        return _transfer(call, uid)
    chosen = text("shelf")
    try:
        scanned = look.shelf(call, text("code")) if not text("step") and text("code") else None
        if scanned is not None and scanned.service_point_id == queries.transfer(call, uid).to_id:
            chosen, told = str(scanned.id), ""
        else:
            told = _step(call, uid, text("step"))
    except HavenmeesterError as error:
        return _transfer(call, uid, refused(call, error))
    if told:
        flash(told, "done")
    return make_response(redirect(url_for("desk_transfer", uid=uid, shelf=chosen or None), 303))


def _step(call: Call, uid: str, step: str) -> str:
    transfer = queries.transfer(call, uid)
    if step == "drop":
        service.drop_device(call, uid, text("device"))
        return ""
    if step == "cancel":
        service.cancel_transfer(call, uid)
        return str(gettext("The transfer was cancelled; everything stays where it is."))
    if step == "send":
        service.send(call, uid)
        return str(gettext("Sent. Print the document and put it with the devices."))
    if step == "finish":
        service.finish(call, uid, note=text("note"))
        return str(gettext("Received. What did not arrive is listed as missing."))
    if step == "found":
        service.found(call, uid, text("device"), number("place") or 0)
        return str(gettext("It stands here from now on."))
    if transfer.state == "open":
        service.add_device(call, uid, text("code"))
        return ""
    line = service.arrive(call, uid, text("code"), shelf=_shelf(call))
    return str(gettext("It came along without being listed, and was taken.")) if line.state == "extra" else ""


def _shelf(call: Call) -> Shelf | None:
    chosen = number("shelf")
    return queries.shelf(call, chosen) if chosen is not None else None


def _transfer(call: Call, uid: str, failure: Failure | None = None) -> Response:
    transfer = queries.transfer(call, uid)
    lines = queries.lines(call, transfer)
    sends = call.actor.may(Permission.DESK_WORK, Where(transfer.from_id))
    receives = call.actor.may(Permission.DESK_WORK, Where(transfer.to_id))
    response = desk_page(
        call,
        "desk/stock/transfer.html",
        camera=True,
        transfer=transfer,
        lines=lines,
        open_lines=sum(1 for line, _device in lines if line.pending),
        names=service_point_names(call.session, {transfer.from_id, transfer.to_id}),
        sends=sends,
        receives=receives,
        shelves=queries.shelves(call, transfer.to_id) if receives and transfer.state == "sent" else [],
        shelf=request.values.get("shelf", ""),
        failure=failure,
    )
    return failure.stamp(response) if failure else response


@may(Permission.DESK_VIEW)
def desk_transfer_paper(call: Call, uid: str) -> Response:
    """The document that goes with the devices."""
    transfer = queries.transfer(call, uid)
    response = Response(document.pdf(_paper(call, transfer)), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{transfer.number}.pdf"'
    return response


def _paper(call: Call, transfer: Transfer) -> document.Paper:
    ends = {key: call.session.get_one(ServicePoint, key) for key in (transfer.from_id, transfer.to_id)}
    heads = (gettext("Device"), gettext("Model"), gettext("Tag"), gettext("Serial number"), gettext("State"))
    facts = [
        (gettext("From"), _place(ends[transfer.from_id])),
        (gettext("To"), _place(ends[transfer.to_id])),
        (gettext("State"), word("TRANSFER_STATES", transfer.state)),
        (gettext("Begun"), f"{transfer.created_by}, {moment(transfer.created_at)}"),
    ]
    if transfer.sent_at:
        facts.append((gettext("Sent"), f"{transfer.sent_by}, {moment(transfer.sent_at)}"))
    if transfer.received_at:
        facts.append((gettext("Received"), f"{transfer.received_by}, {moment(transfer.received_at)}"))
    facts += [(gettext("Note"), note) for note in (transfer.note, transfer.received_note) if note]
    rows = [
        (
            device.label,
            device.product,
            device.tag or "",
            device.serial or "",
            str(gettext(desk_words.LINE_STATES[line.state])),
        )
        for line, device in queries.lines(call, transfer)
    ]
    return document.Paper(
        title=gettext("Transfer %(number)s", number=transfer.number),
        organisation=settings().organisation,
        facts=facts,
        heads=heads,
        rows=rows,
        signatures=(gettext("Handed over by"), gettext("Received by")),
        moment=transfer.sent_at or transfer.created_at,
        code=transfer.number,
    )


def _place(point: ServicePoint) -> str:
    return ", ".join(part for part in (point.name, " ".join(point.address.split())) if part)


ROUTES: tuple[Route, ...] = (
    ("/desk/stock/transfers", "desk_transfers", desk_transfers, BOTH),
    ("/desk/stock/transfers/<uid>", "desk_transfer", desk_transfer, BOTH),
    ("/desk/stock/transfers/<uid>/paper.pdf", "desk_transfer_paper", desk_transfer_paper, GET),
)
