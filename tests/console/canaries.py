"""A city with two places, one of them full of canaries: words that nobody of the other place may ever be shown.

The walk goes over every route that console and API have, as their own tables say; a route with an argument that is not
known here fails the walk, so nobody can add one unseen.
"""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.routing import Rule

from mdm.access.model import ApiToken
from mdm.adoption import service as adoption
from mdm.alarms.model import Alarm
from mdm.audit.model import AuditEntry
from mdm.commands import service as commands
from mdm.commands.model import Verb
from mdm.compliance import management
from mdm.compliance.model import Exemption
from mdm.core.clock import utcnow
from mdm.core.permissions import Role
from mdm.core.risk import Permit, Why
from mdm.enrollment import service as enrollment
from mdm.inventory.model import Application, AppSet, AppSetItem, Device, DeviceEvent, FactSection
from mdm.orders import service as orders
from mdm.orders.model import Act, Order
from mdm.org import service as org
from mdm.org.model import ServicePoint, Unit
from mdm.people.model import Person
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.api.city import LINKS, City, _act, boss, build, settle
from tests.console import desk_things, people_things
from web import build as front_end
from web.api.app import make_api
from web.api.links import LINKS_KEY
from web.common.database import db
from web.console.app import make_console

CANARY = "kanarie"
NOWHERE = {"uid": "f" * 32, "number": "999999", "hex": "e" * 32}
ROLES = tuple(role for role in Role if role is not Role.EMPLOYEE)
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Stage:
    """Console and API on one database; ids by kind of thing, for our place, the other one, and for what is not there."""

    console: Flask
    api: Flask
    file: Path
    city: City
    ids: dict[str, dict[str, str]] = field(default_factory=dict)

    def client(self, app: Flask, cookie: str | None) -> FlaskClient:
        """Somebody with this session, or a stranger."""
        client = app.test_client(use_cookies=True)
        if cookie is not None:
            client.set_cookie("hm_session", cookie)
        return client


def _mark_other(call: Call, city: City) -> dict[str, str]:
    """Everything that stands at the other place gets a canary for a name; ids of one of each kind."""
    device = call.session.scalars(select(Device).where(Device.uid == city.device["other"])).one()
    invitation, _ = enrollment.invite(
        call, LINKS, email=f"{CANARY}@example.org", platform="linux", service_point_code="SP-OTHER"
    )
    command = commands.send(call, [device.uid], Verb.MESSAGE, {"text": f"{CANARY} bericht"}).commands[0]
    rule = call.session.scalars(select(Exemption.rule_id)).first()
    assert rule is not None
    exemption = management.exempt(
        call,
        device.uid,
        rule,
        owner=f"{CANARY}@example.org",
        reason=f"{CANARY} reden",
        until=call.now + timedelta(days=9),
    )
    order = orders.request_wipe(call, device.uid, f"{CANARY} weg")
    act = _act(call, device.uid)
    call.session.flush()
    session, point = call.session, city.service_point["other"]
    session.execute(
        update(Device)
        .where(Device.id == device.id)
        .values(name=f"{CANARY}-toestel", serial=f"{CANARY}-7", tag=f"{CANARY}-tag")
    )
    session.execute(
        update(ServicePoint).where(ServicePoint.id == point).values(name=f"{CANARY}-punt", code=f"{CANARY}-SP".upper())
    )
    session.execute(
        update(Unit).where(Unit.id == city.unit["other"]).values(name=f"{CANARY}-dienst", code=f"{CANARY}-u")
    )
    session.execute(
        update(Person)
        .where(Person.id == city.person["other"])
        .values(name=f"{CANARY} persoon", email=f"{CANARY}@stad.example", search=f"{CANARY} persoon")
    )
    session.execute(
        update(Order).where(Order.id == order.id).values(device_label=f"{CANARY}-toestel", person_name=CANARY)
    )
    session.execute(
        update(AuditEntry)
        .where(AuditEntry.service_point_id == point)
        .values(subject_name=f"{CANARY} regel", details={"x": CANARY})
    )
    session.add(DeviceEvent(device_id=device.id, at=call.now, kind="moved", actor_name=CANARY, details={"x": CANARY}))
    session.add(
        FactSection(
            device_id=device.id, section="system", digest="x", content={"hostname": CANARY}, changed_at=call.now
        )
    )
    session.add(
        Alarm(
            at=call.now,
            kind="order_held",
            text="%(subject)s",
            params={"subject": f"{CANARY}-toestel"},
            subject_kind="order",
            subject_id=order.id,
            service_point_id=point,
            told=0,
        )
    )
    session.add(
        ApiToken(
            name=f"{CANARY}-programma",
            secret_digest="c" * 64,
            role=Role.AUDITOR.value,
            service_point_id=point,
            created_at=call.now,
            created_by=CANARY,
        )
    )
    session.execute(update(Act).where(Act.id == act).values(subject_name=f"{CANARY}-toestel"))
    application = _install(call, device)
    return {
        "device_uid": device.uid,
        "invitation_uid": invitation.uid,
        "command_id": command,
        "exemption_id": str(exemption.id),
        "order_id": order.id,
        "act_id": act,
        "person_id": str(city.person["other"]),
        "unit_id": str(city.unit["other"]),
        "service_point_id": str(point),
        "application_id": str(application),
    }


def _install(call: Call, device: Device) -> int:
    """An application that only the other place's device has; its id."""
    application = Application(platform="linux", identifier=f"{CANARY}-app", name=f"{CANARY}-app")
    held = AppSet(digest="a" * 64, size=1)
    call.session.add_all((application, held))
    call.session.flush()
    call.session.add(AppSetItem(app_set_id=held.id, application_id=application.id, version="1"))
    device.app_set_id = held.id
    call.session.flush()
    return application.id


def make(template: Path, home: Path) -> Stage:
    """The city on a database of its own."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / "city.db"
    shutil.copy(template, file)
    settings = Settings(home=home, database_url=f"sqlite:///{file}", language="en", console_port=8080)
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        call = Call(boss(), session, utcnow(), Permit(Why.NO_ROSTER))
        city = build(call)
        settle(call, city)
        # The desks first: what the other place has in the diary is marked as a canary afterwards, all of it.
        away = org.create_service_point(call, code="SP-away", name="Point away").id
        game, wanted = people_things.quest(call, tuple(city.service_point.values())), people_things.offer(call)
        things: dict[str, dict[str, str]] = {}
        for place, word in (("own", "eigen"), ("other", CANARY)):
            point, person = city.service_point[place], city.person[place]
            desk = desk_things.furnish(call, point, person, away, word)
            things[place] = desk | people_things.furnish(
                call, point, person, word, game, wanted, city.service_point["other"]
            )
        # Ours is a round in which people of both places are: whoever may see it may not see all of it.
        things["own"]["round_uid"] = adoption.invite_people(call, list(city.person.values())).uid
        other = _mark_other(call, city)
    engine.dispose()
    own = {name: str(value) for name, value in city.ids.items()} | things["own"]
    own["code"] = "SP-OWN"
    other |= things["other"] | {"code": f"{CANARY}-SP".upper()}
    stage = Stage(make_console(settings), make_api(settings), file, city)
    stage.api.extensions[LINKS_KEY] = LINKS
    stage.ids = {"own": own, "other": other}
    return stage


@contextmanager
def on_stage(template: Path, home: Path) -> Iterator[Stage]:
    """The stage for as long as the block lasts; console and API let go of the database afterwards."""
    front_end.build()
    made = make(template, home)
    try:
        yield made
    finally:
        for app in (made.console, made.api):
            with app.app_context():
                db.session.remove()
                db.engine.dispose()


CONSOLE_ARGUMENTS: tuple[tuple[str, str, str], ...] = (
    ("/account/", "number", "mine"),
    ("/views/", "number", "mine"),
    ("/compliance/exempt/", "uid", "device_uid"),
    ("/compliance/exempt/", "rule", "rule_number"),
    ("/compliance/rules/new/", "rule", "=firewall"),
    ("/compliance/rules/", "number", "rule_number"),
    ("/compliance/exemptions/", "number", "exemption_id"),
    ("/enrollment/", "uid", "invitation_uid"),
    ("/devices/", "uid", "device_uid"),
    ("/devices/<uid>/phone/ask/", "what", "=lost_mode"),
    ("/devices/<uid>/phone/commands/", "number", "mine"),
    ("/devices/<uid>/phone/secrets/", "what", "=bypass_code"),
    ("/commands/", "number", "command_id"),
    ("/people/", "number", "person_id"),
    ("/units/", "number", "unit_id"),
    ("/service-points/", "number", "service_point_id"),
    ("/applications/requests/", "uid", "request_uid"),
    ("/applications/offers/", "uid", "mine"),
    ("/applications/", "number", "application_id"),
    ("/adoption/<what>.csv", "what", "=rows"),
    ("/privacy/register-of-processing.", "kind", "=csv"),
    ("/adoption/rounds/", "uid", "round_uid"),
    ("/discovery/", "uid", "listening_uid"),
    ("/guidance/ambassadors/", "uid", "ambassador_uid"),
    ("/guidance/guides/", "uid", "mine"),
    ("/guidance/quests/", "uid", "quest_uid"),
    ("/panic/calls/", "uid", "call_uid"),
    ("/panic/drills/", "uid", "drill_uid"),
    ("/panic/duty/", "line", "duty_id"),
    ("/policies/", "number", "policy_id"),
    ("/approvals/", "number", "order_id"),
    ("/orders/", "number", "order_id"),
    ("/acts/", "number", "act_id"),
    ("/roster/proposals/", "uid", "mine"),
    ("/settings/phones/", "uid", "mine"),
    ("/settings/phones/", "number", "mine"),
    ("/settings/phones/android/files/", "digest", "mine"),
    ("/settings/releases/", "version", "mine"),
    ("/charts/", "name", "=platforms"),
    ("/desk/cases/new/", "kind", "=lost"),
    ("/desk/cases/", "uid", "case_uid"),
    ("/desk/lost/", "uid", "device_uid"),
    ("/desk/papers/", "uid", "paper_uid"),
    ("/desk/kiosks/rounds/", "uid", "kiosk_round_uid"),
    ("/desk/kiosks/setups/", "uid", "setup_uid"),
    ("/desk/kiosks/setups/batch/", "batch", "setup_batch"),
    ("/desk/repairs/", "uid", "repair_uid"),
    ("/desk/photos/", "uid", "photo_uid"),
    ("/kiosk-pictures/", "uid", "kiosk_picture_uid"),
    ("/desk/stock/exchange/", "uid", "mine"),
    ("/desk/box/", "uid", "box_uid"),
    ("/desk/loans/pools/", "number", "service_point_id"),
    ("/desk/loans/overdue/", "number", "overdue_id"),
    ("/desk/loans/", "uid", "reservation_uid"),
    ("/desk/scan/", "code", "scan_code"),
    ("/desk/stock/shelves/", "number", "shelf_id"),
    ("/desk/stock/takes/", "number", "take_id"),
    ("/desk/stock/transfers/", "uid", "transfer_uid"),
    ("/desk/signing/", "uid", "signature_uid"),
)
"""Beginning of an address, argument, and whose id it is. ``=`` stands before a word; ``mine`` stands at no place, so it is only
asked for as something that is not there."""
TOKENS = ("/e/", "/sign/", "/sign-in/", "/static/", "/pause/", "/panic/come/")
"""Public by a secret in the address: there is no other place for these."""


class UnknownArgumentError(Exception):
    """A route has an argument that the walk does not know: say in ``CONSOLE_ARGUMENTS`` whose id it is."""


def addresses(stage: Stage, rule: Rule, place: str) -> str | None:
    """The address of a console route with ids of ``place`` (own, other, absent); None where it takes none of these."""
    path, known = rule.rule, stage.ids.get(place, {})
    for name in sorted(rule.arguments):
        kind = next(
            (kind for start, argument, kind in CONSOLE_ARGUMENTS if rule.rule.startswith(start) and argument == name),
            None,
        )
        if kind is None:
            raise UnknownArgumentError(f"{rule.rule}: {name}")
        if kind.startswith("="):
            value = kind[1:]
        elif place == "absent" or kind == "mine":
            value = NOWHERE["number"] if f"<int:{name}>" in path else NOWHERE["hex"]
        else:
            value = known.get(kind) or stage.ids["own"][kind]
        path = re.sub(rf"<(?:\w+:)?{name}>", value, path)
    return path


def console_rules(stage: Stage, method: str) -> Iterator[Rule]:
    """The console's routes for ``method``, but for files and what a secret in the address opens."""
    for rule in sorted(stage.console.url_map.iter_rules(), key=lambda rule: rule.rule):
        if method in (rule.methods or ()) and not rule.rule.startswith(TOKENS):
            yield rule


def api_operations(stage: Stage, method: str) -> Iterator[tuple[str, set[str]]]:
    """The API's addresses for ``method``, each with its arguments."""
    from web.api.openapi import document

    found: dict[str, Any] = json.loads(document(stage.api))
    for path, items in sorted(found["paths"].items()):
        if method.lower() in items:
            yield path, set(re.findall(r"{(\w+)}", path))


def api_address(stage: Stage, path: str, place: str) -> str:
    """An address of the API with ids of ``place``."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if place == "absent":
            numeric = str(stage.ids["own"][name]).isdigit()
            return NOWHERE["number"] if numeric else NOWHERE["hex"]
        return stage.ids[place].get(name) or stage.ids["own"][name]

    return re.sub(r"{(\w+)}", value, path)


def shows_canary(answer: Any, asked: str = "") -> bool:
    """Whether body or headers of an answer hold a canary, whatever the case; what was asked for by its name is no answer."""
    head = " ".join(f"{key}: {value}" for key, value in answer.headers.items())
    told = f"{head} {answer.get_data().decode(errors='replace')}".lower()
    return CANARY in (told.replace(asked.lower(), "") if asked else told)
