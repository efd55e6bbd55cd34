"""Handing out: devices and their kit into one person's hands, with one signature and one paper."""

from collections.abc import Sequence

from sqlalchemy import func, select

from mdm.audit import service as audit
from mdm.core.permissions import Where
from mdm.core.text import clean
from mdm.desk.custody import agreement, papers, signing, terms
from mdm.desk.custody.agreement import Content, Going
from mdm.desk.custody.asked import HandedOut, HandOut, Invited, Signed
from mdm.desk.custody.follow import begin, open_custody
from mdm.desk.custody.kit import Given
from mdm.desk.custody.model import Custody, KitLine, Paper, PaperKind, PieceState, Signature
from mdm.enrollment import service as enrollment
from mdm.enrollment.holders import holder_of
from mdm.enrollment.links import Links
from mdm.enrollment.queries import live
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, Ownership
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.storage.call import Call


def ask_signature(call: Call, wanted: HandOut) -> tuple[Signature, str]:
    """Asks the person to sign for this hand-out on their own phone. The row, and the secret of its link (shown this once).

    Nothing is handed out yet. Raises as ``hand_out``.
    """
    ready = agreement.going(call, wanted)
    return signing.ask(call, ready.content, ready.person, wanted.where)


def hand_out(call: Call, wanted: HandOut, links: Links | None = None) -> HandedOut:
    """Hands devices out: custody, holder, kit, paper, mail, and an invitation for each that is not enrolled.

    All or nothing. The same ``key`` again, and what the person has already, changes nothing and says so (``again``).
    Raises as ``agreement.going`` and ``signing.take``; InvalidError (``signature_missing``) without signature and reason.
    ``links`` None: the signer has never answered here, so nobody can be invited; that is said in ``not_invited``.
    """
    first = wanted.devices[0] if wanted.devices else ""
    before = papers.by_key(call, wanted.key, PaperKind.HAND_OUT, first)
    if before is not None:
        return _again(call, before)
    ready = agreement.going(call, wanted)
    if len(ready.held) == len(ready.devices) and not _new_kit(ready):
        kept = [one for device in ready.devices if (one := open_custody(call, device.id))]
        last = call.session.get(Paper, kept[0].out_paper_id) if kept and kept[0].out_paper_id else None
        return HandedOut(last, tuple(kept), again=True)
    signature = signed_for(call, ready.content, ready.person, wanted.where, wanted.signed, wanted.unsigned)
    paper = papers.write(
        call,
        PaperKind.HAND_OUT,
        wanted.where,
        on_paper(ready.content, wanted.unsigned),
        person=ready.person,
        key=wanted.key,
        language=ready.terms.language,
        terms=terms.kept(call, ready.terms),
        signature=signature,
    )
    custodies = give(call, ready, wanted, paper)
    invited, not_invited = invite(call, ready, wanted, links) if wanted.invite else ((), ())
    audit.record(
        call,
        "desk.handed_out",
        ("paper", paper.uid),
        name=paper.number,
        where=wanted.where,
        details={
            "person": ready.person.id,
            "devices": [device.uid for device in ready.devices],
            "kit": [one["code"] or one["kind"] for one in ready.content["kit"]],
            "signed": signature.how if signature else "",
        },
    )
    return HandedOut(paper, custodies, invited, not_invited)


def give(call: Call, ready: Going, wanted: HandOut, paper: Paper) -> tuple[Custody, ...]:
    """Writes custody, holder and kit for what was checked; the kit goes with the first device."""
    holder = holder_of(ready.person)
    made = []
    for device in ready.devices:
        custody = open_custody(call, device.id) if device.id in ready.held else None
        if custody is None:
            inventory.hand_out(
                call, device.uid, holder, loan=wanted.loan, service_point_id=wanted.where.service_point_id
            )
            custody = begin(call, device, ready.person, loan=wanted.loan)
            custody.due_at, custody.out_paper_id = wanted.due_at, paper.id
        made.append(custody)
    _give_kit(call, ready.kit, made[0], ready.person, wanted.where)
    call.session.flush()
    return tuple(made)


def signed_for(
    call: Call, content: Content, person: Person, where: Where, signed: Signed | None, unsigned: str
) -> Signature | None:
    """The signature over this content; None where a reason says why nobody signs. InvalidError for neither."""
    if signed is not None:
        return signing.take(call, content, person, where, signed)
    if not clean(unsigned, 255):
        raise signing.missing()
    return None


def on_paper(content: Content, unsigned: str) -> Content:
    """What is kept of the content: the terms by their digest, because they have a row of their own."""
    kept = dict(content)
    if "terms" in kept:
        kept["terms"] = {key: value for key, value in kept["terms"].items() if key != "text"}
    if clean(unsigned, 255):
        kept["unsigned"] = clean(unsigned, 255)
    return kept


def invite(
    call: Call, ready: Going, wanted: HandOut, links: Links | None
) -> tuple[tuple[Invited, ...], tuple[str, ...]]:
    """An invitation for each device that no certificate lets in, and the devices that got none for want of ``links``."""
    bare = [device for device in ready.devices if not live(call.session, device.id, call.now)]
    if links is None:
        return (), tuple(device.uid for device in bare)
    point = call.session.get_one(ServicePoint, wanted.service_point_id)
    return tuple(_invite(call, links, device, ready.person, point.code) for device in bare), ()


def _invite(call: Call, links: Links, device: Device, person: Person, point: str) -> Invited:
    made, url = enrollment.invite(
        call,
        links,
        email=person.email or "",
        person_id=person.id,
        platform=device.platform,
        service_point_code=point,
        ownership=Ownership(device.ownership).value,
        device_uid=device.uid,
    )
    return Invited(device.uid, made.uid, url)


def given_by(call: Call, paper: Paper) -> tuple[Custody, ...]:
    """The custodies in which the devices of this paper were when it was written, one for each.

    Not by ``out_paper_id``: what somebody held already was given by another paper, or over no counter at all.
    """
    uids = [one["uid"] for one in paper.content["devices"]]
    began = (
        select(func.max(Custody.id))
        .join(Device, Device.id == Custody.device_id)
        .where(Device.uid.in_(uids), Custody.from_at <= paper.at)
        .group_by(Custody.device_id)
    )
    return tuple(call.session.scalars(select(Custody).where(Custody.id.in_(began)).order_by(Custody.id)))


def _again(call: Call, paper: Paper) -> HandedOut:
    return HandedOut(paper, given_by(call, paper), again=True)


def _new_kit(ready: Going) -> Sequence[Given]:
    return [one for one in ready.kit if one.piece is None or one.piece.person_id != ready.person.id]


def _give_kit(call: Call, kit: Sequence[Given], custody: Custody, person: Person, where: Where) -> None:
    for one in kit:
        if one.piece is not None:
            if one.piece.person_id == person.id and one.piece.state == PieceState.HANDED_OUT:
                continue
            one.piece.person_id, one.piece.unit_id = person.id, person.unit_id
            one.piece.service_point_id = where.service_point_id
            one.piece.state = PieceState.HANDED_OUT.value
        call.session.add(
            KitLine(
                custody_id=custody.id,
                kind_id=one.kind.id,
                piece_id=one.piece.id if one.piece else None,
                quantity=one.quantity,
            )
        )
