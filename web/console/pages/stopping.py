"""The red button, and letting orders go on again. Stopping takes one person and one factor; going on takes signatures."""

from flask import g, make_response, redirect, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from agent.proof import read_roster
from mdm.access import service as access
from mdm.core.actor import require
from mdm.core.errors import N_, DeniedError, HavenmeesterError
from mdm.core.permissions import Permission
from mdm.orders import kernel as mirror
from mdm.orders import service
from mdm.storage.call import Call
from web.common.failures import Failure, failure_of
from web.common.guard import signed_in
from web.console.identity import party, seal, visit
from web.console.kernel import kernel
from web.console.pages.helpers import BOTH, GET, POST, Route, done, page, refused, text
from web.console.signing import given_proofs, paper, signing


@signed_in(write=True)
def stop(call: Call) -> Response:
    """Whether orders go their way; the button that stops them, or what must be signed for them to go on."""
    _may_see(call)
    if request.method == "POST":
        return _stop(call)
    return _page(call)


def _may_see(call: Call) -> None:
    if not any(call.actor.may_somewhere(one) for one in (Permission.ORDER_FREEZE, Permission.ORDER_VIEW)):
        raise DeniedError(N_("You are not allowed to stop all orders. Nothing was changed."))


def _stop(call: Call) -> Response:
    """One factor, whichever this person has; then everything stops."""
    if not call.actor.may_somewhere(Permission.ORDER_FREEZE):
        require(call.actor, Permission.ORDER_FREEZE)
    credential = request.form.get("credential", "")
    try:
        proved = _proved(call, credential)
    except HavenmeesterError as error:
        return _page(call, failure_of(error))
    if not proved:
        if credential or request.form.get("password") or text("code"):
            # An answer and no exception: the wrong try counts for the brake.
            return _page(call, Failure(422, "invalid", gettext("That was not right. Nothing was stopped.")))
        return make_response(redirect(url_for("stop"), 303))
    service.freeze(call, text("why"))
    return done(gettext("All orders are stopped. Nothing that is undelivered is delivered."), url_for("stop"))


def _proved(call: Call, credential: str) -> bool:
    if credential:
        return access.prove_with_passkey(call, party(), g.web_session, credential, visit())
    if request.form.get("password") or text("code"):
        return access.prove_again(
            call, g.web_session, visit(), seal(), password=request.form.get("password", ""), code=text("code")
        )
    return bool(g.fresh) and text("sure") == "yes"


def _page(call: Call, failure: Failure | None = None) -> Response:
    row = mirror.state(call.session)
    statement, shown = "", None
    if row.frozen_at is not None and row.freezes and row.roster_text:
        statement = service.begin_thaw(call)
        shown = signing(call, statement) if _is_approver(call) else None
        row = mirror.state(call.session)
    roster = read_roster(row.roster_text) if row.roster_text else None
    signed = [one["person"] for one in row.thaw_proofs]
    response = page(
        "orders/stop.html",
        kernel=kernel(call),
        statement=statement,
        signing=shown,
        signed=[roster.people[one].name if roster and one in roster.people else one for one in signed],
        threshold=roster.threshold if roster else 2,
        have_signed=f"operator:{call.actor.id}" in signed,
        confirmed=row.freezes > 0,
        ways=access.ways_to_prove(call, g.operator),
        fresh=g.fresh,
        may_stop=call.actor.may_somewhere(Permission.ORDER_FREEZE),
        failure=failure,
    )
    return failure.stamp(response) if failure else response


def _is_approver(call: Call) -> bool:
    return f"operator:{call.actor.id}" in mirror.state(call.session).roster_text


@signed_in()
def thaw(call: Call) -> Response:
    """Takes one person's signature over the end of the freeze."""
    _may_see(call)
    lacking = 0
    try:
        for proof in given_proofs(call, service.begin_thaw(call)):
            lacking = service.take_thaw_proof(call, proof)
    except HavenmeesterError as error:
        return _page(call, refused(call, error))
    if lacking:
        return done(
            gettext("Your signature was taken. People who must still sign: %(count)s.", count=lacking), url_for("stop")
        )
    return done(gettext("Enough people have signed. The signer is asked now, and orders go on."), url_for("stop"))


@signed_in(write=True)
def thaw_paper(call: Call) -> Response:
    """What is signed to let orders go on, as a file."""
    _may_see(call)
    return paper(service.begin_thaw(call), "thaw")


ROUTES: tuple[Route, ...] = (
    ("/stop", "stop", stop, BOTH),
    ("/stop/thaw", "thaw", thaw, POST),
    ("/stop/thaw.json", "thaw_paper", thaw_paper, GET),
)
