"""A form of the desk that comes twice with the same key is done once, and answered with the same page."""

import hashlib
import json
from collections.abc import Callable

from flask import make_response, redirect, request
from flask.wrappers import Response

from mdm.access.idempotency import LONGEST_KEY, Answer, recall, remember
from mdm.storage.call import Call
from web.console.pages.helpers import text


def once(call: Call, do: Callable[[], Response]) -> Response:
    """What ``do`` answers; when the same form was done already, the page that it led to then, and nothing is done.

    Only what was done leads to another page, so only that is kept: a refused form may be corrected and sent again. A form
    without a key is done each time. Raises ConflictError while the same form is being done.
    """
    key = text("key")[: LONGEST_KEY - 5]
    if not key:
        return do()
    key, digest = f"desk-{key}", _digest()
    known = recall(call, key, digest)
    if known is not None:
        return make_response(redirect(known.headers["Location"], 303))
    response = do()
    if response.status_code == 303:
        remember(call, key, digest, Answer(303, "", {"Location": response.headers["Location"]}))
    return response


def _digest() -> str:
    fields = sorted((name, value) for name, value in request.form.items(multi=True) if name != "csrf_token")
    files = [hashlib.sha256(file.read()).hexdigest() for _name, file in sorted(request.files.items(multi=True))]
    for file in request.files.values():
        file.stream.seek(0)
    return hashlib.sha256(json.dumps([request.path, fields, files]).encode()).hexdigest()
