"""Updates of the agent: installed beside what is there, tried, kept or gone back from; and what no thief can do."""

import json
import shutil
import time
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from agent import VERSION, launcher
from mdm.core.errors import ConflictError, InvalidError
from mdm.releases import keys
from tests.releases.conftest import PASSPHRASE, Device, Shop, now
from tests.sim import gateway as sim


def asked(gateway: sim.Gateway, version: str, name: str = "u1") -> None:
    gateway.command(name, "update", {"version": version})


def test_a_release_is_installed_beside_the_old_one_and_proves_itself(device: Device, gateway: sim.Gateway) -> None:
    asked(gateway, "9.1.0")
    assert device.once().returncode == 0
    assert (device.note["version"], device.note["trial"]) == ("9.1.0", True)
    assert gateway.results == []
    done = device.once()
    assert done.returncode == 0, done.stderr
    assert gateway.result("u1")["state"] == "done"
    assert device.note == {"version": "9.1.0", "previous": "", "bad": [], "trial": False}
    assert device.version() == "9.1.0"
    assert {report["sections"].get("agent", {}).get("version") for report in gateway.reports} >= {"9.1.0"}
    # Asked again, nothing is done; and it goes back to nothing older.
    asked(gateway, "9.1.0", "u2")
    asked(gateway, "0.0.1", "u3")
    device.once()
    assert gateway.result("u2")["state"] == "done"
    assert gateway.result("u3")["state"] == "refused"


def test_a_release_that_does_not_load_is_never_in_force(device: Device, gateway: sim.Gateway, shop: Shop) -> None:
    shop.publish("9.2.0", exchange="import nothing_of_that_name")
    asked(gateway, "9.2.0")
    device.once()
    assert gateway.result("u1")["state"] == "failed"
    assert "nothing_of_that_name" in gateway.result("u1")["detail"]
    assert device.note == {}
    assert [one.name for one in (device.state / "releases").iterdir() if one.name[0] == "9"] == []


def test_a_release_that_does_not_speak_is_gone_back_from_by_itself(
    device: Device, gateway: sim.Gateway, shop: Shop
) -> None:
    shop.publish("9.2.0", loop="def once(agent):\n    raise SystemExit(9)")
    asked(gateway, "9.2.0")
    assert device.once().returncode == 0
    ends = [device.once().returncode for _ in range(4)]
    assert ends == [9, 9, 9, 0]
    assert gateway.result("u1")["state"] == "failed"
    assert "9.2.0" in gateway.result("u1")["detail"]
    assert device.version() == VERSION
    # It is not tried again by itself.
    asked(gateway, "9.2.0", "u2")
    device.once()
    assert gateway.result("u2")["state"] == "refused"


def test_a_release_that_hangs_is_ended_by_its_alarm(device: Device, gateway: sim.Gateway, shop: Shop) -> None:
    shop.publish("9.2.0", loop="def once(agent):\n    import time\n    time.sleep(600)")
    asked(gateway, "9.2.0")
    device.once()
    path = device.state / "releases" / "current.json"
    path.write_text(json.dumps({**device.note, "until": time.time() + 2}))
    assert device.once().returncode < 0
    path.write_text(json.dumps({**device.note, "until": time.time() - 1}))
    assert device.once().returncode == 0
    assert gateway.result("u1")["state"] == "failed"


DAMAGES = [
    "",
    "{",
    "[]",
    '{"version": "../../etc", "trial": true}',
    '{"version": 5, "bad": 7, "trial": true, "until": "x"}',
]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("resident", [True, False])
def test_a_damaged_note_starts_the_release_of_the_package(tmp_path: Path, damage: str, resident: bool) -> None:
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "current.json").write_text(damage)
    house = Path("/usr/lib/havenmeester-agent")
    assert launcher.choose(tmp_path, house, resident=resident, now=time.time()) == (house / "base", 0.0)


def test_a_device_notices_a_frozen_list_though_nobody_asks_it_to_install_anything(
    device: Device, gateway: sim.Gateway, shop: Shop
) -> None:
    device.once()
    device.once()
    assert gateway.facts["agent"]["releases"] == ""
    shop.age(4)
    looked = device.state / "releases" / "looked.json"
    looked.write_text(json.dumps({"at": time.time() - 90_000, "problem": ""}))
    device.once()
    device.once()
    assert gateway.facts["agent"]["releases"] == "frozen"
    assert "frozen" in (device.state / "log").read_text()


class TestThieves:
    """What somebody can do who has stolen a part: keep a device from an update for days, and nothing else."""

    def test_a_frozen_list_is_noticed(self, device: Device, shop: Shop) -> None:
        shop.age(4)
        assert device.fetch("9.1.0")["refused"] == "frozen"
        assert shop.repository.refresh(now())
        assert device.fetch("9.1.0") == {"placed": "9.1.0"}

    def test_an_older_state_of_the_repository_is_noticed(
        self, device: Device, shop: Shop, gateway: sim.Gateway
    ) -> None:
        old = shop.copy("old")
        shop.publish("9.2.0")
        assert device.fetch("9.2.0") == {"placed": "9.2.0"}
        gateway.releases = old.folder
        assert device.fetch("9.1.0")["refused"] == "older"

    def test_documents_of_two_states_do_not_mix(self, device: Device, shop: Shop) -> None:
        old = (shop.folder / "metadata" / "2.targets.json").read_bytes()
        shop.publish("9.2.0")
        (shop.folder / "metadata" / "3.targets.json").write_bytes(old)
        assert device.fetch("9.1.0")["refused"] == "older"
        # Nor does one release stand in for another.
        shutil.copy(shop.folder / "metadata" / "1.root.json", shop.folder / "metadata" / "2.root.json")
        assert device.fetch("9.1.0")["refused"] in ("older", "unsigned")

    def test_a_stolen_repository_installs_nothing(self, device: Device, shop: Shop) -> None:
        target = next((shop.folder / "targets").glob("*-9.1.0.tar.gz"))
        evil = shop.agent("9.1.0", main="print('evil')")
        from mdm.releases import publishing

        target.write_bytes(publishing.archive(evil))
        assert device.fetch("9.1.0")["refused"] == "changed"
        assert not (device.state / "releases" / "9.1.0").exists()

    def test_stolen_online_keys_install_nothing(self, device: Device, shop: Shop) -> None:
        thief = shop.keys.parent / "thief"
        keys.make(thief, "targets-1", None)
        forged: Metadata = shop.repository.targets()
        forged.signed.version += 1
        shop.repository._write(
            f"{forged.signed.version}.targets.json", forged, keys.of_role(thief, "targets", None).values()
        )
        # The thief lists the forgery with both online keys, as the clock would.
        shop.repository._list(forged.signed.version, now(), whole=True)
        assert device.fetch("9.1.0")["refused"] == "unsigned"

    def test_one_stolen_key_of_the_root_makes_no_new_root(self, device: Device, shop: Shop) -> None:
        holders = keys.of_role(shop.keys, "root", PASSPHRASE)
        forged = shop.repository.root()
        forged.signed.version = 2
        forged.signed.roles["root"].threshold = 1
        shop.repository._write("2.root.json", forged, [next(iter(holders.values()))])
        assert device.fetch("9.1.0")["refused"] == "unsigned"

    def test_whoever_has_only_some_keys_publishes_nothing(self, shop: Shop) -> None:
        (shop.keys / "targets-1.pem").unlink()
        before = sorted(path.name for path in (shop.folder / "metadata").iterdir())
        with pytest.raises(InvalidError, match="not in this folder"):
            shop.publish("9.2.0")
        for number in (1, 2):
            (shop.keys / f"root-{number}.pem").unlink()
        with pytest.raises(InvalidError, match="are needed"):
            shop.repository.rotate("targets", shop.keys, PASSPHRASE, now())
        assert sorted(path.name for path in (shop.folder / "metadata").iterdir()) == before

    def test_an_endless_file_is_cut_off(self, device: Device, shop: Shop) -> None:
        with (shop.folder / "metadata" / "timestamp.json").open("ab") as file:
            file.truncate(40_000_000)
        assert device.fetch("9.1.0")["refused"] == "changed"


@pytest.mark.parametrize("role", keys.ROLES)
def test_every_role_gets_new_keys_and_the_old_ones_prove_nothing(device: Device, shop: Shop, role: str) -> None:
    assert device.fetch("9.1.0") == {"placed": "9.1.0"}
    before = shop.copy("before")
    assert shop.repository.rotate(role, shop.keys, PASSPHRASE, now()) == 2
    shop.publish("9.2.0")
    assert device.fetch("9.2.0") == {"placed": "9.2.0"}
    if role == "root":
        # The old keys of the root make no third one.
        forged = shop.repository.root()
        forged.signed.version = 3
        old: list[CryptoSigner] = list(keys.of_role(before.keys, "root", PASSPHRASE).values())
        shop.repository._write("3.root.json", forged, old)
    else:
        thief = shop.repository
        folder = before.keys if role == "targets" else before.home / "keys" / "releases"
        held = keys.of_role(folder, role, PASSPHRASE if role == "targets" else None).values()
        name = "timestamp.json" if role == "timestamp" else f"{thief._newest(role)}.{role}.json"
        document: Metadata = thief._read(name)
        document.signed.version += 1
        at = name if role == "timestamp" else f"{document.signed.version}.{role}.json"
        thief._write(at, document, held)
        if role == "targets":
            thief._list(document.signed.version, now(), whole=True)
        if role == "snapshot":
            timestamp: Metadata = thief._read("timestamp.json")
            timestamp.signed.version += 1
            timestamp.signed.snapshot_meta.version = document.signed.version
            thief._write("timestamp.json", timestamp, thief._online("timestamp"))
    assert device.fetch("9.2.0")["refused"] == "unsigned"


def test_a_version_is_published_once(shop: Shop) -> None:
    before = len(list((shop.folder / "metadata").iterdir()))
    shop.publish("9.1.0")
    assert len(list((shop.folder / "metadata").iterdir())) == before
    with pytest.raises(ConflictError, match="published already"):
        shop.publish("9.1.0", main="# another one")


def test_the_clock_signs_anew_in_time_and_not_before(shop: Shop) -> None:
    assert not shop.repository.refresh(now())
    shop.age(2)
    assert shop.repository.refresh(now())
    assert not shop.repository.refresh(now())


def test_a_wrong_passphrase_signs_nothing(shop: Shop) -> None:
    from mdm.releases import publishing

    with pytest.raises(InvalidError, match="passphrase"):
        publishing.publish(shop.home, shop.agent("9.2.0"), shop.keys, "another passphrase", now())
    assert [one.version for one in shop.repository.published()] == ["9.1.0"]


def test_the_offline_keys_are_not_in_the_home(shop: Shop, tmp_path: Path) -> None:
    names = {path.name for path in shop.home.rglob("*.pem")}
    assert names == {"snapshot-1.pem", "timestamp-1.pem"}
    for path in shop.keys.iterdir():
        assert b"ENCRYPTED" in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
