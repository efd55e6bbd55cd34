"""The figures of the home page: what needs somebody, counts that are links, charts. Everything within the actor's scope."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from mdm.audit.model import AuditEntry
from mdm.commands.model import Command
from mdm.compliance.model import Exemption
from mdm.core.actor import ActorKind
from mdm.core.permissions import Permission
from mdm.desk.loans import queries as loans
from mdm.desk.repairs import queries as repairs
from mdm.desk.stock import levels
from mdm.enrollment.model import Invitation
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.overview import words
from mdm.overview.devices import seen_condition
from mdm.overview.invitations import standing
from mdm.overview.orders import waiting_count
from mdm.storage.call import Call
from mdm.storage.scoping import within

SOON = timedelta(hours=48)
EXEMPTION_SOON = timedelta(days=7)
FAILED_SINCE = timedelta(days=7)
WEEKS = 12
SYSTEMS_MOST = 8
PLACES_MOST = 12
ACTIVITY = 20


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person: what, how many, and the filters of the list that shows exactly these."""

    kind: str
    count: int
    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a chart: its word and its values, one per name."""

    name: str
    colour: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and the table beside it: names, series, and the filters behind each name."""

    names: tuple[str, ...]
    series: tuple[Series, ...]
    parameters: tuple[tuple[tuple[str, str], ...], ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(any(one.values) for one in self.series)


def _mine(call: Call) -> ColumnElement[bool]:
    return within(call.actor.scope(Permission.DEVICE_VIEW), Device.service_point_id, Device.unit_id)


def needs(call: Call) -> list[Need]:
    """What waits for somebody, most pressing first; nothing that the actor may not open."""
    found: list[Need] = []
    may, session = call.actor.may_somewhere, call.session
    if may(Permission.ORDER_VIEW):
        found.append(Need("approvals", waiting_count(call), (("state", "requested"),)))
    if may(Permission.DEVICE_VIEW):
        lost = select(func.count()).select_from(Device).where(_mine(call), Device.state == "lost")
        failed = (
            select(func.count())
            .select_from(Command)
            .join(Device, Device.id == Command.device_id)
            .where(_mine(call), Command.state.in_(("failed", "refused")), Command.created_at >= call.now - FAILED_SINCE)
        )
        silent = select(func.count()).select_from(Device).where(_mine(call), seen_condition(call, "older"))
        found += [
            Need("lost", session.scalar(lost) or 0, (("state", "lost"),)),
            Need("failed", session.scalar(failed) or 0, (("state", "failed"), ("state", "refused"), ("recent", "7"))),
            Need("silent", session.scalar(silent) or 0, (("seen", "older"),)),
        ]
    if may(Permission.ENROLLMENT_VIEW):
        scope = within(call.actor.scope(Permission.ENROLLMENT_VIEW), Invitation.service_point_id, Invitation.unit_id)
        expiring = (
            select(func.count())
            .select_from(Invitation)
            .where(scope, standing(call.now) == "open", Invitation.expires_at <= call.now + SOON)
        )
        found.append(Need("invitations", session.scalar(expiring) or 0, (("expiring", "48"),)))
    if may(Permission.COMPLIANCE_VIEW):
        ending = (
            select(func.count())
            .select_from(Exemption)
            .join(Device, Device.id == Exemption.device_id)
            .where(
                within(call.actor.scope(Permission.COMPLIANCE_VIEW), Device.service_point_id, Device.unit_id),
                Exemption.ended_at.is_(None),
                Exemption.until > call.now,
                Exemption.until <= call.now + EXEMPTION_SOON,
            )
        )
        found.append(Need("exemptions", session.scalar(ending) or 0, ()))
    if may(Permission.DESK_VIEW):
        found += [
            Need("stock", len(levels.low(call)), ()),
            Need("repairs", repairs.overdue_count(call), (("overdue", "yes"),)),
            Need("loans", loans.overdue_count(call), ()),
        ]
    return [need for need in found if need.count]


def counts(call: Call) -> dict[str, int]:
    """The numbers of the tiles, by key, in one statement: each tile links to the list of exactly these devices."""
    enrolled = Device.enrolled_at.is_not(None)
    conditions: dict[str, ColumnElement[bool]] = {
        "enrolled": enrolled,
        **{f"verdict_{value}": and_(enrolled, Device.verdict == value) for value in words.VERDICTS},
        **{f"seen_{value}": and_(enrolled, seen_condition(call, value)) for value in words.SEEN},
        "waiting": Device.waiting > 0,
        "all": Device.id > 0,
    }
    columns = [func.coalesce(func.sum(case((condition, 1), else_=0)), 0) for condition in conditions.values()]
    row = call.session.execute(select(*columns).where(_mine(call))).one()
    return {key: int(value) for key, value in zip(conditions, row, strict=True)}


def _verdict_series(per_name: list[dict[str, int]]) -> tuple[Series, ...]:
    colours = {"compliant": "good", "in_grace": "warn", "noncompliant": "bad", "unknown": "calm"}
    return tuple(
        Series(words.VERDICTS[key], colours[key], tuple(one.get(key, 0) for one in per_name)) for key in words.VERDICTS
    )


def compliance_by_place(call: Call) -> Chart:
    """Verdicts of enrolled devices per service point, the largest first."""
    rows = call.session.execute(
        select(ServicePoint.id, ServicePoint.name, Device.verdict, func.count())
        .join(ServicePoint, ServicePoint.id == Device.service_point_id)
        .where(_mine(call), Device.enrolled_at.is_not(None))
        .group_by(ServicePoint.id, ServicePoint.name, Device.verdict)
    )
    per_place: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    for number, name, verdict, count in rows:
        per_place[number, name][verdict] = count
    places = sorted(per_place, key=lambda place: -sum(per_place[place].values()))[:PLACES_MOST]
    return Chart(
        tuple(name for _, name in places),
        _verdict_series([per_place[place] for place in places]),
        tuple((("service_point", str(number)), ("enrolled", "yes")) for number, _ in places),
    )


def systems(call: Call) -> Chart:
    """Devices per version of an operating system, the most frequent first."""
    rows = call.session.execute(
        select(Device.os_name, Device.os_version, func.count())
        .where(_mine(call), Device.os_version != "")
        .group_by(Device.os_name, Device.os_version)
        .order_by(func.count().desc(), Device.os_name, Device.os_version)
        .limit(SYSTEMS_MOST)
    ).all()
    return Chart(
        tuple(f"{row[0]} {row[1]}".strip() for row in rows),
        (Series("devices", "main", tuple(row[2] for row in rows)),),
        tuple((("os", f"{row[0]}|{row[1]}"),) for row in rows),
    )


def last_seen(tiles: dict[str, int]) -> Chart:
    """Enrolled devices by how long ago they checked in."""
    return Chart(
        tuple(words.SEEN.values()),
        (Series("devices", "main", tuple(tiles[f"seen_{key}"] for key in words.SEEN)),),
        tuple((("enrolled", "yes"), ("seen", key)) for key in words.SEEN),
    )


def _begins(day: date, zone: str) -> datetime:
    return datetime.combine(day, datetime.min.time(), ZoneInfo(zone))


def enrolments(call: Call, zone: str) -> Chart:
    """Devices enrolled per week, the last twelve, weeks as they begin in the city's time zone."""
    today = call.now.astimezone(ZoneInfo(zone)).date()
    monday = today - timedelta(days=today.weekday())
    weeks = [monday - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]
    first = _begins(weeks[0], zone)
    counted: dict[date, int] = defaultdict(int)
    # Grouped here and not in SQL: the two databases do not agree on weeks, and three months of moments are few.
    for moment in call.session.scalars(select(Device.enrolled_at).where(_mine(call), Device.enrolled_at >= first)):
        if moment is not None:
            day = moment.astimezone(ZoneInfo(zone)).date()
            counted[day - timedelta(days=day.weekday())] += 1
    return Chart(
        tuple(week.isoformat() for week in weeks),
        (Series("devices", "main", tuple(counted[week] for week in weeks)),),
        tuple(
            (
                ("enrolled_from", _begins(week, zone).isoformat()),
                ("enrolled_before", _begins(week + timedelta(weeks=1), zone).isoformat()),
            )
            for week in weeks
        ),
    )


def activity(call: Call, limit: int = ACTIVITY) -> list[AuditEntry]:
    """The last lines of the diary about things at the actor's places; reading them needs no right to the whole diary."""
    scope = call.actor.scope(Permission.DEVICE_VIEW)
    if scope.empty:
        return []
    query: Any = (
        select(AuditEntry)
        .where(
            within(scope, AuditEntry.service_point_id, AuditEntry.unit_id),
            AuditEntry.action != "list.exported",
            # A device that is recorded because it enrols is told once, by its enrolment.
            or_(AuditEntry.action != "device.created", AuditEntry.actor_kind != ActorKind.SYSTEM.value),
        )
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    return list(call.session.scalars(query))
