"""What is asked of one phone: commands, passcodes, the doorbell, and a wipe that only a released order brings."""

import json
import threading
import time
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import select, update

from mdm.audit.model import AuditEntry
from mdm.commands import service as commands
from mdm.commands.model import Command, Verb
from mdm.core.clock import utcnow
from mdm.core.errors import ConflictError, InvalidError, LimitedError, NotFoundError
from mdm.enrollment import service as enrollment
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, FactSection
from mdm.orders import service as orders
from mdm.orders.model import Order, OrderState
from mdm.orders.release import release
from mdm.platforms import service as platforms
from mdm.platforms.android.headwind import service, watching
from mdm.platforms.android.model import AndroidNumber, AndroidPhone
from mdm.policies import assigning
from mdm.policies import service as policies
from mdm.simulate.handset import Handset, RefusedError, signature
from tests.conftest import FLEET_ADMIN
from tests.orders.ceremony import signed
from tests.platforms.android.conftest import BOTH, VENDOR, City

REQUESTERS = count(500)


def send(city: City, phone: Handset, verb: Verb) -> str:
    uid = city.device(phone).uid
    with city.call() as call:
        return commands.send(call, [uid], verb).commands[0]


def state(city: City, command: str) -> str:
    with city.call(write=False) as call:
        return call.session.get_one(Command, command).state


def test_a_lock_stays_until_it_is_taken_off_and_shows_a_message(city: City) -> None:
    phone = city.enrolled()
    asked = send(city, phone, Verb.LOCK)
    phone.visit()
    assert phone.configuration["lock"]
    assert "service point" in phone.configuration["lockMessage"]
    assert state(city, asked) == "done"
    phone.visit()
    assert phone.configuration["lock"]
    undo = send(city, phone, Verb.UNLOCK)
    phone.visit()
    assert not phone.configuration["lock"]
    assert state(city, undo) == "done"


def test_a_restart_is_asked_once_and_a_phone_that_was_not_asked_does_not(city: City) -> None:
    phone = city.enrolled()
    asked = send(city, phone, Verb.RESTART)
    phone.visit()
    assert (phone.restarts, state(city, asked)) == (1, "done")
    phone.visit()
    assert phone.restarts == 1
    assert city.ask("POST", f"/rest/plugins/devicereset/public/reboot/{phone.number}", b"{}", {})[0] == 403


@pytest.mark.parametrize("verb", [Verb.MESSAGE, Verb.DIAGNOSTICS])
def test_what_the_agent_cannot_do_is_answered_with_the_reason(city: City, verb: Verb) -> None:
    phone = city.enrolled()
    uid = city.device(phone).uid
    with city.call() as call:
        asked = commands.send(call, [uid], verb, {"text": "hello"} if verb is Verb.MESSAGE else None).commands[0]
    phone.visit()
    with city.call(write=False) as call:
        answered = call.session.get_one(Command, asked)
    assert answered.state == "refused"
    assert answered.detail


def test_a_passcode_is_given_once_is_forgotten_then_and_stands_in_no_diary(city: City) -> None:
    phone = city.enrolled()
    uid = city.device(phone).uid
    with city.call() as call:
        service.reset_passcode(call, city.seal, uid, "Haven-2741", "forgotten")
    phone.visit()
    assert phone.passcode == "Haven-2741"
    assert city.row(phone).passcode is None
    phone.visit()
    assert phone.configuration["passwordReset"] is None
    with city.call(write=False) as call:
        lines = [one.details for one in call.session.scalars(select(AuditEntry))]
    assert "2741" not in str(lines)
    with city.call() as call, pytest.raises(InvalidError):
        service.reset_passcode(call, city.seal, uid, "12 34")
    with city.call() as call, pytest.raises(LimitedError):
        for _ in range(100):
            service.reset_passcode(call, city.seal, uid, "1234")


@BOTH
def test_the_doorbell_rings_for_one_phone_and_says_nothing_but_come(city: City) -> None:
    phone, other = city.enrolled(), city.enrolled()
    heard: dict[str, list[str]] = {}

    def wait(name: str, one: Handset) -> None:
        try:
            heard[name] = one.poll()
        except (OSError, RefusedError) as error:
            heard[name] = [str(error)]

    threads = [
        threading.Thread(target=wait, args=(name, one), daemon=True)
        for name, one in (("mine", phone), ("other", other))
    ]
    for thread in threads:
        thread.start()
    last = time.monotonic() + 60
    send(city, phone, Verb.REFRESH)
    while "mine" not in heard and time.monotonic() < last:
        time.sleep(0.05)
    assert heard == {"mine": ["configUpdated"]}
    phone.visit()
    # Whoever waits still is heard out by a ring of its own, so that no thread outlives the test.
    send(city, other, Verb.REFRESH)
    for thread in threads:
        thread.join(60)
    assert heard["other"] == ["configUpdated"]


@BOTH
def test_what_a_policy_says_is_on_the_phone_and_the_page_knows_it(city: City) -> None:
    phone = city.enrolled()
    forms = city.upload("forms.apk", VENDOR.apk("org.example.forms", "2.0", 20))
    wallpaper = city.upload("wall.png", b"\x89PNG picture")
    with city.call() as call:
        policy = policies.create(
            call,
            "Phones",
            settings={
                "apps.required": ["org.example.forms", "org.example.missing"],
                "apps.blocked": ["com.example.game"],
                "apps.settings": [{"item": "org.example.forms/server", "value": "https://forms.example"}],
                "restrictions.unknown_sources": False,
                "passcode.min_length": 8,
                "proxy.mode": "direct",
            },
            raw_payloads=[
                {
                    "platform": "android",
                    "name": "wall",
                    "content": {
                        "kind": "headwind",
                        "content": {"files": [{"path": "/Pictures/wall.png", "digest": wallpaper.digest}]},
                    },
                }
            ],
        )
        assigning.assign(call, policy.id, include=["all"])
        policies.place_all(call)
        while platforms.prepare_stale(call):
            pass
    phone.installed["com.example.game"] = "1"
    assert phone.poll() == ["configUpdated"]
    phone.visit()

    assert phone.installed["org.example.forms"] == "2.0"
    assert "com.example.game" not in phone.installed
    assert phone.files == {"/Pictures/wall.png": b"\x89PNG picture"}
    assert "no_install_unknown_sources" in phone.configuration["restrictions"].split(",")
    assert phone.configuration["passwordMode"] == "moderate"
    assert phone.configuration["applicationSettings"][0]["value"] == "https://forms.example"
    with city.call(write=False) as call:
        said = call.session.get_one(FactSection, (city.device(phone).id, "desired")).content
    states = {key: one["state"] for key, one in said["resources"].items()}
    assert states["restrictions.unknown_sources"] == states["apps.settings"] == "applied"
    assert states["proxy.mode"] == "unsupported"
    assert states["apps.required"] == "failed"
    assert "org.example.missing" in said["resources"]["apps.required"]["detail"]
    assert said["packages_missing"] == ["org.example.missing"]
    assert forms.signer == VENDOR.digest

    city.upload("missing.apk", VENDOR.apk("org.example.missing", "1.0", 1))
    phone.report()
    with city.call(write=False) as call:
        said = call.session.get_one(FactSection, (city.device(phone).id, "desired")).content
    assert said["resources"]["apps.required"]["state"] == "pending", "the same report, seen by what was uploaded since"


def test_a_report_that_says_nothing_new_writes_nothing_and_one_that_does_is_taken(city: City) -> None:
    phone = city.enrolled()
    phone.visit()
    before = city.row(phone)
    phone.report()
    after = city.row(phone)
    assert (after.reported_at, after.reported_digest) == (before.reported_at, before.reported_digest)

    phone.installed["org.example.new"] = "1"
    phone.report()
    assert city.row(phone).reported_at > before.reported_at
    with city.call(write=False) as call:
        packages = call.session.get_one(FactSection, (city.device(phone).id, "packages")).content
    assert packages["count"] == len(phone.installed)

    with city.call() as call:
        long_ago = utcnow() - timedelta(hours=2)
        call.session.execute(update(AndroidNumber).where(AndroidNumber.id == after.id).values(reported_at=long_ago))
    phone.report()
    assert city.row(phone).reported_at > long_ago + timedelta(hours=1), "that it is still heard is written once an hour"


def test_a_file_is_only_for_those_who_were_told_its_address(city: City) -> None:
    kept = city.upload("paper.txt", b"for phones only")
    path = f"{'0' * 32}/{kept.digest}"
    assert city.ask("GET", f"/files/{path}", b"", {"X-Request-Signature": signature(path)})[0] == 404
    assert city.ask("GET", f"/files/{path}", b"", {})[0] == 403
    assert city.ask("GET", f"/android/agent/{kept.digest}.apk", b"", {})[0] == 404
    for wrong in ("../../keys/seal.key", "%2e%2e/%2e%2e/keys/seal.key", "x/../../files.key"):
        assert city.ask("GET", f"/files/{wrong}", b"", {"X-Request-Signature": signature(wrong)})[0] in (403, 404)


def wipe(city: City, phone: Handset) -> str:
    """The id of a wipe that was asked for, approved and signed."""
    requester = replace(FLEET_ADMIN, id=next(REQUESTERS))
    uid = city.device(phone).uid
    with city.call(requester) as call:
        asked = orders.request_wipe(call, uid, "Stolen from the van.").id
    phone.visit()
    assert not phone.wiped
    assert signed(city.gateway.engine, asked, city.gateway.people[:2]) == 0
    state = release(city.gateway.engine, city.gateway.signer.client, asked)
    assert state is OrderState.RELEASED, order(city, asked).held_why
    return asked


def order(city: City, number: str) -> Order:
    with city.call(write=False) as call:
        return call.session.get_one(Order, number)


def later(city: City, phone: Handset, **span: float) -> None:
    """Lets time pass since the phone said that it wipes itself."""
    with city.call() as call:
        said = utcnow() - timedelta(**span)
        row = city.row(phone).id
        call.session.execute(update(AndroidNumber).where(AndroidNumber.id == row).values(wipe_said_at=said))


@BOTH
def test_a_phone_that_was_wiped_is_enrolled_again_by_a_new_code_and_is_not_wiped_again(city: City) -> None:
    phone, other = city.enrolled(), city.enrolled()
    assert city.ask("POST", f"/rest/plugins/devicereset/public/{phone.number}", b"{}", {})[0] == 403
    asked = wipe(city, phone)
    other.visit()
    phone.fetch()
    assert (phone.wiped, other.wiped) == (True, False)
    assert order(city, asked).state == OrderState.FETCHED

    again = city.handset(phone.code, serial=phone.serial, imei=phone.imei)
    with pytest.raises(RefusedError, match="notfound"):
        again.fetch(first=True)
    assert order(city, asked).state == OrderState.DONE
    assert city.device(phone).state == "wiped"

    with city.call() as call:
        device = call.session.get_one(Device, city.device(phone).id)
        # What the worker does for the topic ``device.wiped``.
        enrollment.end(call, device, "wiped")
        device.state, device.person_id = "in_stock", None
    fresh = city.handset(serial=phone.serial, imei=phone.imei)
    fresh.enroll()
    fresh.visit()
    assert not fresh.wiped
    assert fresh.configuration["factoryReset"] is False
    assert city.device(fresh).id == city.device(phone).id


def test_a_phone_counts_as_wiped_when_it_is_silent_and_is_an_alarm_when_it_comes_after_that(city: City) -> None:
    phone = city.enrolled(kept=True)
    asked = wipe(city, phone)
    phone.fetch()
    with city.call() as call:
        assert watching.presume(call, timedelta(minutes=10)) == 0
    later(city, phone, minutes=11)
    with city.call() as call:
        assert watching.presume(call, timedelta(minutes=10)) == 1
        assert watching.presume(call, timedelta(minutes=10)) == 0
    assert order(city, asked).state == OrderState.DONE
    assert city.device(phone).state == "wiped"

    for visit in (phone.fetch, phone.report):
        with pytest.raises(RefusedError, match="notfound"):
            visit()
    with city.call(write=False) as call:
        lines = list(
            call.session.scalars(select(AuditEntry.action).where(AuditEntry.subject_id == city.device(phone).uid))
        )
    assert lines.count("phone.wipe_failed") == 1


def test_a_phone_that_comes_back_too_early_has_failed_and_only_the_order_itself_wipes(city: City) -> None:
    phone = city.enrolled(kept=True)
    asked = wipe(city, phone)
    city.ask(
        "GET", f"/rest/public/sync/configuration/{phone.number}", b"", {"X-Request-Signature": signature(phone.number)}
    )
    right = city.row(phone).wipe_order
    for told, status in (("f" * 32, 403), ("", 403), (right, 200)):
        with city.call() as call:
            call.session.get_one(AndroidNumber, city.row(phone).id).wipe_order = told
        assert city.ask("POST", f"/rest/plugins/devicereset/public/{phone.number}", b"{}", {})[0] == status
    later(city, phone, minutes=3)
    phone.kept = False
    phone.visit()
    assert order(city, asked).state == OrderState.FAILED
    assert not phone.wiped
    assert phone.configuration["factoryReset"] is False


NOOR = replace(FLEET_ADMIN, name="Noor")
"""Somebody who asked for no passcode yet: the brake counts by person."""


def _refused(city: City, uid: str) -> ConflictError:
    with city.call(NOOR) as call, pytest.raises(ConflictError) as told:
        service.reset_passcode(call, city.seal, uid, "Haven-2741")
    return told.value


def test_a_private_phone_and_one_that_was_never_set_up_are_given_no_passcode(city: City) -> None:
    phone = city.enrolled()
    device = city.device(phone)
    with city.call(NOOR) as call:
        service.reset_passcode(call, city.seal, device.uid, "Haven-2741")
        call.session.get_one(Device, device.id).ownership = "private"
    assert _refused(city, device.uid).code == "passcode_impossible"
    # What was asked before is judged again before it is given.
    phone.visit()
    assert not phone.passcode
    with city.call(NOOR) as call, pytest.raises(NotFoundError):
        uid = inventory.create(call, {"platform": "android", "kind": "phone", "name": "In stock"}).uid
        service.reset_passcode(call, city.seal, uid, "Haven-2741")


def test_a_passcode_that_nobody_fetched_within_a_day_is_forgotten_and_a_younger_one_is_not(city: City) -> None:
    phone, other = city.enrolled(), city.enrolled()
    with city.call(NOOR) as call:
        yesterday = replace(call, now=call.now - timedelta(days=1, minutes=1))
        service.reset_passcode(yesterday, city.seal, city.device(phone).uid, "Haven-2741")
        service.reset_passcode(call, city.seal, city.device(other).uid, "Haven-2742")
    with city.call(NOOR) as call:
        assert service.forget_passcodes(call) == 1
        assert service.forget_passcodes(call) == 0
    phone.visit()
    other.visit()
    assert (phone.passcode or "", other.passcode) == ("", "Haven-2742")


def test_the_log_of_a_phone_is_the_last_fifty_lines_cleaned_and_newest_first(city: City) -> None:
    phone = city.enrolled()
    said = [{"timestamp": 1_790_000_000_000 + n, "logLevel": 1, "message": f"line {n}\u202e\x00"} for n in range(60)]
    said.append({"timestamp": 2**52, "logLevel": 2, "packageId": "x", "message": "a clock that is wrong"})
    assert city.ask("POST", f"/rest/plugins/devicelog/log/list/{phone.number}", json.dumps(said).encode(), {})[0] == 200
    with city.call(write=False) as call:
        lines = service.log_lines(service.phone(call, city.device(phone).uid)[0])
    assert len(lines) == 50
    assert (lines[0].text, lines[0].level, lines[0].at) == ("a clock that is wrong", "warning", None)
    assert (lines[1].text, lines[-1].text) == ("line 59", "line 11")


def test_a_log_of_another_shape_is_no_log() -> None:
    for odd in (None, "x", [1, None, "x"], {"at": 1}):
        assert service.log_lines(AndroidPhone(details={"log": odd})) == []
    assert service.log_lines(AndroidPhone(details={"log": [{"at": True, "text": 7}]}))[0].text == "7"
