"""What is known of devices, gathered for the judgement with a fixed number of statements. For the machinery: unscoped."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mdm.compliance.evaluate import Subject
from mdm.inventory.model import Application, AppSetItem, Device, FactSection
from mdm.policies.model import Cohort

SECTIONS = ("agent", "desired", "disks", "encryption", "firewall", "kiosk", "patch", "screenlock")


def subjects(session: Session, devices: Sequence[Device]) -> dict[int, Subject]:
    """What the judgement is given of each device, by its row id."""
    said = _facts(session, [device.id for device in devices])
    cohorts = _cohorts(session, {device.cohort_id for device in devices if device.cohort_id is not None})
    sets = _sets(session, {device.app_set_id for device in devices if device.app_set_id is not None})
    return {device.id: _subject(device, said.get(device.id, {}), cohorts, sets) for device in devices}


def _subject(
    device: Device,
    said: Mapping[str, dict[str, Any]],
    cohorts: Mapping[int, tuple[str, dict[str, Any]]],
    sets: Mapping[int, frozenset[str]],
) -> Subject:
    digest, settings = cohorts.get(device.cohort_id or 0, ("-", {}))
    return Subject(
        platform=device.platform,
        kind=device.kind,
        state=device.state,
        enrolled=device.enrolled_at is not None,
        last_seen_at=device.last_seen_at,
        os_name=device.os_name,
        os_version=device.os_version,
        applied_digest=device.applied_digest,
        desired_digest=digest,
        facts=said,
        installed=None if device.app_set_id is None else sets.get(device.app_set_id, frozenset()),
        settings=settings,
    )


def _facts(session: Session, ids: Sequence[int]) -> dict[int, dict[str, dict[str, Any]]]:
    found: dict[int, dict[str, dict[str, Any]]] = {}
    query = select(FactSection.device_id, FactSection.section, FactSection.content).where(
        FactSection.device_id.in_(ids), FactSection.section.in_(SECTIONS)
    )
    for device_id, section, content in session.execute(query):
        found.setdefault(device_id, {})[section] = content
    return found


def _cohorts(session: Session, ids: set[int]) -> dict[int, tuple[str, dict[str, Any]]]:
    rows = session.execute(select(Cohort.id, Cohort.desired_digest, Cohort.settings).where(Cohort.id.in_(ids)))
    return {row[0]: (row[1], row[2]) for row in rows}


def _sets(session: Session, ids: set[int]) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    query = (
        select(AppSetItem.app_set_id, Application.identifier)
        .join(Application, Application.id == AppSetItem.application_id)
        .where(AppSetItem.app_set_id.in_(ids))
    )
    for set_id, identifier in session.execute(query):
        found.setdefault(set_id, set()).add(identifier)
    return {set_id: frozenset(names) for set_id, names in found.items()}
