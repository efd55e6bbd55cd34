"""A founded city with something of everything that can be harmed, and a way to see whether anything was."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from mdm.access import service as access
from mdm.access.model import ApiToken, Operator, OperatorGrant
from mdm.alarms import targets
from mdm.alarms.model import WebhookTarget
from mdm.commands import service as commands
from mdm.commands.model import Verb
from mdm.compliance import management
from mdm.compliance.model import Exemption, RuleInForce
from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.core.ids import new_uid
from mdm.core.permissions import Role
from mdm.core.risk import RISKS, Risk
from mdm.desk.cases import service as cases
from mdm.desk.custody.model import Custody
from mdm.desk.loans.model import LadderStep, OverdueLoan
from mdm.enrollment.model import Enrollment
from mdm.inventory import groups
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.orders import acts
from mdm.orders.acts import Trust
from mdm.orders.model import Act, ActState
from mdm.people import service as people_
from mdm.platforms.apple.model import AppleDevice
from mdm.policies import assigning
from mdm.policies import service as policies
from mdm.policies.model import Assignment, Policy
from mdm.settings import Settings
from mdm.storage.base import Base
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.worker import acts as worker
from mdm.worker.office import Office
from mdm.worker.post import NotNowError
from tests.api.city import LINKS, City, boss, build, settle
from tests.conftest import alone
from tests.orders.founding import mirror, people
from tests.sim.approvers import Council
from web.api.app import make_api
from web.api.links import LINKS_KEY
from web.common.database import db
from web.console.app import make_console

PHONES = 25
"""So many of the fleet are phones."""
FLEET = 130
"""Enrolled devices beside the city's own: more than any predicate lets one person touch alone."""
TRACES = frozenset(
    {"act", "act_approval", "audit_entry", "audit_head", "idempotency_key", "outbox_message", "sign_in_attempt"}
)
"""Tables in which asking leaves its trace: the request itself, diary, post."""
USES = {"web_session": {"last_used_at"}, "api_token": {"last_used_at"}}
"""Columns that say when a credential was last used."""

GUARDED: dict[type[Any], tuple[str, ...]] = {
    AppleDevice: ("turn_away",),
    ApiToken: ("role", "revoked_at"),
    Assignment: ("include", "exclude", "priority"),
    Device: ("state",),
    Enrollment: ("revoked_at",),
    Exemption: ("until", "ended_at"),
    Operator: ("disabled_at", "totp_sealed"),
    OperatorGrant: ("role", "service_point_id", "unit_id"),
    Policy: ("current", "archived_at"),
    RuleInForce: ("enabled", "params", "grace_hours"),
    WebhookTarget: ("url", "enabled"),
}
"""What the rows of the table guard."""

Dump = dict[str, list[tuple[Any, ...]]]


@dataclass
class Scene:
    """The city, its doors, and its worker."""

    home: Path
    settings: Settings
    city: City
    council: Council
    fleet: list[str] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    """Ids that are no numbers."""

    @property
    def named(self) -> dict[str, object]:
        """Ids of the scene's own things, as addresses name them."""
        return {f"x_{name}": value for name, value in {**self.ids, **self.words}.items()}

    @property
    def file(self) -> Path:
        return self.home / "city.db"

    def reset(self) -> None:
        """The city as it was."""
        for app in self.apps:
            with app.app_context():
                db.engine.dispose()
        for tail in ("-wal", "-shm"):
            self.file.with_name(self.file.name + tail).unlink(missing_ok=True)
        shutil.copy(self.home / "kept.db", self.file)

    apps: list[Flask] = field(default_factory=list)

    @contextmanager
    def calling(self, *, write: bool = True) -> Iterator[Call]:
        """A transaction by the server's own command line."""
        engine = make_engine(self.settings.database)
        with transaction(engine, write=write) as session:
            yield Call(command_line("walk"), session, utcnow())
        engine.dispose()

    def dump(self) -> Dump:
        """Every row of every table, without the traces of asking."""
        engine = make_engine(self.settings.database)
        found: Dump = {}
        with engine.connect() as connection:
            for table in Base.metadata.sorted_tables:
                if table.name not in TRACES:
                    columns = [one for one in table.columns if one.name not in USES.get(table.name, ())]
                    found[table.name] = sorted((tuple(row) for row in connection.execute(select(*columns))), key=repr)
        engine.dispose()
        return found

    def guarded(self) -> dict[str, list[tuple[Any, ...]]]:
        """The columns that only the verbs of the table write."""
        engine = make_engine(self.settings.database)
        with engine.connect() as connection:
            found = {
                f"{model.__tablename__}.{name}": sorted(
                    (
                        tuple(row)
                        for row in connection.execute(select(*model.__table__.primary_key, model.__table__.c[name]))
                    ),
                    key=repr,
                )
                for model, names in GUARDED.items()
                for name in names
            }
        engine.dispose()
        return found

    def requests(self) -> list[Act]:
        """Every request that was made."""
        with self.calling(write=False) as call:
            return list(call.session.scalars(select(Act).order_by(Act.requested_at, Act.id)))

    def agree(self, act_id: str) -> None:
        """Somebody of the roster signs."""
        with self.calling() as call:
            text = call.session.get_one(Act, act_id).canonical
            for person in self.council.people[: call.session.get_one(Act, act_id).approvals_needed]:
                acts.approve(call, act_id, person.proof(text))

    def perform(self, act_id: str) -> ActState:
        """What the worker makes of it once its cooling time is over."""
        risk = next(Risk(one.verb) for one in self.requests() if one.id == act_id)
        engine = make_engine(self.settings.database)
        office = Office(engine, self.settings, lambda: utcnow() + RISKS[risk].cooling + timedelta(seconds=1))
        try:
            worker.carry_out(office, act_id, Trust(self.council.order_key, len(self.council.rosters)))
        except NotNowError:
            pass
        finally:
            engine.dispose()
        return next(ActState(one.state) for one in self.requests() if one.id == act_id)

    def cookie(self) -> str:
        """The session of the fleet admin of the city."""
        return self.city.cookies[Role.FLEET_ADMIN, "city"]


class Browser:
    """The fleet admin at the console."""

    def __init__(self, console: Flask, cookie: str) -> None:
        self.client: FlaskClient = console.test_client()
        self.client.set_cookie("hm_session", cookie)

    def post(self, address: str, fields: dict[str, Any]) -> int:
        """Sends a form as the browser does, with the token of a page: the status of the answer."""
        page = self.client.get("/account").text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        return self.client.post(address, data={"csrf_token": token, **fields}).status_code


def make(template: Path, home: Path) -> Scene:
    """The scene on a fresh database, founded."""
    (home / "keys").mkdir(mode=0o700, exist_ok=True)
    shutil.copy(template, home / "city.db")
    settings = Settings(
        home=home, database_url=f"sqlite:///{home / 'city.db'}", language="en", webhook_hosts="hooks.stad.example"
    )
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        call = Call(boss(), session, utcnow(), alone())
        city = build(call)
        settle(call, city)
        # The city's own request would stand among those that are tried.
        call.session.execute(delete(Act))
        scene = Scene(home, settings, city, people(utcnow()))
        _harmable(call, scene)
        mirror(call, scene.council)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    shutil.copy(scene.file, home / "kept.db")
    api = make_api(settings)
    api.extensions[LINKS_KEY] = LINKS
    scene.apps = [make_console(settings), api]
    return scene


def _harmable(call: Call, scene: Scene) -> None:
    """More devices, a network for all of them, a disabled operator, an approver, a second factor, an archived policy."""
    session, point = call.session, scene.city.service_point["own"]
    for number in range(FLEET):
        platform, kind = ("linux", "laptop") if number < FLEET - PHONES else ("ios", "phone")
        device = inventory.create(
            call, {"platform": platform, "kind": kind, "name": f"Fleet {number}", "service_point_id": point}
        )
        device.enrolled_at, device.key_digest = call.now, f"{number:064x}"
        scene.fleet.append(device.uid)
    phone = inventory.create(
        call, {"platform": "ios", "kind": "phone", "name": "Lost phone", "serial": "LOST1", "service_point_id": point}
    )
    phone.enrolled_at, phone.key_digest = call.now, "d" * 64
    scene.words["case"] = cases.open_lost(call, phone.uid).uid
    scene.words["phone"] = phone.uid
    session.add(AppleDevice(device_id=phone.id, udid="00008110-LOST1", state="enrolled", created_at=call.now))
    # As many locks as one person asks for alone within an hour: the next one needs somebody else.
    commands.send(call, scene.fleet[40:60], Verb.LOCK)
    targets.set_target(call, ["hooks.stad.example"], name="Old", url="https://hooks.stad.example/old")
    own = session.scalars(select(Device).where(Device.uid == scene.city.device["own"])).one()
    session.add(
        Enrollment(
            device_id=own.id,
            fingerprint="f" * 64,
            key_digest="a" * 64,
            certificate="-",
            serial_number="1",
            not_before=call.now,
            not_after=call.now + timedelta(days=90),
            renew_after=call.now + timedelta(days=60),
            created_at=call.now,
        )
    )
    networks = [{"ssid": "stad", "security": "wpa2", "passphrase": "een-lang-geheim-woord"}]
    net = policies.create(call, "Network", settings={"wifi.networks": networks})
    scene.ids["assignment"] = assigning.assign(call, net.id, include=["all"]).id
    changed = [{"ssid": "stad", "security": "wpa2", "passphrase": "een-ander-lang-geheim"}]
    other = [{**networks[0], "ssid": "twice"}]
    net2 = policies.create(call, "Twice", settings={"wifi.networks": other})
    assigning.assign(call, net2.id, include=["all"], priority=50)
    policies.save(call, net2.id, expected=1, settings={"wifi.networks": [{**changed[0], "ssid": "twice"}]})
    old = policies.create(call, "Old", settings={"passcode.min_length": 16})
    assigning.assign(call, old.id, include=["all"])
    policies.archive(call, old.id, confirmed=True)
    spare = policies.create(call, "Spare", settings={"passcode.min_length": 20})
    scene.ids |= {"network": net.id, "twice": net2.id, "old": old.id, "spare": spare.id}
    full = groups.create(call, "Full")
    groups.add(call, full.id, scene.fleet)
    scene.ids["full"] = full.id
    gone = access.add_operator(call, email="gone@example.org", role=Role.DESK_CLERK)
    access.disable_operator(call, gone.id)
    approver = access.add_operator(call, email="yes@example.org", role=Role.APPROVER)
    clerk = access.add_operator(call, email="desk@example.org", role=Role.DESK_CLERK)
    clerk.totp_sealed, clerk.totp_confirmed_at = b"sealed", call.now
    grant = access.grants_of(call, approver.id)[0]
    scene.ids |= {"gone": gone.id, "approver": approver.id, "clerk": clerk.id, "approver_grant": grant.id}
    left = people_.create(call, name="Somebody Left", unit_id=None, service_point_id=point)
    people_.leave(call, left.id, call.now.date())
    scene.ids["left"] = left.id
    scene.ids["overdue"] = _overdue(call, scene)
    rule = management.add_rule(call, "firewall")
    scene.ids["rule"] = rule.id
    asker = session.scalars(select(Operator).where(Operator.email == "fleet_admin-city@example.org")).one()
    for uid in scene.fleet[:20]:
        row = management.exempt(
            call, uid, rule.id, owner="o@example.org", reason="r", until=call.now + timedelta(days=9)
        )
        row.granted_by = asker.name


def _overdue(call: Call, scene: Scene) -> int:
    """A loan for which a lock is proposed, after an hour in which as many were locked as one person may lock alone."""
    commands.send(call, scene.fleet[:20], Verb.LOCK, reason="stolen")
    lent = call.session.scalars(select(Device).where(Device.uid == scene.fleet[20])).one()
    due = call.now - timedelta(days=9)
    custody = Custody(
        uid=new_uid(),
        device_id=lent.id,
        person_id=scene.city.person["own"],
        person_name="Person own",
        service_point_id=lent.service_point_id,
        from_at=due - timedelta(days=1),
        loan=True,
        due_at=due,
    )
    call.session.add(custody)
    call.session.flush()
    row = OverdueLoan(
        custody_id=custody.id,
        device_id=lent.id,
        person_id=custody.person_id,
        service_point_id=custody.service_point_id,
        due_at=due,
        step=LadderStep.LOCK.value,
        proposed_at=call.now,
    )
    call.session.add(row)
    call.session.flush()
    return row.id
