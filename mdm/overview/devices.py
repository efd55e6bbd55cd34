"""The list of devices."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, true

from mdm.compliance.model import Exemption, Finding
from mdm.core.errors import N_, InvalidError
from mdm.core.permissions import Permission
from mdm.inventory import contact, search
from mdm.inventory.model import NOT_ENROLLED, AppSetItem, Device, DeviceGroup, DeviceGroupMember, FactSection
from mdm.org.model import ServicePoint, Unit
from mdm.org.queries import service_point_by_code, service_points, unit_by_code, units, units_below
from mdm.overview import cells, words
from mdm.overview.listing import Column, Filter, Listing, any_id, any_of, any_place, moment_order, place_ids, text_order
from mdm.people.model import Person
from mdm.policies.model import Assignment, Cohort
from mdm.storage.call import Call
from mdm.storage.scoping import within

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def devices_of(call: Call) -> Select[Any]:
    """Devices that the actor may see, with holder, unit and service point."""
    scope = call.actor.scope(Permission.DEVICE_VIEW)
    return (
        select(Device.id)
        .outerjoin(Person, Person.id == Device.person_id)
        .outerjoin(ServicePoint, ServicePoint.id == Device.service_point_id)
        .outerjoin(Unit, Unit.id == Device.unit_id)
        .where(within(scope, Device.service_point_id, Device.unit_id))
    )


def seen_condition(call: Call, bucket: str) -> ColumnElement[bool]:
    """Devices whose last check-in lies in that bucket of ``words.SEEN``.

    Buckets end with days: one that ended 24 hours ago would tell whoever asks every minute when a device was awake.
    """
    seen = Device.last_seen_at
    yesterday, week = (contact.day_of(call.now - span) for span in (DAY, WEEK))
    conditions: dict[str, ColumnElement[bool]] = {
        "day": seen >= yesterday,
        "week": and_(seen < yesterday, seen >= week),
        "older": seen < week,
        "never": seen.is_(None),
    }
    return conditions.get(bucket, false())


def _seen(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(seen_condition(call, value) for value in values))


def _verdict(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    """A verdict is one of an enrolled device; ``not_enrolled`` finds the others."""
    enrolled = Device.enrolled_at.is_not(None)
    verdicts = [value for value in values if value != NOT_ENROLLED]
    found = and_(enrolled, Device.verdict.in_(verdicts))
    return or_(found, ~enrolled) if NOT_ENROLLED in values else found


def _words(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return and_(true(), *(search.condition(call.session, value) for value in values))


def point_of(call: Call, code: str) -> int:
    """The id of the service point with this code; NotFoundError when it is not there or not the actor's."""
    return service_point_by_code(call, code).id


def unit_of(call: Call, code: str) -> int:
    """The id of the unit with this code; NotFoundError when it is not there or not the actor's."""
    return unit_by_code(call, code).id


def unit_ids(call: Call, values: Sequence[str]) -> set[int]:
    """The units with these ids or codes and all that is below them today."""
    wanted: set[int] = set()
    for number in place_ids(call, values, unit_of):
        wanted |= units_below(call.session, number, call.now.date())
    return wanted


def _unit(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return Device.unit_id.in_(unit_ids(call, values))


def _system(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    pairs = (value.partition("|") for value in values)
    return or_(*(and_(Device.os_name == name, Device.os_version == version) for name, _, version in pairs))


def _yes(condition: ColumnElement[bool], values: Sequence[str]) -> ColumnElement[bool]:
    return or_(false(), *((condition if value == "yes" else ~condition) for value in values if value in words.YES_NO))


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise InvalidError(N_("This is not a moment in time: %(value)s."), value=value) from error
    if moment.tzinfo is None:
        raise InvalidError(N_("This is not a moment in time: %(value)s."), value=value)
    return moment


def _enrolled_from(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return and_(true(), *(Device.enrolled_at >= _moment(value) for value in values))


def _enrolled_before(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return and_(true(), *(Device.enrolled_at < _moment(value) for value in values))


def _app(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    items = AppSetItem.application_id
    numbers = [int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 15]
    return Device.app_set_id.in_(select(AppSetItem.app_set_id).where(items.in_(numbers)))


def _app_version(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    """``number|version``: one version of one application."""
    conditions: list[ColumnElement[bool]] = [false()]
    for value in values:
        number, _, version = value.partition("|")
        if number.isascii() and number.isdigit() and len(number) < 15:
            sets = select(AppSetItem.app_set_id).where(
                AppSetItem.application_id == int(number), AppSetItem.version == version
            )
            conditions.append(Device.app_set_id.in_(sets))
    return or_(*conditions)


def _rule(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    numbers = [int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 15]
    return exists().where(Finding.device_id == Device.id, Finding.rule_id.in_(numbers))


def _finding(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    """``number|standing``: devices that stand so with that rule: overdue, in_grace, unknown, exempt."""
    excused = exists().where(
        Exemption.device_id == Finding.device_id,
        Exemption.rule_id == Finding.rule_id,
        Exemption.ended_at.is_(None),
        Exemption.until > call.now,
    )
    standings: dict[str, ColumnElement[bool]] = {
        "overdue": and_(~excused, Finding.unknown.is_(False), Finding.grace_until <= call.now),
        "in_grace": and_(~excused, Finding.unknown.is_(False), Finding.grace_until > call.now),
        "unknown": and_(~excused, Finding.unknown.is_(True)),
        "exempt": excused,
    }
    conditions: list[ColumnElement[bool]] = [false()]
    for value in values:
        number, _, name = value.partition("|")
        if number.isascii() and number.isdigit() and len(number) < 15 and name in standings:
            found = select(Finding.device_id).where(Finding.rule_id == int(number), standings[name])
            conditions.append(Device.id.in_(found))
    return or_(*conditions)


def _assigned(call: Call, wanted: set[int]) -> ColumnElement[bool]:
    """Devices that one of these assignments reaches: by their cohorts, which are few however many devices there are."""
    rows = call.session.execute(select(Cohort.id, Cohort.assignments))
    return Device.cohort_id.in_([row.id for row in rows if wanted & set(row.assignments)])


def _numbers(values: Sequence[str]) -> set[int]:
    return {int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 15}


def _assignment(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return _assigned(call, _numbers(values))


def _policy(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    ids = call.session.scalars(select(Assignment.id).where(Assignment.policy_id.in_(_numbers(values))))
    return _assigned(call, set(ids))


def _group(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    numbers = [int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 15]
    members = select(DeviceGroupMember.device_id).where(DeviceGroupMember.group_id.in_(numbers))
    return Device.id.in_(members)


def _systems(call: Call) -> list[tuple[str, str]]:
    scope = within(call.actor.scope(Permission.DEVICE_VIEW), Device.service_point_id, Device.unit_id)
    rows = call.session.execute(
        select(Device.os_name, Device.os_version).where(scope, Device.os_version != "").distinct().limit(200)
    ).all()
    return sorted((f"{name}|{version}", f"{name} {version}".strip()) for name, version in rows)


def places(call: Call) -> list[tuple[str, str]]:
    """Service points that the actor may see, as choices."""
    return [(str(point.id), point.name) for point in service_points(call)]


def units_offered(call: Call) -> list[tuple[str, str]]:
    """Units that the actor may see, as choices, indented as a tree."""
    return [(str(line.unit.id), "\u2003" * line.depth + line.unit.name) for line in units(call)]


def _groups(call: Call) -> list[tuple[str, str]]:
    rows = call.session.execute(select(DeviceGroup.id, DeviceGroup.name).order_by(DeviceGroup.name).limit(200))
    return [(str(row.id), row.name) for row in rows]


_encryption = (
    select(FactSection.content["root_encrypted"].as_string())
    .where(FactSection.device_id == Device.id, FactSection.section == "encryption")
    .scalar_subquery()
)

DEVICES = Listing(
    name="devices",
    permission=Permission.DEVICE_VIEW,
    base=devices_of,
    id=Device.id,
    sort="name",
    extra=(
        *cells.DEVICE,
        Device.platform.label("_platform"),
        Device.person_id.label("_person_id"),
        Device.state.label("_state"),
        Device.findings.label("_findings"),
        Device.grace_until.label("_grace_until"),
        ServicePoint.name.label("_place"),
        Device.currency.label("_currency"),
    ),
    columns=(
        Column("name", N_("Device"), Device.name, "device", default=True, sort=Device.name),
        Column("person", N_("Person"), Person.name, "person", default=True, sort=text_order(Person.name)),
        Column("tag", N_("Tag / serial"), Device.tag, "tag", default=True, sort=text_order(Device.tag)),
        Column("state", N_("State"), Device.state, "state", default=True, sort=Device.state),
        Column("verdict", N_("Compliance"), Device.standing, "verdict", default=True, sort=Device.verdict),
        Column("os", N_("System"), Device.os_name + " " + Device.os_version, default=True, sort=Device.os_version),
        Column("waiting", N_("Waiting"), Device.waiting, "number", default=True, sort=Device.waiting),
        Column(
            "seen", N_("Last seen"), Device.contact_at, "contact", default=True, sort=moment_order(Device.contact_at)
        ),
        Column("service_point", N_("Service point"), ServicePoint.name, sort=text_order(ServicePoint.name)),
        Column("unit", N_("Unit"), Unit.name, sort=text_order(Unit.name)),
        Column("serial", N_("Serial"), Device.serial, "code", sort=text_order(Device.serial)),
        Column("imei", N_("IMEI"), Device.imei, "code"),
        Column("phone", N_("Phone number"), Device.phone_number, "code"),
        Column("ownership", N_("Ownership"), Device.ownership, "ownership", sort=Device.ownership),
        Column("kind", N_("Kind"), Device.kind, "kind", sort=Device.kind),
        Column("platform", N_("Platform"), Device.platform, "platform", sort=Device.platform),
        Column("model", N_("Model"), Device.product, sort=Device.model),
        Column("encryption", N_("Encryption"), _encryption, "truth"),
        Column("agent", N_("Agent"), Device.agent_version, "code", sort=Device.agent_version),
        Column("enrolled", N_("Enrolled"), Device.enrolled_at, "moment", sort=moment_order(Device.enrolled_at)),
        Column("report", N_("Last report"), Device.reported_at, "contact", sort=moment_order(Device.reported_at)),
        Column("ring", N_("Ring"), Device.ring, sort=Device.ring),
        Column("warranty", N_("Warranty until"), Device.warranty_until, "date"),
        Column("purchased", N_("Bought on"), Device.purchased_on, "date"),
        Column("cost", N_("Bought for"), Device.cost_cents, "money"),
        Column("supplier", N_("Supplier"), Device.supplier, sort=text_order(Device.supplier)),
        Column("order_number", N_("Order number"), Device.order_number, "code"),
        Column("contract", N_("Contract"), Device.contract),
        Column("measure", N_("Measure"), Device.measure, "measure", sort=Device.measure),
    ),
    filters=(
        Filter("q", N_("Search"), _words, shown=False),
        Filter("state", N_("State"), any_of(Device.state), words=words.STATES),
        Filter("verdict", N_("Compliance"), _verdict, words=words.STANDINGS),
        Filter("seen", N_("Last seen"), _seen, words=words.SEEN),
        Filter("measure", N_("Measure"), any_of(Device.measure), words=words.MEASURES),
        Filter(
            "service_point",
            N_("Service point"),
            any_place(Device.service_point_id, point_of),
            choices=places,
            by_code=point_of,
        ),
        Filter("unit", N_("Unit"), _unit, choices=units_offered, by_code=unit_of),
        Filter("platform", N_("Platform"), any_of(Device.platform), words=words.PLATFORMS),
        Filter("kind", N_("Kind"), any_of(Device.kind), words=words.KINDS),
        Filter("ownership", N_("Ownership"), any_of(Device.ownership), words=words.OWNERSHIPS),
        Filter("persona", N_("Persona"), any_of(Device.persona), words=words.PERSONAS),
        Filter("os", N_("System"), _system, choices=_systems),
        Filter("group", N_("Group"), _group, choices=_groups),
        Filter("enrolled", N_("Enrolled"), lambda _c, v: _yes(Device.enrolled_at.is_not(None), v), words=words.YES_NO),
        Filter("waiting", N_("Waiting"), lambda _c, v: _yes(Device.waiting > 0, v), words=words.YES_NO),
        Filter("held", N_("Has a holder"), lambda _c, v: _yes(Device.person_id.is_not(None), v), words=words.YES_NO),
        Filter("enrolled_from", N_("Enrolled from"), _enrolled_from, shown=False),
        Filter("enrolled_before", N_("Enrolled before"), _enrolled_before, shown=False),
        Filter("person", N_("Person"), any_id(Device.person_id), shown=False),
        Filter("app", N_("Application"), _app, shown=False),
        Filter("app_version", N_("Application version"), _app_version, shown=False),
        Filter("finding", N_("Rule and standing"), _finding, shown=False),
        Filter("rule", N_("Rule"), _rule, shown=False),
        Filter("policy", N_("Policy"), _policy, shown=False),
        Filter("assignment", N_("Assignment"), _assignment, shown=False),
        Filter("cohort", N_("Cohort"), any_id(Device.cohort_id), shown=False),
    ),
)


def exact(call: Call, text: str) -> str | None:
    """The uid of the one device whose tag, serial or IMEI is exactly this, whatever the case; None when there is none."""
    wanted = text.strip().lower()
    if not wanted:
        return None
    scope = within(call.actor.scope(Permission.DEVICE_VIEW), Device.service_point_id, Device.unit_id)
    columns = (Device.tag, Device.serial, Device.imei)
    found = call.session.scalars(
        select(Device.uid).where(scope, or_(*(func.lower(column) == wanted for column in columns))).limit(2)
    ).all()
    return found[0] if len(found) == 1 else None
