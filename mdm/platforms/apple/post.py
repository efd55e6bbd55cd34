"""What the worker does for phones when the post asks for it."""

import json
from collections.abc import Collection, Mapping
from datetime import timedelta

from sqlalchemy import and_, exists, or_, select

from mdm.desk.cases import location
from mdm.inventory.model import Device
from mdm.orders.model import Order, OrderState
from mdm.platforms.apple import answers, applied, asking, facts, reconcile, secrets, status
from mdm.platforms.apple.knock import NOTHING
from mdm.platforms.apple.model import AppleCommand, AppleDevice, DeviceState, ScopedSecret
from mdm.policies.model import Cohort
from mdm.storage.call import Call
from mdm.storage.seal import Seal

Payload = Mapping[str, object]


def take_answer(call: Call, payload: Payload, organisation: str) -> None:
    """A phone answered a command: it is read, and what follows from it is queued."""
    command_id = int(str(payload["command"]))
    answers.interpret(call, command_id)
    command = call.session.get(AppleCommand, command_id)
    apple = call.session.get(AppleDevice, command.device_id) if command is not None else None
    if apple is not None and apple.reconciled == "-":
        _bring(call, apple, organisation)
    if apple is not None and command is not None and command.request_type == "DeviceInformation":
        # Whether it is supervised decides what it can have at all; where nothing is to be sent, no other answer would say so.
        applied.tell(call, apple)


def take_location(call: Call, payload: Payload, seal: Seal) -> None:
    """A lost phone said where it is: the case that is open about it keeps that, sealed, and nobody else does."""
    command = call.session.get(AppleCommand, int(str(payload["command"])))
    apple = call.session.get(AppleDevice, command.device_id) if command is not None else None
    if command is None or apple is None or command.request_type != "DeviceLocation" or apple.location is None:
        return
    plain = secrets.opened(seal, apple, ScopedSecret.LOCATION)
    apple.location = None
    found = json.loads(plain) if plain is not None else {}
    named = {"Latitude": "latitude", "Longitude": "longitude", "HorizontalAccuracy": "accuracy", "Timestamp": "at"}
    location.take(call, seal, apple.device_id, {ours: found.get(theirs) for theirs, ours in named.items()})


def take_status(call: Call, payload: Payload, organisation: str) -> None:
    """A phone reported its status: facts are taken from it, and declarations follow what it can tell."""
    apple = call.session.get(AppleDevice, int(str(payload["device"])))
    if apple is None or apple.state != DeviceState.ENROLLED:
        return
    device = call.session.get_one(Device, apple.device_id)
    before = device.os_version
    found = sections(apple)
    if found:
        facts.take(call, device, found)
    if device.os_version != before:
        apple.reconciled = "-"
    _bring(call, apple, organisation)
    applied.tell(call, apple)


def _bring(call: Call, apple: AppleDevice, organisation: str) -> None:
    if apple.state == DeviceState.ENROLLED and reconcile.bring(call, apple, organisation):
        asking.push(call, apple.device_id)


def sections(apple: AppleDevice) -> dict[str, dict[str, object]]:
    """The status items of a phone as sections of a report."""
    found: dict[str, dict[str, object]] = {}
    system: dict[str, object] = {
        name: value
        for key, name in (
            ("device.operating-system.version", "os_version"),
            ("device.operating-system.build-version", "os_build"),
            ("device.operating-system.family", "os_name"),
            ("device.model.identifier", "model_identifier"),
            ("device.model.marketing-name", "model"),
        )
        if isinstance(value := status.item(apple.status, key), str)
    }
    if system:
        found["system"] = system
    present, compliant = (
        status.item(apple.status, "passcode.is-present"),
        status.item(apple.status, "passcode.is-compliant"),
    )
    if isinstance(present, bool):
        found["screenlock"] = {"enabled": present, "method": "passcode"}
        found["encryption"] = {"root_encrypted": present, "method": "data protection"}
        if isinstance(compliant, bool):
            found["screenlock"]["compliant"] = compliant
    pending = status.item(apple.status, "softwareupdate.pending-version")
    if isinstance(pending, dict):
        found["patch"] = {"pending_updates": int(bool(pending.get("os-version"))), "pending": pending}
    return found


def sweep(call: Call, limit: int = 200) -> int:
    """Asks phones for their inventory whose last is older than a day, and ends commands whose time passed; how many."""
    due = call.session.scalars(
        select(AppleDevice)
        .where(
            AppleDevice.state == DeviceState.ENROLLED.value,
            (AppleDevice.inventory_at.is_(None)) | (AppleDevice.inventory_at < call.now - timedelta(days=1)),
        )
        .order_by(AppleDevice.device_id)
        .limit(limit)
    ).all()
    for apple in due:
        asking.ask_inventory(call, apple)
        asking.push(call, apple.device_id)
    return len(due) + asking.expire_due(call)


def behind(call: Call, limit: int = 500) -> int:
    """Has phones woken that shall have something else than they have, or for which an order is released; how many.

    Those that were pushed within the hour are left alone: they will come, or they are away.
    """
    ordered = exists().where(Order.device_id == AppleDevice.device_id, Order.state == OrderState.RELEASED.value)
    other = and_(Cohort.desired_digest != NOTHING, Cohort.desired_digest != AppleDevice.reconciled)
    ids = call.session.scalars(
        select(AppleDevice.device_id)
        .join(Device, Device.id == AppleDevice.device_id)
        .outerjoin(Cohort, Cohort.id == Device.cohort_id)
        .where(
            AppleDevice.state == DeviceState.ENROLLED.value,
            AppleDevice.push_bad == "",
            or_(AppleDevice.pushed_at.is_(None), AppleDevice.pushed_at < call.now - timedelta(hours=1)),
            or_(other, ordered),
        )
        .limit(limit)
    ).all()
    for device_id in ids:
        asking.push(call, device_id)
    return len(ids)


def placed(call: Call, device_ids: Collection[int]) -> None:
    """Has those of these phones woken that shall have something else in the cohort they are in now."""
    phones = call.session.scalars(
        select(AppleDevice)
        .join(Device, Device.id == AppleDevice.device_id)
        .join(Cohort, Cohort.id == Device.cohort_id)
        .where(
            AppleDevice.device_id.in_(device_ids),
            AppleDevice.state == DeviceState.ENROLLED.value,
            Cohort.desired_digest != NOTHING,
            Cohort.desired_digest != AppleDevice.reconciled,
        )
    ).all()
    for apple in phones:
        asking.push(call, apple.device_id)
