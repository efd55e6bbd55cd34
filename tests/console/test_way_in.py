"""The code for the employees' page, as a clerk hands it out: on the person's page, and on the receipt."""

import re
from collections.abc import Callable

from flask import Flask
from sqlalchemy import select

from mdm.people.model import Person
from mdm.portal.model import PortalKey
from mdm.settings import Settings
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
