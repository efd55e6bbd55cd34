"""What a phone is given when it asks for its configuration: what its cohort shall be, and what is asked of it alone."""

from datetime import UTC, datetime
from typing import Any, Final

import structlog

from mdm.commands import delivery as commands
from mdm.commands.model import Verb
from mdm.core.errors import N_, UnavailableError
from mdm.enrollment.model import Enrollment
from mdm.enrollment.queries import former_keys
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, Ownership
from mdm.orders import delivery as orders
from mdm.platforms.android import files
from mdm.platforms.android.headwind import config, watching, wire
from mdm.platforms.android.headwind.house import House
from mdm.platforms.android.headwind.live import NOTHING, Live, live
from mdm.platforms.android.headwind.numbers import by_number
from mdm.platforms.android.model import AndroidNumber, AndroidPhone, PhoneState
from mdm.platforms.android.wanted import Wanted, wanted
from mdm.policies.model import Cohort
from mdm.storage.call import Call

log = structlog.get_logger(__name__)
LOCKED: Final = N_("This phone is locked by the city. Bring it to your service point.")
CANNOT: Final = {
    Verb.DIAGNOSTICS: N_("A phone sends its messages by itself; they are on its page."),
    Verb.FOUND: N_("The free agent knows no lost mode: unlock the phone instead."),
    Verb.LOCATE: N_("Phones with the free agent never say where they are."),
    Verb.LOST: N_("The free agent knows no lost mode: lock the phone instead."),
    Verb.MESSAGE: N_("The free agent shows a message only on a locked phone."),
    Verb.ROSTER: N_("A phone with the free agent proves no signatures; the gateway does it for it."),
}
PLACE: Final = "android_number:{id}:passcode"


def believed_wiped(call: Call, number: str) -> bool:
    """Whether this number ended because its phone was believed to be wiped."""
    row = by_number(call, number)
    return row.over_at is not None and row.over_why == "wiped"


def late(call: Call, number: str) -> None:
    """Notes that a phone is here whose wipe was believed; nothing for every other number."""
    row = by_number(call, number, lock=True)
    if row.over_at is not None and row.over_why == "wiped":
        watching.here_again(call, row)


def quiet(phone: Live) -> bool:
    """Whether this phone gets what it got before: then its row need not be written."""
    row = phone.row
    return (
        row.bound_at is not None
        and phone.shall in (NOTHING, row.given_digest)
        and phone.device.waiting == row.given_waiting == 0
        and not row.ask
        and not row.wipe_order
        and row.passcode is None
        and row.wipe_said_at is None
    )


def give(call: Call, house: House, phone: Live) -> dict[str, Any]:
    """The configuration of this phone now. Needs a transaction that writes unless it is ``quiet``."""
    row, device, cohort = phone.row, phone.device, phone.cohort
    if row.bound_at is None:
        return config.bare(_about(house, row, None))
    if not quiet(phone):
        watching.here_again(call, row)
        _take_commands(call, row)
        _take_order(call, house, row, device)
        row.given_digest = phone.shall
        row.given_at = call.now
        call.session.flush()
        row.given_waiting = device.waiting
    shall = wanted(cohort.desired.get("resources", [])) if cohort is not None else Wanted()
    once = config.Once(
        wipe=bool(row.wipe_order) and row.wipe_said_at is None,
        restart=Verb.RESTART.value in row.ask.values(),
        lock_message=None if row.lock_message is None else shall.screen.message or row.lock_message,
        passcode=_passcode(house, row) if device.ownership != Ownership.PRIVATE else "",
    )
    return config.configuration(shall, shelf(call, house), _about(house, row, cohort), once)


def _about(house: House, row: AndroidNumber, cohort: Cohort | None) -> config.About:
    moment = (
        cohort.computed_at
        if cohort is not None and cohort.computed_at is not None
        else datetime(2026, 1, 1, tzinfo=UTC)
    )
    return config.About(house.place.organisation, row.admin_digest, int(moment.timestamp() * 1000))


def shelf(call: Call, house: House) -> config.Shelf:
    """What was uploaded, with the addresses at which phones fetch it."""
    packages: dict[str, config.Package] = {}
    placed: dict[str, config.Placed] = {}
    for one in files.shelf(call.session):
        url = f"{house.place.base}{wire.FILES}{file_path(house, one.digest, one.package)}"
        if one.package:
            packages[one.package] = config.Package(
                one.name.removesuffix(".apk"), one.package, one.version, one.version_code, url
            )
        else:
            placed[one.digest] = config.Placed(one.digest, one.md5, url)
    return config.Shelf(packages, placed)


def file_path(house: House, digest: str, package: str) -> str:
    """The part of a file's address after ``/files/``: unguessable, and the same for every phone."""
    return f"{house.store.token(digest)}/{digest}{'.apk' if package else ''}"


def _passcode(house: House, row: AndroidNumber) -> str:
    if row.passcode is None:
        return ""
    return house.opened.open(row.passcode, PLACE.format(id=row.id)).decode()


def _take_commands(call: Call, row: AndroidNumber) -> None:
    """What people asked of the phone, into its row: it stands in every configuration until the phone has answered."""
    ask = dict(row.ask)
    device_id = int(row.device_id or 0)
    for command in commands.next_for(call.session, device_id, call.now):
        verb = Verb(command["verb"])
        if verb in CANNOT:
            result = {"id": command["id"], "state": "refused", "detail": CANNOT[verb]}
            commands.take_results(call, device_id, [result])  # type: ignore[list-item]
            continue
        ask[command["id"]] = verb.value
        if verb is Verb.LOCK:
            row.lock_message = LOCKED
        elif verb is Verb.UNLOCK:
            row.lock_message = None
    row.ask = ask


def _take_order(call: Call, house: House, row: AndroidNumber, device: Device) -> None:
    """A released wipe, proved at this moment, into the configuration; one that no longer holds, out of it."""
    if row.wipe_said_at is not None:
        return
    order = released(call, house, row, device)
    if order is None:
        row.wipe_order, row.wipe_given_at = "", None
    elif row.wipe_order != order:
        row.wipe_order, row.wipe_given_at = order, call.now


def released(call: Call, house: House, row: AndroidNumber, device: Device) -> str | None:
    """The id of the wipe that this phone shall carry out, proved at this moment; None where there is none."""
    key = house.order_key()
    enrollment = call.session.get(Enrollment, row.enrollment_id)
    if key is None or enrollment is None or device.ownership == Ownership.PRIVATE:
        return None
    try:
        with call.session.begin_nested():
            former = former_keys(call.session, enrollment.id)
            order = orders.released_for(call, device.id, order_key=key, key_digest=enrollment.key_digest, former=former)
    except UnavailableError as error:
        # While the diary cannot be written, no order is given, and the phone goes on without it.
        log.warning("an order waits for the diary", device=device.uid, why=str(error))
        return None
    return order["id"] if order is not None and order["verb"] == "wipe" else None


def confirm_wipe(call: Call, house: House, number: str) -> bool:
    """The phone asks whether it shall wipe itself now. True, and it does: the order is proved once more at this moment.

    Asked again after a yes it is answered the same. Raises NotFoundError for a number that is not enrolled.
    """
    phone = live(call, number, lock=True)
    row, device = phone.row, phone.device
    if row.wipe_said_at is not None:
        return call.now <= row.wipe_said_at + watching.GRACE
    if row.bound_at is None or not row.wipe_order or released(call, house, row, device) != row.wipe_order:
        watching.strange(call, device.id, "android_wipe_unasked", {})
        return False
    row.wipe_said_at = call.now
    known = call.session.get(AndroidPhone, device.id)
    if known is not None:
        known.state = PhoneState.WIPING.value
    inventory.note(call, device, "android_wiping", {"order": row.wipe_order})
    return True


def confirm_restart(call: Call, number: str) -> bool:
    """The phone asks whether it shall restart now; whether that was asked of it."""
    row = live(call, number, lock=True).row
    mine = [id_ for id_, verb in row.ask.items() if verb == Verb.RESTART]
    answer(call, row, {Verb.RESTART}, "")
    return bool(mine)


def confirm_passcode(call: Call, number: str) -> bool:
    """The phone says that it has its new passcode; whether one was asked."""
    phone = live(call, number, lock=True)
    if phone.row.passcode is None:
        return False
    phone.row.passcode = None
    inventory.note(call, phone.device, "android_passcode_set", {})
    return True


def answer(call: Call, row: AndroidNumber, verbs: set[Verb], detail: str) -> None:
    """Everything of these kinds that was asked of the phone is done."""
    done = [id_ for id_, verb in row.ask.items() if Verb(verb) in verbs]
    if not done:
        return
    row.ask = {id_: verb for id_, verb in row.ask.items() if id_ not in done}
    results = [{"id": id_, "state": "done", "detail": detail} for id_ in done]
    commands.take_results(call, int(row.device_id or 0), results)  # type: ignore[arg-type]
