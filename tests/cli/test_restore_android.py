"""What phones fetch is in a backup: a restored installation serves it at the same address, byte for byte."""

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import select
from werkzeug.test import Client

from mdm.cli.main import run
from mdm.cli.work import work
from mdm.platforms.android.files import FOLDER, Store
from mdm.platforms.android.headwind import wire
from mdm.platforms.android.model import AndroidFile
from mdm.settings import load
from mdm.simulate.handset import signature
from tests.sim.apk import Vendor
from web.gateway.app import make_gateway


def _fetched(place: str, name: str) -> tuple[int, bytes]:
    """What an agent gets under this address from the gateway of the home that the configuration names."""
    hot = make_gateway(load())
    headers = {wire.REQUEST_SIGNATURE: signature(f"{place}/{name}")}
    with Client(hot).get(f"{wire.FILES}{place}/{name}", headers=headers) as answer:
        found = answer.status_code, answer.data
    hot.database.dispose()
    return found


def test_a_restored_installation_serves_phones_the_same_files_at_the_same_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path / "old"))
    assert run(["init"]) == 0
    contents = {"maps.apk": Vendor().apk("be.stad.maps", "1.0", 1), "wall.png": b"\x89PNG the city's wall"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        assert run(["android", "upload", str(tmp_path / name)]) == 0
    old = Store(tmp_path / "old")
    digests = [hashlib.sha256(content).hexdigest() for content in contents.values()]
    places = [(old.token(digests[0]), f"{digests[0]}.apk"), (old.token(digests[1]), digests[1])]
    assert [_fetched(*one) for one in places] == [(200, content) for content in contents.values()]
    half = old.folder / "0123.new"
    half.write_bytes(b"an upload that is under way")

    assert run(["backup", str(tmp_path / "all.tar")]) == 0
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path / "new"))
    assert run(["restore", str(tmp_path / "all.tar")]) == 0

    assert [_fetched(*one) for one in places] == [(200, content) for content in contents.values()]
    with work(write=False) as call:
        kept = {one.digest: one.md5 for one in call.session.scalars(select(AndroidFile))}
    assert kept == {
        hashlib.sha256(content).hexdigest(): hashlib.md5(content, usedforsecurity=False).hexdigest()
        for content in contents.values()
    }
    assert not (tmp_path / "new" / FOLDER / half.name).exists()
    assert _fetched("0" * 32, digests[1])[0] == 404


def test_a_backup_in_which_a_phones_file_was_changed_is_refused_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path / "old"))
    assert run(["init"]) == 0
    (tmp_path / "wall.png").write_bytes(b"what the city brought in")
    assert run(["android", "upload", str(tmp_path / "wall.png")]) == 0
    file = tmp_path / "all.tar"
    assert run(["backup", str(file)]) == 0
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"what the city brought in", b"what a stranger put here"))

    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path / "new"))
    assert run(["restore", str(file)]) == 1

    assert not (tmp_path / "new" / FOLDER).exists()
