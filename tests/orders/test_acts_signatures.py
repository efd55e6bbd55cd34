"""Whose signature counts for a risky act, until the moment in which it is done; and what is not believed of the database."""

import pytest
from sqlalchemy import select

from mdm.access.model import Operator, OperatorGrant
from mdm.core.actor import command_line
from mdm.core.errors import (
    ConflictError,
    DeniedError,
)
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.orders import acts
from mdm.orders.acts import Outcome
from mdm.orders.model import Act, ActApproval
from tests.conftest import NOW, Calling
from tests.orders.acting import City, S, agree, lines_of, performed, retire, state_of, wanted
from tests.orders.conftest import ADA, EVA
from tests.orders.founding import mirror, people
from tests.sim.approvers import Council, Person


def test_nobody_agrees_to_what_they_asked_for(calling: Calling, city: City) -> None:
    council = people(NOW, Person("operator:1", since=1), city.ada, city.eva)
    with calling() as call:
        mirror(call, council)
    act_id = wanted(calling, city, retire(city))

    with calling() as call:
        text = call.session.get_one(Act, act_id).canonical
        with pytest.raises(DeniedError) as caught:
            acts.approve(call.by(command_line("root")), act_id, council.people[0].proof(text))
    assert caught.value.code == "requester"
    with calling(city.admin) as call, pytest.raises(DeniedError):
        acts.approve(call, act_id, council.people[0].proof(text))
    assert performed(calling, act_id) is None


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"person": "operator:99"}, "person"),
        ({"key": "0" * 32}, "key"),
        ({"signature": "AAAA"}, "proof_signature"),
        ({"type": "x"}, "proof_form"),
    ],
)
def test_a_signature_that_does_not_hold_changes_nothing_and_raises_an_alarm(
    calling: Calling, city: City, change: dict[str, str], rule: str
) -> None:
    act_id = wanted(calling, city, retire(city))
    with calling(command_line("root")) as call:
        text = call.session.get_one(Act, act_id).canonical
        with pytest.raises(DeniedError) as caught:
            acts.approve(call, act_id, {**city.ada.proof(text), **change})
        assert caught.value.keep
    assert caught.value.code == rule
    with calling() as call:
        assert call.session.scalars(select(ActApproval)).all() == []
        assert [line.details["rule"] for line in lines_of(call, "act.approval_failed")] == [rule]


def test_a_signature_over_another_request_is_none(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    with calling() as call:
        other = call.session.get_one(Act, act_id).canonical.replace("broken", "stolen")

    with calling(ADA) as call, pytest.raises(DeniedError) as caught:
        acts.approve(call, act_id, city.ada.proof(other))

    assert caught.value.code == "proof_signature"


def test_somebody_who_has_signed_in_hands_in_only_their_own_signature(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    with calling(EVA) as call:
        text = call.session.get_one(Act, act_id).canonical
        with pytest.raises(DeniedError) as caught:
            acts.approve(call, act_id, city.ada.proof(text))
    assert caught.value.code == "not_yours"


@pytest.mark.parametrize(
    ("changes", "rule"), [({"since": int(NOW.timestamp()) + 60}, "waiting"), ({"places": ["ELSEWHERE"]}, "place")]
)
def test_a_new_approver_and_one_of_another_place_do_not_count(
    calling: Calling, city: City, changes: dict[str, object], rule: str
) -> None:
    council = people(NOW, Person("operator:2", **changes), city.eva)  # type: ignore[arg-type]
    with calling() as call:
        mirror(call, council)
    act_id = wanted(calling, city, retire(city))

    with pytest.raises(DeniedError) as caught:
        agree(calling, act_id, council.people[0])

    assert caught.value.code == rule


def test_who_leaves_the_roster_before_it_is_done_has_not_agreed(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    council = people(NOW, Person("operator:4", since=1), city.eva)
    with calling() as call:
        mirror(call, council)

    assert performed(calling, act_id) == Outcome(S.FAILED)
    assert state_of(calling, city) == "in_stock"


def test_an_approver_who_is_shut_out_before_it_is_done_has_not_agreed(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    with calling() as call:
        call.session.get_one(Operator, 2).disabled_at = NOW

    with pytest.raises(ConflictError):
        agree(calling, act_id, city.ada)
    assert performed(calling, act_id) == Outcome(S.FAILED)
    assert state_of(calling, city) == "in_stock"


@pytest.mark.parametrize("column", ["arguments", "subject_id", "verb", "requested_by_id", "facts"])
def test_an_act_that_was_altered_in_the_database_is_not_done(calling: Calling, city: City, column: str) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    with calling() as call:
        other = inventory.create(call, {"platform": "linux", "kind": "laptop", "name": "Other"})
        worse = {
            "arguments": {"reason": "another"},
            "subject_id": other.uid,
            "verb": "enrollment_end",
            "requested_by_id": "operator:9",
            "facts": {"devices": 10_000},
        }[column]
        setattr(call.session.get_one(Act, act_id), column, worse)

    assert performed(calling, act_id) == Outcome(S.FAILED)
    with calling() as call:
        assert set(call.session.scalars(select(Device.state))) == {"in_stock"}


def test_an_approval_that_was_written_into_the_database_counts_for_nothing(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    with calling() as call:
        row = call.session.get_one(Act, act_id)
        row.state = S.APPROVED.value
        call.session.add(
            ActApproval(
                act_id=act_id,
                approver_id="operator:2",
                approver_name="Ada",
                approved=True,
                at=NOW,
                proof={**city.ada.proof(row.canonical), "signature": "AAAA"},
            )
        )

    assert performed(calling, act_id) == Outcome(S.FAILED)
    assert state_of(calling, city) == "in_stock"


@pytest.mark.parametrize("gone", ["disabled", "roles"])
def test_whoever_lost_their_rights_no_longer_has_it_done(calling: Calling, city: City, gone: str) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    with calling() as call:
        if gone == "disabled":
            call.session.get_one(Operator, city.admin.id).disabled_at = NOW
        else:
            for grant in call.session.scalars(select(OperatorGrant).where(OperatorGrant.operator_id == city.admin.id)):
                call.session.delete(grant)

    assert performed(calling, act_id) == Outcome(S.FAILED)
    assert state_of(calling, city) == "in_stock"


def test_a_roster_that_was_written_into_the_database_approves_nothing(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    thieves = Council(*(Person(f"operator:{number}", since=1) for number in (2, 3)))
    with calling() as call:
        mirror(call, thieves)
    agree(calling, act_id, thieves.people[0])

    assert performed(calling, act_id) == Outcome(S.FAILED)
    assert state_of(calling, city) == "in_stock"


def test_while_the_mirror_lacks_the_roster_in_force_it_is_held_and_done_when_it_has_come(
    calling: Calling, city: City
) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)

    assert performed(calling, act_id, version=2) == Outcome(S.HELD, 300)
    assert state_of(calling, city) == "in_stock"

    city.council.change(city.council.people, city.council.people, issued=int(NOW.timestamp()) - 60)
    with calling() as call:
        mirror(call, city.council)
    assert performed(calling, act_id, version=2) == Outcome(S.DONE)
