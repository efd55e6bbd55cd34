"""Sending SMS by the city's gateway: one POST of JSON.

    POST <sms_url>                         Authorization: Bearer <sms_token>
    Idempotency-Key: <id>                  Content-Type: application/json
    {"id": "…", "to": "+32470123456", "from": "Antwerpen", "text": "…"}

2xx: taken. 409: this id was taken before, so it is done. 429 and 503 with Retry-After: not now. Other 4xx except 401, 403 and
408: this message will never be taken, it is given up. Anything else, or no answer: tried again with back-off, under the same id.
"""

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import httpx2

from mdm.core.errors import N_, ConfigurationError, UnavailableError
from mdm.core.text import clean
from mdm.outbox.sms import LONGEST
from mdm.settings import LOOPBACK
from mdm.worker.mail import require_daytime
from mdm.worker.office import Office
from mdm.worker.post import NeverError, NotNowError, Payload

TIMEOUT: Final = 10.0
KEPT: Final = 3600
"""Seconds after which a message that waits for a configured gateway is looked at again."""
LONGEST_WAIT: Final = 3600
AGAIN: Final = frozenset({401, 403, 408, 425, 429})
"""Refusals that are about us or about the moment, not about the message."""


def send(office: Office, payload: Payload) -> None:
    """Hands one message to the gateway. Nothing for one whose time has passed.

    Raises NotNowError while no gateway is configured or the gateway asks to wait, NeverError for a message that it
    refuses, UnavailableError when it fails or does not answer. No error holds a telephone number.
    """
    until = payload.get("until")
    if until is not None and office.clock() > datetime.fromisoformat(str(until)):
        return
    settings = office.settings
    if not settings.sms_url:
        raise NotNowError("no SMS gateway is configured (sms_url)", KEPT)
    require_daytime(office, payload)
    key = str(payload["id"])
    body = {
        "id": key,
        "to": str(payload["to"]),
        "from": settings.sms_sender or settings.organisation,
        "text": clean(payload["text"], LONGEST, lines=True),
    }
    answer = _ask(_address(settings.sms_url), body, _headers(key, settings.sms_token))
    if answer.is_success or answer.status_code == httpx2.codes.CONFLICT:
        return
    wait = answer.headers.get("Retry-After", "")
    if answer.status_code in (429, 503) and wait.isascii() and wait.isdigit():
        raise NotNowError("the SMS gateway asks to wait", max(1, min(int(wait), LONGEST_WAIT)))
    if answer.is_client_error and answer.status_code not in AGAIN:
        raise NeverError(f"the SMS gateway refuses this message ({answer.status_code})")
    raise UnavailableError(N_("The SMS gateway answered %(status)s."), status=answer.status_code)


def _headers(key: str, token: str) -> dict[str, str]:
    said = {"Idempotency-Key": key, "User-Agent": "Havenmeester"}
    return said | {"Authorization": f"Bearer {token}"} if token else said


def _address(url: str) -> str:
    """The gateway's address; ConfigurationError for one that would send numbers and texts over a network in clear."""
    where = urlsplit(url)
    if where.scheme == "https" or (where.scheme == "http" and where.hostname in LOOPBACK):
        return url
    raise ConfigurationError(
        "The setting sms_url is no address of an SMS gateway.",
        mend="Write https://host/path; http only on this machine.",
    )


def _ask(url: str, body: dict[str, str], headers: dict[str, str]) -> httpx2.Response:
    try:
        with httpx2.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as http:
            return http.post(url, json=body, headers=headers)
    except httpx2.HTTPError as error:
        raise UnavailableError(N_("The SMS gateway does not answer (%(why)s)."), why=type(error).__name__) from error
