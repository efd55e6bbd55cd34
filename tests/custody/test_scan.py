"""A scan shows a card with the state and the one right next step; a code of another place is an unknown code."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import DeniedError
from mdm.desk.custody.kit import KitGiven
from mdm.desk.custody.next_step import Do
from mdm.desk.custody.scan import Card, CardKind, look_up
from mdm.desk.custody.service import erased_by_hand, make_ready, take_piece
from mdm.desk.stock import service as stock
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, LifeCycle
from mdm.people import service as people
from tests.conftest import NOW, Calling
from tests.custody.conftest import Counter, clerk
from tests.custody.test_hand_out import SIM


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def scan(calling: Calling, counter: Counter) -> Any:
    def one(code: str, at: str = "werkhaven") -> Card:
        with calling(clerk(counter.point[at]), write=False) as call:
            card = look_up(call, code, counter.point[at])
            call.session.expunge_all()
            return card

    return one


@pytest.mark.parametrize("code", ["TAG-one", "tag-one", "SERONE01", "490154203237518", "49015420323751", "SSERONE01"])
def test_tag_serial_and_imei_find_the_device_and_say_to_hand_it_out(scan: Any, code: str) -> None:
    card = scan(code)
    assert (card.kind, card.title, card.next.do) == (CardKind.DEVICE, "TAG-one", Do.HAND_OUT)


@pytest.mark.parametrize("code", ["B-77", "P1", "sarah@example.org", "Sarah", "sarah ait"])
def test_badge_number_address_and_name_find_the_person(scan: Any, code: str) -> None:
    card = scan(code)
    assert (card.kind, card.title, card.next.do) == (CardKind.PERSON, "Sarah Aït", Do.HAND_OUT)


def test_a_handed_out_device_says_who_has_it_with_which_kit_and_to_take_it_in(scan: Any, out: Any) -> None:
    out("one", kit=(KitGiven(code=SIM),))
    card = scan("TAG-one")
    assert (card.next.do, card.holder.name, str(card.next.why)) == (Do.TAKE_IN, "Sarah Aït", "Sarah Aït has it.")
    assert card.kit[0].piece.code == SIM
    assert card.locks is not None
    assert scan(SIM).next.do is Do.TAKE_PIECE
    assert [held.device.tag for held in scan("B-77").held] == ["TAG-one"]


def test_what_is_overdue_says_so(scan: Any, out: Any) -> None:
    out("one", loan=True, due_at=NOW - timedelta(days=1))
    assert str(scan("TAG-one").next.why) == "Sarah Aït should have brought it back already."


@pytest.mark.parametrize("code", ["TAG-elsewhere", "nothing-like-it", "Nora Nova", "", "\x00\x1d"])
def test_a_code_of_another_place_and_one_of_nobody_answer_alike(scan: Any, code: str) -> None:
    card = scan(code)
    assert (card.kind, card.next.do, card.device, card.holder, card.choices) == (
        CardKind.UNKNOWN,
        Do.NONE,
        None,
        None,
        (),
    )
    assert scan("TAG-elsewhere").next == scan("nothing-like-it").next


def test_a_misread_imei_says_to_scan_it_again(scan: Any) -> None:
    assert "check digit" in str(scan("490154203237519").next.why)


def test_eight_digits_are_the_code_of_a_device_that_is_not_scanned_yet(scan: Any) -> None:
    assert scan("1234 5678").kind is CardKind.PRESENCE


def test_half_a_word_gives_choices_that_lead_to_their_cards(scan: Any) -> None:
    card = scan("TAG-t")
    assert card.kind is CardKind.SEVERAL
    assert {scan(choice.code).title for choice in card.choices} == {"TAG-two", "TAG-three"}
    both = scan("iphone")
    assert both.kind in (CardKind.SEVERAL, CardKind.UNKNOWN)


def test_somebody_who_left_gets_nothing_and_brings_back_what_they_have(
    calling: Calling, counter: Counter, scan: Any, out: Any
) -> None:
    out("one")
    with calling() as call:
        people.leave(call, counter.person["sarah"])
    card = scan("B-77")
    assert (card.next.do, card.others) == (Do.TAKE_IN, ())
    assert "left on" in str(card.warnings[0])
    assert "left on" in str(scan("TAG-one").warnings[0])


def test_the_next_step_follows_the_device_through_its_life(
    calling: Calling, counter: Counter, scan: Any, out: Any, back: Any
) -> None:
    out("one")
    back("one")
    assert scan("TAG-one").next.do is Do.ERASE
    with calling(clerk(counter.here)) as call:
        shelf = stock.create_shelf(call, counter.here, "Kast 1").code
        erased_by_hand(call, counter.device["one"], "Erase All Content")
    assert scan("TAG-one").next.do is Do.SHELVE
    assert scan(shelf).kind is CardKind.SHELF
    with calling(clerk(counter.here)) as call:
        make_ready(call, counter.device["one"], shelf)
    assert scan("TAG-one").next.do is Do.HAND_OUT
    with calling() as call:
        inventory.move(call, counter.device["one"], LifeCycle.LOST)
    assert scan("TAG-one").next.do is Do.CASE


def test_a_linux_device_that_came_back_is_wiped_by_the_code_it_shows(
    calling: Calling, counter: Counter, scan: Any, out: Any, back: Any
) -> None:
    with calling() as call:
        device = call.session.query(Device).filter_by(tag="TAG-one").one()
        device.platform, device.enrolled_at, device.key_digest = "linux", NOW, "k" * 64
    out("one")
    back("one")
    assert scan("TAG-one").next.do is Do.WIPE


def test_a_piece_comes_back_alone(calling: Calling, counter: Counter, scan: Any, out: Any) -> None:
    out("one", kit=(KitGiven(code=SIM),))
    with calling(clerk(counter.here)) as call:
        take_piece(call, SIM, counter.here)
        take_piece(call, SIM, counter.here)
    assert scan("TAG-one").kit == ()
    assert scan(SIM).next.do is Do.HAND_OUT


def test_nobody_without_the_desk_sees_a_card(calling: Calling, counter: Counter) -> None:
    with pytest.raises(DeniedError), calling(Actor(ActorKind.OPERATOR, 9, "Stranger"), write=False) as call:
        look_up(call, "TAG-one")
    with pytest.raises(DeniedError), calling(clerk(counter.here), write=False) as call:
        look_up(call, "TAG-one", counter.point["nova"])


def test_a_card_costs_a_handful_of_statements_whoever_has_the_device(
    calling: Calling, counter: Counter, out: Any, engine: Engine
) -> None:
    out("one", kit=(KitGiven(code=SIM), KitGiven("charger")))
    needed = {}
    for code in ("TAG-one", "TAG-two", "B-77"):
        seen: list[str] = []

        def note(*given: Any, seen: list[str] = seen) -> None:
            seen.append(str(given[2]))

        with calling(clerk(counter.here), write=False) as call:
            event.listen(engine, "before_cursor_execute", note)
            look_up(call, code, counter.here)
            event.remove(engine, "before_cursor_execute", note)
        needed[code] = len(seen)
    assert needed["TAG-one"] <= 8
    assert needed["TAG-two"] <= 6
    assert needed["B-77"] <= 6
