"""What single verbs promise when they have waited for an approval: operators, tokens, policies."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from mdm.access import service as access
from mdm.access.model import ApiToken, Operator
from mdm.core.errors import (
    ApprovalNeededError,
)
from mdm.core.ids import secret_digest
from mdm.core.permissions import Role
from mdm.inventory import service as inventory
from mdm.orders import acts
from mdm.orders.acts import Outcome
from mdm.orders.model import Act
from mdm.outbox.model import OutboxMessage
from mdm.policies import service as policies
from mdm.policies.assigning import assign
from mdm.policies.model import Assignment, Policy
from mdm.storage.call import Call
from tests.conftest import NOW, Calling
from tests.orders.acting import City, S, agree, performed, wanted


def test_a_new_operator_waits_and_then_gets_the_link_alone(calling: Calling, city: City) -> None:
    act_id = wanted(
        calling,
        city,
        lambda call: access.add_operator(call, email="new@stad.example", name="New", role=Role.DESK_CLERK),
    )
    with calling() as call:
        assert call.session.scalar(select(Operator).where(Operator.email == "new@stad.example")) is None
    agree(calling, act_id, city.ada)

    assert performed(calling, act_id) == Outcome(S.DONE)
    with calling() as call:
        made = call.session.scalars(select(Operator).where(Operator.email == "new@stad.example")).one()
        assert [grant.role for grant in access.grants_of(call, made.id)] == ["desk_clerk"]
        links = [
            row.payload["to"]
            for row in call.session.scalars(select(OutboxMessage))
            if row.topic == "mail" and "/sign-in/link/" in row.payload["text"]
        ]
        assert links == ["new@stad.example"]


def test_a_token_works_from_the_approval_on_and_its_secret_is_stored_nowhere(calling: Calling, city: City) -> None:
    with calling(city.admin, asked=True) as call, pytest.raises(ApprovalNeededError) as caught:
        access.create_token(call, name="robot", role=Role.FLEET_ADMIN)
    secret = caught.value.once["secret"]
    with calling(city.admin) as call:
        act = acts.ask(call, caught.value)
        assert secret not in act.canonical + str(act.arguments) + str(act.private)
        assert call.session.scalars(select(ApiToken)).all() == []
    agree(calling, act.id, city.ada)

    assert performed(calling, act.id) == Outcome(S.DONE)
    with calling() as call:
        assert call.session.scalars(select(ApiToken)).one().secret_digest == secret_digest(secret)


def test_a_reader_of_reports_gets_a_token_at_once(calling: Calling, city: City) -> None:
    with calling(city.admin, asked=True) as call:
        access.create_token(call, name="reports", role=Role.AUDITOR)


def network(call: Call, devices: int) -> Policy:
    """A policy with a wireless network for that many devices more."""
    for number in range(devices):
        inventory.create(call, {"platform": "linux", "kind": "laptop", "name": f"L{number}"})
    networks = [{"ssid": "stad", "security": "wpa2", "passphrase": "een-lang-geheim-woord"}]
    policy = policies.create(call, "Network", settings={"wifi.networks": networks})
    assign(call, policy.id, include=["all"])
    return policy


def test_a_policy_that_cuts_off_many_waits_and_its_secrets_stay_hidden(calling: Calling, city: City) -> None:
    with calling() as call:
        policy_id = network(call, 30).id
    changed = [{"ssid": "stad", "security": "wpa2", "passphrase": "een-ander-lang-geheim"}]
    act_id = wanted(
        calling,
        city,
        lambda call: policies.save(call, policy_id, expected=1, settings={"wifi.networks": changed}),
    )
    with calling() as call:
        act = call.session.get_one(Act, act_id)
        assert act.facts == {"devices": 31}
        assert "geheim" not in act.canonical
        assert call.session.get_one(Policy, policy_id).current == 1
    agree(calling, act_id, city.ada)

    assert performed(calling, act_id) == Outcome(S.APPROVED, 901)
    assert performed(calling, act_id, NOW + timedelta(minutes=16)) == Outcome(S.DONE)
    with calling() as call:
        assert call.session.get_one(Policy, policy_id).current == 2
        assert call.session.get_one(Act, act_id).private == {}


def test_a_policy_for_a_few_and_a_harmless_one_for_many_are_saved_at_once(calling: Calling, city: City) -> None:
    with calling() as call:
        policy_id = network(call, 10).id
    with calling(city.admin, asked=True) as call:
        policies.save(call, policy_id, expected=1, settings={})
    with calling() as call:
        for number in range(40):
            inventory.create(call, {"platform": "linux", "kind": "laptop", "name": f"M{number}"})
    with calling(city.admin, asked=True) as call:
        policies.save(call, policy_id, expected=2, settings={"logs.keep_days": 30})


def test_what_a_risky_change_of_intent_had_done_is_undone_when_it_waits(calling: Calling, city: City) -> None:
    with calling() as call:
        policy_id = network(call, 30).id
    with calling(city.admin, asked=True) as call:
        with pytest.raises(ApprovalNeededError):
            policies.archive(call, policy_id, confirmed=True)
        assert call.session.get_one(Policy, policy_id).archived_at is None
        assert len(call.session.scalars(select(Assignment)).all()) == 1


def test_an_act_that_reaches_clearly_more_than_was_approved_is_not_done(calling: Calling, city: City) -> None:
    with calling() as call:
        policy_id = network(call, 30).id
    act_id = wanted(calling, city, lambda call: policies.archive(call, policy_id, confirmed=True))
    agree(calling, act_id, city.ada)
    with calling() as call:
        for number in range(20):
            inventory.create(call, {"platform": "linux", "kind": "laptop", "name": f"N{number}"})

    assert performed(calling, act_id, NOW + timedelta(minutes=16)) == Outcome(S.FAILED)
    with calling() as call:
        assert call.session.get_one(Policy, policy_id).archived_at is None
