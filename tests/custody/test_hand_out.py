"""Handing out: one person, one paper, one signature; everything at once or nothing."""

from typing import Any

import pytest
from sqlalchemy import func, select

from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.desk.custody import follow, kit, queries, signing, terms
from mdm.desk.custody.asked import HandOut, Signed
from mdm.desk.custody.codes import luhn
from mdm.desk.custody.handing import ask_signature
from mdm.desk.custody.kit import KitGiven
from mdm.desk.custody.model import Custody, KitPiece, Paper, Signature
from mdm.desk.custody.service import hand_out
from mdm.enrollment.model import Invitation
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, LifeCycle
from mdm.outbox.model import OutboxMessage
from mdm.people import service as people
from tests.conftest import NOW, Calling
from tests.custody.conftest import DRAWN, SIGNED, Counter, clerk
from tests.enrollment.conftest import LINKS

SIM = "893204200000000000" + str(luhn("893204200000000000"))


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def count(call: Any, model: type) -> int:
    return call.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_phone_with_its_kit_is_handed_out_with_one_signature_and_one_paper(
    calling: Calling, counter: Counter, out: Any
) -> None:
    done = out("one", kit=(KitGiven(code=SIM), KitGiven("charger"), KitGiven("case")))

    assert done.paper.number == "WERKHAVEN-2026-00001"
    assert done.paper.content["terms"]["language"] == "fr"
    assert [line["kind"] for line in done.paper.content["kit"]] == ["sim", "charger", "case"]
    with calling(write=False) as call:
        [held] = queries.held_by(call, counter.person["sarah"])
        assert held.device.state == LifeCycle.HANDED_OUT
        assert held.device.person_id == held.custody.person_id == counter.person["sarah"]
        assert len(held.kit) == 3
        assert call.session.scalars(select(KitPiece)).one().person_id == counter.person["sarah"]
        assert call.session.scalars(select(Signature)).one().used_at == NOW
        posted = call.session.scalars(select(OutboxMessage.topic)).all()
        assert "desk.paper" in posted


def test_papers_are_counted_per_service_point_without_gaps(calling: Calling, counter: Counter, out: Any) -> None:
    out("one")
    with pytest.raises(ConflictError):
        out("one", to="mo")
    assert out("two").paper.number == "WERKHAVEN-2026-00002"


def test_the_same_form_sent_twice_is_done_once(calling: Calling, counter: Counter, out: Any) -> None:
    first = out("one", key="k1", kit=(KitGiven("charger"),))
    second = out("one", key="k1", kit=(KitGiven("charger"),))

    assert second.again
    assert second.paper.id == first.paper.id
    with calling(write=False) as call:
        assert (count(call, Paper), count(call, Custody)) == (1, 1)


def test_handing_out_what_the_person_has_already_changes_nothing(calling: Calling, counter: Counter, out: Any) -> None:
    first = out("one")
    second = out("one")
    assert (second.again, second.paper.id) == (True, first.paper.id)


def test_a_key_of_another_act_does_nothing(counter: Counter, out: Any) -> None:
    out("one", key="k1")
    with pytest.raises(ConflictError) as refused:
        out("two", key="k1")
    assert refused.value.code == "key_reused"


@pytest.mark.parametrize("case", ["device_held", "not_wiped", "device_private", "person_left"])
def test_each_refusal_has_its_sentence_and_nothing_is_half_done(
    calling: Calling, counter: Counter, out: Any, back: Any, case: str
) -> None:
    out("one")
    if case == "not_wiped":
        back("one")
    with calling() as call:
        if case == "device_private":
            inventory.edit(call, counter.device["two"], {"ownership": "private"})
        if case == "person_left":
            people.leave(call, counter.person["mo"])
        before = (count(call, Paper), count(call, Custody), count(call, Signature))

    with pytest.raises(ConflictError) as refused:
        out("one" if case in ("device_held", "not_wiped") else "two", to="mo")

    assert refused.value.code == case
    with calling(write=False) as call:
        assert (count(call, Paper), count(call, Custody), count(call, Signature)) == before


def test_nobody_signs_only_with_a_reason(counter: Counter, out: Any) -> None:
    with pytest.raises(InvalidError) as refused:
        out("one", signed=None)
    assert refused.value.code == "signature_missing"
    assert out("one", signed=None, unsigned="sent by the internal post").paper.content["unsigned"].startswith("sent")


@pytest.mark.parametrize("strokes", [[], [[[1, 1]]], [[[0, 0], [2000, 0]]], "x", [[["a", "b"]]], [[[0, 0, 0]]]])
def test_what_is_no_signature_hands_nothing_out(calling: Calling, counter: Counter, out: Any, strokes: object) -> None:
    with pytest.raises(InvalidError):
        out("one", signed=Signed(strokes=strokes))
    with calling(write=False) as call:
        assert count(call, Custody) == 0


def test_a_clerk_hands_out_neither_to_nor_from_another_place(calling: Calling, counter: Counter, out: Any) -> None:
    for names, to in ((("elsewhere",), "sarah"), (("one",), "elsewhere")):
        with pytest.raises(NotFoundError):
            out(*names, to=to)
    with pytest.raises((DeniedError, NotFoundError)):
        out("one", by=clerk(counter.point["nova"]))


def test_a_person_signs_on_the_own_phone_and_only_for_what_stands_there(calling: Calling, counter: Counter) -> None:
    wanted = HandOut(counter.person["sarah"], (counter.device["one"],), counter.here, invite=False)
    with calling(clerk(counter.here)) as call:
        asked, secret = ask_signature(call, wanted)
        uid = asked.uid
    signed = HandOut(
        wanted.person_id, wanted.devices, wanted.service_point_id, invite=False, signed=Signed(request=uid)
    )
    with pytest.raises(ConflictError) as waiting, calling(clerk(counter.here)) as call:
        hand_out(call, signed)
    assert waiting.value.code == "signature_waiting"
    with calling() as call:
        signing.sign(call, secret, SIGNED)
    with calling() as call:
        # Sent again because the answer was lost: what was signed stays as it was.
        assert signing.sign(call, secret, Signed(typed="somebody else")).how == "own_phone"
    other = HandOut(wanted.person_id, (counter.device["two"],), counter.here, invite=False, signed=Signed(request=uid))
    with pytest.raises(ConflictError) as refused, calling(clerk(counter.here)) as call:
        hand_out(call, other)
    assert refused.value.code == "signature_other"
    with calling(clerk(counter.here)) as call:
        assert hand_out(call, signed).paper is not None
    with pytest.raises(ConflictError) as used, calling(clerk(counter.here)) as call:
        signing.take(
            call, {}, call.session.get_one(people.Person, counter.person["sarah"]), wanted.where, Signed(request=uid)
        )
    assert used.value.code == "signature_used"


def test_a_device_that_is_not_enrolled_gets_an_invitation_also_without_an_address(
    calling: Calling, counter: Counter
) -> None:
    wanted = HandOut(counter.person["mo"], (counter.device["one"],), counter.here, signed=SIGNED)
    with calling(clerk(counter.here)) as call:
        done = hand_out(call, wanted, LINKS)
    assert done.invited[0].url.startswith("https://console.example/e/")
    with calling(write=False) as call:
        invitation = call.session.scalars(select(Invitation)).one()
        device = call.session.scalars(select(Device).where(Device.uid == counter.device["one"])).one()
        assert (invitation.device_id, invitation.person_id) == (device.id, counter.person["mo"])


def test_a_sim_in_somebody_elses_name_stays_there(counter: Counter, out: Any) -> None:
    out("one", kit=(KitGiven(code=SIM),))
    with pytest.raises(ConflictError) as refused:
        out("two", to="mo", kit=(KitGiven(code=SIM),))
    assert refused.value.code == "kit_taken"


def test_a_piece_that_nobody_knows_needs_its_kind(counter: Counter, out: Any) -> None:
    with pytest.raises(InvalidError):
        out("one", kit=(KitGiven(code="CHG-7"),))
    assert out("one", kit=(KitGiven("charger", "CHG-7"),)).paper.content["kit"][0]["code"] == "CHG-7"


def test_terms_are_versioned_and_what_was_signed_stays(calling: Calling, counter: Counter, out: Any) -> None:
    first = out("one").paper
    with calling() as call:
        terms.save(call, "fr", "Nouveau", "Rendez tout.")
        assert terms.save(call, "fr", "Nouveau", "Rendez tout.").version == 2
    second = out("two").paper
    with calling(write=False) as call:
        kept = [call.session.get_one(terms.Terms, one.terms_id) for one in (first, second)]
        assert [one.version for one in kept] == [1, 2]
        assert kept[0].title == terms.shipped()["fr"].title
    with pytest.raises(DeniedError), calling(clerk(counter.here)) as call:
        terms.save(call, "fr", "x", "y")


def test_custody_follows_a_device_that_was_handed_out_by_another_door(
    calling: Calling, counter: Counter, out: Any
) -> None:
    out("one")
    with calling() as call:
        inventory.take_back(call, counter.device["one"])
        follow.follow_all(call)
        follow.follow_all(call)
    with calling(write=False) as call:
        assert call.session.scalars(select(Custody)).one().to_at == NOW


def test_the_kinds_that_are_shipped_are_written_once(calling: Calling, counter: Counter) -> None:
    with calling() as call:
        assert len(kit.shipped_kinds(call)) == len(kit.shipped_kinds(call)) == len(kit.SHIPPED)
    assert DRAWN
