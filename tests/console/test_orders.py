"""A wipe through the pages: asked by one, signed by two others, shown where it waits, with a reason for a no."""

import re

import pytest

from mdm.settings import Settings
from tests.console.conftest import Visitor
from tests.console.council import Council, ask, laptop, statement_of, states, visitor
from tests.console.test_kernel import hand_in
from tests.console.test_proving import an_hour_passes

MO, MARIJKE, SARAH, ANN = "mo@stad.example", "marijke@stad.example", "sarah@stad.example", "ann@stad.example"


def waiting(who: Visitor) -> str | None:
    """The number beside Approvals in the navigation."""
    found = re.search(r'<span class="hm-count"[^>]*>(\d+)</span>', who.get("/").text)
    return found[1] if found else None


def test_what_does_not_stand_on_the_device_asks_for_nothing_and_is_told_at_the_field(
    house: Settings, sealed: Council
) -> None:
    mo = visitor(house, MO)
    uid, _serial = laptop(house)
    mo.get(f"/devices/{uid}/wipe")

    answer = mo.post(f"/devices/{uid}/wipe", reason="stolen at the station", typed="something else")

    assert answer.status_code == 422
    assert 'id="typed-wrong">This is not what stands on the device. Nothing was asked.' in answer.text
    assert "stolen at the station" in answer.text
    assert states(house) == []


def test_an_order_waits_visibly_for_approvers_and_for_nobody_else(house: Settings, sealed: Council) -> None:
    sealed.found()
    mo, ann, sarah = (visitor(house, email) for email in (MO, ANN, SARAH))
    assert waiting(ann) is None

    address = ask(house)

    assert (waiting(ann), waiting(mo), waiting(sarah)) == ("1", None, None)
    assert address in ann.get("/approvals").text
    assert "stolen at the station" in ann.get(address).text
    assert 'value="approve"' not in mo.get(address).text
    assert "You asked for this yourself" in mo.get(address).text
    assert states(house) == ["requested"]


def test_two_sign_and_the_page_says_who_did_what(house: Settings, sealed: Council) -> None:
    sealed.found()
    address = ask(house)
    for name in ("ann", "bob"):
        who = visitor(house, f"{name}@stad.example")
        assert name.title() in who.get(address).text
        assert hand_in(who, f"{address}/decide", sealed.written(name, statement_of(house))) == 303

    page = who.get(address).text
    assert states(house) == ["approved"]
    assert waiting(who) is None
    for told in ("Mo Haddad", "Ann Approver", "Bob Approver", "2 of 2"):
        assert told in page
    assert hand_in(who, f"{address}/decide", sealed.written("bob", statement_of(house))) == 409


def test_an_approver_whom_the_roster_does_not_name_is_told_so(house: Settings, sealed: Council) -> None:
    sealed.found()
    address = ask(house)

    page = visitor(house, MARIJKE).get(address).text

    assert "the roster does not name you yet" in page
    assert 'value="approve"' not in page


def test_a_no_needs_a_recent_proof(house: Settings, sealed: Council) -> None:
    sealed.found()
    address = ask(house)
    ann = visitor(house, ANN)
    ann.get(address)
    an_hour_passes(house)

    assert ann.post(f"{address}/decide", decision="reject", reason="he has it").location == f"/prove?next={address}"
    assert states(house) == ["requested"]


@pytest.mark.parametrize(("reason", "status", "after"), [("", 422, "requested"), ("he has it", 303, "rejected")])
def test_a_rejection_needs_a_reason(house: Settings, sealed: Council, reason: str, status: int, after: str) -> None:
    sealed.found()
    address = ask(house)
    ann = visitor(house, ANN)
    ann.get(address)

    assert ann.post(f"{address}/decide", decision="reject", reason=reason).status_code == status
    assert states(house) == [after]


def test_who_asked_takes_it_back_and_nobody_signs_any_more(house: Settings, sealed: Council) -> None:
    sealed.found()
    address = ask(house)
    mo, ann = visitor(house, MO), visitor(house, ANN)
    ann.get(address)
    mo.get(address)

    assert mo.post(f"{address}/cancel").status_code == 303
    assert states(house) == ["cancelled"]
    assert hand_in(ann, f"{address}/decide", sealed.written("ann", statement_of(house))) == 409
    assert waiting(ann) is None
