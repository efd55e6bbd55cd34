"""The terms on their page, and who had a device on its own: papers, pictures, conditions."""

import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select

from mdm.core.actor import system
from mdm.desk.custody import photos, service
from mdm.desk.custody.model import Condition
from mdm.desk.stock.model import TransferLine
from mdm.inventory.model import Device
from mdm.people.model import Person
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.storage.seal import load_seal
from tests.console.conftest import Visitor

MO, SARAH = "mo@stad.example", "sarah@stad.example"
SignedIn = Callable[[str], Visitor]


@pytest.fixture
def handed(console: Flask, settings: Settings) -> tuple[str, str]:
    """A device that was handed out and came back with a picture: its uid and the picture's."""
    engine = make_engine(settings.database)
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "blue").save(out, "JPEG")
    with transaction(engine, write=True) as session:
        call = Call(system("tests"), session, datetime.now(UTC))
        person = session.scalars(select(Person).where(Person.service_point_id.is_not(None)).order_by(Person.id)).first()
        device = session.scalars(
            select(Device)
            .where(Device.state == "in_stock", Device.id.not_in(select(TransferLine.device_id)))
            .order_by(Device.id)
        ).first()
        if person is None or device is None or person.service_point_id is None:
            raise AssertionError("the pilot has neither people nor stock")
        point = person.service_point_id
        service.hand_out(call, service.HandOut(person.id, (device.uid,), point, unsigned="test", invite=False))
        files = photos.Files(settings.home, load_seal(settings.home / "keys"))
        picture = photos.take(call, files, device.uid, point, out.getvalue()).uid
        seen = service.Seen(Condition.DAMAGED, "barst in de hoek", (picture,))
        service.take_in(call, service.TakeIn(device.uid, point, seen=seen))
        found = device.uid, picture
    engine.dispose()
    return found


def test_the_page_of_a_device_says_who_had_it_with_papers_and_pictures(
    signed_in: SignedIn, handed: tuple[str, str]
) -> None:
    device, picture = handed
    mo = signed_in(MO)
    page = mo.get(f"/devices/{device}?tab=history").text
    assert "barst in de hoek" in page
    assert page.count("-00001") >= 1
    shown = mo.get(f"/desk/photos/{picture}")
    assert (shown.status_code, shown.mimetype, shown.headers["Cache-Control"]) == (
        200,
        "image/jpeg",
        "private, no-store",
    )
    assert mo.get("/desk/photos/" + "0" * 32).status_code == 404


def test_the_terms_are_read_and_a_new_version_is_put_in_force(signed_in: SignedIn) -> None:
    mo = signed_in(MO)
    assert "eigendom van de stad" in mo.get("/settings/terms?language=nl").text
    assert mo.post("/settings/terms", language="nl", title="Afspraken", text="Lever alles in.").status_code == 303
    page = mo.get("/settings/terms?language=nl").text
    assert "Lever alles in." in page
    assert "property of the city" in mo.get("/settings/terms?language=en").text
    refused = mo.post("/settings/terms", language="nl", title="", text="")
    assert refused.status_code == 422
