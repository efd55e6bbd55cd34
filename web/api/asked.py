"""What the API answers where somebody else must agree first: 202, and the request that was made of it."""

import json

from flask import Response, request

from mdm.core.errors import N_, ApprovalNeededError
from mdm.core.risk import RISKS, Risk
from mdm.orders import acts
from mdm.storage.call import Call
from web.api.idempotency import once
from web.api.shapes.acts import Asked

NEXT = N_(
    "Nothing was changed yet: %(words)s needs the approval of somebody else. It is done by itself once enough people "
    "have agreed; the request says what becomes of it."
)


def asked(call: Call, needed: ApprovalNeededError) -> Response:
    """Makes a request of what the gate has stopped. The same Idempotency-Key gets the same answer, also this one."""
    return once(call, lambda: _asked(call, needed)) if request.method == "POST" else _asked(call, needed)


def _asked(call: Call, needed: ApprovalNeededError) -> Response:
    act = acts.ask(call, needed)
    answer = Asked(
        act=act.id,
        state=act.state,  # type: ignore[arg-type]  # the model reads the word
        verb=Risk(act.verb),
        detail=NEXT % {"words": RISKS[Risk(act.verb)].words},
        once={name: value for name, value in needed.once.items() if value},
    )
    body = json.dumps(answer.model_dump(mode="json"), ensure_ascii=False)
    response = Response(body, 202, content_type="application/json")
    response.headers["Location"] = f"{request.script_root}/acts/{act.id}"
    return response
