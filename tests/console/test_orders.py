"""A wipe through the pages: asked by one, decided by another, shown where it waits, with a receipt."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, text

from mdm.settings import Settings
from tests.console.conftest import Visitor
from tests.console.test_proving import an_hour_passes, laptop

SignedIn = Callable[[str], Visitor]
MO, MARIJKE, SARAH = "mo@stad.example", "marijke@stad.example", "sarah@stad.example"


def state(settings: Settings) -> list[str]:
    """The states of all orders."""
    with create_engine(settings.database).connect() as connection:
        return list(connection.execute(text("SELECT state FROM wipe_order")).scalars())


def ask(visitor: Visitor, settings: Settings, **changed: str) -> str:
    """Asks for a wipe and gives the address of the order."""
    uid, tag = laptop(settings)
    visitor.get(f"/devices/{uid}/wipe")
    answer = visitor.post(f"/devices/{uid}/wipe", **{"reason": "stolen at the station", "typed": tag, **changed})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def waiting(visitor: Visitor) -> str | None:
    """The number beside Approvals in the navigation."""
    found = re.search(r'<span class="hm-count"[^>]*>(\d+)</span>', visitor.get("/").text)
    return found[1] if found else None


def test_a_wrong_tag_asks_for_nothing_and_says_so_at_the_field(signed_in: SignedIn, settings: Settings) -> None:
    mo = signed_in(MO)
    uid, _tag = laptop(settings)
    mo.get(f"/devices/{uid}/wipe")

    answer = mo.post(f"/devices/{uid}/wipe", reason="stolen at the station", typed="something else")

    assert answer.status_code == 422
    assert 'id="typed-wrong">This is not what stands on the device. Nothing was asked.' in answer.text
    assert "stolen at the station" in answer.text
    assert state(settings) == []


def test_an_order_waits_visibly_for_the_second_person_and_for_nobody_else(
    signed_in: SignedIn, settings: Settings
) -> None:
    mo, marijke, sarah = signed_in(MO), signed_in(MARIJKE), signed_in(SARAH)
    assert waiting(marijke) is None

    address = ask(mo, settings)

    assert (waiting(marijke), waiting(mo), waiting(sarah)) == ("1", None, None)
    assert address in marijke.get("/approvals").text
    assert "stolen at the station" in marijke.get(address).text
    assert 'value="approve"' not in mo.get(address).text
    assert mo.post(f"{address}/decide", decision="approve").status_code == 403
    assert state(settings) == ["requested"]


def test_another_approves_and_the_receipt_says_who_did_what(signed_in: SignedIn, settings: Settings) -> None:
    mo, marijke = signed_in(MO), signed_in(MARIJKE)
    address = ask(mo, settings)
    marijke.get(address)

    assert marijke.post(f"{address}/decide", decision="approve", reason="seen the report").location == address

    receipt = marijke.get(address).text
    assert state(settings) == ["approved"]
    assert waiting(marijke) is None
    for told in ("Mo Haddad", "Marijke Peeters", "seen the report"):
        assert told in receipt
    assert marijke.post(f"{address}/decide", decision="approve").status_code == 409


def test_a_decision_needs_a_recent_proof(signed_in: SignedIn, settings: Settings) -> None:
    mo, marijke = signed_in(MO), signed_in(MARIJKE)
    address = ask(mo, settings)
    marijke.get(address)
    an_hour_passes(settings)

    assert marijke.post(f"{address}/decide", decision="approve").location == f"/prove?next={address}"
    assert state(settings) == ["requested"]


@pytest.mark.parametrize(("reason", "status", "after"), [("", 422, "requested"), ("he has it", 303, "rejected")])
def test_a_rejection_needs_a_reason(
    signed_in: SignedIn, settings: Settings, reason: str, status: int, after: str
) -> None:
    mo, marijke = signed_in(MO), signed_in(MARIJKE)
    address = ask(mo, settings)
    marijke.get(address)

    assert marijke.post(f"{address}/decide", decision="reject", reason=reason).status_code == status
    assert state(settings) == [after]


def test_who_asked_takes_it_back_and_nobody_decides_any_more(signed_in: SignedIn, settings: Settings) -> None:
    mo, marijke = signed_in(MO), signed_in(MARIJKE)
    address = ask(mo, settings)
    marijke.get(address)
    mo.get(address)

    assert mo.post(f"{address}/cancel").status_code == 303
    assert state(settings) == ["cancelled"]
    assert marijke.post(f"{address}/decide", decision="approve").status_code == 409
    assert waiting(marijke) is None
