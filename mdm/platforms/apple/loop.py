"""The command loop, when there is more to do than to look into the queue: orders, guards, secrets, what must be caught up."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import select

from mdm.core.errors import HavenmeesterError, UnavailableError
from mdm.enrollment.queries import former_keys
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, DeviceEvent
from mdm.orders import delivery as orders
from mdm.platforms.apple import asking, reconcile, secrets
from mdm.platforms.apple.checkin import speaker
from mdm.platforms.apple.commands import RULES
from mdm.platforms.apple.house import EMPTY, House, Reply
from mdm.platforms.apple.knock import Knock
from mdm.platforms.apple.message import Message, Status
from mdm.platforms.apple.model import AppleCommand, AppleDevice, CommandState, ScopedSecret
from mdm.platforms.apple.queue import Cursor, Given, Queue
from mdm.platforms.apple.schema.check import check, errors
from mdm.platforms.apple.schema.table import COMMAND
from mdm.storage.call import Call

log = structlog.get_logger(__name__)
QUIET: Final = timedelta(hours=1)
"""How often the same strangeness of one phone is written on its time line."""
_SECRET_KEYS: Final = {
    "ActivationLockBypassCode": ScopedSecret.BYPASS_CODE,
    "Latitude": ScopedSecret.LOCATION,
    "UnlockToken": ScopedSecret.UNLOCK_TOKEN,
}
LOCATION_KEYS: Final = ("Latitude", "Longitude", "HorizontalAccuracy", "VerticalAccuracy", "Altitude", "Timestamp")


def holds_secret(message: Message) -> bool:
    """Whether an answer holds something that is never kept as it is."""
    return any(key in message.content for key in _SECRET_KEYS)


def turn(call: Call, house: House, knock: Knock, message: Message, raw: bytes) -> Reply:
    """Takes what the phone says of a command, and gives it the next one; empty when there is none.

    Raises InvalidError for a message that this certificate may not send: nothing changes.
    """
    apple = speaker(call, knock, message, enrolled=True)
    statements = Queue(sqlite=call.session.get_bind().dialect.name == "sqlite")
    if message.status is not Status.IDLE:
        _answered(call, house, statements, apple, message, raw)
    else:
        reconcile.catch_up(call, house, knock, apple)
    if knock.ordered:
        _prepare_order(call, house, knock, apple)
    return _next(call, house, knock, statements, apple, idle=message.status is Status.IDLE)


def cursor_of(call: Call) -> Cursor:
    """A cursor of the driver in the call's own transaction, after everything that waited has been written."""
    call.session.flush()
    cursor: Cursor = call.session.connection().connection.cursor()
    return cursor


def _answered(call: Call, house: House, statements: Queue, apple: AppleDevice, message: Message, raw: bytes) -> None:
    kept = None if holds_secret(message) else raw
    took = statements.answer(cursor_of(call), apple.device_id, apple.generation, message, call.now, kept)
    call.session.expire_all()
    if not took.known:
        _unexpected(call, apple, message)
    elif RULES[took.request_type].secret and message.status is Status.ACKNOWLEDGED:
        _keep_secret(house, apple, took.request_type, message)


def _keep_secret(house: House, apple: AppleDevice, request_type: str, message: Message) -> None:
    if request_type == "ActivationLockBypassCode":
        code = message.text("ActivationLockBypassCode")
        if 0 < len(code) <= 256:
            secrets.keep(house.seal, apple, ScopedSecret.BYPASS_CODE, code.encode())
    elif request_type == "DeviceLocation":
        found = {key: message.content.get(key) for key in LOCATION_KEYS}
        if all(isinstance(found[key], float | int) for key in ("Latitude", "Longitude")):
            text = json.dumps(
                {key: value if isinstance(value, float | int) else str(value)[:40] for key, value in found.items()}
            )
            secrets.keep(house.seal, apple, ScopedSecret.LOCATION, text.encode())


def _unexpected(call: Call, apple: AppleDevice, message: Message) -> None:
    """An answer that changes nothing. To a command that was taken back it is noted; a stranger's is an alarm."""
    command = call.session.scalar(select(AppleCommand).where(AppleCommand.uuid == message.command_uuid))
    if command is not None and command.device_id == apple.device_id:
        if command.state == CommandState.CANCELLED and "late" not in command.details:
            command.details = {**command.details, "late": str(message.status)}
        return
    strange(call, apple.device_id, "apple_result_refused", {"foreign": command is not None})


def strange(call: Call, device_id: int, kind: str, details: dict[str, object]) -> None:
    """Writes something suspicious on the phone's time line, the same at most once an hour."""
    recent = call.session.scalar(
        select(DeviceEvent.id)
        .where(DeviceEvent.device_id == device_id, DeviceEvent.kind == kind, DeviceEvent.at > call.now - QUIET)
        .limit(1)
    )
    log.warning("apple message is strange", kind=kind, device=device_id)
    if recent is None:
        inventory.note(call, call.session.get_one(Device, device_id), kind, details)


def _next(call: Call, house: House, knock: Knock, statements: Queue, apple: AppleDevice, *, idle: bool) -> Reply:
    while True:
        given = statements.next(cursor_of(call), apple.device_id, apple.generation, call.now, idle=idle)
        if given is None:
            return EMPTY
        if not given.guarded:
            return Reply(body=given.body)
        command = call.session.get_one(AppleCommand, given.id, populate_existing=True)
        why = _objection(call, house, knock, apple, command)
        if why is None:
            command.state, command.sent_at = CommandState.SENT.value, call.now
            return Reply(body=_opened(house, command, given))
        asking.close(call, command, CommandState.WITHHELD, why)
        strange(call, apple.device_id, "apple_command_withheld", {"request": command.request_type, "why": why})


def _opened(house: House, command: AppleCommand, given: Given) -> bytes:
    return secrets.open_command(house.seal, command.uuid, given.body) if command.sealed else given.body


def _objection(call: Call, house: House, knock: Knock, apple: AppleDevice, command: AppleCommand) -> str | None:
    """Why a command is not given after all: the device, or the order, is not what it was when it was asked."""
    device = call.session.get_one(Device, apple.device_id)
    if command.request_type == "EraseDevice":
        released = _released(call, house, knock, apple)
        if released is None or released != command.order_id:
            return "its order is not released"
    if command.request_type == "DeviceLocation" and not apple.lost_mode:
        return "the device is not lost"
    wrong = [
        one
        for one in errors(check(COMMAND, command.request_type, {}, asking.target(device, apple)))
        if one.code not in ("missing", "repetition")
    ]
    return wrong[0].text if wrong else None


def _released(call: Call, house: House, knock: Knock, apple: AppleDevice) -> str | None:
    """The id of the order that this phone shall carry out, proved at this moment; None where there is none."""
    key = house.order_key()
    if key is None or apple.user_enrollment:
        return None
    try:
        with call.session.begin_nested():
            former = former_keys(call.session, knock.enrollment_id)
            order = orders.released_for(
                call, apple.device_id, order_key=key, key_digest=knock.key_digest, former=former
            )
    except UnavailableError as error:
        # While the diary cannot be written, no order is given, and the phone goes on without it.
        log.warning("an order waits for the diary", device=knock.device_uid, why=str(error))
        return None
    return None if order is None or order["verb"] != "wipe" else order["id"]


def _prepare_order(call: Call, house: House, knock: Knock, apple: AppleDevice) -> None:
    """A released order becomes the command that comes before all others; once."""
    order_id = _released(call, house, knock, apple)
    if order_id is None:
        return
    there = call.session.scalar(
        select(AppleCommand.id).where(
            AppleCommand.device_id == apple.device_id,
            AppleCommand.order_id == order_id,
            # One that was answered is not given anew while the worker has not yet read the answer.
            AppleCommand.state.not_in([CommandState.CANCELLED, CommandState.EXPIRED, CommandState.WITHHELD]),
        )
    )
    if there is not None:
        return
    try:
        asking.queue(call, apple, "EraseDevice", {"PreserveDataPlan": False}, order_id=order_id, asked_by="order")
    except HavenmeesterError as error:
        strange(call, apple.device_id, "apple_order_refused", {"why": error.code})


Turn = Callable[[Call, House, Knock, Message, bytes], Reply]
