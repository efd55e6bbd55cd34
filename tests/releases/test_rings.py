"""Which device gets which release, and when: by rings, the newest, once."""

import pytest
from sqlalchemy import Engine, select, update

from mdm.cli.main import run
from mdm.commands.model import Command, Verb
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, Role
from mdm.inventory.model import Device
from mdm.releases import service
from mdm.releases.model import EVERYONE, Release
from mdm.releases.repository import Published
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.worker import releases as clock
from mdm.worker.office import Office
from tests.conftest import NOW, Calling
from tests.releases.conftest import PASSPHRASE, Shop, now


def published(call: Call, *versions: str) -> None:
    for version in versions:
        service.published(call, Published(f"havenmeester-agent-{version}.tar.gz", version, "0" * 64, 1000))


def fleet(call: Call) -> None:
    """Five kiosks: two in the ring pilot, one of them ahead; one in none; one that never reported; one not enrolled."""
    rows = [
        ("a", "pilot", "1.0.0"),
        ("b", "pilot", "1.12.0"),
        ("c", "", "1.0.0"),
        ("d", "late", ""),
        ("e", "pilot", "1.0.0"),
    ]
    call.session.add_all(
        Device(
            uid=name * 32,
            name=name,
            platform="linux",
            kind="kiosk",
            ring=ring,
            agent_version=version,
            key_digest="" if name == "e" else name * 64,
            created_at=NOW,
        )
        for name, ring, version in rows
    )
    call.session.flush()


def due(call: Call) -> dict[str, str]:
    return {call.session.get_one(Device, one.device_id).name: one.version for one in service.due(call)}


def test_a_release_goes_to_its_rings_and_the_newest_wins(calling: Calling) -> None:
    with calling() as call:
        fleet(call)
        published(call, "1.2.0", "1.9.0", "1.10.0")
        assert due(call) == {}
        service.roll_out(call, "1.2.0", "pilot")
        assert due(call) == {"a": "1.2.0"}
        service.roll_out(call, "1.10.0", EVERYONE)
        service.roll_out(call, "1.9.0", EVERYONE)
        assert due(call) == {"a": "1.10.0", "c": "1.10.0"}
        service.withdraw(call, "1.10.0")
        assert due(call) == {"a": "1.9.0", "c": "1.9.0"}
        with pytest.raises(ConflictError):
            service.roll_out(call, "1.10.0", "pilot")
        with pytest.raises(InvalidError):
            service.roll_out(call, "1.9.0", "nobody")
        with pytest.raises(NotFoundError):
            service.roll_out(call, "7.7.7", EVERYONE)


def test_the_clock_asks_each_device_once_until_somebody_has_it_asked_again(
    calling: Calling, engine: Engine, tmp_path: object
) -> None:
    office = Office(engine, Settings(home=tmp_path), lambda: NOW)  # type: ignore[arg-type]
    with calling() as call:
        fleet(call)
        published(call, "1.2.0")
        service.roll_out(call, "1.2.0", EVERYONE)
    clock.roll_out(office)
    clock.roll_out(office)
    with calling() as call:
        asked = call.session.scalars(select(Command)).all()
        assert [(one.verb, one.args, one.asked_by) for one in asked] == [
            (Verb.UPDATE.value, {"version": "1.2.0"}, "releases")
        ] * 2
        assert call.session.scalars(select(Device.waiting).order_by(Device.name)).all() == [1, 0, 1, 0, 0]
        call.session.execute(update(Device).where(Device.name == "a").values(agent_version="1.2.0"))
        assert service.again(call, "1.2.0") == 1
        assert due(call) == {"c": "1.2.0"}
        line = service.releases(call)[0]
        assert (line.row.version, line.rings, line.running) == ("1.2.0", (EVERYONE,), 1)


def test_only_the_administrators_of_the_fleet_roll_out(calling: Calling) -> None:
    with calling() as call:
        published(call, "1.2.0")
    for role in set(Role) - {Role.FLEET_ADMIN}:
        with calling(Actor(ActorKind.OPERATOR, 3, "Nobody", (Grant(role),))) as call:
            for verb in (
                lambda call=call: service.roll_out(call, "1.2.0", EVERYONE),
                lambda call=call: service.withdraw(call, "1.2.0"),
            ):
                with pytest.raises(DeniedError):
                    verb()
    with calling() as call:
        assert call.session.scalars(select(Release)).one().withdrawn_at is None


def test_the_command_line_publishes_rolls_out_and_lists(
    shop: Shop, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAVENMEESTER_HOME", str(shop.home))
    monkeypatch.setenv("HAVENMEESTER_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("HAVENMEESTER_KEY_PASSPHRASE", PASSPHRASE)
    stick = str(shop.keys)
    assert run(["release", "publish", "--keys", stick, "--agent", str(shop.agent("9.3.0"))]) == 0
    assert run(["release", "roll-out", "9.3.0", "--ring", "*"]) == 0
    assert run(["release", "list"]) == 0
    assert "9.3.0" in capsys.readouterr().out
    assert run(["release", "rotate", "timestamp", "--keys", stick]) == 0
    assert run(["release", "found", "--keys", stick]) == 1
    assert run(["release", "take-away", "9.3.0", "--keys", stick]) == 0
    assert [one.version for one in shop.repository.published()] == ["9.1.0"]
    assert not shop.repository.refresh(now())
    monkeypatch.setenv("HAVENMEESTER_KEY_PASSPHRASE", "another passphrase")
    assert run(["release", "publish", "--keys", stick, "--agent", str(shop.agent("9.4.0"))]) == 1
    assert "passphrase" in capsys.readouterr().err
