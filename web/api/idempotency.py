"""``Idempotency-Key``: a POST that is sent twice has one effect and one answer.

The answer is written in the same transaction as the effect, so that both are there or neither is. It is sealed with a key
made from the speaker's own credential: answers that show a secret once (a token, an invitation) are not readable in the
database. Refusals are not kept: nothing happened, so the same request may be tried again.
"""

import base64
import hashlib
import re
from collections.abc import Callable

from cryptography.fernet import Fernet, InvalidToken
from flask import Response, g, request
from sqlalchemy import text

from mdm.access import service as access
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.storage.call import Call

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_FORM = re.compile(r"[\x21-\x7e]{1,128}")
_KEPT_HEADERS = ("Location", "ETag", "Content-Type")


def once(call: Call, act: Callable[[], Response]) -> Response:
    """What ``act`` answers, or what it answered when this key was used before.

    Raises InvalidError for a key that is none, ConflictError for a key that was used for another request.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return act()
    if not _FORM.fullmatch(key):
        raise InvalidError(
            N_("The Idempotency-Key must be 1 to 128 visible ASCII characters. Nothing was changed."),
            code="idempotency_key",
        )
    _wait_for_twin(call, key)
    digest, seal = _request_digest(), _seal(call, key)
    known = access.recall(call, key, digest)
    if known is not None:
        return _again(known, seal)
    response = act()
    if "etag" in g:
        response.headers["ETag"] = g.etag
    if response.status_code < 300:
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        body = seal.encrypt(response.get_data()).decode()
        access.remember(call, key, digest, access.Answer(response.status_code, body, headers))
    return response


def _again(known: access.Answer, seal: Fernet) -> Response:
    try:
        body = seal.decrypt(known.body.encode())
    except InvalidToken:
        raise ConflictError(
            N_("This request was done before, but its answer was kept for another sign-in. Nothing was changed."),
            code="idempotency_answer_sealed",
        ) from None
    response = Response(body, known.status, known.headers)
    response.headers[REPLAYED] = "true"
    return response


def _wait_for_twin(call: Call, key: str) -> None:
    """On PostgreSQL the twin waits here until the first is committed; on SQLite the write lock has done that already."""
    if call.session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(f"{_speaker(call)}\x00{key}".encode()).digest()[:8], "big", signed=True)
        call.session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": number})


def _request_digest() -> str:
    """What makes two requests the same: method, address with query, type and bytes of the body."""
    digest = hashlib.sha256()
    for part in (request.method, request.full_path, request.mimetype):
        digest.update(part.encode() + b"\x00")
    digest.update(request.get_data())
    return digest.hexdigest()


def _seal(call: Call, key: str) -> Fernet:
    secret = f"idempotency\x00{g.credential}\x00{_speaker(call)}\x00{key}".encode()
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret).digest()))


def _speaker(call: Call) -> str:
    return f"{call.actor.kind.value}:{call.actor.id}"
