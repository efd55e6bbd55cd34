"""A restore: a new epoch begins, and nothing that was used, taken back or frozen is forgotten with the backup."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from mdm.core.errors import HavenmeesterError
from mdm.signer import epochs
from mdm.signer.ledger import FILE
from mdm.signing.client import Signed, Withheld
from tests.signer.house import House
from tests.sim.approvers import Person


def _backup(house: House, to: Path) -> None:
    house.client.ledger.close()
    shutil.copytree(house.home / "signer", to)
    house.again()


def _restored(house: House, backup: Path, *, keep: bool = True) -> int:
    """The signer's folder comes back from the backup; the one that was there is kept beside it, or lost."""
    house.client.ledger.close()
    replaced = house.home / "replaced"
    (house.home / "signer").rename(replaced)
    shutil.copytree(backup, house.home / "signer")
    number, _ = epochs.begin(house.home / "signer", replaced if keep else None, house.clock.seconds)
    house.again()
    return number


def test_after_a_restore_no_order_from_before_is_signed(tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    device = house.device()
    resting, released = house.order(device), house.order(device)
    house.ask(resting)
    _backup(house, tmp_path / "backup")
    house.signed(released)

    assert _restored(house, tmp_path / "backup", keep=False) == 2

    for order in (resting, released):
        with pytest.raises(HavenmeesterError) as refused:
            house.ask(order)
        assert refused.value.code == "epoch"
    assert house.client.health().epoch == 2
    assert isinstance(house.signed(house.order(device, epoch=2)), Signed)


def test_what_the_replaced_ledger_knew_is_not_forgotten(tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    devices = [house.device() for _ in range(4)]
    _backup(house, tmp_path / "backup")
    for number, device in enumerate(devices[:2]):
        house.ask(house.order(device, lane="stolen", place="", requester=f"operator:{number + 1}"))
    private = house.device("private")
    void = house.order(devices[2], epoch=2)
    house.client.void_order(void.id)
    text = house.statement([*house.people, Person("operator:40", since=house.clock.seconds + 72 * 3600)], 2)
    house.client.change_roster(roster=text, proofs=[one.proof(text) for one in house.people])
    certificate = house.client.ledger.certificates("device", devices[3][0])[0]
    house.client.revoke(fingerprint=certificate.fingerprint, why="lost")

    assert _restored(house, tmp_path / "backup") == 2

    assert house.client.health().roster == 2
    held = house.ask(house.order(devices[2], lane="stolen", place="", requester="operator:9", epoch=2))
    assert isinstance(held, Withheld)
    assert held.code == "budget_stolen"
    for order, code in (
        (void, "order_void"),
        (house.order(private, epoch=2), "device_private"),
        (house.order(devices[3], epoch=2), "device_unknown"),
    ):
        with pytest.raises(HavenmeesterError) as refused:
            house.ask(order)
        assert refused.value.code == code


def test_a_freeze_outlives_a_restore_and_epochs_only_rise(tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    _backup(house, tmp_path / "backup")
    house.client.freeze(who="operator:1", why="")

    assert _restored(house, tmp_path / "backup") == 2
    assert house.client.health().frozen
    shutil.rmtree(house.home / "replaced")
    assert _restored(house, tmp_path / "backup") == 3


@pytest.mark.parametrize("wrong", ["broken", "another installation", "missing"])
def test_a_replaced_ledger_that_is_of_no_use_is_passed_over(tmp_path: Path, wrong: str) -> None:
    house = House(tmp_path / "home")
    _backup(house, tmp_path / "backup")
    house.client.freeze(who="operator:1", why="")
    house.client.ledger.close()
    if wrong == "broken":
        (house.home / "signer" / FILE).write_bytes(b"no database" * 1000)
    elif wrong == "missing":
        (house.home / "signer" / FILE).unlink()
    else:
        other = House(tmp_path / "other")
        shutil.copy(other.home / "signer" / "ca.pem", house.home / "signer" / "ca.pem")

    assert _restored(house, tmp_path / "backup") == 2

    assert not house.client.health().frozen
    with sqlite3.connect(house.home / "signer" / FILE) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
