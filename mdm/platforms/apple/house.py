"""What the interpreter is given by whoever runs it: keys, addresses, neighbours. It reads no configuration itself."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from mdm.storage.seal import Seal

PLIST = "application/xml; charset=UTF-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class House:
    """The neighbours of one conversation."""

    seal: Seal
    organisation: str = ""
    order_key: Callable[[], str | None] = lambda: None
    """Gives the signer's public key; None while it is not known, and no order is given then."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back, and nothing of what came in."""

    status: HTTPStatus = HTTPStatus.OK
    body: bytes = b""
    content_type: str = PLIST


EMPTY = Reply()
