"""Declarative management: tokens, the list of declarations, each declaration, and the status that comes back."""

import re
from http import HTTPStatus
from typing import Final

from mdm.core.errors import N_, InvalidError
from mdm.outbox import service as outbox
from mdm.platforms.apple import declarations, status
from mdm.platforms.apple.checkin import speaker
from mdm.platforms.apple.house import EMPTY, JSON, House, Reply
from mdm.platforms.apple.knock import Knock
from mdm.platforms.apple.message import Message
from mdm.platforms.apple.model import AppleDevice, AppleSet
from mdm.storage.call import Call

_DECLARATION: Final = re.compile(r"declaration/(activation|asset|configuration|management)/([A-Za-z0-9._-]{1,200})")
NOT_FOUND: Final = Reply(HTTPStatus.NOT_FOUND)
STATUS_TOPIC: Final = "apple.status"


def declarative(call: Call, _house: House, knock: Knock, message: Message) -> Reply:
    """The answer to one message of declarative management. An endpoint is a word to compare, never an address.

    Raises InvalidError for another endpoint, a report that is none, or a phone that is not enrolled.
    """
    apple = speaker(call, knock, message, enrolled=True)
    endpoint = message.text("Endpoint")
    if endpoint == "status":
        return _status(call, apple, message)
    held = call.session.get(AppleSet, apple.set_token) if apple.set_token is not None else None
    if endpoint == "tokens":
        return _json(declarations.tokens(held)) if held is not None else NOT_FOUND
    if endpoint == "declaration-items":
        if held is None:
            return NOT_FOUND
        apple.advertised_token = held.token
        return _json(declarations.items(held))
    match = _DECLARATION.fullmatch(endpoint)
    if match is None:
        raise InvalidError(N_("There is no such endpoint. Nothing was changed."), code="endpoint")
    return _one(call, apple, match[1], match[2])


def _one(call: Call, apple: AppleDevice, kind: str, identifier: str) -> Reply:
    """A declaration of the set that the phone was told of, whatever has become of its scope since."""
    token = apple.advertised_token or apple.set_token
    held = call.session.get(AppleSet, token) if token is not None else None
    content = declarations.whole(held, kind, identifier) if held is not None else None
    return NOT_FOUND if content is None else _json(content)


def _status(call: Call, apple: AppleDevice, message: Message) -> Reply:
    data = message.data("Data")
    if data is None:
        raise InvalidError(N_("A status report without a report. Nothing was changed."), code="status_wrong")
    apple.status = status.merged(apple.status, status.read(data))
    apple.declared = status.declared(apple.status)
    outbox.post(call, STATUS_TOPIC, {"device": apple.device_id})
    return EMPTY


def _json(content: bytes) -> Reply:
    return Reply(body=content, content_type=JSON)
