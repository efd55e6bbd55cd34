"""Before the founding, and at the server's own command line: what one person may do alone, and that it is told."""

import pytest
from sqlalchemy import select

from mdm.access import service as access
from mdm.alarms.kinds import Kind, Line, alarm_of
from mdm.audit.model import AuditEntry
from mdm.core.actor import command_line
from mdm.core.errors import (
    ApprovalNeededError,
    DeniedError,
)
from mdm.core.permissions import Role
from mdm.core.risk import Risk
from mdm.inventory import service as inventory
from mdm.orders import acts
from tests.conftest import Calling
from tests.orders.acting import City, lines_of


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
