"""Asking for an application: who may, what the city answers, and that it reaches the device by the policy engine."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.desk.loans import own
from mdm.desk.loans.model import Reservation
from mdm.enrollment.holders import holder_of
from mdm.inventory import service as inventory
from mdm.inventory.model import Device, DeviceGroupMember, LifeCycle
from mdm.outbox.model import OutboxMessage
from mdm.people import service as people
from mdm.people.model import Person
from mdm.platforms import service as platforms
from mdm.policies import service as policies
from mdm.policies.model import Cohort
from mdm.portal import app_answers, app_places, apps
from mdm.portal.app_moves import MOVES, moved
from mdm.portal.model import AppOffer, AppRequest, AppState
from mdm.portal.sessions import actor_of
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import FLEET_ADMIN, Calling, alone
from tests.console.conftest import console as console
from tests.console.conftest import signed_in as signed_in
from tests.desk.cases.town import Town, build
from tests.portal.conftest import Employee


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tested here is the same on both databases."""
    return sqlite_url


@pytest.fixture
def town(calling: Calling) -> Town:
    with calling() as call:
        return build(call)


def _offer(call: Call, **changes: object) -> AppOffer:
    told = {"name": "Planner", "about": "Routes", "platform": "linux", "identifier": "planner", "personas": ()}
    return app_answers.offer(call, **{**told, **changes})  # type: ignore[arg-type]


def _as(call: Call, person: int) -> Call:
    return call.by(actor_of(call.session.get_one(Person, person), "req"))


def _settle(call: Call, device: Device) -> dict[str, object]:
    """What the worker does after the post: the settings that the device gets."""
    policies.place_device(call, device.id)
    platforms.prepare_stale(call)
    cohort = device.cohort_id
    call.session.flush()
    return call.session.get_one(Cohort, cohort).settings


def _named(call: Call, uid: str) -> Device:
    return call.session.scalars(select(Device).where(Device.uid == uid)).one()


@pytest.mark.parametrize("state", AppState)
@pytest.mark.parametrize("to", AppState)
def test_a_wish_moves_as_the_table_says_and_no_other_way(state: AppState, to: AppState) -> None:
    wish = AppRequest(state=state.value, slot="1:1")

    if to is state:
        assert not moved(wish, to)
    elif to in MOVES[state]:
        assert moved(wish, to)
        assert wish.slot == ("1:1" if MOVES[to] else None)
    else:
        with pytest.raises(ConflictError):
            moved(wish, to)
        assert wish.state == state


def test_what_is_granted_comes_to_the_device_and_what_is_given_back_leaves_it(calling: Calling, town: Town) -> None:
    with calling() as call:
        offer = _offer(call)
        mine = _as(call, town.person)
        wish = apps.ask(mine, offer.uid, "To find my streets")
        laptop = _named(call, town.laptop)
        assert "apps.required" not in _settle(call, laptop)

        app_answers.answer(call, wish.uid, AppState.GRANTED, "Enjoy it")

        assert _settle(call, laptop)["apps.required"] == ["planner"]
        assert [(one.name, one.here, one.itself) for one in apps.given(mine, laptop)] == [("Planner", False, True)]
        assert "apps.required" not in _settle(call, _named(call, town.phone))

        apps.take_back(mine, wish.uid)

        assert "apps.required" not in _settle(call, laptop)
        assert call.session.scalar(select(func.count()).select_from(DeviceGroupMember)) == 0


def test_an_application_follows_its_person_and_not_the_device(calling: Calling, town: Town) -> None:
    with calling() as call:
        wish = apps.ask(_as(call, town.person), _offer(call).uid, "Work")
        app_answers.answer(call, wish.uid, AppState.GRANTED)
        laptop, other = _named(call, town.laptop), _named(call, town.far)
        members = select(DeviceGroupMember.device_id)
        assert call.session.scalars(members).all() == [laptop.id]

        inventory.move(call, laptop.uid, LifeCycle.RETURNED, reason="back")
        inventory.hand_out(call, other.uid, holder_of(call.session.get_one(Person, town.person)))
        app_places.follow_devices(call, [laptop.id, other.id])

        assert call.session.scalars(members).all() == [other.id]
        assert app_places.follow_devices(call, [laptop.id, other.id]) == 0
        assert laptop.state != LifeCycle.HANDED_OUT


def test_asking_twice_is_one_wish_and_a_refusal_needs_a_reason_that_the_person_reads(
    calling: Calling, town: Town
) -> None:
    with calling() as call:
        offer, mine = _offer(call), _as(call, town.person)
        with pytest.raises(InvalidError):
            apps.ask(mine, offer.uid, "  ")
        wish = apps.ask(mine, offer.uid, "Work")
        assert apps.ask(mine, offer.uid, "Work").uid == wish.uid
        with pytest.raises(InvalidError):
            app_answers.answer(call, wish.uid, AppState.REFUSED)
        assert wish.state == AppState.ASKED

        app_answers.answer(call, wish.uid, AppState.REFUSED, "Not for this work")
        app_answers.answer(call, wish.uid, AppState.REFUSED, "Not for this work")

        letters = call.session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "mail")).all()
        assert ["Not for this work" in one.payload["text"] for one in letters] == [True]
        with pytest.raises(ConflictError):
            app_answers.answer(call, wish.uid, AppState.GRANTED)
        assert apps.ask(mine, offer.uid, "Again").uid != wish.uid


def test_nobody_asks_for_what_is_not_for_them(calling: Calling, town: Town) -> None:
    with calling() as call:
        mine = _as(call, town.person)
        closed = _offer(call, name="Old", identifier="old")
        app_answers.close(call, closed.uid)
        others = [
            closed,
            _offer(call, name="Droid", identifier="droid", platform="android"),
            _offer(call, name="Units", identifier="units", personas=["unit"]),
        ]
        assert apps.offers(mine) == []
        for offer in others:
            with pytest.raises(NotFoundError):
                apps.ask(mine, offer.uid, "Work")
        assert call.session.scalar(select(func.count()).select_from(AppRequest)) == 0


def test_who_decides_sees_their_own_places_and_nobody_else_decides(calling: Calling, town: Town) -> None:
    there = Actor(
        ActorKind.OPERATOR, 5, "Editor", (Grant(Role.POLICY_EDITOR, PlaceKind.SERVICE_POINT, town.there),), "req"
    )
    with calling() as call:
        stranger = people.create(call, name="Somebody", email="s@stad.example")
        wish = apps.ask(_as(call, town.person), _offer(call).uid, "Work")
        assert app_answers.wishes(call.by(there)) == []
        for who in (there, town.clerk()):
            with pytest.raises(NotFoundError):
                app_answers.answer(call.by(who), wish.uid, AppState.GRANTED)
        with pytest.raises(DeniedError):
            _offer(call.by(there), identifier="x")
        with pytest.raises(NotFoundError):
            apps.take_back(_as(call, stranger.id), wish.uid)
        assert [one.request.uid for one in app_answers.wishes(call)] == [wish.uid]
        assert wish.state == AppState.ASKED
        with pytest.raises(ConflictError):
            _offer(call)


def test_what_it_is_good_for_is_said_in_the_readers_language_or_marked_as_another(
    employee: Employee, settings: Settings, signed_in
) -> None:
    boss = signed_in("mo@stad.example")
    boss.get("/applications/offers")
    said = {"about_nl": "Wegen vinden", "about_tr": "Yol bulur"}
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        platform = session.scalars(select(Device.platform).where(Device.person_id == employee.person)).first()
    made = boss.post("/applications/offers", name="Planner", platform=platform, identifier="planner", **said)
    assert made.status_code == 303
    with transaction(engine, write=False) as session:
        uid = session.scalars(select(AppOffer.uid).where(AppOffer.identifier == "planner")).one()
    for language, shown in (("tr", "<p>Yol bulur</p>"), ("fr", '<p lang="nl" dir="ltr">Wegen vinden</p>')):
        employee.post("/language", language=language)
        assert shown in employee.get("/apps").text
        assert shown in employee.get(f"/apps/ask/{uid}").text
    form = boss.get(f"/applications/offers/{uid}").text
    assert "Yol bulur" in form
    wrong = boss.post(f"/applications/offers/{uid}", about_ar="طرق", personas="nobody")
    assert wrong.status_code == 422
    assert "طرق" in wrong.text
    boss.post(f"/applications/offers/{uid}", about_ar="طرق")
    employee.post("/language", language="ar")
    assert "<p>طرق</p>" in employee.get("/apps").text
    engine.dispose()


def test_an_application_that_nobody_named_is_called_by_its_last_word() -> None:
    assert [apps.spoken(one) for one in ("be.stad.noodknop", "chromium", "odd.")] == ["Noodknop", "chromium", "odd."]


def test_asking_and_answering_by_the_pages(employee: Employee, settings: Settings, signed_in) -> None:
    engine = make_engine(settings.database)
    with transaction(engine, write=True) as session:
        call = Call(FLEET_ADMIN, session, datetime.now(UTC), alone())
        platform = session.scalar(select(Device.platform).where(Device.person_id == employee.person))
        uid = _offer(call, platform=platform, identifier="be.stad.kaart", name="Stadskaart").uid
    engine.dispose()
    assert "Stadskaart" in employee.get("/apps").text
    employee.get(f"/apps/ask/{uid}")
    assert employee.post(f"/apps/ask/{uid}", why=" ").status_code == 422
    assert employee.post(f"/apps/ask/{uid}", why="<b>For my round</b>").status_code == 303

    mo = signed_in("mo@stad.example")
    page = mo.get("/applications/requests").text
    assert "&lt;b&gt;For my round" in page
    wish = re.search(r"/applications/requests/(\w+)#", page)
    assert wish is not None
    assert mo.post(f"/applications/requests/{wish[1]}", step="refuse").status_code == 422
    assert mo.post(f"/applications/requests/{wish[1]}", step="grant", answer="Good luck").status_code == 303

    page = employee.get("/apps").text
    assert "You get it" in page
    assert "Good luck" in page


def test_somebody_reserves_extends_and_cancels_a_loan_on_their_page(employee: Employee, settings: Settings) -> None:
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        place = next(one for one in _places(Call(FLEET_ADMIN, session, datetime.now(UTC))) if "laptop" in one[1])[0]
    begins = datetime.now(UTC).date() + timedelta(days=10)
    while begins.weekday() > 1:
        begins += timedelta(days=1)
    employee.get("/loans/new")
    told = {"what": f"{place}:laptop", "begins_day": begins, "begins_hour": "10:00", "ends_hour": "11:00"}

    assert employee.post("/loans/new", **told, ends_day="soon").status_code == 422
    assert employee.post("/loans/new", **{**told, "what": f"{place}:kiosk"}, ends_day=begins).status_code == 422
    assert employee.post("/loans/new", **told, ends_day=begins - timedelta(days=1)).status_code == 422
    assert employee.post("/loans/new", **told, ends_day=begins).status_code == 303

    with transaction(engine, write=False) as session:
        uid = session.scalars(select(Reservation.uid).where(Reservation.person_id == employee.person)).one()
        others = session.scalars(select(Reservation.uid).where(Reservation.person_id != employee.person)).first()
    engine.dispose()
    assert "It is reserved for you" in employee.get("/loans").text
    later = begins + timedelta(days=1)
    assert employee.post(f"/loans/{uid}", ends_day=later, ends_hour="11:00").status_code == 303
    assert employee.post(f"/loans/{uid}", ends_day=begins, ends_hour="11:00").status_code == 422
    assert employee.get(f"/loans/{others}").status_code == 404
    assert employee.post(f"/loans/{others}", step="cancel").status_code == 404
    assert employee.post(f"/loans/{uid}", step="cancel").status_code == 303
    assert "You have borrowed nothing." in employee.get("/loans").text


def _places(call: Call) -> list[tuple[int, list[str]]]:
    return [(place.service_point_id, kinds) for place, _point, kinds in own.places(call)]
