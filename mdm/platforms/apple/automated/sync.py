"""Reading Apple's list of our devices, and telling Apple which profile each of them gets when it is set up."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import select

from mdm.core.errors import ConflictError
from mdm.core.text import clean
from mdm.inventory import fields
from mdm.platforms.apple.automated.client import CursorError, DeviceList
from mdm.platforms.apple.automated.model import AppleAssigned, AppleTie
from mdm.storage.call import Call

Transact = Callable[[], AbstractContextManager[Call]]
PAGES: Final = 1000
"""Pages of one reading at the most: a list that never ends is a fault of Apple's, and not read for ever."""
BATCH: Final = 1000
SUCCESS: Final = "SUCCESS"


def synchronise(transact: Transact, apple: DeviceList, tie_id: int, profile: dict[str, Any]) -> int:
    """Reads what changed (all of it the first time, and when the cursor is too old) and assigns our profile; how many.

    Nothing of ours is locked while Apple is asked. What an administrator must do at Apple's portal is kept with the tie.
    """
    try:
        count = _read(transact, apple, tie_id)
        _assign(transact, apple, tie_id, profile)
    except ConflictError as error:
        with transact() as call:
            call.session.get_one(AppleTie, tie_id).problem = str(error)
        raise
    with transact() as call:
        tie = call.session.get_one(AppleTie, tie_id)
        tie.problem, tie.synced_at = "", call.now
    return count


def _read(transact: Transact, apple: DeviceList, tie_id: int) -> int:
    with transact() as call:
        tie = call.session.get_one(AppleTie, tie_id)
        cursor, known = tie.cursor, bool(tie.cursor)
    try:
        return _walk(transact, apple.sync if known else apple.fetch, tie_id, cursor, whole=not known)
    except CursorError:
        return _walk(transact, apple.fetch, tie_id, "", whole=True)


def _walk(transact: Transact, page: Callable[[str], dict[str, Any]], tie_id: int, cursor: str, *, whole: bool) -> int:
    seen: set[str] = set()
    count = 0
    for _ in range(PAGES):
        answer = page(cursor)
        cursor = str(answer.get("cursor") or "")[:1000]
        with transact() as call:
            for entry in _entries(answer):
                count += 1
                seen.add(take(call, tie_id, entry))
            more = answer.get("more_to_follow") is True
            if not more:
                call.session.get_one(AppleTie, tie_id).cursor = cursor
                if whole:
                    _forget(call, tie_id, seen)
        if not more:
            return count
    return count


def _entries(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    devices = answer.get("devices")
    for one in devices if isinstance(devices, list) else []:
        if isinstance(one, dict) and fields.serial(one.get("serial_number")) is not None:
            yield one


def take(call: Call, tie_id: int, entry: dict[str, Any]) -> str:
    """Takes one line of the list; its serial number. Of two words about one device the later one counts."""
    serial = str(fields.serial(entry["serial_number"]))
    at = _moment(entry.get("op_date") or entry.get("device_assigned_date"))
    held = call.session.get(AppleAssigned, serial)
    if held is None:
        held = AppleAssigned(serial=serial, tie_id=tie_id)
        call.session.add(held)
    elif held.changed_at is not None and at is not None and at < held.changed_at:
        return serial
    held.tie_id = tie_id
    held.model = clean(entry.get("model"), 255)
    held.description = clean(entry.get("description"), 255)
    held.profile = clean(entry.get("profile_uuid"), 64) if entry.get("profile_status") != "removed" else ""
    held.listed = entry.get("op_type") != "deleted"
    held.changed_at = at or held.changed_at
    call.session.flush()
    return serial


def _forget(call: Call, tie_id: int, seen: set[str]) -> None:
    """Whoever is not on the whole list is ours no longer."""
    for held in call.session.scalars(select(AppleAssigned).where(AppleAssigned.tie_id == tie_id)):
        held.listed = held.listed and held.serial in seen


def _assign(transact: Transact, apple: DeviceList, tie_id: int, profile: dict[str, Any]) -> None:
    with transact() as call:
        number = call.session.get_one(AppleTie, tie_id).profile
    if not number:
        number = apple.define(profile)
        with transact() as call:
            call.session.get_one(AppleTie, tie_id).profile = number
    for _ in range(PAGES):
        with transact() as call:
            waiting = list(
                call.session.scalars(
                    select(AppleAssigned.serial)
                    .where(AppleAssigned.tie_id == tie_id, AppleAssigned.listed, AppleAssigned.profile != number)
                    .order_by(AppleAssigned.serial)
                    .limit(BATCH)
                )
            )
        if not waiting:
            return
        said = apple.assign(number, waiting)
        with transact() as call:
            done = [one for one in waiting if said.get(one) == SUCCESS]
            for serial in waiting:
                assigned = call.session.get_one(AppleAssigned, serial)
                answer = clean(said.get(serial), 64)
                assigned.problem = "" if answer == SUCCESS else answer or "NO_ANSWER"
                if answer == SUCCESS:
                    assigned.profile = number
        if len(done) < len(waiting):
            # What Apple did not take is tried again at the next reading, and not for ever at this one.
            return


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def enrollment_profile(organisation: str, gateway: str, address: str, anchors: tuple[str, ...]) -> dict[str, Any]:
    """The profile that Apple gives to a phone of ours while it is set up: where it enrols, and that it is supervised.

    ``anchors`` are certificates (Base64 of DER) that it must trust to reach us.
    """
    return {
        "profile_name": f"Havenmeester {clean(organisation, 80)}",
        "url": gateway + address,
        "anchor_certs": list(anchors),
        "await_device_configured": True,
        "is_mandatory": True,
        "is_mdm_removable": False,
        "is_supervised": True,
        "department": clean(organisation, 80),
        "org_magic": "havenmeester",
        "skip_setup_items": ["AppleID", "Diagnostics", "Payment", "Restore", "ScreenTime", "Siri", "Welcome"],
        "devices": [],
    }
