"""Taking what a device says of itself: once, only what changed, with the history of what changed when."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from agent.wire import SECTIONS, Report, report_digest, short_digest
from mdm.core.actor import ActorKind
from mdm.core.errors import N_, DeniedError, InvalidError
from mdm.core.text import clean
from mdm.inventory import applications, fields
from mdm.inventory.facts import applied_in_full, cleaned, differences, packages
from mdm.inventory.model import Device, FactChange, FactSection
from mdm.inventory.service import note, searched
from mdm.outbox import service as outbox
from mdm.storage.call import Call

KNOWN = frozenset(SECTIONS)
REMEMBERED = 16
"""How many ids of taken reports a device keeps, so that a late double of any of them changes nothing."""
HISTORY = 500
"""How many changes a device keeps; older ones are forgotten."""

_COLUMNS = {
    ("system", "os_name"): ("os_name", 64),
    ("system", "os_version"): ("os_version", 64),
    ("agent", "version"): ("agent_version", 32),
}


def take_report(call: Call, device: Device, report: Report) -> list[str]:
    """Stores what is new and returns the names of sections that the server still lacks.

    A report whose id was taken before changes nothing. Raises DeniedError when the speaker is not this device,
    InvalidError for a section that nobody knows or content over the limits: nothing of the report is stored then.
    """
    if call.actor.kind is not ActorKind.DEVICE or call.actor.id != device.id:
        raise DeniedError(N_("Only a device itself can report. Nothing was stored."))
    identity = clean(report["id"], 64)
    if identity in device.recent_reports:
        return []
    _refuse_unknown(report)
    stored = _stored(call, device)
    declared = {name: digest for name, digest in report["digests"].items() if name in KNOWN}
    contents = cleaned(report["sections"])
    digests = dict(stored)
    values: dict[str, Any] = {}
    changed = 0
    for name, content in contents.items():
        digests[name] = declared.get(name) or short_digest(content)
        if stored.get(name) == digests[name]:
            continue
        changed += 1
        _store_section(call, device, name, content, digests[name], values)
    gone = set(stored) - set(declared) - set(contents)
    _forget_gone(call, device, gone)
    digests = {name: digest for name, digest in digests.items() if name not in gone}
    _finish(call, device, identity, digests, values, changed)
    return sorted(name for name, digest in declared.items() if digests.get(name) != digest)


def _refuse_unknown(report: Report) -> None:
    unknown = sorted((set(report["sections"]) | set(report["digests"])) - KNOWN)
    if unknown:
        raise InvalidError(
            N_("The report was refused: there is no section %(section)s. Nothing of it was stored."),
            code="unknown_section",
            section=clean(unknown[0], 40),
        )


def _stored(call: Call, device: Device) -> dict[str, str]:
    query = select(FactSection.section, FactSection.digest).where(FactSection.device_id == device.id)
    return {row.section: row.digest for row in call.session.execute(query)}


def _store_section(
    call: Call, device: Device, name: str, content: dict[str, Any], digest: str, values: dict[str, Any]
) -> None:
    before = call.session.scalar(
        select(FactSection.content).where(FactSection.device_id == device.id, FactSection.section == name)
    )
    if name == "packages":
        content = _take_packages(call, device, content, values, first=before is None)
    if before is not None:
        _remember(call, device, name, before, content)
    row = {"device_id": device.id, "section": name, "digest": digest, "content": content, "changed_at": call.now}
    insert = sqlite_insert if call.session.get_bind().dialect.name == "sqlite" else postgresql_insert
    statement = insert(FactSection).values(row)
    call.session.execute(
        statement.on_conflict_do_update(
            index_elements=["device_id", "section"],
            set_={key: statement.excluded[key] for key in ("digest", "content", "changed_at")},
        )
    )
    for (section, key), (column, limit) in _COLUMNS.items():
        if section == name:
            values[column] = clean(content.get(key), limit)
    if name == "system":
        _take_identity(call, device, content, values)
    if name == "desired":
        _take_applied(device, content, values)


def _take_packages(
    call: Call, device: Device, content: dict[str, Any], values: dict[str, Any], *, first: bool
) -> dict[str, Any]:
    """Keeps the set once for all devices that have it; in the section only what is left without the long list."""
    items = packages(content)
    app_set_id = applications.store(call.session, device.platform, items)
    if not first and app_set_id != device.app_set_id:
        old = applications.items_of(call.session, device.app_set_id)
        _remember(call, device, "packages", {"items": old}, {"items": items})
    values["app_set_id"] = app_set_id
    return {**{key: value for key, value in content.items() if key != "items"}, "count": len(items)}


def _take_identity(call: Call, device: Device, content: Mapping[str, Any], values: dict[str, Any]) -> None:
    """Fills what nobody wrote yet; what a person wrote stays. A serial number of another device is not believed."""
    for key, found in (
        ("name", clean(content.get("hostname"), 255)),
        ("manufacturer", clean(content.get("manufacturer"), 128)),
        ("model", clean(content.get("model"), 128)),
    ):
        if found and not getattr(device, key):
            values[key] = found
    serial = fields.serial(content.get("serial"))
    if serial is None or serial == device.serial:
        return
    other = call.session.scalar(select(Device.uid).where(Device.serial == serial))
    if device.serial is None and other is None:
        values["serial"] = serial
    else:
        note(call, device, "serial_differs", {"reported": serial, "recorded": device.serial, "other": other})


def _take_applied(device: Device, content: Mapping[str, Any], values: dict[str, Any]) -> None:
    digest = clean(content.get("digest"), 16) or "-"
    if applied_in_full(dict(content), device.platform):
        values["applied_digest"] = digest
    elif device.applied_digest == digest:
        values["applied_digest"] = "-"


def _remember(call: Call, device: Device, section: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    call.session.add_all(
        FactChange(
            device_id=device.id,
            section=section,
            path=change.path,
            before=change.before,
            after=change.after,
            at=call.now,
        )
        for change in differences(before, after)
    )


def _forget_gone(call: Call, device: Device, gone: set[str]) -> None:
    """A section that the device no longer has is not known any more: unknown is not what it was once."""
    if gone:
        call.session.execute(
            delete(FactSection).where(FactSection.device_id == device.id, FactSection.section.in_(gone))
        )


def _finish(
    call: Call, device: Device, identity: str, digests: dict[str, str], values: dict[str, Any], changed: int
) -> None:
    values |= {
        "report_digest": report_digest(digests),
        "last_report_id": identity,
        "last_report_at": call.now,
        "last_seen_at": call.now,
        "recent_reports": [identity, *device.recent_reports][:REMEMBERED],
    }
    if "name" in values or "serial" in values:
        values["search"] = searched(device, values)
    call.session.flush()
    # Written beside the ORM's version counter: a report is no edit, and must not make a person's edit stale.
    call.session.execute(
        update(Device).where(Device.id == device.id).values(values).execution_options(synchronize_session=False)
    )
    call.session.expire(device)
    if changed:
        call.session.execute(_older_than_history(device.id))
        outbox.post(call, "device.judge", {"device": device.id})


def _older_than_history(device_id: int) -> Any:
    newest_to_go = (
        select(FactChange.id)
        .where(FactChange.device_id == device_id)
        .order_by(FactChange.id.desc())
        .limit(1)
        .offset(HISTORY)
        .scalar_subquery()
    )
    return delete(FactChange).where(FactChange.device_id == device_id, FactChange.id <= newest_to_go)
