"""Apple's push service: one HTTP/2 connection per certificate, one request per phone, and what the answers mean."""

import json
import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import httpx2

from mdm.core.errors import UnavailableError
from mdm.core.text import clean

LIFE: Final = timedelta(days=7)
"""How long Apple keeps a push for a phone that is away; it keeps only the last one."""
TIMEOUT: Final = 10.0


class Outcome(StrEnum):
    """What one push came to."""

    SENT = "sent"
    DEAD = "dead"
    """The token is no good: nothing is pushed until the phone tells a new one."""
    OLD = "old"
    """Apple speaks of a token that is not the one in use any more."""
    OURS = "ours"
    """A mistake of ours; trying again changes nothing."""
    REFUSED = "refused"
    """The certificate is refused: nothing is pushed with it."""
    LATER = "later"
    """This phone was pushed too often."""


@dataclass(frozen=True, slots=True)
class Said:
    """The outcome, and Apple's own word for it."""

    outcome: Outcome
    reason: str = ""


_DEAD: Final = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic", "MissingDeviceToken"})


class Pusher:
    """A connection to the push service with one certificate. Not for several threads."""

    def __init__(self, base: str, certificate: str, key: bytes, topic: str, *, authority: str = "") -> None:
        self._base = base.rstrip("/")
        self._topic = topic
        context = ssl.create_default_context(cafile=authority or None)
        _load(context, certificate.encode(), key)
        self._client = httpx2.Client(http2=True, verify=context, timeout=TIMEOUT)

    def push(self, token: bytes, magic: str, token_at: datetime, now: datetime) -> Said:
        """Wakes one phone. Raises UnavailableError where Apple, or the way there, is at fault: to be tried again."""
        headers = {
            "apns-topic": self._topic,
            "apns-push-type": "mdm",
            "apns-priority": "10",
            "apns-expiration": str(int((now + LIFE).timestamp())),
            "content-type": "application/json",
        }
        try:
            answer = self._client.post(
                f"{self._base}/3/device/{token.hex()}", content=json.dumps({"mdm": magic}).encode(), headers=headers
            )
        except httpx2.HTTPError as error:
            raise UnavailableError("The push service does not answer: %(why)s.", why=type(error).__name__) from error
        return judge(answer.status_code, answer.content, token_at)

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()


def judge(status: int, body: bytes, token_at: datetime) -> Said:
    """What an answer means. Raises UnavailableError for one that is to be tried again."""
    if status == 200:
        return Said(Outcome.SENT)
    content = _content(body)
    reason = clean(content.get("reason"), 64)
    if status == 410:
        return Said(Outcome.DEAD if _since(content) >= token_at else Outcome.OLD, reason)
    if status == 400 and reason in _DEAD:
        return Said(Outcome.DEAD, reason)
    if status == 403:
        return Said(Outcome.REFUSED, reason)
    if status == 429:
        return Said(Outcome.LATER, reason)
    if status >= 500:
        raise UnavailableError("The push service is not ready: %(why)s.", why=reason or status)
    return Said(Outcome.OURS, reason or str(status))


def _content(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body[:4096])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _since(content: dict[str, Any]) -> datetime:
    """When Apple learnt that the token is dead; what it does not tell counts as just now."""
    stamp = content.get("timestamp")
    if isinstance(stamp, int) and 0 < stamp < 4_102_444_800_000:
        return datetime.fromtimestamp(stamp / 1000, UTC)
    return datetime.max.replace(tzinfo=UTC)


def _load(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Certificate and key without a file on any disk: the library reads files only, so it is given one in memory."""
    handle = os.memfd_create("apns", os.MFD_CLOEXEC)
    try:
        os.write(handle, certificate + b"\n" + key)
        context.load_cert_chain(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)
