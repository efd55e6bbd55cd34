"""A filled house for the console's tests: the pilot, some enrolled devices with reports, rules, an operator per role."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from mdm.access import service as access
from mdm.access.model import Operator
from mdm.audit import service as audit
from mdm.commands import service as commands
from mdm.commands.model import Verb
from mdm.compliance import management
from mdm.compliance.service import judge_many
from mdm.core.actor import Actor, ActorKind, command_line
from mdm.core.permissions import Grant, Role
from mdm.enrollment.links import Links
from mdm.inventory.applications import store
from mdm.inventory.model import Device, FactSection
from mdm.pilot import service as pilot
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import alone

OS = (("Debian GNU/Linux", "12"), ("Debian GNU/Linux", "11"), ("Ubuntu", "24.04"))
SECTIONS = {
    "system": {"hostname": "zuil-01", "kernel": "6.1.0-28-amd64", "os_name": "Debian GNU/Linux", "os_version": "12"},
    "encryption": {"root_encrypted": True, "method": "luks2", "volumes": []},
    "screenlock": {"enabled": True, "timeout_seconds": 300, "method": "gnome"},
    "firewall": {"active": True, "backend": "nftables"},
    "patch": {"pending_updates": 3, "pending_security": 0, "reboot_required": False, "last_update": None},
    "disks": {"filesystems": [{"mount": "/", "type": "ext4", "size_mb": 122880, "free_mb": 81920}]},
}
CA = "0" * 64
PASSWORD = "een anker van blauw staal"
OPERATORS = (
    ("mo@stad.example", "Mo Haddad", Role.FLEET_ADMIN),
    ("marijke@stad.example", "Marijke Peeters", Role.APPROVER),
    ("sarah@stad.example", "Sarah Willems", Role.AUDITOR),
)


def fill(settings: Settings, now: datetime) -> None:
    """Fills a database that has its tables and nothing else."""
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        call = Call(command_line("tests"), session, now, alone())
        pilot.load(call, None, Links.of(settings, CA))
        management.install_defaults(call)
        for email, name, role in OPERATORS:
            made = access.ensure_operator(call, email=email, name=name, language="en")
            access.add_grant(call, made.id, role)
        _enrol(call)
    with transaction(engine) as session:
        ids = session.scalars(select(Device.id).where(Device.enrolled_at.is_not(None))).all()
        judge_many(Call(command_line("tests"), session, now, alone()), ids)
    with transaction(engine) as session:
        admin = Actor(ActorKind.OPERATOR, 1, "Mo Haddad", (Grant(Role.FLEET_ADMIN),))
        call = Call(admin, session, now, alone())
        uids = session.scalars(select(Device.uid).where(Device.enrolled_at.is_not(None)).limit(3)).all()
        commands.send(call, [uids[0]], Verb.MESSAGE, {"text": "De vergadering begint om tien uur."}, reason="overleg")
        commands.send(call, list(uids), Verb.REFRESH)
    engine.dispose()


def _enrol(call: Call) -> None:
    """Makes the kiosks and laptops of the pilot look as after their first reports."""
    session: Session = call.session
    apps = store(
        session, "linux", {"chromium": "142.0", "firefox-esr": "128.5", "bash": "5.2", "openssh-server": "9.2"}
    )
    devices = session.scalars(select(Device).where(Device.kind.in_(("kiosk", "laptop"))).order_by(Device.id)).all()
    for number, device in enumerate(devices):
        device.platform = "linux"
        device.os_name, device.os_version = OS[number % 3]
        device.agent_version = "0.1.0"
        device.enrolled_at = call.now - timedelta(days=number % 60, hours=3)
        device.key_digest = f"{number:064x}"
        seen = (
            timedelta(days=12) if number % 11 == 5 else timedelta(days=3) if number % 5 == 3 else timedelta(minutes=4)
        )
        device.last_seen_at = device.last_report_at = call.now - seen
        device.app_set_id = apps
        for section, content in SECTIONS.items():
            changed = {**content, "root_encrypted": number % 4 != 1} if section == "encryption" else content
            session.add(
                FactSection(
                    device_id=device.id,
                    section=section,
                    digest="0" * 16,
                    content=changed,
                    changed_at=device.last_seen_at,
                )
            )
    audit.record(call, "device.enrolled", ("device", devices[0].uid), name=devices[0].label, where=devices[0].where)


def sign_in_link(url: str, email: str) -> str:
    """The secret of a link for one operator."""
    engine = make_engine(url)
    with transaction(engine) as session:
        found = session.scalars(select(Operator).where(Operator.email == email)).one()
        secret = access.create_link(Call(command_line("tests"), session, datetime.now(UTC), alone()), found.id)
    engine.dispose()
    return secret
