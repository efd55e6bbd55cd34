"""Acts: requests that need somebody else; what they would do, who decided, what became of them."""

from flask import g, make_response, redirect, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.actor import ActorKind
from mdm.core.errors import N_, DeniedError, HavenmeesterError
from mdm.core.permissions import Permission
from mdm.core.risk import RISKS, Risk
from mdm.orders import acts as service
from mdm.orders.acts import queries, states
from mdm.orders.acts.asking import requester_id
from mdm.orders.acts.moving import where
from mdm.orders.model import ActState
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may, signed_in
from web.console.kernel import kernel
from web.console.pages.helpers import GET, POST, Route, done, page, refused, text
from web.console.signing import given_proofs, paper, signing


@signed_in()
def acts(call: Call) -> Response:
    """Requests at one's places and one's own, those that wait for oneself first."""
    waiting = queries.to_approve(call) if call.actor.may_somewhere(Permission.ORDER_APPROVE) else []
    return page(
        "acts/list.html", waiting=waiting, acts=queries.acts(call, limit=200), words=_words(), kernel=kernel(call)
    )


@signed_in()
def act(call: Call, number: str) -> Response:
    """One request."""
    return _act(call, number)


def _words() -> dict[str, str]:
    return {risk.value: str(gettext(row.words)) for risk, row in RISKS.items()}


def _act(call: Call, number: str, failure: Failure | None = None) -> Response:
    receipt = queries.receipt(call, number)
    found = receipt.act
    mine = found.requested_by_id == requester_id(call)
    approver = call.actor.may(Permission.ORDER_APPROVE, where(found))
    decides = approver and not mine and found.state == ActState.REQUESTED
    decided = any(one.approver_id == requester_id(call) for one in receipt.approvals)
    response = page(
        "acts/act.html",
        act=found,
        receipt=receipt,
        words=_words(),
        mine=mine,
        decides=decides,
        signing=signing(call, found.canonical) if decides and not decided else None,
        decided=decided,
        can_cancel=ActState(found.state) in states.OPEN
        and (mine or approver or call.actor.may(Permission.ORDER_REQUEST, where(found))),
        cooling=RISKS[Risk(found.verb)].cooling,
        failure=failure,
    )
    return failure.stamp(response) if failure else response


@may(Permission.ORDER_APPROVE)
def act_decide(call: Call, number: str) -> Response:
    """Yes, with a signature, or no."""
    if call.actor.kind is not ActorKind.OPERATOR:
        raise DeniedError(N_("Only a person who has signed in can decide about this. Nothing was changed."))
    try:
        if text("decision") == "approve":
            for proof in given_proofs(call, queries.act(call, number).canonical):
                service.approve(call, number, proof, text("reason"))
            return done(gettext("Your approval was taken."), url_for("act", number=number))
        if not g.get("fresh"):
            return make_response(redirect(url_for("prove", next=url_for("act", number=number)), 303))
        service.reject(call, number, text("reason"))
    except HavenmeesterError as error:
        return _act(call, number, refused(call, error))
    return done(gettext("Rejected. Nothing was changed."), url_for("act", number=number))


@signed_in()
def act_paper(call: Call, number: str) -> Response:
    """What is signed, as a file for havenmeester approve."""
    found = queries.act(call, number)
    return paper(found.canonical, f"act-{found.id}")


@signed_in()
def act_cancel(call: Call, number: str) -> Response:
    """Takes a request back until it is done."""
    try:
        service.cancel(call, number, text("reason"))
    except HavenmeesterError as error:
        return _act(call, number, refused(call, error))
    return done(gettext("The request was taken back. Nothing was changed."), url_for("act", number=number))


ROUTES: tuple[Route, ...] = (
    ("/acts", "acts", acts, GET),
    ("/acts/<number>", "act", act, GET),
    ("/acts/<number>/statement.json", "act_paper", act_paper, GET),
    ("/acts/<number>/decide", "act_decide", act_decide, POST),
    ("/acts/<number>/cancel", "act_cancel", act_cancel, POST),
)
