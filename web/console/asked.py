"""What a person sees where somebody else must agree first: the request that was made of it, and what happens next."""

from flask import Response, request

from mdm.core.errors import ApprovalNeededError
from mdm.orders import acts, kernel
from mdm.storage.call import Call
from web.console.pages.helpers import page


def asked(call: Call, needed: ApprovalNeededError) -> Response:
    """Makes a request of what the gate has stopped, and says what happens next. Nothing else was changed."""
    act = acts.ask(call, needed, request.form.get("reason", ""))
    once = {name: value for name, value in needed.once.items() if value}
    return page("acts/asked.html", 202, act=act, once=once, approvers=_approvers(call, act.place, act.requested_by_id))


def _approvers(call: Call, place: str, requester: str) -> int:
    """How many people of the roster may agree to it."""
    people = kernel.people(call.session).items()
    return sum(1 for person, places in people if person != requester and ("*" in places or place in places))
