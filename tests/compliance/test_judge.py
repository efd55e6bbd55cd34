"""Judging devices on both databases: findings with their grace, verdicts, exemptions, and what time alone changes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, func, select, update

from mdm.audit.model import AuditEntry
from mdm.compliance import management, queries, service
from mdm.compliance.model import Finding, JudgeAgain, RuleInForce, VerdictChange
from mdm.compliance.rules import RULES
from mdm.core.actor import Actor, ActorKind, system
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.inventory.model import Device, FactSection
from mdm.org.model import ServicePoint
from mdm.outbox.model import OutboxMessage
from mdm.policies.model import Cohort
from mdm.storage.call import Call
from tests.conftest import NOW, Calling

CLOCK = system("compliance")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def a_device(call: Call, name: str = "d1", *, place: int | None = None, **values: Any) -> int:
    device = Device(
        uid=name, name=name, platform="linux", kind="laptop", state="handed_out", created_at=NOW,
        enrolled_at=NOW, last_seen_at=call.now, os_name="Debian GNU/Linux", os_version="12", service_point_id=place, **values,
    )  # fmt: skip
    call.session.add(device)
    call.session.flush()
    return device.id


def say(call: Call, device_id: int, section: str, content: Mapping[str, Any]) -> None:
    call.session.merge(
        FactSection(device_id=device_id, section=section, digest="x", content=dict(content), changed_at=call.now)
    )
    call.session.flush()


def found(call: Call, device_id: int) -> Device:
    return call.session.scalars(
        select(Device).where(Device.id == device_id).execution_options(populate_existing=True)
    ).one()


def put_in_force(call: Call, rule: str, **values: Any) -> int:
    number = management.add_rule(call, rule, **values).id
    call.session.flush()
    return number


def test_a_bad_fact_is_in_grace_first_and_noncompliant_when_the_grace_has_ended(calling: Calling) -> None:
    with calling() as call:
        put_in_force(call, "encryption", grace_hours=24)
        device = a_device(call)
        say(call, device, "encryption", {"root_encrypted": False})
    with calling(CLOCK) as call:
        service.judge(call, device)
        assert (found(call, device).verdict, found(call, device).grace_until) == ("in_grace", NOW + DAY)
    with calling(CLOCK, NOW + DAY - HOUR) as call:
        assert service.sweep(call) == 0
    with calling(CLOCK, NOW + DAY) as call:
        assert service.sweep(call) == 1
        assert (found(call, device).verdict, found(call, device).findings) == ("noncompliant", 1)
        assert call.session.scalars(select(VerdictChange.verdict).order_by(VerdictChange.id)).all() == [
            "in_grace",
            "noncompliant",
        ]


def test_judging_twice_is_like_once(calling: Calling) -> None:
    with calling() as call:
        put_in_force(call, "encryption")
        device = a_device(call)
        say(call, device, "encryption", {"root_encrypted": False})
    for hours in (0, 1, 2):
        with calling(CLOCK, NOW + hours * HOUR) as call:
            service.judge(call, device)
    with calling() as call:
        assert call.session.scalars(select(Finding.since)).all() == [NOW]
        assert call.session.scalar(select(func.count()).select_from(VerdictChange)) == 1
        assert found(call, device).version == 1


def test_a_mended_device_is_compliant_and_the_finding_is_gone(calling: Calling) -> None:
    with calling() as call:
        put_in_force(call, "encryption", grace_hours=0)
        device = a_device(call)
        say(call, device, "encryption", {"root_encrypted": False})
        service.judge(call, device)
        assert found(call, device).verdict == "noncompliant"
        say(call, device, "encryption", {"root_encrypted": True})
        service.judge(call, device)
        assert (found(call, device).verdict, found(call, device).findings) == ("compliant", 0)
        assert call.session.scalar(select(func.count()).select_from(Finding)) == 0


def test_a_device_that_has_said_nothing_is_unknown_and_not_compliant(calling: Calling) -> None:
    with calling() as call:
        put_in_force(call, "encryption", grace_hours=0)
        device = a_device(call)
        service.judge(call, device)
        assert (found(call, device).verdict, found(call, device).findings) == ("unknown", 0)
        assert queries.findings(call, "d1")[0].standing == "unknown"


def test_what_was_unknown_and_turns_out_bad_gets_its_full_grace(calling: Calling) -> None:
    with calling() as call:
        put_in_force(call, "encryption", grace_hours=24)
        device = a_device(call)
        service.judge(call, device)
    with calling(CLOCK, NOW + 10 * DAY) as call:
        say(call, device, "encryption", {"root_encrypted": False})
        service.judge(call, device)
        assert found(call, device).grace_until == NOW + 11 * DAY


def test_without_a_rule_in_force_nothing_is_said_of_anybody(calling: Calling) -> None:
    with calling() as call:
        device = a_device(call)
        service.judge(call, device)
        assert found(call, device).verdict == "unknown"


def test_silence_is_noticed_by_the_clock_and_forgotten_after_a_check_in(calling: Calling) -> None:
    with calling() as call:
        put_in_force(call, "last_seen", params={"days": 5})
        device = a_device(call)
        service.judge(call, device)
        assert found(call, device).verdict == "compliant"
    with calling(CLOCK, NOW + 5 * DAY) as call:
        assert service.sweep(call) == 1
        assert found(call, device).verdict == "noncompliant"
    with calling(CLOCK, NOW + 6 * DAY) as call:
        assert service.sweep(call) == 0
        call.session.execute(update(Device).values(last_seen_at=call.now))
        assert service.sweep(call) == 1
        assert found(call, device).verdict == "compliant"
        assert service.sweep(call) == 0


def test_a_device_seen_meanwhile_is_not_silent_when_its_hour_comes(calling: Calling) -> None:
    with calling() as call:
        put_in_force(call, "last_seen", params={"days": 5})
        device = a_device(call)
        service.judge(call, device)
        call.session.execute(update(Device).values(last_seen_at=NOW + 2 * DAY))
    with calling(CLOCK, NOW + 5 * DAY) as call:
        assert service.sweep(call) == 1
        assert found(call, device).verdict == "compliant"
        assert call.session.scalars(select(JudgeAgain.at)).all() == [NOW + 7 * DAY]


def test_five_hundred_devices_are_judged_with_few_statements(calling: Calling) -> None:
    with calling() as call:
        management.install_defaults(call)
        ids = [a_device(call, f"d{n}") for n in range(500)]
    statements: list[str] = []
    with calling(CLOCK) as call:
        engine = call.session.get_bind()
        event.listen(engine, "before_cursor_execute", lambda _c, _k, sql, *_: statements.append(sql))
        assert service.judge_many(call, ids) == 500
        call.session.flush()
    assert len(statements) < 60
    with calling() as call:
        assert call.session.execute(select(Device.verdict, func.count()).group_by(Device.verdict)).all() == [
            ("unknown", 500)
        ]


def test_a_device_that_is_gone_is_no_error(calling: Calling) -> None:
    with calling(CLOCK) as call:
        service.judge(call, 4711)
        assert not call.session.new
        assert call.session.scalar(select(func.count()).select_from(VerdictChange)) == 0


def test_a_cohort_that_gets_something_else_is_looked_at_again_and_others_are_not(calling: Calling) -> None:
    with calling() as call:
        put_in_force(call, "desired_applied", grace_hours=0)
        cohorts = [Cohort(key=key, platform="linux", assignments=[], desired_digest="new") for key in ("a", "b")]
        call.session.add_all(cohorts)
        call.session.flush()
        mine, other = (a_device(call, c.key, cohort_id=c.id, applied_digest="old") for c in cohorts)
        call.session.execute(delete(JudgeAgain))
        service.look_again(call, cohorts[0].id)
        assert service.sweep(call) == 1
        assert (found(call, mine).verdict, found(call, other).verdict) == ("noncompliant", "unknown")


def test_defaults_are_installed_once_and_audited(calling: Calling) -> None:
    with calling() as call:
        assert management.install_defaults(call) == len(RULES)
        assert management.install_defaults(call) == 0
        assert call.session.scalar(select(func.count()).select_from(AuditEntry)) == len(RULES)


def test_a_changed_grace_moves_the_end_and_saving_the_same_changes_nothing(calling: Calling) -> None:
    with calling() as call:
        number = put_in_force(call, "encryption", grace_hours=24)
        device = a_device(call)
        say(call, device, "encryption", {"root_encrypted": False})
        service.judge(call, device)
        management.edit_rule(call, number, grace_hours=48)
        service.sweep(call)
        assert found(call, device).grace_until == NOW + 2 * DAY
        lines = call.session.scalar(select(func.count()).select_from(AuditEntry))
        management.edit_rule(call, number, grace_hours=48)
        assert call.session.scalar(select(func.count()).select_from(AuditEntry)) == lines


def test_a_rule_switched_off_or_removed_says_nothing_any_more(calling: Calling) -> None:
    with calling() as call:
        first = put_in_force(call, "encryption", grace_hours=0)
        second = put_in_force(call, "firewall", grace_hours=0)
        device = a_device(call)
        say(call, device, "encryption", {"root_encrypted": False})
        say(call, device, "firewall", {"active": False})
        service.judge(call, device)
        assert found(call, device).findings == 2
        management.edit_rule(call, first, enabled=False)
        management.remove_rule(call, second)
        service.sweep(call)
        assert (found(call, device).findings, found(call, device).verdict) == (0, "unknown")


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"owner": "", "reason": "x", "until": NOW + DAY}, "owner"),
        ({"owner": "An", "reason": " ", "until": NOW + DAY}, "reason"),
        ({"owner": "An", "reason": "x", "until": NOW}, "until"),
        ({"owner": "An", "reason": "x", "until": NOW + 400 * DAY}, "until"),
    ],
)
def test_an_exemption_needs_an_owner_a_reason_and_an_end(calling: Calling, given: dict[str, Any], place: str) -> None:
    with calling() as call:
        number = put_in_force(call, "encryption")
        a_device(call)
        with pytest.raises(InvalidError) as refused:
            management.exempt(call, "d1", number, **given)
        assert list(refused.value.fields) == [place]


def test_an_exempt_device_is_compliant_until_the_date_and_not_after(calling: Calling) -> None:
    with calling() as call:
        number = put_in_force(call, "encryption", grace_hours=0)
        device = a_device(call)
        say(call, device, "encryption", {"root_encrypted": False})
        service.judge(call, device)
        management.exempt(call, "d1", number, owner="An", reason="old kiosk", until=NOW + 3 * DAY)
        service.judge(call, device)
        assert (found(call, device).verdict, found(call, device).findings) == ("compliant", 0)
        line = queries.findings(call, "d1")[0]
        assert (line.standing, line.exempt_until) == ("exempt", NOW + 3 * DAY)
        with pytest.raises(ConflictError):
            management.exempt(call, "d1", number, owner="An", reason="again", until=NOW + DAY)
    with calling(CLOCK, NOW + 3 * DAY) as call:
        assert service.sweep(call) == 1
        assert found(call, device).verdict == "noncompliant"
        assert queries.exemptions(call) == []
        assert [line.active for line in queries.exemptions(call, ended=True)] == [False]


def test_an_exemption_can_be_ended_early_and_once(calling: Calling) -> None:
    with calling() as call:
        number = put_in_force(call, "encryption", grace_hours=0)
        device = a_device(call)
        say(call, device, "encryption", {"root_encrypted": False})
        row = management.exempt(call, "d1", number, owner="An", reason="old", until=NOW + DAY)
        management.end_exemption(call, row.id)
        lines = call.session.scalar(select(func.count()).select_from(AuditEntry))
        management.end_exemption(call, row.id)
        assert call.session.scalar(select(func.count()).select_from(AuditEntry)) == lines
        service.judge(call, device)
        assert found(call, device).verdict == "noncompliant"


def test_an_owner_is_reminded_once_in_the_last_week(calling: Calling) -> None:
    with calling() as call:
        number = put_in_force(call, "encryption")
        a_device(call)
        management.exempt(call, "d1", number, owner="an@antwerpen.be", reason="old", until=NOW + 10 * DAY)
        assert management.remind(call) == 0
    with calling(CLOCK, NOW + 4 * DAY) as call:
        assert management.remind(call) == 1
        assert management.remind(call) == 0
        mail = call.session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == "mail")).one()
        assert mail["to"] == "an@antwerpen.be"
        assert "Storage is encrypted" in mail["text"]


def clerk(place: int) -> Actor:
    return Actor(ActorKind.OPERATOR, 9, "Desk", (Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, place),))


def two_places(call: Call) -> tuple[int, int]:
    points = [ServicePoint(code=code, name=code, created_at=NOW) for code in ("WERKHAVEN", "NOVA")]
    call.session.add_all(points)
    call.session.flush()
    return points[0].id, points[1].id


def test_a_clerk_sees_and_counts_only_the_devices_of_the_own_place(calling: Calling) -> None:
    with calling() as call:
        here, there = two_places(call)
        put_in_force(call, "encryption", grace_hours=0)
        for name, place in (("mine", here), ("theirs", there)):
            device = a_device(call, name, place=place)
            say(call, device, "encryption", {"root_encrypted": False})
            service.judge(call, device)
        assert queries.rule_lines(call)[0].overdue == 2
    with calling(clerk(here)) as call:
        line = queries.rule_lines(call)[0]
        assert (line.overdue, line.in_grace, line.unknown, line.exempt) == (1, 0, 0, 0)
        assert queries.verdicts(call) == {"compliant": 0, "in_grace": 0, "noncompliant": 1, "unknown": 0}
        assert set(queries.verdicts_by_service_point(call)) == {here}
        assert queries.findings(call, "mine")[0].standing == "overdue"
        with pytest.raises(NotFoundError):
            queries.findings(call, "theirs")
        with pytest.raises(NotFoundError):
            queries.verdict_changes(call, "theirs")
        with pytest.raises(NotFoundError):
            management.exempt(call, "theirs", 1, owner="a", reason="b", until=NOW + DAY)


def test_a_clerk_may_neither_change_rules_nor_exempt_nor_judge(calling: Calling) -> None:
    with calling() as call:
        here, _there = two_places(call)
        number = put_in_force(call, "encryption")
        device = a_device(call, place=here)
    with calling(clerk(here)) as call:
        for refused in (
            lambda: management.add_rule(call, "firewall"),
            lambda: management.edit_rule(call, number, enabled=False),
            lambda: management.remove_rule(call, number),
            lambda: management.install_defaults(call),
            lambda: management.add_new_rules(call),
            lambda: management.exempt(call, "d1", number, owner="a", reason="b", until=NOW + DAY),
            lambda: service.judge(call, device),
        ):
            with pytest.raises(DeniedError):
                refused()
        assert call.session.scalars(select(RuleInForce.enabled)).all() == [True]


def test_a_visitor_sees_no_counts(calling: Calling) -> None:
    with calling(Actor(ActorKind.VISITOR, None, "")) as call, pytest.raises(DeniedError):
        queries.rule_lines(call)


def test_a_list_can_be_filtered_by_the_rule(calling: Calling) -> None:
    with calling() as call:
        number = put_in_force(call, "encryption")
        for name, encrypted in (("bad", False), ("good", True)):
            device = a_device(call, name)
            say(call, device, "encryption", {"root_encrypted": encrypted})
            service.judge(call, device)
        names = call.session.scalars(select(Device.name).where(queries.has_finding(number))).all()
        assert names == ["bad"]


def test_an_unknown_rule_and_a_foreign_platform_are_refused(calling: Calling) -> None:
    with calling() as call:
        with pytest.raises(NotFoundError):
            management.add_rule(call, "nonsense")
        with pytest.raises(InvalidError):
            management.add_rule(call, "firewall", platform="ios")
        with pytest.raises(InvalidError):
            management.add_rule(call, "firewall", grace_hours=-1)
        with pytest.raises(NotFoundError):
            management.edit_rule(call, 99, enabled=True)
        assert call.session.scalar(select(func.count()).select_from(RuleInForce)) == 0


def test_moments_are_aware(calling: Calling) -> None:
    with calling() as call:
        put_in_force(call, "encryption")
        device = a_device(call)
        service.judge(call, device)
        moment: datetime = queries.findings(call, "d1")[0].since
        assert moment == NOW


def test_rules_of_a_later_version_are_offered_and_those_taken_out_are_not(calling: Calling) -> None:
    with calling() as call:
        management.install_defaults(call)
        taken_out = call.session.scalars(select(RuleInForce).where(RuleInForce.rule == "disk_room")).one()
        management.remove_rule(call, taken_out.id)
        # As on an installation that began before this rule was known.
        call.session.execute(delete(RuleInForce).where(RuleInForce.rule == "kiosk_paper"))
        call.session.execute(delete(AuditEntry).where(AuditEntry.subject_name == "kiosk_paper"))
        assert [rule.id for rule in management.new_rules(call)] == ["kiosk_paper"]
        assert [rule.id for rule in management.add_new_rules(call)] == ["kiosk_paper"]
        assert management.add_new_rules(call) == []
        row = call.session.scalars(select(RuleInForce).where(RuleInForce.rule == "kiosk_paper")).one()
        assert (row.grace_hours, row.enabled) == (RULES["kiosk_paper"].grace_hours, True)
