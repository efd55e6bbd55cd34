"""Configuration profiles for phones in a policy: a file is looked at first, with every finding, and only then added."""

import base64
import binascii
from dataclasses import dataclass

from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.inventory.model import Platform
from mdm.platforms.apple import inspect, upload
from mdm.policies import queries, service
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.pages.helpers import BOTH, POST, Route, done, page, refused, text

MOST = 95 * 1024
"""Bytes of a file: in Base64 it must fit into a payload."""


@dataclass(frozen=True, slots=True)
class _Looked:
    seen: inspect.Seen
    concerns: list[inspect.Concern]
    file: str
    """Base64, as it is carried to the next step."""


def _profile(call: Call, number: int, failure: Failure | None = None, looked: _Looked | None = None) -> Response:
    response = page(
        "policies/profile.html",
        tab="raw",
        policy=queries.policy(call, number),
        looked=looked,
        failure=failure,
        values=request.form,
    )
    return failure.stamp(response) if failure else response


@may(Permission.POLICY_EDIT, write=False)
def policy_profile(call: Call, number: int) -> Response:
    """Shows what is in a profile and everything that is to be said about it. Saves nothing."""
    if request.method == "GET":
        return _profile(call, number)
    try:
        looked = _look()
    except HavenmeesterError as error:
        return _profile(call, number, refused(call, error))
    return _profile(call, number, looked=looked)


@may(Permission.POLICY_EDIT)
def policy_profile_add(call: Call, number: int) -> Response:
    """Adds a profile that was looked at: a new version of the policy. One of the same name is replaced."""
    looked = None
    try:
        looked = _look()
        view = queries.version(call, number)
        name = clean(text("name"), 100)
        kept = [
            {key: one[key] for key in ("platform", "name", "content")} for one in view.payloads if one["name"] != name
        ]
        content = {"kind": "profile", upload.FIELD: looked.file}
        made = service.save(
            call,
            number,
            expected=_expected(),
            settings=view.settings,
            raw_payloads=[*kept, {"platform": Platform.IOS.value, "name": name, "content": content}],
            note=gettext("With the configuration profile %(name)s", name=name),
        )
    except HavenmeesterError as error:
        return _profile(call, number, refused(call, error), looked)
    return done(
        gettext("Version %(number)s is in force. Devices get it with their next contact.", number=made.number),
        url_for("policy_raw", number=number),
    )


def _look() -> _Looked:
    """The profile that was sent, as a file or as it was carried along. Raises InvalidError."""
    file = request.files.get("file")
    if file and file.filename:
        raw = file.read(MOST + 1)
    else:
        try:
            raw = base64.b64decode(text("carried"), validate=True)
        except (binascii.Error, ValueError):
            raw = b""
    if not raw or len(raw) > MOST:
        sentence = N_("Choose a configuration profile (.mobileconfig) of at most 95 KB. Nothing was saved.")
        raise InvalidError(sentence, fields={"file": sentence})
    seen, concerns = inspect.look_for_each(raw, text("version"))
    return _Looked(seen, concerns, base64.b64encode(raw).decode())


def _expected() -> int:
    written = text("expected")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else -1


ROUTES: tuple[Route, ...] = (
    ("/policies/<int:number>/profile", "policy_profile", policy_profile, BOTH),
    ("/policies/<int:number>/profile/add", "policy_profile_add", policy_profile_add, POST),
)
