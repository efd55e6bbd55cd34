"""The table of risk: each row says when it applies, and only a permit for exactly this act opens the gate."""

import re
from datetime import UTC, datetime

import pytest

from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ApprovalNeededError, ConflictError
from mdm.core.risk import RISKS, Permit, Risk, Why, gate, spelled
from mdm.storage.call import Call

SOMEBODY = Actor(ActorKind.OPERATOR, 1, "Mo Admin")
NONE = Call(SOMEBODY, None, datetime(2026, 11, 23, tzinfo=UTC))  # type: ignore[arg-type]  # the gate reads no table
ARGS = {"reason": "broken"}


def permit(risk: Risk = Risk.DEVICE_RETIRE, subject: str = "d1", args: dict[str, str] = ARGS, **facts: int) -> Permit:
    """An approved act."""
    return Permit(Why.APPROVED, risk, ("device", subject), spelled(args), facts, "a1")


def test_every_verb_has_a_row_and_words_that_are_its_own() -> None:
    assert set(RISKS) == set(Risk)
    assert len({row.words for row in RISKS.values()}) == len(RISKS)


@pytest.mark.parametrize("risk", list(Risk))
def test_a_row_applies_above_the_number_that_its_sentence_names(risk: Risk) -> None:
    row = RISKS[risk]
    if row.when == "every time":
        assert row.applies({})
        return
    (name,) = row.known
    limit = int(found.group()) if (found := re.search(r"\d+", row.when)) else 0

    assert not row.applies({})
    assert not row.applies({name: limit})
    assert row.applies({name: limit + 1})


def test_without_a_permit_the_gate_says_everything_that_a_request_needs() -> None:
    with pytest.raises(ApprovalNeededError) as caught:
        gate(NONE, Risk.DEVICE_RETIRE, ("device", "d1"), ARGS, facts={"devices": 1}, private={"secret": "x"})

    error = caught.value
    assert (error.code, error.risk, error.subject, error.arguments) == (
        "approval_needed",
        "device_retire",
        ("device", "d1"),
        ARGS,
    )
    assert (error.facts, error.private, error.act) == ({"devices": 1}, {"secret": "x"}, "")


def test_an_approved_act_opens_the_gate_once() -> None:
    call = NONE.with_permit(permit())

    gate(call, Risk.DEVICE_RETIRE, ("device", "d1"), ARGS)

    with pytest.raises(ApprovalNeededError):
        gate(call, Risk.DEVICE_RETIRE, ("device", "d1"), ARGS)


@pytest.mark.parametrize(
    "other", [permit(Risk.ENROLLMENT_END), permit(subject="d2"), permit(args={"reason": "other"}), permit(args={})]
)
def test_a_permit_for_something_else_opens_nothing(other: Permit) -> None:
    with pytest.raises(ApprovalNeededError):
        gate(NONE.with_permit(other), Risk.DEVICE_RETIRE, ("device", "d1"), ARGS)
    assert other.uses == []


def test_an_act_that_has_outgrown_what_was_approved_is_refused() -> None:
    few = Permit(Why.APPROVED, Risk.GROUP_MANY, ("device_group", "1"), spelled({}), {"devices": 200}, "a1")

    with pytest.raises(ConflictError) as caught:
        gate(NONE.with_permit(few), Risk.GROUP_MANY, ("device_group", 1), {}, facts={"devices": 5000})

    assert caught.value.code == "act_outgrown"
    gate(NONE.with_permit(few), Risk.GROUP_MANY, ("device_group", 1), {}, facts={"devices": 210})


def test_without_a_roster_one_permit_opens_every_gate_and_remembers_each() -> None:
    founding = Permit(Why.NO_ROSTER)

    gate(NONE.with_permit(founding), Risk.DEVICE_RETIRE, ("device", "d1"), ARGS)
    gate(NONE.with_permit(founding), Risk.ROLE_GIVE, ("operator", 7), {}, facts={"powers": 3})

    assert [use.risk for use in founding.uses] == [Risk.DEVICE_RETIRE, Risk.ROLE_GIVE]
