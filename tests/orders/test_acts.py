"""Risky acts of the server itself: asked, agreed to by a signature, done once, and never otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from mdm.access import service as access
from mdm.access.model import ApiToken, Operator, OperatorGrant
from mdm.alarms.kinds import Kind, Line, alarm_of
from mdm.audit.model import AuditEntry
from mdm.core.actor import Actor, command_line, system
from mdm.core.errors import (
    ApprovalNeededError,
    ConflictError,
    DeniedError,
    InvalidError,
    LimitedError,
    NotFoundError,
)
from mdm.core.ids import new_uid, secret_digest
from mdm.core.permissions import Role
from mdm.core.risk import RISKS, Risk, Way
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.orders import acts, kernel
from mdm.orders.acts import Outcome, asking, queries
from mdm.orders.model import Act, ActApproval, ActState
from mdm.org import service as org
from mdm.outbox.model import OutboxMessage
from mdm.policies import service as policies
from mdm.policies.assigning import assign
from mdm.policies.model import Assignment, Policy
from mdm.storage.call import Call
from mdm.worker.acts import handlers, without_handler
from tests.conftest import NOW, Calling
from tests.orders.conftest import ADA, EVA, at_place
from tests.orders.founding import mirror, people
from tests.sim.approvers import Council, Person

HANDLERS = handlers("https://console.example")
S = ActState


@dataclass
class City:
    """A founded roster, an admin who asks, and a device to ask about."""

    council: Council
    admin: Actor
    device: str
    place: int

    @property
    def ada(self) -> Person:
        return self.council.people[0]

    @property
    def eva(self) -> Person:
        return self.council.people[1]


def admin_of(call: Call, email: str = "mo@stad.example") -> Operator:
    """A fleet admin who stands in the database, as whoever asks must."""
    made = access.create_operator(call, email=email, name=email.split("@")[0].title(), language="en")
    access.add_grant(call, made.id, Role.FLEET_ADMIN)
    return made


@pytest.fixture
def city(calling: Calling) -> City:
    with calling(command_line("tests")) as call:
        boss = admin_of(call)
        for number, name in ((2, "ada"), (3, "eva")):
            made = access.create_operator(call, email=f"{name}@stad.example", name=name)
            assert made.id == number
        point = org.create_service_point(call, code="WERKHAVEN", name="Werkhaven")
        device = inventory.create(
            call, {"platform": "linux", "kind": "laptop", "name": "Laptop 1", "service_point_id": point.id}
        )
        actor = access.actor_for(call.session, boss, "req", None, call.now, lambda _s, unit, _d: frozenset({unit}))
        council = people(NOW)
        mirror(call, council)
        return City(council, actor, device.uid, point.id)


def wanted(calling: Calling, city: City, verb: Callable[[Call], object], actor: Actor | None = None) -> str:
    """Does something risky without an approval, as a door does: the id of the request that was made of it."""
    with calling(actor or city.admin, asked=True) as call, pytest.raises(ApprovalNeededError) as caught:
        verb(call)
    with calling(actor or city.admin) as call:
        return acts.ask(call, caught.value).id


def lines_of(call: Call, action: str) -> list[AuditEntry]:
    return list(call.session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


def retire(city: City) -> Callable[[Call], object]:
    return lambda call: inventory.retire(call, city.device, reason="broken")


def agree(calling: Calling, act_id: str, person: Person, actor: Actor = ADA, now: datetime = NOW) -> None:
    with calling(actor, now) as call:
        text = call.session.get_one(Act, act_id).canonical
        acts.approve(call, act_id, person.proof(text))


def performed(calling: Calling, act_id: str, now: datetime = NOW) -> Outcome | None:
    with calling(system("worker"), now, asked=True) as call:
        return acts.perform(call, act_id, HANDLERS)


def state_of(calling: Calling, city: City) -> str:
    with calling() as call:
        return call.session.scalars(select(Device.state).where(Device.uid == city.device)).one()


def test_every_act_has_somebody_who_performs_it() -> None:
    assert without_handler() == frozenset()
    assert {risk for risk, row in RISKS.items() if row.way is Way.STATEMENT} == {
        Risk.WIPE,
        Risk.ROSTER,
        Risk.BUDGETS,
        Risk.THAW,
    }


def test_an_approved_act_is_done_once_in_the_name_of_whoever_asked(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    assert state_of(calling, city) == "in_stock"
    assert performed(calling, act_id) is None

    agree(calling, act_id, city.ada)

    assert performed(calling, act_id) == Outcome(S.DONE)
    assert state_of(calling, city) == "retired"
    with calling() as call:
        inventory.move(call, city.device, inventory.LifeCycle.IN_STOCK)
    assert performed(calling, act_id) is None
    assert state_of(calling, city) == "in_stock"
    with calling() as call:
        lines = call.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        told = [(line.action, line.actor_name) for line in lines]
        assert ("act.requested", "Mo") in told
        assert ("act.approved", "Ada Approver") in told
        assert ("device.moved", "Mo") in told
        assert ("act.done", "worker") in told


def test_the_same_request_asked_twice_is_one(calling: Calling, city: City) -> None:
    assert wanted(calling, city, retire(city)) == wanted(calling, city, retire(city))
    with calling() as call:
        assert len(call.session.scalars(select(Act)).all()) == 1


def test_nobody_agrees_to_what_they_asked_for(calling: Calling, city: City) -> None:
    council = people(NOW, Person("operator:1", since=1), city.ada, city.eva)
    with calling() as call:
        kernel.locked(call).roster_text = council.rosters[-1]["roster"]
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
        kernel.locked(call).roster_text = council.rosters[-1]["roster"]
    act_id = wanted(calling, city, retire(city))

    with pytest.raises(DeniedError) as caught:
        agree(calling, act_id, council.people[0])

    assert caught.value.code == rule


def test_who_leaves_the_roster_before_it_is_done_has_not_agreed(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    council = people(NOW, Person("operator:4", since=1), city.eva)
    with calling() as call:
        kernel.locked(call).roster_text = council.rosters[-1]["roster"]

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


def test_what_the_service_refuses_by_then_is_not_done(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    with calling() as call:
        call.session.scalars(select(Device).where(Device.uid == city.device)).one().state = "handed_out"

    assert performed(calling, act_id) == Outcome(S.FAILED)
    assert state_of(calling, city) == "handed_out"
    with calling() as call:
        assert "cannot become retired" in queries.receipt(call, act_id).act.why


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


def test_the_red_button_holds_what_was_agreed(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    with calling() as call:
        kernel.locked(call).frozen_at = NOW

    assert performed(calling, act_id) == Outcome(S.HELD, 300)
    assert state_of(calling, city) == "in_stock"
    with calling() as call:
        kernel.locked(call).frozen_at = None

    assert performed(calling, act_id) == Outcome(S.DONE)


def test_above_the_budget_it_is_held_and_done_when_there_is_room(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    with calling() as call:
        asked = call.session.get_one(Act, act_id)
        same = {c.key: getattr(asked, c.key) for c in Act.__table__.columns}
        for _ in range(RISKS[Risk.DEVICE_RETIRE].per_day):
            call.session.add(Act(**{**same, "id": new_uid(), "state": "done", "finished_at": NOW - timedelta(hours=1)}))

    assert performed(calling, act_id) == Outcome(S.HELD, 300)
    assert performed(calling, act_id) == Outcome(S.HELD, 300)
    with calling() as call:
        assert len(lines_of(call, "act.held")) == 1

    assert performed(calling, act_id, NOW + timedelta(hours=24)) == Outcome(S.DONE)


def test_a_request_expires_whether_anybody_agreed_or_not(calling: Calling, city: City) -> None:
    late = NOW + asking.LIFETIME
    waiting, agreed = wanted(calling, city, retire(city)), None
    agreed = wanted(calling, city, lambda call: inventory.retire(call, city.device, reason="other"))
    agree(calling, agreed, city.ada)

    with pytest.raises(ConflictError):
        agree(calling, waiting, city.ada, now=late)
    assert performed(calling, agreed, late) == Outcome(S.EXPIRED)
    with calling(now=late) as call:
        assert acts.expire_due(call) == 1
        assert acts.expire_due(call) == 0
    assert state_of(calling, city) == "in_stock"


def test_a_request_is_taken_back_until_it_is_done(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    with calling(EVA) as call:
        acts.cancel(call, act_id, "a mistake")
        acts.cancel(call, act_id, "a mistake")

    assert performed(calling, act_id) is None
    assert state_of(calling, city) == "in_stock"
    with calling(ADA) as call, pytest.raises(ConflictError) as caught:
        acts.reject(call, act_id, "no")
    assert caught.value.code == "act_state"


def test_a_request_that_is_done_cannot_be_taken_back(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    performed(calling, act_id)

    with calling(city.admin) as call, pytest.raises(ConflictError):
        acts.cancel(call, act_id)


def test_no_needs_a_reason_and_ends_it(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    with calling(ADA) as call, pytest.raises(InvalidError):
        acts.reject(call, act_id, " ")
    with calling(ADA) as call:
        acts.reject(call, act_id, "still in use")

    with pytest.raises(ConflictError):
        agree(calling, act_id, city.eva, EVA)
    assert performed(calling, act_id) is None


def test_approvers_of_another_place_neither_see_it_nor_decide(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    stranger = at_place(Role.APPROVER, city.place + 1)

    with calling(stranger) as call:
        assert queries.to_approve(call) == []
        with pytest.raises(NotFoundError):
            queries.act(call, act_id)
        with pytest.raises(NotFoundError):
            acts.cancel(call, act_id)
        with pytest.raises(NotFoundError):
            acts.reject(call, act_id, "no")
    with calling(at_place(Role.APPROVER, city.place)) as call:
        assert [one.id for one in queries.to_approve(call)] == [act_id]
        assert queries.count_to_approve(call) == 1
    with calling(city.admin) as call:
        assert queries.count_to_approve(call) == 0


def test_everybody_concerned_is_written_to(calling: Calling, city: City) -> None:
    act_id = wanted(calling, city, retire(city))
    agree(calling, act_id, city.ada)
    performed(calling, act_id)

    with calling() as call:
        mails = [row.payload for row in call.session.scalars(select(OutboxMessage)) if row.topic == "mail"]
    asked = {mail["to"] for mail in mails if "waits for somebody else" in mail["text"]}
    done = {mail["to"] for mail in mails if "It was done." in mail["text"]}
    assert asked == {"mo@stad.example", "ada@stad.example", "eva@stad.example"}
    assert done == {"mo@stad.example", "ada@stad.example"}


def test_fifty_open_requests_of_one_person_are_enough(calling: Calling, city: City) -> None:
    for number in range(asking.MAX_OPEN):
        wanted(calling, city, lambda call, n=number: inventory.retire(call, city.device, reason=f"{n}"))

    with pytest.raises(LimitedError):
        wanted(calling, city, retire(city))


def test_the_clock_and_devices_ask_for_nothing(calling: Calling, city: City) -> None:
    with pytest.raises(DeniedError):
        wanted(calling, city, retire(city), system("tidy"))


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


def test_without_a_roster_it_is_done_at_once_with_a_line_that_is_an_alarm(calling: Calling) -> None:
    with calling() as call:
        device = inventory.create(call, {"platform": "linux", "kind": "laptop", "name": "L"})
    with calling(asked=True) as call:
        permit = acts.unfounded(call.session)
        assert permit is not None
        permitted = call.with_permit(permit)
        inventory.retire(permitted, device.uid)
        acts.note_uses(permitted)
        acts.note_uses(permitted)
    with calling() as call:
        (line,) = lines_of(call, "act.performed_alone")
        assert (line.subject_id, line.details["why"]) == (device.uid, "no_roster")
        alarm = alarm_of(Line(line.action, line.actor_name, line.subject_name, line.details))
        assert alarm is not None
        assert alarm.kind is Kind.ACT_PERFORMED


def test_from_the_founding_on_there_is_no_such_permit(calling: Calling, city: City) -> None:
    with calling() as call:
        assert acts.unfounded(call.session) is None


def test_only_the_hosts_command_line_adds_somebody_alone_and_only_somebody_new(calling: Calling, city: City) -> None:
    with calling(command_line("root"), asked=True) as call:
        made = access.create_operator(call, email="new@stad.example")
        giving = acts.by_the_host(call, Risk.ROLE_GIVE, ("operator", made.id))
        access.add_grant(giving, made.id, Role.DESK_CLERK)
        with pytest.raises(ApprovalNeededError):
            access.add_grant(giving, 2, Role.APPROVER)
    with calling(city.admin, asked=True) as call, pytest.raises(DeniedError):
        acts.by_the_host(call, Risk.ROLE_GIVE, ("operator", 2))


def test_the_hosts_command_line_makes_a_token_alone_and_an_alarm_tells_of_it(calling: Calling, city: City) -> None:
    with calling(command_line("root"), asked=True) as call:
        making = acts.by_the_host(call, Risk.TOKEN_MAKE, ("api_token", "import"))
        with pytest.raises(ApprovalNeededError):
            access.create_token(making, name="another", role=Role.FLEET_ADMIN)
        token, _secret = access.create_token(making, name="import", role=Role.FLEET_ADMIN)
        acts.note_uses(making)
        assert token.id is not None
        line = call.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert line is not None
        assert (line.action, line.details["why"]) == ("act.performed_alone", "host")
    with calling(city.admin, asked=True) as call, pytest.raises(ApprovalNeededError):
        access.create_token(call, name="import 2", role=Role.FLEET_ADMIN)
    with calling(command_line("root"), asked=True) as call, pytest.raises(DeniedError):
        acts.by_the_host(call, Risk.WEBHOOK, ("webhook_target", "x"))
