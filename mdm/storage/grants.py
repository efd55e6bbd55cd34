"""Who may do what in PostgreSQL: three group roles with the least that each process needs.

The console is the process that strangers talk to, so its role cannot hand out power by itself: it cannot write a release, a
mirror of the roster, the marks of acts that were performed, or change and delete a line of the diary. The gateway's role
sees no operator, no session and no token, creates no order and changes of one only what a device answers. The worker does
everything but rewrite the diary: it may take names out of a line's text, which the diary's proof allows only where a later line
says so, and nothing else of it. Tables belong to whoever migrates; none of the three does. SQLite knows no roles.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, inspect, text

CONSOLE: Final = "havenmeester_console"
GATEWAY: Final = "havenmeester_gateway"
WORKER: Final = "havenmeester_worker"
ROLES: Final = (CONSOLE, GATEWAY, WORKER)

Privileges = tuple[str, ...]
NOTHING: Final[Privileges] = ()
READ: Final[Privileges] = ("SELECT",)
ADD: Final[Privileges] = ("SELECT", "INSERT")
CHANGE: Final[Privileges] = ("SELECT", "UPDATE")
KEEP: Final[Privileges] = ("SELECT", "INSERT", "UPDATE")
ALL: Final[Privileges] = ("SELECT", "INSERT", "UPDATE", "DELETE")

_FREEZE = "UPDATE (frozen_at, frozen_by, frozen_why, freezes, thaw_text, thaw_proofs)"
_ERASE = "UPDATE (actor_name, address, subject_name, details, salt)"
_ANSWER = "UPDATE (state, held_why, finished_at, answer)"

CONSOLE_TABLES: Mapping[str, Privileges] = {
    "act": KEEP,
    "act_approval": ADD,
    "alarm": READ,
    "alembic_version": READ,
    "audit_entry": ADD,
    "audit_head": READ,
    "diary_closure": KEEP,
    "kernel_state": ("SELECT", _FREEZE),
    "order_approval": ADD,
    "order_batch": ADD,
    "order_release": READ,
    "sealed_roster": READ,
    "wipe_order": KEEP,
}
"""What the console may do where it may not do everything."""

GATEWAY_TABLES: Mapping[str, Privileges] = {
    "app_set": ALL,
    "app_set_item": ALL,
    "application": KEEP,
    "audit_entry": ADD,
    "bell": ADD,
    "cohort": READ,
    "command": CHANGE,
    "compliance_rule": READ,
    "device": KEEP,
    "device_event": ADD,
    "device_group": READ,
    "device_group_member": READ,
    "diary_closure": READ,
    "enrollment": KEEP,
    "exemption": READ,
    "fact_change": ALL,
    "fact_section": ALL,
    "finding": READ,
    "invitation": CHANGE,
    "judge_again": ALL,
    "kernel_state": READ,
    "kiosk_picture": ADD,
    "order_approval": READ,
    "order_batch": READ,
    "order_release": READ,
    "outbox_message": ADD,
    "panic_alarm": KEEP,
    "panic_drill": READ,
    "panic_line": ADD,
    "panic_pulse": KEEP,
    "panic_spot": READ,
    "person": READ,
    "sealed_roster": READ,
    "service_point": READ,
    "unit": READ,
    "unit_parent": READ,
    "wipe_order": ("SELECT", _ANSWER),
}
"""All that the gateway may do. A table that is not here it cannot even read."""

PHONES: Final = ("android_", "apple_")
"""Beginnings of the names of tables that phones speak to all the time: the gateway may do everything with them."""

KEYS_TO_OTHERS: Final = frozenset(
    {"android_google", "android_note", "android_operation", "android_policy", "android_token"}
)
"""What of them no phone ever speaks to: the tie with Google is the worker's, and strangers at the gateway do not see it."""

WORKER_TABLES: Mapping[str, Privileges] = {
    "alembic_version": READ,
    "audit_entry": ("SELECT", "INSERT", _ERASE),
    "audit_head": KEEP,
}
"""What the worker may do where it may not do everything."""


def privileges(role: str, table: str) -> Privileges:
    """What ``role`` may do with ``table``, as words of GRANT; empty for nothing."""
    if role == GATEWAY:
        return ALL if table.startswith(PHONES) and table not in KEYS_TO_OTHERS else GATEWAY_TABLES.get(table, NOTHING)
    exceptions = CONSOLE_TABLES if role == CONSOLE else WORKER_TABLES
    return exceptions.get(table, ALL)


@dataclass(frozen=True, slots=True)
class Sequence_:  # noqa: N801 -- the word of the database; the other one is Python's
    """A sequence and the table that it numbers."""

    name: str
    table: str


def _there(word: str, columns: Collection[str]) -> str:
    """A word of GRANT without the columns that the table does not have yet: an older version is on its way to this one."""
    verb, _, named = word.rstrip(")").partition(" (")
    kept = [column for column in named.split(", ") if column in columns]
    return f"{verb} ({', '.join(kept)})" if kept else ""


def statements(tables: Mapping[str, Collection[str]], sequences: Sequence[Sequence_] = ()) -> Iterator[str]:
    """Every statement that gives the roles what they need on these tables (with the columns that each has) and takes what else
    they had; twice is like once."""
    for role in ROLES:
        yield f"GRANT USAGE ON SCHEMA public TO {role}"
        for table in sorted(tables):
            words = (_there(word, tables[table]) if "(" in word else word for word in privileges(role, table))
            given = [word for word in words if word]
            yield f'REVOKE ALL ON TABLE "{table}" FROM {role}'
            if given:
                yield f'GRANT {", ".join(given)} ON TABLE "{table}" TO {role}'
        for sequence in sequences:
            if "INSERT" in privileges(role, sequence.table):
                yield f'GRANT USAGE ON SEQUENCE "{sequence.name}" TO {role}'


def creation(role: str) -> str:
    """The statement that makes a group role: nobody signs in as it, people who run the service give it to a user."""
    return f"CREATE ROLE {role} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE"


def missing_roles(connection: Connection) -> list[str]:
    """Which of the three roles this server does not have."""
    found = connection.execute(text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)"), {"names": list(ROLES)})
    present = {str(row[0]) for row in found}
    return [role for role in ROLES if role not in present]


def may_create_roles(connection: Connection) -> bool:
    """Whether the user of this connection may make roles."""
    found = connection.execute(
        text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    ).scalar()
    return bool(found)


def wanted(connection: Connection) -> list[str]:
    """The statements for the tables that this database has now."""
    columns = inspect(connection).get_multi_columns(schema="public")
    tables = {name: {str(column["name"]) for column in found} for (_, name), found in columns.items()}
    sequences = connection.execute(
        text(
            "SELECT s.relname, t.relname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i')"
            " JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace n ON n.oid = s.relnamespace"
            " WHERE s.relkind = 'S' AND n.nspname = 'public' ORDER BY s.relname"
        )
    )
    return list(statements(tables, [Sequence_(str(row[0]), str(row[1])) for row in sequences]))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of applying: roles that were made, roles that are missing because nobody here may make them."""

    made: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    granted: int = 0


def apply(connection: Connection) -> Outcome:
    """Makes the roles where that is allowed, and gives each what it needs. Nothing at all on SQLite.

    Where a role is missing and cannot be made, nothing is granted and ``missing`` names it: the installation works with
    its one user as before. Made twice, or by two at once, is like once.
    """
    if connection.dialect.name != "postgresql":
        return Outcome()
    # Roles belong to the whole server: two databases may be migrated at the same moment.
    connection.execute(text("SELECT pg_advisory_xact_lock(7301012)"))
    missing, made = missing_roles(connection), []
    if missing and not may_create_roles(connection):
        return Outcome(missing=tuple(missing))
    for role in missing:
        connection.execute(
            text(f"DO $$ BEGIN {creation(role)}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$")
        )
        made.append(role)
    orders = wanted(connection)
    for order in orders:
        connection.execute(text(order))
    return Outcome(made=tuple(made), granted=len(orders))


def deviations(connection: Connection) -> list[str]:
    """Where a role may do more or less with a table than it should, one line each; empty on SQLite and without roles."""
    if connection.dialect.name != "postgresql" or missing_roles(connection):
        return []
    found = []
    for table in sorted(inspect(connection).get_table_names(schema="public")):
        for role in ROLES:
            whole = {word for word in privileges(role, table) if " " not in word}
            has = {
                word
                for word in ALL
                if connection.execute(
                    text("SELECT has_table_privilege(:role, :table, :word)"),
                    {"role": role, "table": f'public."{table}"', "word": word},
                ).scalar()
            }
            if has != whole:
                more, less = sorted(has - whole), sorted(whole - has)
                found.append(
                    f"{role} on {table}: "
                    + "; ".join(
                        part
                        for part in (
                            f"may also {', '.join(more)}" if more else "",
                            f"lacks {', '.join(less)}" if less else "",
                        )
                        if part
                    )
                )
    return found
