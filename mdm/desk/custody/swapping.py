"""A swap: the broken one in, a loaner out, the same person, one signature, one paper, one transaction."""

from mdm.audit import service as audit
from mdm.desk.custody import agreement, papers, returning, signing, terms
from mdm.desk.custody.asked import HandOut, Swap, Swapped
from mdm.desk.custody.handing import give, given_by, invite, on_paper, signed_for
from mdm.desk.custody.model import Paper, PaperKind, Signature
from mdm.desk.custody.standing_in import stand_in
from mdm.desk.repairs import service as repairs
from mdm.enrollment.links import Links
from mdm.storage.call import Call


def ask_signature(call: Call, wanted: Swap) -> tuple[Signature, str]:
    """Asks the person to sign for this swap on their own phone, as ``handing.ask_signature``. Raises as ``swap``."""
    _, out = agreement.swapping(call, wanted)
    return signing.ask(call, out.content, out.person, wanted.where)


def swap(call: Call, wanted: Swap, links: Links | None = None) -> Swapped:
    """Swaps in one transaction; all of it or nothing. What was chosen for the broken one by hand follows to the loaner.

    The same ``key`` again changes nothing. Raises as ``take_in`` and ``hand_out``.
    """
    before = papers.by_key(call, wanted.key, PaperKind.SWAP, wanted.broken)
    if before is not None:
        return _again(call, before)
    back, out = agreement.swapping(call, wanted)
    signature = signed_for(call, out.content, out.person, wanted.where, wanted.signed, wanted.unsigned)
    order = returning.wipe(call, back, wanted.presence)
    paper = papers.write(
        call,
        PaperKind.SWAP,
        wanted.where,
        on_paper({**out.content, "wipe": order.id if order else ""}, wanted.unsigned),
        person=out.person,
        key=wanted.key,
        language=out.terms.language,
        terms=terms.kept(call, out.terms),
        signature=signature,
    )
    given = HandOut(
        out.person.id,
        (wanted.loaner,),
        wanted.service_point_id,
        wanted.kit,
        wanted.loan,
        wanted.due_at,
    )
    loaned = give(call, out, given, paper)[0]
    stand_in(call, loaned, back.device, out.devices[0])
    returning.take_back(call, back, wanted.seen, wanted.service_point_id, paper)
    loaned.instead_of_id = back.custody.id
    repair = None
    if wanted.faults:
        repair = repairs.open(call, back.device, faults=wanted.faults, note=wanted.seen.note, loaner=out.devices[0])
    invited = invite(call, out, given, links)[0] if wanted.invite else ()
    audit.record(
        call,
        "desk.swapped",
        ("paper", paper.uid),
        name=paper.number,
        where=wanted.where,
        details={**returning.said(back, order), "loaner": out.devices[0].uid},
    )
    return Swapped(paper, back.custody, loaned, order, repair, invited)


def _again(call: Call, paper: Paper) -> Swapped:
    return Swapped(paper, returning.closed_by(call, paper), given_by(call, paper)[0], again=True)
