"""Reading what phones answered, after they have been answered themselves: facts, states, and what belongs to it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from sqlalchemy import select

from agent.wire import Result
from mdm.commands import delivery
from mdm.core.errors import HavenmeesterError
from mdm.core.text import clean
from mdm.desk.cases import location
from mdm.inventory import fields
from mdm.inventory.model import Device
from mdm.orders import delivery as orders
from mdm.outbox import service as outbox
from mdm.platforms.apple import applied, asking, facts, listed, plist
from mdm.platforms.apple.loop import strange
from mdm.platforms.apple.model import AppleCommand, AppleDevice, AppleProfile, CommandState
from mdm.platforms.apple.schema.table import answer_keys
from mdm.storage.call import Call

log = structlog.get_logger(__name__)
KEPT: Final = 16 * 1024
"""Bytes of an answer that are kept word for word after it was read."""
MAX_APPLICATIONS: Final = 5000
Content = Mapping[str, Any]
_DONE: Final = {
    CommandState.ACKNOWLEDGED: "done",
    CommandState.ERROR: "failed",
    CommandState.FORMAT_ERROR: "failed",
    CommandState.CANCELLED: "failed",
    CommandState.EXPIRED: "failed",
    CommandState.WITHHELD: "refused",
}


def interpret(call: Call, command_id: int) -> None:
    """Reads the answer to one command. Twice is like once; one of an enrollment that is over changes no fact."""
    command = call.session.get(AppleCommand, command_id, with_for_update=True)
    apple = call.session.get(AppleDevice, command.device_id) if command is not None else None
    if command is None or apple is None or command.open:
        return
    content = _content(command)
    state = CommandState(command.state)
    if state in (CommandState.ERROR, CommandState.FORMAT_ERROR):
        command.detail = _errors(content)
        if state is CommandState.FORMAT_ERROR:
            log.error("a phone could not read our command", request=command.request_type, uuid=command.uuid)
    if command.generation == apple.generation:
        _effects(call, apple, command, content, state)
    _finish(call, apple, command, state)
    if command.answer is not None and len(command.answer) > KEPT:
        command.answer = None


def _content(command: AppleCommand) -> Content:
    if command.answer is None:
        return {}
    try:
        return plist.read(command.answer, plist.RESULT)
    except HavenmeesterError:
        return {}


def _effects(call: Call, apple: AppleDevice, command: AppleCommand, content: Content, state: CommandState) -> None:
    if state is CommandState.ACKNOWLEDGED and command.answer is not None:
        strangers = set(content) - _ENVELOPE - answer_keys(command.request_type)
        wanted = answer_keys(command.request_type)
        if wanted and not wanted & set(content):
            strange(call, apple.device_id, "apple_answer_odd", {"request": command.request_type})
            log.warning("an answer does not fit its question", request=command.request_type, keys=len(strangers))
            return
    device = call.session.get_one(Device, apple.device_id)
    if command.details.get("identifier"):
        command.details = {**command.details, "read": True}
        _profile(call, apple, command, state, content)
    elif state is CommandState.ACKNOWLEDGED and command.request_type in _READERS:
        _READERS[command.request_type](call, device, apple, content)


_ENVELOPE: Final = frozenset({"UDID", "EnrollmentID", "Status", "CommandUUID", "ErrorChain", "RequestType"})


def _finish(call: Call, apple: AppleDevice, command: AppleCommand, state: CommandState) -> None:
    """Tells the command of the house, or the order, that this one carried out."""
    result: Result = {"id": "", "state": _DONE[state], "detail": command.detail}
    if command.order_id is not None and state is not CommandState.CANCELLED:
        orders.take_answer(call, apple.device_id, {**result, "id": command.order_id})
    if command.command_id is None:
        return
    together = call.session.scalars(select(AppleCommand).where(AppleCommand.command_id == command.command_id)).all()
    if any(one.open for one in together):
        return
    worst = next((one for one in together if _DONE[CommandState(one.state)] != "done"), command)
    delivery.take_results(
        call,
        apple.device_id,
        [{"id": command.command_id, "state": _DONE[CommandState(worst.state)], "detail": worst.detail}],
    )


def _errors(content: Content) -> str:
    chain = content.get("ErrorChain")
    said = []
    for one in chain[:10] if isinstance(chain, list) else ():
        if isinstance(one, Mapping):
            text = one.get("USEnglishDescription") or one.get("LocalizedDescription") or ""
            said.append(clean(f"{one.get('ErrorDomain', '')} {one.get('ErrorCode', '')}: {clean(text, 400)}", 500))
    return clean("; ".join(said), 2000) or "the phone gave no reason"


def _profile(call: Call, apple: AppleDevice, command: AppleCommand, state: CommandState, content: Content) -> None:
    """What became of a profile that was sent, or taken away."""
    row = call.session.get(AppleProfile, (apple.device_id, command.details["identifier"]))
    if row is None:
        return
    if state is CommandState.ACKNOWLEDGED and command.request_type == "Settings" and (why := _setting_failed(content)):
        row.failed, row.detail = command.details.get("digest"), why
    elif command.request_type == "RemoveProfile":
        gone = state is CommandState.ACKNOWLEDGED or state is CommandState.ERROR
        if gone and row.wanted is None:
            call.session.delete(row)
        elif gone:
            row.installed = None
    elif state is CommandState.ACKNOWLEDGED:
        row.installed, row.failed, row.detail = command.details.get("digest"), None, ""
    elif state in (CommandState.ERROR, CommandState.FORMAT_ERROR):
        row.failed, row.detail = command.details.get("digest"), command.detail
    call.session.flush()
    applied.tell(call, apple)


def _setting_failed(content: Content) -> str:
    """Why the phone did not set something although it took the command; "" where it set everything."""
    answers = content.get("Settings")
    for one in answers[:50] if isinstance(answers, list) else ():
        if isinstance(one, Mapping) and one.get("Status") not in (None, "Acknowledged"):
            return _errors(one)
    return ""


def _information(call: Call, device: Device, apple: AppleDevice, content: Content) -> None:
    said = content.get("QueryResponses")
    if not isinstance(said, Mapping):
        return
    serial = fields.serial(said.get("SerialNumber"))
    other = serial is not None and device.serial is not None and serial != device.serial
    if other or said.get("UDID", apple.udid) != apple.udid:
        # A phone that speaks of another one is not believed in anything.
        strange(call, device.id, "apple_identity_differs", {"reported": serial, "recorded": device.serial})
        return
    _supervised(call, apple, said)
    if isinstance(said.get("IsMDMLostModeEnabled"), bool):
        apple.lost_mode = said["IsMDMLostModeEnabled"]
    before = device.os_version
    facts.take(call, device, sections(said))
    if device.os_version != before:
        apple.reconciled = "-"
        outbox.post(call, "device.place", {"device": device.id})


def _supervised(call: Call, apple: AppleDevice, said: Mapping[str, Any]) -> None:
    found = said.get("IsSupervised")
    if not isinstance(found, bool) or found == apple.supervised:
        return
    apple.supervised = found
    apple.reconciled = "-"
    if found and not apple.user_enrollment and apple.bypass_code is None:
        # Asked for as early as can be: without the code an erased phone may stay locked to somebody's account.
        asking.queue(call, apple, "ActivationLockBypassCode", asked_by="inventory")
        asking.push(call, apple.device_id)


_SYSTEM: Final = (
    ("DeviceName", "hostname"),
    ("OSVersion", "os_version"),
    ("BuildVersion", "os_build"),
    ("SupplementalOSVersionExtra", "os_extra"),
    ("ProductName", "model_identifier"),
    ("ModelNumber", "model_number"),
    ("SerialNumber", "serial"),
    ("TimeZone", "timezone"),
    ("IsSupervised", "supervised"),
    ("IsActivationLockEnabled", "activation_lock"),
    ("IsDeviceLocatorServiceEnabled", "find_my"),
    ("IsMDMLostModeEnabled", "lost_mode"),
    ("EASDeviceIdentifier", "exchange_identifier"),
)


def sections(said: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The answer to DeviceInformation as sections of a report."""
    system: dict[str, Any] = {"manufacturer": facts.MAKER}
    for key, name in _SYSTEM:
        if isinstance(said.get(key), str | bool):
            system[name] = said[key]
    product = str(said.get("ProductName") or "")
    system["os_name"] = facts.os_name(product)
    if isinstance(said.get("ModelName"), str):
        system["model"] = said["ModelName"]
    found: dict[str, dict[str, Any]] = {"system": system}
    total, free = said.get("DeviceCapacity"), said.get("AvailableDeviceCapacity")
    if isinstance(total, float | int) and isinstance(free, float | int):
        # Gigabytes of 1024³ bytes; rounded down to half a gigabyte, so that it stays still.
        disk = {"mount": "/", "type": "apfs", "size_mb": int(total * 1024), "free_mb": int(free * 1024) // 512 * 512}
        found["disks"] = {"filesystems": [disk]}
    addresses = [
        {"name": name, "kind": name, "mac": clean(said[key], 32), "addresses": []}
        for key, name in (("WiFiMAC", "wifi"), ("BluetoothMAC", "bluetooth"))
        if isinstance(said.get(key), str)
    ]
    if addresses:
        found["network"] = {"interfaces": addresses, "lines": _lines(said.get("ServiceSubscriptions"))}
    return found


def _lines(subscriptions: object) -> list[dict[str, Any]]:
    return [
        {
            "name": clean(one.get("Slot"), 32),
            "carrier": clean(one.get("CurrentCarrierNetwork"), 64),
            "number": clean(one.get("PhoneNumber"), 32),
            "roaming": one.get("IsRoaming") is True,
        }
        for one in (subscriptions[:4] if isinstance(subscriptions, list) else ())
        if isinstance(one, Mapping)
    ]


def _security(call: Call, device: Device, _apple: AppleDevice, content: Content) -> None:
    said = content.get("SecurityInfo")
    if not isinstance(said, Mapping):
        return
    passcode = said.get("PasscodePresent")
    capable = said.get("HardwareEncryptionCaps")
    known = isinstance(passcode, bool)
    encryption: dict[str, Any] = {
        # Without a passcode the keys lie open: everything is encrypted, and nothing is protected.
        "root_encrypted": (passcode and (capable is None or capable == 3)) if known else None,
        "method": "data protection",
        "volumes": [],
    }
    lock = {
        "enabled": passcode if known else None,
        "method": "passcode",
        "compliant": said.get("PasscodeCompliant") if isinstance(said.get("PasscodeCompliant"), bool) else None,
        "compliant_with_profiles": said.get("PasscodeCompliantWithProfiles") is True,
    }
    if isinstance(said.get("AutoLockTime"), int):
        lock["timeout_seconds"] = said["AutoLockTime"]
    facts.take(call, device, {"encryption": encryption, "screenlock": lock})


def _applications(call: Call, device: Device, _apple: AppleDevice, content: Content) -> None:
    said = content.get("InstalledApplicationList")
    items = {}
    for one in said[:MAX_APPLICATIONS] if isinstance(said, list) else ():
        if isinstance(one, Mapping) and isinstance(one.get("Identifier"), str):
            version = one.get("ShortVersion") or one.get("Version") or ""
            items[clean(one["Identifier"], 255)] = clean(version, 128)
    facts.take(call, device, {"packages": {"manager": "apple", "items": items}})


def _profiles(call: Call, _device: Device, apple: AppleDevice, content: Content) -> None:
    """A profile of ours that is no longer there is sent again; the phone's own word counts."""
    said = content.get("ProfileList")
    if not isinstance(said, list):
        return
    listed.keep_profiles(call, apple, content)
    there = {one.get("PayloadIdentifier") for one in said if isinstance(one, Mapping)}
    rows = call.session.scalars(select(AppleProfile).where(AppleProfile.device_id == apple.device_id)).all()
    lost = [row for row in rows if row.installed is not None and not row.settings and row.identifier not in there]
    for row in lost:
        row.installed = None
    if lost:
        apple.reconciled = "-"


def _managed(call: Call, _device: Device, apple: AppleDevice, content: Content) -> None:
    listed.keep_applications(call, apple, content)


def _certificates(call: Call, _device: Device, apple: AppleDevice, content: Content) -> None:
    listed.keep_certificates(call, apple, content)


def _declared(_call: Call, _device: Device, apple: AppleDevice, _content: Content) -> None:
    apple.declarative = True


def _lost(call: Call, _device: Device, apple: AppleDevice, _content: Content) -> None:
    apple.lost_mode = True
    location.lost_mode_is_on(call, apple.device_id)


def _found(_call: Call, _device: Device, apple: AppleDevice, _content: Content) -> None:
    """What is kept of where a phone was lost is forgotten when it is found."""
    apple.lost_mode = False
    apple.location = None


def _configured(_call: Call, _device: Device, apple: AppleDevice, _content: Content) -> None:
    apple.awaiting = False


_READERS: Final[dict[str, Callable[[Call, Device, AppleDevice, Content], None]]] = {
    "CertificateList": _certificates,
    "DeclarativeManagement": _declared,
    "DeviceConfigured": _configured,
    "DeviceInformation": _information,
    "DisableLostMode": _found,
    "EnableLostMode": _lost,
    "InstalledApplicationList": _applications,
    "ManagedApplicationList": _managed,
    "ProfileList": _profiles,
    "SecurityInfo": _security,
}
