"""Entering the pilot through the use cases that everybody else uses. What is there already is left as people made it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from mdm.access import service as access
from mdm.audit import service as audit
from mdm.audit.model import AuditEntry
from mdm.compliance.management import install_defaults
from mdm.core.permissions import Role
from mdm.core.risk import Risk
from mdm.enrollment import service as enrollment
from mdm.enrollment.links import Links
from mdm.inventory import bulk as inventory
from mdm.inventory import fields as device_fields
from mdm.inventory.fields import AssetData
from mdm.inventory.holder import Holder
from mdm.inventory.model import LifeCycle
from mdm.orders import acts
from mdm.org import bulk as org
from mdm.org import queries as org_queries
from mdm.org.service_points import checked_fields
from mdm.people import bulk as people
from mdm.people import fields as person_fields
from mdm.people.model import Person
from mdm.pilot.data import table
from mdm.pilot.desk import load_desk
from mdm.pilot.devices import devices
from mdm.pilot.loans import load_pools, load_reservations
from mdm.pilot.names import Colleague, colleagues
from mdm.pilot.places import PilotPlace, places
from mdm.policies.document import apply_document
from mdm.policies.model import Policy
from mdm.storage.call import Call

Progress = Callable[[str, int, int], None]
"""Told what is done now, which step that is and of how many."""
LOADED = "pilot.loaded"
ABOUT: dict[str, Any] = {"file": "pilot"}
INVITED = 6
"""People without a device who get an invitation, so that the list of invitations has something to show."""


def loaded(call: Call) -> bool:
    """Whether the pilot was entered into this installation before."""
    return call.session.scalar(select(AuditEntry.id).where(AuditEntry.action == LOADED).limit(1)) is not None


def load(call: Call, progress: Progress | None = None, links: Links | None = None) -> bool:
    """Enters the pilot; False, and nothing is changed, when it was entered before.

    ``links`` are what invitations are made of; without them nobody is invited. For somebody who may do everything.
    """
    if loaded(call):
        return False
    points = places(table("service_points"))
    staff = colleagues(table("people"))
    steps: list[tuple[str, Callable[[], None]]] = [
        ("Organogram", lambda: load_units(call)),
        ("Service points", lambda: load_service_points(call, points)),
        ("People", lambda: load_people(call, staff)),
        ("Accounts", lambda: load_operators(call)),
        ("Devices", lambda: load_devices(call, staff, points)),
        ("Loans", lambda: load_reservations(call, load_pools(call, points))),
    ]
    steps += [("Policies", lambda: load_policies(call)), ("Compliance", lambda: load_rules(call))]
    steps.append(("Desk", lambda: load_desk(call)))
    if links is not None:
        steps.append(("Invitations", lambda: load_invitations(call, links, staff)))
    for number, (name, step) in enumerate(steps, start=1):
        if progress:
            progress(name, number, len(steps))
        step()
    audit.record(call, LOADED, ("pilot", "pilot"), name="Pilot", details={"people": len(staff), "places": len(points)})
    return True


def load_units(call: Call) -> None:
    """The organogram, and its reorganisation of July 2020 as a dated move."""
    told = table("units")
    there = {line.unit.code for line in org_queries.units(call, closed=True)}
    drafts = [
        org.UnitDraft(unit["code"], {"name": unit["name"]}, None, True, unit.get("parent"), unit["from"])
        for unit in told["unit"]
        if unit["code"] not in there
    ]
    org.write_units(call, drafts, ABOUT)
    units = {line.unit.code: line.unit for line in org_queries.units(call, closed=True)}
    new = {draft.code for draft in drafts}
    moves = [
        org.UnitDraft(move["code"], {}, units[move["code"]], True, move["parent"], move["from"])
        for move in told["move"]
        if move["code"] in new
    ]
    org.write_units(call, moves, ABOUT)


def load_service_points(call: Call, points: list[PilotPlace]) -> None:
    """Werkhaven and eighty others."""
    there = {point.code for point in org_queries.service_points(call, closed=True, limit=10_000)}
    drafts = [
        org.PointDraft(
            checked_fields(
                {
                    "code": point.code,
                    "name": point.name,
                    "address": point.address,
                    "opening_hours": point.opening_hours,
                    "email": f"{point.code.lower()}@stad.example",
                }
            )
        )
        for point in points
        if point.code not in there
    ]
    org.write_service_points(call, drafts, ABOUT)


def load_people(call: Call, staff: list[Colleague]) -> None:
    """The 122 people in their seven groups."""
    taken = people.taken_keys(call)
    emails, numbers = taken["email"], taken["number"]
    unit_ids, point_ids = _units(call), _points(call)
    drafts = [
        people.Draft(
            person_fields.checked(
                {
                    "number": one.number,
                    "name": one.name,
                    "email": one.email,
                    "language": one.language,
                    "persona": one.persona,
                    "unit_id": unit_ids[one.unit],
                    "service_point_id": point_ids[one.place],
                }
            )
        )
        for one in staff
        if one.email not in emails and one.number not in numbers
    ]
    people.write(call, drafts, ABOUT)


def load_operators(call: Call) -> None:
    """One account for each role, without a password; a role is given only to an account that has none yet."""
    point_ids = _points(call)
    for told in table("operators")["operator"]:
        operator = access.ensure_operator(
            call, email=told["email"], name=told["name"], language=told.get("language", "nl")
        )
        if not access.grants_of(call, operator.id):
            place = access.Place(point_ids[told["service_point"]]) if "service_point" in told else access.CITY
            giving = (
                acts.by_the_host(call, Risk.ROLE_GIVE, ("operator", operator.id))
                if operator.created_at == call.now
                else call
            )
            access.add_grant(giving, operator.id, Role(told["role"]), place)
            acts.note_uses(giving)


def load_devices(call: Call, staff: list[Colleague], points: list[PilotPlace]) -> None:
    """Phones in hands, stock, kiosks, the pool of laptops, and devices that are lost, broken or on their way out."""
    made = devices(table("devices"), staff, points)
    there = inventory.by_key(call, "tag", [device.asset["tag"] or "" for device in made])
    unit_ids, point_ids = _units(call), _points(call)
    holders = _holders(call)
    drafts = []
    for device in made:
        if device.asset["tag"] in there:
            continue
        asset: AssetData = {**device.asset, "service_point_id": point_ids[device.place]}
        asset["owner_unit_id"] = unit_ids[device.unit] if device.unit else None
        values = device_fields.cleaned(asset)
        holder = holders.get(device.holder) if device.holder else None
        drafts.append(inventory.Draft(values, None, LifeCycle(device.state), holder))
    inventory.write(call, drafts, ABOUT)


def load_policies(call: Call) -> None:
    """The policies of the pilot with their assignments; a policy of the same name is left as it is."""
    there = set(call.session.scalars(select(Policy.name)))
    for document in table("policies")["policy"]:
        if document["name"] not in there:
            apply_document(call, {**document, "note": "Pilot"})


def load_rules(call: Call) -> None:
    """Every compliance rule with its defaults, where none has been put in force."""
    install_defaults(call)


def load_invitations(call: Call, links: Links, staff: list[Colleague]) -> None:
    """Invitations for some of those who have no device yet, at their own service point."""
    for one in [one for one in staff if not one.equipped][-INVITED:]:
        enrollment.invite(call, links, email=one.email, platform="android", service_point_code=one.place, kind="phone")


def _units(call: Call) -> dict[str, int]:
    return {line.unit.code: line.unit.id for line in org_queries.units(call, closed=True)}


def _points(call: Call) -> dict[str, int]:
    return {point.code: point.id for point in org_queries.service_points(call, closed=True, limit=10_000)}


def _holders(call: Call) -> dict[str, Holder]:
    return {
        person.email: Holder(person.id, person.name, person.number, person.email, person.unit_id, person.persona)
        for person in call.session.scalars(select(Person).where(Person.email.is_not(None)))
        if person.email
    }
