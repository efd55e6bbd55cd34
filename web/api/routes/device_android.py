"""One Android phone: what is known of it alone, and the passcode that it is given."""

from apiflask import APIBlueprint

from mdm.core.permissions import Permission
from mdm.inventory.queries import device_by_uid
from mdm.platforms.android.headwind import service
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.routes.phones import proved_lately, seal
from web.api.shapes.android import AndroidState, NewPasscode
from web.api.told import told

api = APIBlueprint(
    "device_android", __name__, tag={"name": "Android phone", "description": "One Android phone: what is its alone."}
)
ONE = "/devices/<uid:android_uid>/android"


@operation(api, "GET", ONE, Permission.DEVICE_VIEW, answer=AndroidState)
def get_android_phone(call: Call, android_uid: str) -> AndroidState:
    """Read what is an Android phone's alone.

    With the last lines of its log. 404 for a device that never enrolled as an Android phone.
    """
    return _told(call, android_uid)


@operation(
    api,
    "POST",
    f"{ONE}/passcode",
    Permission.COMMAND_LOCK,
    body=NewPasscode,
    answer=AndroidState,
    problems=(404, 409, 429),
)
def reset_android_passcode(call: Call, android_uid: str, body: NewPasscode) -> AndroidState:
    """Give an Android phone another passcode.

    Only with the free agent. It is sealed until the phone visits next, and forgotten then or after a day; another one takes
    its place. Its holder's own passcode no longer opens the phone. 409 (`passcode_impossible`, `device_not_enrolled`) with
    the reason where this phone cannot be given one.
    """
    proved_lately()
    service.reset_passcode(call, seal(), android_uid, body.passcode, body.reason)
    return _told(call, android_uid)


def _told(call: Call, uid: str) -> AndroidState:
    phone, row = service.phone(call, uid)
    device = device_by_uid(call, uid)
    exact = device.contact_exact
    state = AndroidState.model_validate(
        {
            "device": uid,
            "way": phone.way,
            "state": phone.state,
            "work_profile": phone.work_profile,
            "bound_at": row.bound_at if row else None,
            "given_at": row.given_at if row else None,
            "reported_at": row.reported_at if row else None,
            "contested_at": row.contested_at if row else None,
            "locked": row is not None and row.lock_message is not None,
            "passcode_waits": row is not None and row.passcode is not None,
            "hurdle": service.why_no_passcode(device, phone, row) or None,
            "log": service.log_lines(phone),
        }
    )
    lines = [told(line, "at", exact=exact) for line in state.log]
    return told(state, "given_at", "reported_at", exact=exact).model_copy(update={"log": lines})
