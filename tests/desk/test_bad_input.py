"""Bad input at the desk: each has one clear sentence, and nothing is half done. One table over the verbs of all its rooms."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, select

from mdm.core.errors import ConflictError, HavenmeesterError
from mdm.desk.cases import service as cases
from mdm.desk.cases.model import Case
from mdm.desk.custody import box
from mdm.desk.custody import service as custody
from mdm.desk.custody.asked import HandOut, Swap, TakeIn
from mdm.desk.custody.model import BoxOutcome
from mdm.desk.custody.scan import CardKind, look_up
from mdm.desk.loans import places as loan_places
from mdm.desk.loans import service as loans
from mdm.desk.repairs import service as repairs
from mdm.desk.stock import shelves, takes, transfers
from mdm.inventory.queries import device_by_uid
from mdm.people import service as people
from mdm.storage.base import Base
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import NOW, Calling
from tests.desk.cases.town import Town, build, device

NOBODY = "f" * 32


@dataclass
class Desk:
    """The town, and what its verbs need."""

    town: Town
    spare: str
    gone: int
    """Somebody who has left."""
    transfer: str
    shelf: int


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, or the kind of database that the test asks for."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return str(request.getfixturevalue("postgres").fresh())


@pytest.fixture
def desk(calling: Calling) -> Desk:
    with calling() as call:
        town = build(call)
        spare = device(call, "Spare", town.here, "linux", "laptop").uid
        gone = people.create(call, name="Els Weg", email="els@stad.example", service_point_id=town.here)
        people.leave(call, gone.id, date(2026, 11, 1))
        transfer = transfers.open_transfer(call, town.here, "NOVA").uid
        shelf = shelves.create_shelf(call, town.here, "Kast").id
        loan_places.open_place(call, town.here, zone="Europe/Brussels")
        return Desk(town, spare, gone.id, transfer, shelf)


Verb = Callable[[Call, Desk, str], Any]
BY_DEVICE: dict[str, Verb] = {
    "hand out": lambda call, desk, uid: custody.hand_out(
        call, HandOut(desk.town.person, (uid,), desk.town.here, unsigned="ill", invite=False)
    ),
    "take in": lambda call, desk, uid: custody.take_in(call, TakeIn(uid, desk.town.here)),
    "swap in": lambda call, desk, uid: custody.swap(
        call, Swap(uid, desk.spare, desk.town.here, unsigned="ill", invite=False)
    ),
    "swap out": lambda call, desk, uid: custody.swap(
        call, Swap(desk.town.laptop, uid, desk.town.here, unsigned="ill", invite=False)
    ),
    "lost": lambda call, desk, uid: cases.open_lost(call, uid),
    "stolen": lambda call, desk, uid: cases.open_stolen(call, uid),
    "broken": lambda call, desk, uid: cases.open_broken(call, uid),
    "repair": lambda call, desk, uid: repairs.open(call, device_by_uid(call, uid), faults=["screen"]),
    "shelve": lambda call, desk, uid: shelves.shelve(
        call, device_by_uid(call, uid), shelves.queries.shelf(call, desk.shelf)
    ),
    "transfer": lambda call, desk, uid: transfers.add_device(call, desk.transfer, uid),
}


def dump(engine: Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


def refused(calling: Calling, engine: Engine, desk: Desk, verb: Callable[[Call], Any]) -> HavenmeesterError:
    """What the verb was refused with; nothing at all was changed, and it is told in sentences."""
    before = dump(engine)
    with pytest.raises(HavenmeesterError) as told, calling(desk.town.clerk()) as call:
        verb(call)
    assert dump(engine) == before
    sentence = str(told.value)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "Traceback" not in sentence
    assert "None" not in sentence
    return told.value


@pytest.mark.parametrize("name", BY_DEVICE)
def test_an_unknown_code_and_a_device_of_another_place_are_one_sentence_and_the_same(
    calling: Calling, engine: Engine, desk: Desk, name: str
) -> None:
    said = {
        str(refused(calling, engine, desk, lambda call, uid=uid: BY_DEVICE[name](call, desk, uid))).replace(uid, "")
        for uid in (NOBODY, desk.town.far, "", "' or 1=1 --", "\u202e\x00")
    }
    assert len(said) == 1


def test_nothing_goes_to_somebody_who_has_left(calling: Calling, engine: Engine, desk: Desk) -> None:
    for verb in (
        lambda call: custody.hand_out(
            call, HandOut(desk.gone, (desk.spare,), desk.town.here, unsigned="ill", invite=False)
        ),
        lambda call: loans.reserve(
            call,
            desk.gone,
            service_point_id=desk.town.here,
            kind="laptop",
            begins=NOW + timedelta(days=1),
            ends=NOW + timedelta(days=2),
        ),
    ):
        assert "left" in str(refused(calling, engine, desk, verb))


def test_a_device_that_is_in_somebodys_hands_is_not_handed_to_another(
    calling: Calling, engine: Engine, desk: Desk
) -> None:
    with calling() as call:
        other = people.create(call, name="Mo Ander", service_point_id=desk.town.here).id
    told = refused(
        calling,
        engine,
        desk,
        lambda call: custody.hand_out(
            call, HandOut(other, (desk.town.laptop,), desk.town.here, unsigned="ill", invite=False)
        ),
    )
    assert isinstance(told, ConflictError)


def test_a_list_with_one_wrong_device_hands_out_none(calling: Calling, engine: Engine, desk: Desk) -> None:
    refused(
        calling,
        engine,
        desk,
        lambda call: custody.hand_out(
            call, HandOut(desk.town.person, (desk.spare, desk.town.far), desk.town.here, unsigned="ill", invite=False)
        ),
    )


def test_what_another_clerk_did_meanwhile_is_told_and_not_undone(calling: Calling, engine: Engine, desk: Desk) -> None:
    refused(
        calling,
        engine,
        desk,
        lambda call: custody.take_in(call, TakeIn(desk.town.laptop, desk.town.here, custody=NOBODY)),
    )


def test_a_scan_never_fails_and_says_nothing_about_another_place(calling: Calling, desk: Desk) -> None:
    with calling(desk.town.clerk()) as call:
        for code in ("SER-Nova 1", "nothing-such", "", "\x00\x1d", "]C1" + "9" * 600, "' or 1=1 --", "=cmd()"):
            card = look_up(call, code, desk.town.here)
            assert card.kind is CardKind.UNKNOWN, code
            assert card.device is None
        assert look_up(call, "SER-Spare", desk.town.here).device is not None


def test_a_box_keeps_each_wrong_scan_as_a_line_and_takes_the_right_ones(calling: Calling, desk: Desk) -> None:
    with calling(desk.town.clerk()) as call:
        run = box.start(call, desk.town.here)
        wrong = [box.scan(call, run.uid, code) for code in ("SER-Nova 1", "nothing-such", "SER-Spare")]
        good = box.scan(call, run.uid, "SER-Laptop 3")
        twice = box.scan(call, run.uid, "SER-Laptop 3")
    assert {line.outcome for line in (*wrong, twice)} == {BoxOutcome.ERROR.value}
    assert all(line.message for line in (*wrong, twice))
    assert good.outcome == BoxOutcome.TAKEN.value
    far, nothing = wrong[0], wrong[1]
    assert (far.message, far.device_id) == (nothing.message, nothing.device_id)


def test_a_count_takes_a_double_scan_once(calling: Calling, desk: Desk) -> None:
    with calling(desk.town.clerk()) as call:
        take = takes.open_take(call, desk.town.here)
        takes.scan(call, take.id, "SER-Spare")
        takes.scan(call, take.id, "SER-Spare")
        known = [one for one, found in takes.queries.scans(call, take.id) if found is not None]
    assert len({one.device_id for one in known}) == 1


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_two_clerks_who_report_one_device_lost_open_one_case(calling: Calling, engine: Engine, desk: Desk) -> None:
    start, came = Barrier(2), []

    def report(number: int) -> None:
        try:
            with transaction(engine) as session:
                start.wait(60)
                case = cases.open_lost(Call(desk.town.clerk(number=number), session, NOW), desk.town.phone)
                came.append(case.uid)
        except HavenmeesterError as told:
            came.append(str(told))

    both = [Thread(target=report, args=(number,)) for number in (7, 8)] if engine.dialect.name != "sqlite" else []
    for one in both:
        one.start()
    for one in both:
        one.join(120)
    if not both:
        # SQLite lets one write at a time: the second one comes after the first.
        for number in (7, 8):
            with transaction(engine) as session:
                came.append(cases.open_lost(Call(desk.town.clerk(number=number), session, NOW), desk.town.phone).uid)
    with calling(write=False) as call:
        (case,) = call.session.scalars(select(Case)).all()
    assert case.uid in came
    assert all(one == case.uid or one.endswith(".") for one in came)
