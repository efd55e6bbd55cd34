"""A hand-over paper as a page: what changed hands, the receipt, and how far each device is, live until it is green."""

from collections.abc import Mapping
from dataclasses import dataclass

import segno
from flask import url_for
from flask.wrappers import Response
from sqlalchemy import select

from mdm.core.errors import N_, NotFoundError
from mdm.core.permissions import Permission
from mdm.desk.custody import papers, receipts
from mdm.desk.custody.asked import Invited
from mdm.desk.custody.model import Paper, PaperKind
from mdm.desk.custody.scan import Card, device_card
from mdm.enrollment.model import Invitation
from mdm.enrollment.progress import OF_SOMEBODY, ORDER, Progress, Standing
from mdm.enrollment.queries import invitation_progress, invitations_select, live
from mdm.inventory.model import Device, Platform
from mdm.inventory.queries import devices_select
from mdm.orders import queries as orders
from mdm.orders.model import Order
from mdm.policies.model import Cohort
from mdm.portal import keys
from mdm.storage.call import Call
from web.common.guard import may
from web.console.desk.doing import keys_of
from web.console.desk.frame import desk_page, exists
from web.console.desk.place import desk_place
from web.console.identity import settings
from web.console.pages.helpers import GET, POST, Route, page

LABELS = "/desk/stock/labels"
"""Where labels are printed, in an installation that prints them."""


@dataclass(frozen=True, slots=True)
class Going:
    """One device of a paper as it is now."""

    device: Device
    progress: Progress | None
    """Of its invitation; None for one that was managed already, or that nobody was invited for."""
    managed: bool
    configured: bool
    order: Order | None

    @property
    def green(self) -> bool:
        """Whether it is managed and has the settings of whoever has it now."""
        return self.configured if self.progress is None else self.progress.green

    @property
    def waits(self) -> bool:
        """Whether a look in two seconds may show something else."""
        if self.order is not None:
            return self.order.finished_at is None
        if self.progress is not None:
            return not self.green and self.progress.standing in (Standing.OPEN, Standing.USED)
        return self.managed and not self.configured


def going(call: Call, paper: Paper) -> list[Going]:
    """Every device of the paper that this clerk may see."""
    uids = [str(one["uid"]) for one in (*paper.content.get("devices", ()), *paper.content.get("back", ()))]
    found = {one.uid: one for one in call.session.scalars(devices_select(call).where(Device.uid.in_(uids)))}
    out = {str(one["uid"]) for one in paper.content.get("devices", ())}
    return [_one(call, paper, found[uid], out=uid in out) for uid in uids if uid in found]


def _one(call: Call, paper: Paper, device: Device, *, out: bool) -> Going:
    invitation = None
    if out:
        invitation = call.session.scalar(
            invitations_select(call)
            .where(Invitation.device_id == device.id, Invitation.created_at >= paper.at)
            .order_by(Invitation.id.desc())
            .limit(1)
        )
    progress = invitation_progress(call.session, invitation, call.now) if invitation is not None else None
    wanted = call.session.scalar(select(Cohort.desired_digest).where(Cohort.id == device.cohort_id))
    managed = bool(live(call.session, device.id, call.now))
    configured = managed and wanted not in (None, "-") and device.applied_digest == wanted
    return Going(device, progress, managed, configured, None if out else _wipe(call, paper))


def _wipe(call: Call, paper: Paper) -> Order | None:
    """The wipe that the paper says was asked for, as far as this clerk may see orders."""
    number = str(paper.content.get("wipe", ""))
    if not number or not call.actor.may_somewhere(Permission.ORDER_VIEW):
        return None
    try:
        return orders.order(call, number)
    except NotFoundError:
        return None


def paper_page(
    call: Call, paper: Paper, *, invited: Mapping[str, Invited] | None = None, again: bool = False
) -> Response:
    """The page of a paper. ``invited``: invitations that were made just now, whose addresses are shown this once."""
    shown = going(call, paper)
    codes = {uid: (one.url, qr(one.url)) for uid, one in (invited or {}).items() if one.url}
    after = _after(call, paper)
    return desk_page(
        call,
        "desk/paper.html",
        camera=True,
        paper=paper,
        content=paper.content,
        going=shown,
        waits=any(one.waits for one in shown),
        codes=codes,
        again=again,
        after=after,
        keys=keys_of(call, after) if after is not None else [],
        order=ORDER,
        sentences=OF_SOMEBODY,
        typed={one.device.uid for one in shown if one.device.platform == Platform.LINUX},
        address=url_for("desk_paper", uid=paper.uid),
        labels=LABELS if exists(LABELS) else "",
    )


def _after(call: Call, paper: Paper) -> Card | None:
    """What lies on the counter now that this is done: the one device that came back, with its next step."""
    back = paper.content.get("back", ())
    if paper.kind not in (PaperKind.TAKE_IN, PaperKind.SWAP) or len(back) != 1:
        return None
    place = desk_place(call)
    try:
        return device_card(call, str(back[0]["uid"]), place.id if place else None)
    except NotFoundError:
        return None


def qr(content: str) -> str:
    """A QR code as an address that stands inside the page."""
    return segno.make(content, error="m").svg_data_uri(border=2, scale=4, dark="#000", light="#fff")


@may(Permission.DESK_VIEW)
def desk_paper(call: Call, uid: str) -> Response:
    """One paper by its id or number."""
    return paper_page(call, papers.paper(call, uid))


@may(Permission.DESK_VIEW)
def desk_paper_state(call: Call, uid: str) -> Response:
    """How far its devices are, for the page that waits."""
    paper = papers.paper(call, uid)
    shown = going(call, paper)
    return page(
        "desk/_going_state.html",
        paper=paper,
        going=shown,
        waits=any(one.waits for one in shown),
        order=ORDER,
        sentences=OF_SOMEBODY,
    )


@may(Permission.DESK_VIEW)
def desk_paper_file(call: Call, uid: str) -> Response:
    """The receipt as a PDF, in the person's language."""
    paper = papers.paper(call, uid)
    response = Response(receipts.pdf(call, paper, settings()), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{paper.number}.pdf"'
    return response


@may(Permission.DESK_WORK)
def desk_paper_code(call: Call, uid: str) -> Response:
    """The receipt with a code for the person's own page on it; an earlier code does not work any more."""
    paper = papers.paper(call, uid)
    if paper.person_id is None:
        raise NotFoundError(N_("Nobody stands on this paper, so it gets no code. Nothing was changed."))
    code = keys.make_paper(call, paper.person_id)
    content = receipts.pdf(call, paper, settings(), (settings().portal_base, code))
    response = Response(content, mimetype="application/pdf", headers={"Cache-Control": "no-store"})
    response.headers["Content-Disposition"] = f'inline; filename="{paper.number}.pdf"'
    return response


ROUTES: tuple[Route, ...] = (
    ("/desk/papers/<uid>", "desk_paper", desk_paper, GET),
    ("/desk/papers/<uid>/receipt.pdf", "desk_paper_file", desk_paper_file, GET),
    ("/desk/papers/<uid>/code", "desk_paper_code", desk_paper_code, POST),
    ("/desk/papers/<uid>/state", "desk_paper_state", desk_paper_state, GET),
)
