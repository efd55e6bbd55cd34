"""The counter for programs: scan, hand out, take in, swap, and the papers of it."""

from collections.abc import Sequence

from apiflask import APIBlueprint
from flask import Response, current_app

from mdm.core.permissions import Permission
from mdm.desk.custody import asked, papers, queries, receipts, scan, service
from mdm.desk.custody import model as rows
from mdm.desk.custody.kit import KitGiven
from mdm.desk.custody.next_step import Step
from mdm.inventory import queries as devices
from mdm.storage.call import Call
from web.api.links import invitation_links
from web.api.operation import operation
from web.api.paging import Page, PageQuery, walk
from web.api.shapes import desk as shapes
from web.common.app import SETTINGS

api = APIBlueprint(
    "desk",
    __name__,
    tag={"name": "Desk", "description": "Hand out, take in, swap: who has what, and the papers of it."},
)
VIEW, WORK = Permission.DESK_VIEW, Permission.DESK_WORK
PAPER = "/desk/papers/<uid:paper_uid>"


@operation(api, "GET", "/desk/scan", VIEW, query=shapes.ScanQuery, answer=shapes.Card)
def scan_code(call: Call, query: shapes.ScanQuery) -> shapes.Card:
    """Look up what was scanned.

    A card with the state, the holder and the one right next step. An unknown code is a card too.
    """
    return _card(scan.look_up(call, query.code, query.service_point_id))


@operation(
    api,
    "POST",
    "/desk/hand-outs",
    WORK,
    body=shapes.HandOutNew,
    answer=shapes.HandedOver,
    status=201,
    problems=(404, 503),
)
def hand_out_over_counter(call: Call, body: shapes.HandOutNew) -> shapes.HandedOver:
    """Hand devices with their kit out to one person.

    All or nothing: custody, paper, mail, and an invitation for each device that is not enrolled.
    """
    wanted = asked.HandOut(
        body.person_id,
        tuple(body.devices),
        body.service_point_id,
        kit=_given(body.kit),
        loan=body.loan,
        due_at=body.due_at,
        note=body.note,
        signed=_signed(body.signed),
        unsigned=body.unsigned,
        invite=body.invite,
    )
    done = service.hand_out(call, wanted, invitation_links() if body.invite else None)
    return _handed_over(done.paper, done.custodies, done.invited, again=done.again)


@operation(
    api, "POST", "/desk/take-ins", WORK, body=shapes.TakeInNew, answer=shapes.HandedOver, status=201, problems=(404,)
)
def take_in_over_counter(call: Call, body: shapes.TakeInNew) -> shapes.HandedOver:
    """Take a device in.

    What is missing of the kit stays in the person's name. 409 when nobody has the device.
    """
    wanted = asked.TakeIn(
        body.device,
        body.service_point_id,
        custody=body.custody,
        seen=asked.Seen(body.condition, body.note),
        kit=_back(body.kit),
        signed=_signed(body.signed),
        faults=tuple(body.faults),
        shelf=body.shelf,
    )
    done = service.take_in(call, wanted)
    return _handed_over(done.paper, [done.custody], (), again=done.again)


@operation(
    api, "POST", "/desk/swaps", WORK, body=shapes.SwapNew, answer=shapes.HandedOver, status=201, problems=(404, 503)
)
def swap_over_counter(call: Call, body: shapes.SwapNew) -> shapes.HandedOver:
    """Swap a broken device for another one.

    In one step, with one paper; what was chosen for the broken one by hand follows to the other.
    """
    wanted = asked.Swap(
        body.broken,
        body.loaner,
        body.service_point_id,
        seen=asked.Seen(body.condition, body.note),
        kit_back=_back(body.kit_back),
        kit=_given(body.kit),
        due_at=body.due_at,
        loan=body.loan,
        faults=tuple(body.faults),
        signed=_signed(body.signed),
        unsigned=body.unsigned,
        invite=body.invite,
    )
    done = service.swap(call, wanted, invitation_links() if body.invite else None)
    return _handed_over(done.paper, [done.back, done.out], done.invited, again=done.again)


@operation(api, "GET", "/desk/papers", VIEW, query=shapes.PaperQuery, answer=shapes.PaperPage)
def list_papers(call: Call, query: shapes.PaperQuery) -> Page[shapes.Paper]:
    """List hand-over papers.

    Newest first; only those of your places.
    """
    found, following = walk(
        query,
        lambda mark, limit: papers.papers(
            call,
            person_id=query.person_id,
            service_point_id=query.service_point_id,
            before=mark[0] if mark else None,
            limit=limit,
        ),
        lambda row: (row.id,),
    )
    return shapes.PaperPage(items=[shapes.Paper.model_validate(row) for row in found], next=following)


@operation(api, "GET", PAPER, VIEW, answer=shapes.Paper)
def get_paper(call: Call, paper_uid: str) -> shapes.Paper:
    """Read one hand-over paper.

    What changed hands, as it was then.
    """
    return shapes.Paper.model_validate(papers.paper(call, paper_uid))


@operation(api, "GET", f"{PAPER}/receipt/pdf", VIEW, answer=None, media=("application/pdf",))
def get_paper_pdf(call: Call, paper_uid: str) -> Response:
    """Read one hand-over paper as a PDF.

    In the person's language, with the terms and the signature.
    """
    found = papers.paper(call, paper_uid)
    made = receipts.pdf(call, found, current_app.extensions[SETTINGS])
    response = Response(made, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.uid}.pdf"'
    return response


@operation(api, "GET", "/devices/<uid:device_uid>/custody", VIEW, query=PageQuery, answer=shapes.CustodyPage)
def list_device_custody(call: Call, device_uid: str, query: PageQuery) -> Page[shapes.Custody]:
    """List who had a device.

    Newest first; the first one without an end has it now.
    """
    device = devices.device_by_uid(call, device_uid)
    found, following = walk(
        query,
        lambda mark, limit: queries.history(call, device.uid, before=mark[0] if mark else None, limit=limit),
        lambda row: (row.id,),
    )
    return shapes.CustodyPage(items=[_custody(row, device.uid) for row in found], next=following)


@operation(api, "GET", "/people/<key:person_id>/outstanding", VIEW, answer=shapes.Outstanding)
def get_person_outstanding(call: Call, person_id: int) -> shapes.Outstanding:
    """Read what a person still has.

    Devices, kit that did not come back, and numbered pieces in the person's name.
    """
    found = queries.outstanding(call, person_id)
    return shapes.Outstanding(
        all_back=found.all_back,
        devices=[one.device.uid for one in found.devices],
        missing=[
            shapes.MissingKit(kind=one.kind.code, code=one.piece.code if one.piece else "", out=one.lacking)
            for one in found.missing
        ],
        pieces=[one.code for one in found.pieces],
    )


def _card(card: scan.Card) -> shapes.Card:
    kit = [
        shapes.KitOut(
            line_id=line.row.id, kind=line.kind.code, code=line.piece.code if line.piece else "", out=line.lacking
        )
        for line in card.kit
    ]
    locks = card.locks
    return shapes.Card(
        kind=card.kind,
        code=card.code,
        title=card.title,
        detail=card.detail,
        state=card.state,
        next=_step(card.next),
        others=[_step(one) for one in card.others],
        warnings=[str(one) for one in card.warnings],
        device=card.device.uid if card.device else None,
        person_id=card.holder.id if card.holder else None,
        custody=card.custody.uid if card.custody else None,
        kit=kit,
        locks=shapes.AccountLocks(
            colour=locks.colour.value, findings=[shapes.LockFinding.model_validate(one) for one in locks.findings]
        )
        if locks
        else None,
        order_id=card.order.id if card.order else None,
        held=[one.device.uid for one in card.held],
        choices=[shapes.CardChoice.model_validate(one) for one in card.choices],
    )


def _step(step: Step) -> shapes.CardStep:
    return shapes.CardStep(do=step.do, why=str(step.why))


def _custody(row: rows.Custody, device_uid: str) -> shapes.Custody:
    names = [name for name in shapes.Custody.model_fields if name != "device"]
    return shapes.Custody.model_validate({**{name: getattr(row, name) for name in names}, "device": device_uid})


def _handed_over(
    paper: rows.Paper | None, custodies: Sequence[rows.Custody], invited: Sequence[asked.Invited], *, again: bool
) -> shapes.HandedOver:
    return shapes.HandedOver(
        paper=shapes.Paper.model_validate(paper) if paper is not None else None,
        custodies=[one.uid for one in custodies],
        invited=[shapes.DeviceInvited.model_validate(one) for one in invited],
        again=again,
    )


def _given(lines: Sequence[shapes.KitGiven]) -> tuple[KitGiven, ...]:
    return tuple(KitGiven(line.kind, line.code, line.quantity) for line in lines)


def _back(lines: Sequence[shapes.KitBack] | None) -> tuple[asked.KitBack, ...] | None:
    return None if lines is None else tuple(asked.KitBack(line.line_id, line.returned) for line in lines)


def _signed(given: shapes.CounterSignature | None) -> asked.Signed | None:
    return None if given is None else asked.Signed(given.strokes, given.typed, given.request)
