"""A person helps themselves: the rules of the desk, no right of the desk, and nothing of anybody else."""

import pytest

from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, NotFoundError
from mdm.desk.custody import service as custody
from mdm.desk.custody.model import Custody
from mdm.desk.loans import own, queries, service
from mdm.desk.loans.model import LoanState
from mdm.people.model import Person
from mdm.storage.call import Call
from tests.conftest import Calling
from tests.desk.loans.library import at, library, reserve

NOBODY = Actor(ActorKind.VISITOR, None, "Person 0")
"""Somebody without any right of the desk."""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What differs between the databases is in ``test_races``."""
    return sqlite_url


def person(call: Call, number: int) -> Person:
    return call.session.get_one(Person, number)


def test_a_person_reserves_waits_and_cancels_for_themselves(calling: Calling) -> None:
    with calling() as call:
        place = library(call, at_most=1)
        me, her = person(call, place.people[0]), person(call, place.people[1])
        mine = call.by(NOBODY)
        with pytest.raises((DeniedError, NotFoundError)):
            reserve(mine, place, 0, at(24, 9), at(24, 12))
        window = {"service_point_id": place.point, "kind": "laptop", "begins": at(24, 9), "ends": at(24, 12)}
        first = own.reserve(mine, me, **window, key="phone-1")  # type: ignore[arg-type]
        assert own.reserve(mine, me, **window, key="phone-1").id == first.id  # type: ignore[arg-type]
        with pytest.raises(ConflictError):
            own.reserve(mine, her, **window)  # type: ignore[arg-type]
        waiting = own.reserve(mine, her, **window, wait=True)  # type: ignore[arg-type]
        assert [(row.uid, point.code) for row, point in own.mine(mine, me)] == [(first.uid, "LIB")]
        ((rules, point, kinds),) = own.places(mine)
        assert (rules.at_most, point.code, kinds) == (1, "LIB", ["laptop"])

        for another in (own.cancel, lambda *a: own.extend(*a, at(24, 13))):
            with pytest.raises(NotFoundError):
                another(mine, her, first.uid)
        assert own.cancel(mine, me, first.uid).state == LoanState.CANCELLED
        assert own.cancel(mine, me, first.uid).state == LoanState.CANCELLED
        assert waiting.state == LoanState.RESERVED
        assert own.mine(mine, me) == []


def test_a_person_keeps_a_loan_longer_when_nobody_waits(calling: Calling) -> None:
    with calling() as call:
        place = library(call)
        row = reserve(call, place, 0, at(24, 9), at(24, 12))
        service.collect(call, row.uid, place.laptops[0], signed=custody.Signed(typed="P"))
    with calling(now=at(24, 10)) as call:
        me = person(call, place.people[0])
        mine = call.by(NOBODY)
        assert own.extend(mine, me, row.uid, at(24, 15)).ends_at == at(24, 15)
        assert call.session.query(Custody).one().due_at == at(24, 15)
        with pytest.raises(ConflictError):
            own.cancel(mine, me, row.uid)
        assert queries.overdue_count(call) == 0
