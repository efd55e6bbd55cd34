"""Nothing is overbooked, whoever comes at once: on both databases."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError

from mdm.core.errors import ConflictError
from mdm.desk.loans.model import LoanSlot
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import FLEET_ADMIN, NOW, Calling, alone
from tests.desk.loans.library import at, library, reserve


def test_two_clerks_at_the_last_place_at_once_and_one_gets_it(engine: Engine) -> None:
    with transaction(engine) as session:
        place = library(Call(FLEET_ADMIN, session, NOW, alone()), at_most=1)
    ready = Barrier(2)

    def one(who: int) -> str:
        ready.wait(60)
        try:
            with transaction(engine) as session:
                call = Call(FLEET_ADMIN, session, NOW, alone())
                return reserve(call, place, who, at(24, 9), at(24, 12)).state
        except ConflictError as error:
            return error.code

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(one, (0, 1)))

    assert outcomes == ["loan_full", "reserved"]
    with transaction(engine, write=False) as session:
        assert session.scalar(select(func.max(LoanSlot.number))) == 1


def test_two_clerks_at_two_free_places_at_once_and_both_get_one(engine: Engine) -> None:
    with transaction(engine) as session:
        place = library(Call(FLEET_ADMIN, session, NOW, alone()))
    ready = Barrier(2)

    def one(who: int) -> str:
        ready.wait(60)
        with transaction(engine) as session:
            return reserve(Call(FLEET_ADMIN, session, NOW, alone()), place, who, at(24, 9), at(24, 12)).state

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(one, (0, 1))) == ["reserved", "reserved"]


def test_the_database_refuses_a_half_hour_twice_whatever_the_code_believes(calling: Calling) -> None:
    with calling() as call:
        place = library(call)
        row = reserve(call, place, 0, at(24, 9), at(24, 10))
        slot = call.session.scalars(select(LoanSlot).where(LoanSlot.what == "laptop")).first()
        assert slot is not None
        call.session.expunge(slot)
        with pytest.raises(IntegrityError), call.session.begin_nested():
            call.session.add(
                LoanSlot(
                    service_point_id=place.point,
                    what="laptop",
                    slot=slot.slot,
                    number=slot.number,
                    reservation_id=row.id,
                )
            )
            call.session.flush()
