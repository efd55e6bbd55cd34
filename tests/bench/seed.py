"""A fleet of any size, written straight into the tables: every row is one that the rooms themselves would have written."""

import random
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, insert, select

from mdm.compliance.model import RuleInForce
from mdm.enrollment.model import Enrollment
from mdm.inventory.model import Device, FactChange, FactSection
from mdm.org.model import ServicePoint, Unit, UnitParent
from mdm.people.model import Person
from mdm.policies.model import Cohort
from mdm.storage.engine import transaction

BATCH = 5000
MODELS = (
    "Latitude 5450",
    "ThinkPad L14",
    "Kiosk 22",
    "OptiPlex 7020",
    "Pi 5 kiosk",
    "Galaxy A55",
    "iPhone 16",
    "Fairphone 5",
)
VERSIONS = ("11", "12", "12", "12", "13")
VERDICTS = ("compliant",) * 7 + ("in_grace", "noncompliant", "unknown")
STATES = ("handed_out",) * 7 + ("in_stock", "on_loan", "in_repair")


def places(engine: Engine, now: datetime, service_points: int = 81, units: int = 60) -> None:
    """Service points, a tree of units, one cohort per platform, and one rule."""
    with transaction(engine) as session:
        session.execute(
            insert(ServicePoint),
            [
                {"id": n, "code": f"SP{n}", "name": f"Servicepunt {n}", "opening_hours": {}, "created_at": now}
                for n in range(1, service_points + 1)
            ],
        )
        session.execute(
            insert(Unit),
            [{"id": n, "code": f"U{n}", "name": f"Dienst {n}", "created_at": now} for n in range(1, units + 1)],
        )
        session.execute(
            insert(UnitParent),
            [
                {"unit_id": n, "parent_id": n // 6 or None, "from_date": now.date() - timedelta(days=400)}
                for n in range(1, units + 1)
            ],
        )
        session.execute(
            insert(Cohort),
            [
                {
                    "id": 1,
                    "key": "bench",
                    "platform": "linux",
                    "assignments": [],
                    "desired_digest": "d" * 16,
                    "settings": {},
                    "explanation": {},
                    "desired": {"digest": "d" * 16, "resources": []},
                    "computed_at": now,
                }
            ],
        )
        session.execute(
            insert(RuleInForce),
            [{"rule": "last_seen", "platform": "", "params": {"days": 14}, "grace_hours": 24, "created_at": now}],
        )


def number_on(engine: Engine) -> None:
    """Lets PostgreSQL number the next rows after the ones that were written with their numbers; SQLite does by itself."""
    if engine.dialect.name != "postgresql":
        return
    with transaction(engine) as session:
        for table in (ServicePoint, Unit, Cohort, Person, Device):
            sequence = func.pg_get_serial_sequence(table.__tablename__, "id")
            highest = select(func.coalesce(func.max(table.id), 0) + 1).scalar_subquery()
            session.execute(select(func.setval(sequence, highest, False)))


def fleet(engine: Engine, now: datetime, first: int, count: int, fingerprints: dict[int, str] | None = None) -> None:
    """``count`` devices from id ``first``, each with a holder, an enrollment, facts and a little history.

    ``fingerprints`` maps ids of devices that will really speak to the SHA-256 of their certificates.
    """
    chance = random.Random(first)
    for begin in range(first, first + count, BATCH):
        ids = range(begin, min(begin + BATCH, first + count))
        with transaction(engine) as session:
            session.execute(insert(Person), [_person(n, now) for n in ids])
            session.execute(insert(Device), [_device(n, now, chance) for n in ids])
            session.execute(insert(Enrollment), [_enrollment(n, now, (fingerprints or {}).get(n)) for n in ids])
            session.execute(
                insert(FactSection),
                [
                    {
                        "device_id": n,
                        "section": "system",
                        "digest": "a" * 16,
                        "content": {"hostname": f"toestel-{n}", "serial": f"SN{n:08d}", "os_name": "debian"},
                        "changed_at": now,
                    }
                    for n in ids
                ],
            )
            session.execute(
                insert(FactChange),
                [
                    {
                        "device_id": n,
                        "section": "system",
                        "path": "os_version",
                        "before": "11",
                        "after": "12",
                        "at": now - timedelta(days=30 * k),
                    }
                    for n in ids
                    for k in range(1, 4)
                ],
            )


def _person(n: int, now: datetime) -> dict[str, Any]:
    return {
        "id": n,
        "number": f"P{n:07d}",
        "name": f"Medewerker {n}",
        "email": f"medewerker{n}@stad.example",
        "unit_id": n % 60 + 1,
        "service_point_id": n % 81 + 1,
        "created_at": now,
    }


def _device(n: int, now: datetime, chance: random.Random) -> dict[str, Any]:
    model = chance.choice(MODELS)
    return {
        "id": n,
        "uid": f"{n:032x}",
        "tag": f"HM{n:06d}",
        "serial": f"SN{n:08d}",
        "name": f"toestel-{n}",
        "platform": "linux",
        "kind": "kiosk" if "iosk" in model else "laptop",
        "model": model,
        "state": chance.choice(STATES),
        "service_point_id": n % 81 + 1,
        "unit_id": n % 60 + 1,
        "person_id": n,
        "persona": "unit",
        "os_name": "debian",
        "os_version": chance.choice(VERSIONS),
        "enrolled_at": now - timedelta(days=chance.randrange(1, 400)),
        "last_seen_at": now - timedelta(minutes=int(chance.expovariate(1 / 2000))),
        "report_digest": "b" * 16,
        "cohort_id": 1,
        "verdict": chance.choice(VERDICTS),
        "search": f"toestel-{n} hm{n:06d} sn{n:08d} medewerker {n} medewerker{n}@stad.example",
        "created_at": now,
    }


def _enrollment(n: int, now: datetime, fingerprint: str | None) -> dict[str, Any]:
    return {
        "device_id": n,
        "fingerprint": fingerprint or f"{n:064x}",
        "key_digest": f"{n:064x}",
        "certificate": "",
        "serial_number": f"{n:x}",
        "not_before": now - timedelta(days=1),
        "not_after": now + timedelta(days=89),
        "renew_after": now + timedelta(days=60),
        "first_used_at": now,
        "created_at": now,
    }
