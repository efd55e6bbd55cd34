"""Black-box checks 125 to 128 (operations), by their numbers."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from mdm.audit.model import AuditEntry
from mdm.cli import archive
from mdm.cli.restore import void
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import DeniedError, HavenmeesterError, InvalidError
from mdm.core.permissions import Grant, Role
from mdm.enrollment.model import Enrollment
from mdm.platforms.apple import papers, plist, post, secrets, service, waking
from mdm.platforms.apple.model import AppleDevice, ScopedSecret
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from mdm.storage.seal import load_seal
from tests.platforms.apple.city import City
from web.gateway.app import make_gateway

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One kind of database, where no SQL differs."""
UNLOCK = b"hm-unlock-token-0123456789"
MAGIC = "hm-push-magic-9876543210"


@SQLITE
def test_check_125_no_secret_of_a_phone_reaches_a_log(
    city: City, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    phone = city.enrolled()
    phone.token_update(UnlockToken=UNLOCK, PushMagic=MAGIC)
    # Also what is refused is logged: with the secrets in the body, and with a signature that is wrong.
    body = plist.write({"MessageType": "TokenUpdate", "UDID": phone.udid, "Token": b"t" * 32, "PushMagic": MAGIC})
    assert city.put(phone.checkin_path, body, {})[0] == 400
    assert city.put(phone.checkin_path, body, {"Mdm-Signature": "AAAA"})[0] == 400
    seal = load_seal(city.home / "keys")
    with city.call() as call:
        service.ask(call, seal, city.device(phone).uid, "ClearPasscode")
        code = secrets.reveal(call, seal, city.device(phone).uid, ScopedSecret.BYPASS_CODE, "a test")
    phone.run()
    city.deliver()
    out, err = capfd.readouterr()
    said = out + err + caplog.text
    assert "/apple/v1/" in said
    for secret in (UNLOCK.decode(), MAGIC, code, "PRIVATE KEY"):
        assert secret not in said


@SQLITE
def test_check_126_a_phone_works_on_after_a_backup_was_restored_elsewhere(city: City, tmp_path: Path) -> None:
    phone = city.enrolled()
    file, elsewhere = tmp_path / "backup.tar", tmp_path / "elsewhere"
    archive.write(city.settings, file, {"made_at": "now", "version": "0", "revision": "0"}, lambda _name, _size: None)
    elsewhere.mkdir()
    with archive.unpacked(file, tmp_path, lambda _name, _size: None) as (_, folder):
        shutil.copytree(folder / "keys", elsewhere / "keys")
        shutil.copy(folder / archive.SQLITE, elsewhere / "havenmeester.db")
    moved = city.settings.model_copy(
        update={"home": elsewhere, "database_url": f"sqlite:///{elsewhere / 'havenmeester.db'}"}
    )
    # What a restore ends (sessions, tokens, orders) are no enrollments.
    void(moved)
    restored = make_gateway(moved)
    before, city.gateway = city.gateway, restored
    try:
        assert phone.idle() == (200, b"")
        assert phone.token_update()[0] == 200
    finally:
        restored.database.dispose()
        city.gateway = before


@SQLITE
@pytest.mark.parametrize("days", [1, -1])
def test_check_127_a_clock_that_steps_a_day_ends_no_enrollment_and_takes_no_token_back(city: City, days: int) -> None:
    phone = city.enrolled()
    with city.call() as call:
        asked = service.ask(call, load_seal(city.home / "keys"), city.device(phone).uid, "DeviceLock")
    before = city.apple(phone)
    with city.call() as call:
        later = Call(call.actor, call.session, call.now + timedelta(days=days))
        for job in (post.sweep, post.behind, waking.repeat, papers.watch):
            job(later)
    after = city.apple(phone)
    assert (after.state, after.push, after.push_bad, after.topic) == ("enrolled", before.push, "", before.topic)
    with transaction(city.engine, write=False) as session:
        assert session.scalars(select(Enrollment.revoked_at)).all() == [None]
        assert session.scalars(select(AppleDevice.turn_away)).all() == [False]
    (lock,) = [one for one in city.commands(phone) if one.uuid == asked.uuid]
    assert lock.open
    assert phone.run() >= 1
    assert "DeviceLock" in phone.done


@SQLITE
@pytest.mark.parametrize("role", [Role.AUDITOR, Role.POLICY_EDITOR, Role.EMPLOYEE])
def test_check_128_without_the_right_no_secret_is_seen_and_nothing_dangerous_is_asked(city: City, role: Role) -> None:
    phone = city.enrolled()
    phone.token_update(UnlockToken=UNLOCK)
    seal, uid = load_seal(city.home / "keys"), city.device(phone).uid
    with city.call() as call:
        other = call.by(Actor(ActorKind.OPERATOR, 9, "x", (Grant(role),)))
        for secret in ScopedSecret:
            with pytest.raises(HavenmeesterError):
                secrets.reveal(other, seal, uid, secret, "curious")
        for request_type in ("ClearPasscode", "DeviceLock", "EnableLostMode", "ShutDownDevice", "RestartDevice"):
            with pytest.raises(HavenmeesterError):
                service.ask(other, seal, uid, request_type, {})
        # To erase is an order, also for whoever may do everything else.
        with pytest.raises(InvalidError):
            service.ask(call, seal, uid, "EraseDevice")
    assert phone.run() == 0


@SQLITE
def test_check_128_each_secret_that_is_seen_and_each_dangerous_command_is_a_line_in_the_diary(city: City) -> None:
    phone = city.enrolled()
    phone.token_update(UnlockToken=UNLOCK)
    seal, uid = load_seal(city.home / "keys"), city.device(phone).uid
    with city.call() as call:
        secrets.reveal(call, seal, uid, ScopedSecret.UNLOCK_TOKEN, "to look")
        service.ask(call, seal, uid, "ClearPasscode", reason="forgotten")
    with city.call() as call:
        program = call.by(Actor(ActorKind.TOKEN, 1, "t", (Grant(Role.FLEET_ADMIN),)))
        with pytest.raises(DeniedError):
            secrets.reveal(program, seal, uid, ScopedSecret.UNLOCK_TOKEN, "automatic")
    with transaction(city.engine, write=False) as session:
        lines = session.execute(
            select(AuditEntry.action, AuditEntry.details)
            .where(AuditEntry.action.in_(("secret.revealed", "device.asked")))
            .order_by(AuditEntry.id)
        ).all()
    assert [row[0] for row in lines] == ["secret.revealed", "device.asked"]
    assert lines[0][1] == {"what": "unlock_token", "reason": "to look"}
    assert lines[1][1]["request"] == "ClearPasscode"
    assert UNLOCK.decode() not in str(lines)
