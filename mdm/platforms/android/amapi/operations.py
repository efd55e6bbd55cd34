"""Commands at Google: each said once, with how long it stands, and followed to its end.

A full wipe is made of a released order and of nothing else; and of a private phone only the work profile is ever wiped.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import exists, or_, select

from mdm.commands import delivery, states
from mdm.commands.model import Command, Verb
from mdm.core.errors import N_, ConflictError, DeniedError, HavenmeesterError, InvalidError, LimitedError, NotFoundError
from mdm.core.text import clean
from mdm.enrollment.model import Enrollment
from mdm.inventory.model import Device, Ownership
from mdm.orders import delivery as orders
from mdm.orders.model import Order, OrderState
from mdm.platforms.android.amapi import phones, tokens
from mdm.platforms.android.amapi.client import Google
from mdm.platforms.android.amapi.house import AT_ONCE, House
from mdm.platforms.android.amapi.model import AndroidGooglePhone, AndroidOperation, OperationState
from mdm.platforms.android.amapi.render import Mode
from mdm.storage.call import Call

log = structlog.get_logger(__name__)
_S = OperationState
MOVES: Final[Mapping[OperationState, frozenset[OperationState]]] = {
    _S.WAITING: frozenset({_S.ISSUING, _S.FAILED, _S.EXPIRED, _S.CANCELLED}),
    _S.ISSUING: frozenset({_S.WAITING, _S.ISSUED, _S.DONE, _S.FAILED, _S.EXPIRED, _S.CANCELLED}),
    _S.ISSUED: frozenset({_S.DONE, _S.FAILED, _S.EXPIRED, _S.CANCELLED}),
    _S.DONE: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.EXPIRED: frozenset(),
}
OPEN: Final = tuple(state.value for state in (_S.WAITING, _S.ISSUING, _S.ISSUED))
LOOK_AGAIN: Final = timedelta(minutes=10)
"""How long nothing is heard of an operation before Google is asked."""
GRACE: Final = timedelta(hours=1)
"""How long after its end an operation may still be told of."""
AGAIN: Final = timedelta(days=1)
"""How long after a work profile could not be removed that is tried again."""
WIPE_STANDS: Final = timedelta(days=30)
CANCELLED: Final = 1
"""The code of gRPC for what was cancelled."""
REFRESH: Final = "REFRESH"
"""Not a command of Google's: the device is read anew."""
_ANSWERS: Final = {_S.DONE: "done", _S.FAILED: "failed", _S.CANCELLED: "failed", _S.EXPIRED: "failed"}
_WORDS: Final[Mapping[Verb, str]] = {Verb.LOCK: "LOCK", Verb.RESTART: "REBOOT", Verb.REFRESH: REFRESH}
_CANNOT: Final[Mapping[Verb, str]] = {
    Verb.DIAGNOSTICS: N_("Google's management gives no diagnostics; ask it to refresh what is known."),
    Verb.MESSAGE: N_("Google's management shows no message on a phone that is not lost."),
    Verb.UNLOCK: N_("A locked phone is opened with its own passcode."),
}
_USUAL: Final = N_("Google's management cannot do this.")


def gather(house: House) -> int:
    """Makes operations of what was asked: commands, released orders, and the end of the management of private phones."""
    count = 0
    with house.transact(write=False) as call:
        asked = _asked(call)
    for device_id in asked:
        with house.transact() as call:
            count += _commands(call, device_id)
    with house.transact(write=False) as call:
        ordered = _ordered(call)
    key = house.order_key() if ordered else None
    for device_id in ordered if key else ():
        with house.transact() as call:
            count += _order(call, device_id, str(key))
    with house.transact() as call:
        count += _ended(call)
    return count


def _asked(call: Call) -> list[int]:
    """Phones for which something was asked that is no operation yet; what waits at Google costs nothing here."""
    open_ = [state.value for state in states.OPEN]
    new = exists().where(
        Command.device_id == Device.id,
        Command.state.in_(open_),
        Command.expires_at > call.now,
        ~exists().where(AndroidOperation.command_id == Command.id),
    )
    query = (
        select(AndroidGooglePhone.device_id)
        .join(Device, Device.id == AndroidGooglePhone.device_id)
        .where(Device.waiting > 0, AndroidGooglePhone.state != phones.GONE, new)
        .order_by(AndroidGooglePhone.device_id)
        .limit(AT_ONCE)
    )
    return list(call.session.scalars(query))


def _commands(call: Call, device_id: int) -> int:
    phone = call.session.get_one(AndroidGooglePhone, device_id)
    count = 0
    for command in delivery.next_for(call.session, device_id, call.now):
        known = call.session.scalar(select(AndroidOperation.id).where(AndroidOperation.command_id == command["id"]))
        if known is not None:
            continue
        verb = Verb(command["verb"])
        why = _refusal(verb, phone)
        if why is not None:
            result = {"id": command["id"], "state": "refused", "detail": why}
            delivery.take_results(call, device_id, [result])  # type: ignore[list-item]
            continue
        _add(call, phone, _WORDS[verb], {}, phones.moment(command["expires"]) or call.now, command_id=command["id"])
        count += 1
    return count


def _refusal(verb: Verb, phone: AndroidGooglePhone) -> str | None:
    if verb not in _WORDS:
        return _CANNOT.get(verb, _USUAL)
    if verb is Verb.RESTART and phone.mode == Mode.WORK_PROFILE:
        return N_("A private phone is not restarted by the city.")
    return None


def _ordered(call: Call) -> list[int]:
    released = exists().where(
        Order.device_id == AndroidGooglePhone.device_id,
        Order.state.in_([OrderState.RELEASED.value, OrderState.FETCHED.value]),
    )
    made = exists().where(
        AndroidOperation.device_id == AndroidGooglePhone.device_id,
        AndroidOperation.order_id.is_not(None),
        AndroidOperation.state.in_(OPEN),
    )
    query = select(AndroidGooglePhone.device_id).where(released, ~made, AndroidGooglePhone.state != phones.GONE)
    return list(call.session.scalars(query.limit(AT_ONCE)))


def _order(call: Call, device_id: int, order_key: str) -> int:
    """A released order, proved at this moment, becomes a wipe; once."""
    device = call.session.get_one(Device, device_id)
    phone = call.session.get_one(AndroidGooglePhone, device_id)
    former = call.session.scalars(select(Enrollment.key_digest).where(Enrollment.device_id == device_id)).all()
    order = orders.released_for(call, device_id, order_key=order_key, key_digest=device.key_digest, former=former)
    if order is None or order["verb"] != "wipe":
        return 0
    if call.session.scalar(select(AndroidOperation.id).where(AndroidOperation.order_id == order["id"])) is not None:
        return 0
    try:
        _may_be_wiped(device, phone)
    except DeniedError as error:
        orders.take_answer(call, device_id, {"id": order["id"], "state": "refused", "detail": str(error)})
        return 0
    _add(call, phone, "WIPE", {"wipeParams": {}}, call.now + WIPE_STANDS, order_id=order["id"])
    return 1


def _may_be_wiped(device: Device, phone: AndroidGooglePhone) -> None:
    """Nothing for a device of the city that Google manages as a whole. Raises DeniedError (``device_private``) for any other."""
    whole = (phone.ownership, phone.management, phone.mode) == ("COMPANY_OWNED", "DEVICE_OWNER", Mode.MANAGED)
    if device.ownership == Ownership.PRIVATE or not whole:
        raise DeniedError(
            N_("This is somebody's private phone: it is never wiped in full. Nothing was asked of it."),
            code="device_private",
        )


def _ended(call: Call) -> int:
    """Private phones whose management people have ended: their work profile goes, and nothing else of them."""
    profiles = call.session.execute(
        select(AndroidGooglePhone, Device)
        .join(Device, Device.id == AndroidGooglePhone.device_id)
        .where(
            AndroidGooglePhone.mode == Mode.WORK_PROFILE.value,
            AndroidGooglePhone.ownership == "PERSONALLY_OWNED",
            AndroidGooglePhone.management == "PROFILE_OWNER",
            AndroidGooglePhone.state != phones.GONE,
            Device.ownership == Ownership.PRIVATE.value,
            Device.key_digest == "",
            ~exists().where(
                AndroidOperation.device_id == Device.id,
                AndroidOperation.kind == "WIPE",
                # One that failed is asked again, and not at every turn.
                AndroidOperation.state.in_(OPEN) | (AndroidOperation.created_at > call.now - AGAIN),
            ),
        )
        .limit(AT_ONCE)
    ).all()
    for phone, _device in profiles:
        reason = {"wipeReason": {"defaultMessage": "The management of this phone has ended."}}
        _add(call, phone, "WIPE", {"wipeParams": reason}, call.now + WIPE_STANDS, why="work profile")
    return len(profiles)


def _add(
    call: Call,
    phone: AndroidGooglePhone,
    kind: str,
    body: Mapping[str, Any],
    expires_at: datetime,
    *,
    command_id: str | None = None,
    order_id: str | None = None,
    why: str = "",
) -> None:
    call.session.add(
        AndroidOperation(
            device_id=phone.device_id,
            kind=kind,
            body=dict(body),
            command_id=command_id,
            order_id=order_id,
            why=why,
            created_at=call.now,
            expires_at=expires_at,
        )
    )
    call.session.flush()


def issue(house: House, google: Google, enterprise: str) -> int:
    """Says to Google what waits. What Google may have heard already is looked up before it is said again."""
    with house.transact() as call:
        rows = call.session.scalars(
            select(AndroidOperation)
            .where(AndroidOperation.state.in_([_S.WAITING.value, _S.ISSUING.value]))
            .order_by(AndroidOperation.order_id.is_(None), AndroidOperation.id)
            .limit(AT_ONCE)
        ).all()
        waiting = []
        for row in rows:
            if row.expires_at <= call.now:
                finish(call, row, _S.EXPIRED, "Its time passed before Google took it.")
                continue
            again = row.state == _S.ISSUING
            row.state, row.issued_at = _S.ISSUING.value, row.issued_at or call.now
            waiting.append((row.id, again))
    trouble: HavenmeesterError | None = None
    for operation_id, again in waiting:
        try:
            _issue_one(house, google, enterprise, operation_id, again=again)
        except ConflictError as error:
            # Not the command's fault: it is tried again with the next turn, and those behind it go on.
            trouble = error
    if trouble is not None:
        raise trouble
    return len(waiting)


def _issue_one(house: House, google: Google, enterprise: str, operation_id: int, *, again: bool) -> None:
    with house.transact(write=False) as call:
        row = call.session.get_one(AndroidOperation, operation_id)
        phone = call.session.get_one(AndroidGooglePhone, row.device_id).name
        kind, since = row.kind, row.issued_at or call.now
        body = {"type": kind, "duration": tokens.seconds(row.expires_at - call.now), **row.body}
    try:
        if kind == REFRESH:
            phones.take(house, google.call("enterprises.devices.get", enterprise, phone))
            with house.transact() as call:
                finish(call, call.session.get_one(AndroidOperation, operation_id), _S.DONE, "")
            return
        answer = _heard(house, google, enterprise, phone, kind, since) if again else None
        if answer is None:
            answer = google.call("enterprises.devices.issueCommand", enterprise, phone, body=body)
    except LimitedError:
        if not again:
            # The quota was used up before anything was said.
            with house.transact() as call:
                call.session.get_one(AndroidOperation, operation_id).state = _S.WAITING.value
        raise
    except (InvalidError, NotFoundError) as error:
        with house.transact() as call:
            finish(call, call.session.get_one(AndroidOperation, operation_id), _S.FAILED, str(error))
        return
    with house.transact() as call:
        row = call.session.get_one(AndroidOperation, operation_id)
        row.name = clean(answer.get("name"), 400).rpartition("/")[2][:128] or None
        row.state, row.checked_at = _S.ISSUED.value, call.now
        take(call, row, answer)


def _heard(
    house: House, google: Google, enterprise: str, phone: str, kind: str, since: datetime
) -> dict[str, Any] | None:
    """The operation that Google made of what was said before the line broke; None where it did not hear it."""
    for one in google.all("enterprises.devices.operations.list", enterprise, phone, items="operations"):
        said = one.get("metadata")
        made = phones.moment(said.get("createTime")) if isinstance(said, Mapping) else None
        if (
            not isinstance(said, Mapping)
            or said.get("type") != kind
            or made is None
            or made < since - timedelta(minutes=1)
        ):
            continue
        name = clean(one.get("name"), 400).rpartition("/")[2]
        with house.transact(write=False) as call:
            if call.session.scalar(select(AndroidOperation.id).where(AndroidOperation.name == name)) is None:
                return one
    return None


def follow(house: House, google: Google, enterprise: str) -> int:
    """Asks Google for operations of which nothing was heard for a while; how many."""
    with house.transact(write=False) as call:
        rows = call.session.execute(
            select(AndroidOperation.id, AndroidOperation.name, AndroidGooglePhone.name)
            .join(AndroidGooglePhone, AndroidGooglePhone.device_id == AndroidOperation.device_id)
            .where(
                AndroidOperation.state == _S.ISSUED.value,
                or_(AndroidOperation.checked_at.is_(None), AndroidOperation.checked_at <= call.now - LOOK_AGAIN),
            )
            .order_by(AndroidOperation.checked_at)
            .limit(AT_ONCE)
        ).all()
    for operation_id, name, phone in rows:
        answer: dict[str, Any] | None = None
        try:
            answer = google.call("enterprises.devices.operations.get", enterprise, phone, str(name))
        except NotFoundError:
            log.warning("google knows nothing of an operation", operation=name)
        with house.transact() as call:
            row = call.session.get_one(AndroidOperation, operation_id)
            row.checked_at = call.now
            if answer is not None:
                take(call, row, answer)
            if row.state == _S.ISSUED and row.expires_at + GRACE <= call.now:
                finish(call, row, _S.EXPIRED, "The phone did not take it in time.")
    return len(rows)


def told(call: Call, said: Mapping[str, Any]) -> bool:
    """Google told of an operation; whether it is one of ours. Twice is like once, and an older word changes nothing."""
    name = clean(said.get("name"), 400).rpartition("/")[2]
    row = call.session.scalar(select(AndroidOperation).where(AndroidOperation.name == name)) if name else None
    if row is None:
        return False
    take(call, row, said)
    return True


def take(call: Call, row: AndroidOperation, said: Mapping[str, Any]) -> None:
    """What Google says of an operation: nothing where it is not done yet."""
    if said.get("done") is not True:
        return
    error, command = said.get("error"), said.get("metadata")
    if isinstance(error, Mapping):
        cancelled = error.get("code") == CANCELLED
        why = clean(error.get("message"), 500) or "Google gave no reason."
        finish(call, row, _S.CANCELLED if cancelled else _S.FAILED, why)
    elif isinstance(command, Mapping) and command.get("errorCode") not in (None, "COMMAND_ERROR_CODE_UNSPECIFIED"):
        finish(call, row, _S.FAILED, clean(command.get("errorCode"), 64))
    else:
        finish(call, row, _S.DONE, "")


def finish(call: Call, row: AndroidOperation, state: OperationState, detail: str) -> None:
    """Ends an operation, and the command or order that it carries out. One that has ended stays as it is."""
    if state not in MOVES[OperationState(row.state)]:
        return
    row.state, row.detail, row.finished_at = state.value, detail[:2000], call.now
    answer = {"state": _ANSWERS[state], "detail": detail}
    if row.command_id is not None:
        delivery.take_results(call, row.device_id, [{"id": row.command_id, **answer}])  # type: ignore[typeddict-item]
    if row.order_id is not None:
        orders.take_answer(call, row.device_id, {"id": row.order_id, **answer})  # type: ignore[typeddict-item]
    if row.kind == "WIPE" and state is _S.DONE:
        phone = call.session.get(AndroidGooglePhone, row.device_id)
        if phone is not None:
            phone.state = phones.GONE
