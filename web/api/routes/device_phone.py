"""One phone of Apple's: what it is and has, what is asked of it, what is kept of it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint

from mdm.core.permissions import Permission
from mdm.core.risk import Risk
from mdm.platforms.apple import about, secrets, service
from mdm.platforms.apple.model import AppleCommand, ScopedSecret
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, PageQuery, walk
from web.api.routes.phones import given, proved_lately, seal
from web.api.shapes import phones as shapes
from web.api.shapes.phones import Phone, PhoneCommand

api = APIBlueprint(
    "device_phone", __name__, tag={"name": "Phone", "description": "One iPhone or iPad: what is its alone."}
)
VIEW = Permission.DEVICE_VIEW
ONE = "/devices/<uid:phone_uid>/phone"
_OF_APPLE = (
    "state", "supervised", "user_enrollment", "lost_mode", "declarative", "awaiting", "turn_away", "push_at", "pushed_at",
)  # fmt: skip
_OF_PAGE = ("enrollment", "reach", "hurdles", "errors", "update", "unlock_token", "bypass_code")


@operation(api, "GET", ONE, VIEW, answer=Phone)
def get_phone(call: Call, phone_uid: str) -> Phone:
    """Read what is a phone's alone.

    Enrollment, reach, profiles, certificates, managed applications, declarations with what it says of each, and what can
    be asked of it. 404 for a device that never enrolled as a phone of Apple's.
    """
    return _told(call, phone_uid)


def _told(call: Call, uid: str) -> Phone:
    found = about.about(call, uid)
    return Phone.model_validate(
        {
            "device": uid,
            **{name: getattr(found.apple, name) for name in _OF_APPLE},
            **{name: getattr(found, name) for name in _OF_PAGE},
            "profiles": [{**asdict(one), "payloads": list(one.payloads)} for one in found.profiles],
            "declarations": [{**asdict(one), "reasons": list(one.reasons)} for one in found.declarations],
            "certificates": list(found.certificates),
            "applications": list(found.applications),
        }
    )


def _shown(command: AppleCommand) -> PhoneCommand:
    own = {name: getattr(command, name) for name in PhoneCommand.model_fields if name != "id"}
    return PhoneCommand.model_validate({**own, "id": command.uuid})


@operation(api, "GET", f"{ONE}/commands", VIEW, query=PageQuery, answer=shapes.PhoneCommandPage)
def list_phone_commands(call: Call, phone_uid: str, query: PageQuery) -> Page[PhoneCommand]:
    """List what was asked of a phone in Apple's own commands.

    Newest first.
    """
    rows, following = walk(
        query,
        lambda mark, limit: service.commands(call, phone_uid, below=mark[0] if mark else None, limit=limit),
        lambda row: (row.id,),
    )
    return shapes.PhoneCommandPage(items=[_shown(row) for row in rows], next=following)


@operation(
    api, "POST", f"{ONE}/commands", VIEW, body=shapes.NewPhoneCommand, answer=PhoneCommand, status=201, problems=(404,)
)
def ask_phone(call: Call, phone_uid: str, body: shapes.NewPhoneCommand) -> PhoneCommand:
    """Ask one of Apple's commands of a phone.

    Checked against Apple's facts for this phone first: 422 with the sentence why it would refuse. Some need `command:lock`
    at its place, the rest `command:send`. Erasing is an order.
    """
    if body.request_type in ("ClearPasscode",):
        proved_lately()
    args = _bytes(body.args)
    return _shown(service.ask(call, seal(), phone_uid, body.request_type, args, reason=body.reason))


@operation(api, "POST", f"{ONE}/commands/<name:command_uuid>/cancel", VIEW, answer=PhoneCommand, problems=(404,))
def cancel_phone_command(call: Call, phone_uid: str, command_uuid: str) -> PhoneCommand:
    """Take back one of Apple's commands.

    What was given already may still be carried out, but is not given again. Twice is like once.
    """
    service.phone(call, phone_uid)
    return _shown(service.cancel(call, command_uuid))


@operation(api, "POST", f"{ONE}/secrets", VIEW, body=shapes.SecretAsked, answer=shapes.Secret, problems=(404,))
def reveal_phone_secret(call: Call, phone_uid: str, body: shapes.SecretAsked) -> shapes.Secret:
    """See a secret that is kept of a phone.

    For people only, with a reason; a line in the diary and an alarm tell of it.
    """
    proved_lately()
    value = secrets.reveal(call, seal(), phone_uid, ScopedSecret(body.what), body.reason)
    return shapes.Secret(what=body.what, value=value)


@operation(
    api,
    "POST",
    f"{ONE}/turn-away",
    Permission.ENROLLMENT_REVOKE,
    body=shapes.TurnedAway,
    answer=Phone,
    risks=(Risk.ENROLLMENT_END,),
    problems=(404, 409),
)
def turn_phone_away(call: Call, phone_uid: str, body: shapes.TurnedAway) -> Phone:
    """Have a phone leave the management.

    At its next request it is told to leave. It then removes the management profile by itself, and with it everything that
    came by it: accounts, networks, certificates, and applications with their data. What its holder put on it stays. From
    then on nothing reaches it; a new invitation brings it back. Twice is like once.
    """
    service.turn_away(call, phone_uid, body.reason)
    return _told(call, phone_uid)


@operation(api, "POST", f"{ONE}/let-stay", Permission.ENROLLMENT_REVOKE, answer=Phone, problems=(404, 409))
def let_phone_stay(call: Call, phone_uid: str) -> Phone:
    """Take back that a phone shall leave.

    As long as it was not told. Twice is like once.
    """
    service.let_stay(call, phone_uid)
    return _told(call, phone_uid)


def _bytes(value: Any) -> Any:
    """Arguments with bytes where ``{"$data": BASE64}`` stands."""
    if isinstance(value, Mapping):
        if set(value) == {"$data"}:
            return given(str(value["$data"]))
        return {key: _bytes(one) for key, one in value.items()}
    return [_bytes(one) for one in value] if isinstance(value, list) else value
