"""From the house's words to Apple's: what people ask of any device becomes what a phone understands, or a sentence why not."""

from collections.abc import Mapping
from typing import Any, Final

from agent.wire import Command
from mdm.commands import delivery
from mdm.commands.model import Verb
from mdm.core.errors import N_, HavenmeesterError
from mdm.platforms.apple import asking, commands
from mdm.platforms.apple.model import AppleDevice, DeviceState
from mdm.storage.call import Call

_CANNOT: Final = {
    Verb.DIAGNOSTICS: N_("A phone gives no diagnostics; ask it to refresh what is known of it."),
    Verb.MESSAGE: N_("A phone shows a message only while it is locked or lost: lock it, or use the lost mode."),
    Verb.UNLOCK: N_("A locked phone is opened with its own passcode; the passcode can be taken off instead."),
}
_NOT_LOST: Final = N_("The phone is not in lost mode yet; it is asked again as soon as it is.")
_NOT_THERE: Final = N_("The phone is not enrolled any more.")


def take(call: Call, payload: Mapping[str, Any]) -> None:
    """Puts what was asked of these phones into their own queues. Twice is like once."""
    for device_id in payload["devices"]:
        apple = call.session.get(AppleDevice, int(device_id))
        for command in delivery.next_for(call.session, int(device_id), call.now):
            why = _queue(call, apple, command)
            if why is not None:
                result = {"id": command["id"], "state": "refused", "detail": why}
                delivery.take_results(call, int(device_id), [result])  # type: ignore[list-item]
        if apple is not None:
            asking.push(call, apple.device_id)


def _queue(call: Call, apple: AppleDevice | None, command: Command) -> str | None:
    """Why this cannot be asked of the phone; None where it was."""
    verb = Verb(command["verb"])
    if apple is None or apple.state != DeviceState.ENROLLED:
        return _NOT_THERE
    if verb in _CANNOT:
        return _CANNOT[verb]
    if asking.carries_out(call, command["id"]):
        return None
    if verb is Verb.LOCATE and not apple.lost_mode:
        return _NOT_LOST
    try:
        for request_type, args in _words(verb, apple, command["args"]):
            asking.queue(call, apple, request_type, args, command_id=command["id"], asked_by="command")
    except HavenmeesterError as error:
        return str(error)
    return None


def _words(verb: Verb, apple: AppleDevice, args: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    if verb is Verb.LOCK:
        return [("DeviceLock", {})]
    if verb is Verb.LOST:
        return [("EnableLostMode", {"Message": str(args["message"])})]
    if verb is Verb.FOUND:
        return [("DisableLostMode", {})]
    if verb is Verb.LOCATE:
        return [("DeviceLocation", {})]
    if verb is Verb.RESTART:
        return [("RestartDevice", {})]
    return commands.inventory(user_enrollment=apple.user_enrollment)
