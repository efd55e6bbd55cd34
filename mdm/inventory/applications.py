"""Installed applications: each distinct set is stored once, however many devices have it."""

from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from mdm.inventory.facts import set_digest
from mdm.inventory.model import Application, AppSet, AppSetItem
from mdm.inventory.queries import installed

CHUNK = 500


def store(session: Session, platform: str, items: dict[str, str]) -> int:
    """The number of the set that holds exactly these identifiers and versions; made when it is the first of its kind."""
    digest = set_digest(platform, items)
    known = session.scalar(select(AppSet.id).where(AppSet.digest == digest))
    if known is not None:
        return known
    ids = _ids(session, platform, sorted(items))
    _insert_missing(session, AppSet, [{"digest": digest, "size": len(items)}], ["digest"])
    set_id = session.scalars(select(AppSet.id).where(AppSet.digest == digest)).one()
    # Of two that store the same set at one moment, the other's rows are there already: they are the same rows.
    rows: list[dict[str, object]] = [
        {"app_set_id": set_id, "application_id": ids[name], "version": items[name]} for name in sorted(items)
    ]
    _insert_missing(session, AppSetItem, rows, ["app_set_id", "application_id"])
    return set_id


def items_of(session: Session, app_set_id: int | None) -> dict[str, str]:
    """Identifier to version of one set; empty for none."""
    return {one.identifier: one.version for one in installed(session, app_set_id)}


def _ids(session: Session, platform: str, names: list[str]) -> dict[str, int]:
    found = _known(session, platform, names)
    missing: list[dict[str, object]] = [
        {"platform": platform, "identifier": name, "name": name} for name in names if name not in found
    ]
    if missing:
        _insert_missing(session, Application, missing, ["platform", "identifier"])
        found |= _known(session, platform, [str(row["identifier"]) for row in missing])
    return found


def _known(session: Session, platform: str, names: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(names), CHUNK):
        query = select(Application.identifier, Application.id).where(
            Application.platform == platform, Application.identifier.in_(names[start : start + CHUNK])
        )
        found |= {row.identifier: row.id for row in session.execute(query)}
    return found


def _insert_missing(
    session: Session, model: type[Application | AppSet | AppSetItem], rows: list[dict[str, object]], key: list[str]
) -> None:
    target = model.__table__
    if not rows or not isinstance(target, Table):
        return
    make = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    session.execute(make(target).on_conflict_do_nothing(index_elements=key), rows)
