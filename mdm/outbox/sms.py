"""SMS: putting one in the post. The worker hands it to the city's gateway (``mdm/worker/sms.py``)."""

from datetime import datetime
from typing import Any

from mdm.core.clock import iso
from mdm.core.ids import new_uid
from mdm.core.telephone import mobile_number
from mdm.core.text import clean
from mdm.outbox import service as outbox
from mdm.outbox.model import OutboxMessage
from mdm.storage.call import Call

LONGEST = 600
"""Characters; a gateway cuts what is longer into many messages, and the city pays for each."""


def post(
    call: Call,
    *,
    to: str,
    text: str,
    country: str,
    due: datetime | None = None,
    until: datetime | None = None,
    daytime: bool = False,
) -> OutboxMessage | None:
    """Writes one SMS into the call's transaction; None, and nothing written, where ``to`` is no mobile number.

    ``country`` is the setting ``sms_country``. After ``until`` nobody wants it any more, and it is not sent. Every message
    has an id of its own, which the gateway gets each time: however often it is handed over, the person gets it once.
    """
    number = mobile_number(to, country)
    if number is None:
        return None
    payload: dict[str, Any] = {"id": new_uid(), "to": number, "text": clean(text, LONGEST, lines=True)}
    if until is not None:
        payload["until"] = iso(until)
    if daytime:
        payload["daytime"] = True
    return outbox.post(call, "sms", payload, due=due)
