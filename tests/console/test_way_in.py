"""The code for the employees' page, as a clerk hands it out: on the person's page, and on the receipt."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pypdfium2
from flask import Flask
from sqlalchemy import select

from mdm.core.actor import system
from mdm.desk.custody import service
from mdm.desk.custody.model import Paper
from mdm.inventory.model import Device
from mdm.people.model import Person
from mdm.portal.model import PortalKey
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.console.conftest import Visitor
from web.portal.app import make_portal

CODE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}")


def _person(settings: Settings) -> int:
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        found = session.scalars(select(Person.id).where(Person.left_on.is_(None))).first()
    engine.dispose()
    assert found is not None
    return found


def _keys(settings: Settings) -> int:
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        found = len(session.scalars(select(PortalKey)).all())
    engine.dispose()
    return found


def test_the_code_of_the_persons_page_lets_that_person_in(
    signed_in: Callable[[str], Visitor], settings: Settings
) -> None:
    mo, person = signed_in("mo@stad.example"), _person(settings)
    assert f'action="/people/{person}/code"' in mo.get(f"/people/{person}").text
    made = mo.post(f"/people/{person}/code")
    code = CODE.search(made.text)

    assert made.status_code == 200
    assert made.headers["Cache-Control"] == "no-store"
    assert code is not None
    portal: Flask = make_portal(settings)
    phone = Visitor(portal)
    phone.get("/in", base_url=settings.portal_base)
    answer = phone.client.post(
        "/in/code", data={"csrf_token": phone.token, "code": code[0]}, base_url=settings.portal_base
    )
    assert (answer.status_code, answer.location) == (303, "/")


def test_who_may_not_work_at_a_desk_makes_no_code(signed_in: Callable[[str], Visitor], settings: Settings) -> None:
    reader, person = signed_in("sarah@stad.example"), _person(settings)
    page = reader.get(f"/people/{person}").text

    assert f'action="/people/{person}/code"' not in page
    assert reader.post(f"/people/{person}/code").status_code == 403
    assert _keys(settings) == 0


def _words(document: bytes) -> str:
    read = pypdfium2.PdfDocument(document)
    return "".join(page.get_textpage().get_text_range() for page in read)


def test_the_receipt_with_a_code_is_printed_once_and_the_plain_one_has_none(
    signed_in: Callable[[str], Visitor], settings: Settings
) -> None:
    engine = make_engine(settings.database)
    with transaction(engine, write=True) as session:
        call = Call(system("tests"), session, datetime.now(UTC))
        person = session.scalars(select(Person).where(Person.service_point_id.is_not(None)).order_by(Person.id)).first()
        device = session.scalars(select(Device).where(Device.state == "in_stock").order_by(Device.id.desc())).first()
        assert person is not None
        assert device is not None
        assert person.service_point_id is not None
        point = person.service_point_id
        service.hand_out(call, service.HandOut(person.id, (device.uid,), point, unsigned="test", invite=False))
        number = session.scalars(select(Paper.uid).order_by(Paper.id.desc())).first()
    engine.dispose()
    mo = signed_in("mo@stad.example")
    assert f'action="/desk/papers/{number}/code"' in mo.get(f"/desk/papers/{number}").text

    plain = mo.get(f"/desk/papers/{number}/receipt.pdf")
    assert _keys(settings) == 0
    made = mo.post(f"/desk/papers/{number}/code")

    assert (made.status_code, made.mimetype, made.headers["Cache-Control"]) == (200, "application/pdf", "no-store")
    assert _keys(settings) == 1
    assert re.search(r"^Code " + CODE.pattern, _words(made.data), re.MULTILINE)
    assert settings.portal_base in _words(made.data)
    assert settings.portal_base not in _words(plain.data)
    reader = signed_in("sarah@stad.example")
    reader.get("/")
    assert reader.post(f"/desk/papers/{number}/code").status_code == 403
