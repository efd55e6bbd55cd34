"""What is taken along is everything: a string in every column that is about the person stands in the file, and nobody else's."""

import io
import json
import re
import zipfile
from datetime import UTC
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import iso
from mdm.core.ids import new_uid
from mdm.desk.custody.model import Custody, Photo, Signature
from mdm.desk.custody.photos import Files
from mdm.panic import location
from mdm.panic.model import PanicPlace
from mdm.people import service as people
from mdm.people.model import Person
from mdm.portal.model import AppRequest
from mdm.privacy import fields, own
from mdm.storage.call import Call
from mdm.storage.seal import Seal
from tests.privacy.helpers import calling_on
from tests.privacy.helpers import engine as engine
from tests.privacy.planting import ID, IDENTITIES, plant
from web.common.person_export import as_zip

FILES = Files(Path("/nonexistent"), Seal(b"k" * 32))
"""Where no picture lies."""


def _left_out(name: str) -> str:
    """Why a column that is about the person is not in the file; empty where it must be."""
    table, _dot, column = name.partition(".")
    found = fields.field(table, column)
    assert found is not None
    if own.SECRET.search(column):
        return "a secret, or its digest"
    return own.NOT_TAKEN.get(name, "")


def test_every_column_that_is_about_the_person_is_in_the_file(engine: Engine) -> None:
    planted = plant(engine)
    with calling_on(engine)() as call:
        said = json.dumps(own.export(call, ID, FILES).said, ensure_ascii=False)

    missing = sorted(name for name, canary in planted.gone.items() if canary not in said and not _left_out(name))
    assert missing == []
    assert [one for one in IDENTITIES if one not in said] == []
    useless = sorted(name for name in own.NOT_TAKEN if planted.gone.get(name, "?") in said)
    assert useless == []


def test_no_secret_and_nobody_else_is_in_the_file_and_older_rows_are_counted(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = plant(engine)
    monkeypatch.setattr(own, "MOST", 2)
    with calling_on(engine)() as call:
        person = call.session.get_one(Person, ID)
        other = people.create(call, name="Somebody Else", email="else@stad.example")
        for number in range(4):
            call.session.add(
                AppRequest(
                    uid=f"{number:032x}", slot=f"s{number}", state="asked", why=f"why{number}", asked_at=call.now,
                    offer_id=ID, person_id=other.id if number == 3 else person.id,
                )
            )  # fmt: skip
        call.session.flush()
        found = own.export(call, ID, FILES).said

    said = json.dumps(found, ensure_ascii=False)
    assert found["older_rows_left_out"]["app_request"] == 2
    assert ("why2" in said, "why1" in said, "why0" in said, "why3" in said) == (True, True, False, False)
    assert "Somebody Else" not in said
    hidden = [canary for name, canary in planted.gone.items() if _left_out(name)]
    assert [one for one in hidden if one in said] == []
    assert len(hidden) > 10


def _photo(call: Call, files: Files, custody: int | None, content: bytes) -> Photo:
    """A picture of a device that came back from this custody; None: that no paper has taken yet."""
    row = Photo(
        uid=new_uid(), digest="0" * 64, size=len(content), width=4, height=3, service_point_id=ID, device_id=ID,
        custody_id=custody, taken_by="C", taken_at=call.now,
    )  # fmt: skip
    call.session.add(row)
    call.session.flush()
    files.put(row.uid, content)
    return row


def test_pictures_of_their_devices_and_their_signature_are_in_the_file_and_nobody_elses(
    engine: Engine, tmp_path: Path
) -> None:
    plant(engine)
    files = Files(tmp_path, Seal(b"k" * 32))
    with calling_on(engine)() as call:
        other = people.create(call, name="Somebody Else", email="else@stad.example")
        mine, lost, broken = (_photo(call, files, ID, name) for name in (b"mine" * 9, b"lost" * 9, b"broken" * 9))
        theirs = Custody(
            uid=new_uid(),
            device_id=ID,
            person_id=other.id,
            person_name="S",
            from_at=call.now,
            to_at=call.now,
            out_by="C",
        )
        call.session.add(theirs)
        call.session.flush()
        _photo(call, files, theirs.id, b"zqtheirs" * 9)
        _photo(call, files, None, b"zqnobody" * 9)
        files.remove(lost.uid)
        signed = call.session.scalars(select(Signature).where(Signature.person_id == ID)).one()
        signed.strokes = [[[0, 0], [500, 200]]]
        call.session.get_one(Person, ID).language = "ar"
        call.session.flush()
        taken = own.export(call, ID, files)

    files.put(broken.uid, b"")
    (tmp_path / "files" / f"{broken.uid}.photo").write_bytes(b"\x01no seal of ours")
    with zipfile.ZipFile(io.BytesIO(as_zip(taken, UTC).data)) as archive:
        assert archive.testzip() is None
        held = {name: archive.read(name) for name in archive.namelist()}
    rows = {row["id"]: row["file"] for row in json.loads(held["data.json"])["data"]["handover"]["desk_photo"]}
    assert (rows[mine.id], rows[lost.id]) == (f"pictures/photo-{mine.id}.jpg", None)
    assert held[f"pictures/photo-{mine.id}.jpg"] == b"mine" * 9
    assert held[f"pictures/signature-{signed.id}.svg"].startswith(b"<svg ")
    assert held["missing.txt"].decode() == f"pictures/photo-{broken.id}.jpg"
    assert not [name for name, content in held.items() if b"zqtheirs" in content or b"zqnobody" in content]
    page = held["data.html"].decode()
    assert page.count("<img") == 3
    assert not re.search(r"\d{4}-\d\d-\d\dT", page), "moments as people write them"
    assert f'src="pictures/photo-{mine.id}.jpg"' in page


def test_where_their_call_for_help_came_from_is_in_the_file_that_they_take_and_in_no_other(engine: Engine) -> None:
    plant(engine)
    seal = Seal(b"k" * 32)
    with calling_on(engine)() as call:
        place = call.session.scalars(select(PanicPlace)).one()
        place.sealed = seal.seal(b'{"latitude": 51.2345, "longitude": 4.4}', f"panic_place:{place.uid}")
        call.session.flush()
        for_office = own.export(call, ID, FILES)
        me = Call(Actor(ActorKind.EMPLOYEE, ID, "Q"), call.session, call.now)
        taken = own.export_own(me, FILES)
        taken.add("panic_place", location.mine(me, seal))
        foreign = Call(Actor(ActorKind.EMPLOYEE, people.create(call, name="Other").id, "O"), call.session, call.now)

        assert location.mine(foreign, seal) == {}
    assert "51.2345" not in json.dumps(for_office.said)
    assert taken.said["data"]["safety"]["panic_place"][0]["latitude"] == 51.2345
    assert taken.said["made_at"] == iso(call.now)
