"""Many kiosks from one CSV file: looked at first, row by row; begun only when every row is right."""

from dataclasses import dataclass, field
from typing import Final

from mdm.core.errors import N_, HavenmeesterError, InvalidError, TooLargeError
from mdm.imports import table
from mdm.kiosks import service
from mdm.kiosks.model import KioskSetup
from mdm.kiosks.wanted import Wanted, checked
from mdm.storage.call import Call

MOST: Final = 500
"""Kiosks in one file."""
COLUMNS: Final = {
    "name": ("name", "naam", "nom"),
    "host": ("host", "address", "adres", "adresse", "ip"),
    "port": ("port", "poort"),
    "account": ("account", "user", "gebruiker", "utilisateur"),
    "host_key": ("host_key", "host key", "fingerprint", "label", "vingerafdruk", "empreinte"),
    "service_point": ("service_point", "service point", "dienstpunt", "point de service"),
    "email": ("email", "e-mail", "mail"),
    "sign_in": ("sign_in", "sign in", "aanmelding"),
}


@dataclass(slots=True)
class Row:
    """One row of the file: what is wrong with it, by field; nothing when it can be begun."""

    line: int
    host: str = ""
    name: str = ""
    wanted: Wanted | None = None
    problems: list[str] = field(default_factory=list)


def look(call: Call, data: bytes) -> list[Row]:
    """Every row with what is wrong with it. Writes nothing and speaks with no kiosk.

    Raises InvalidError for what is no such file, TooLargeError beyond 500 rows.
    """
    found = table.read(data, COLUMNS, ("host_key", "service_point", "email"))
    if len(found.rows) + len(found.bad) > MOST:
        raise TooLargeError(N_("At most %(most)s kiosks fit into one file. Nothing was begun."), most=MOST)
    rows = [Row(bad.line, problems=[bad.sentence]) for bad in found.bad]
    seen: dict[tuple[str, int], int] = {}
    for one in found.rows:
        cells = one.cells
        row = Row(one.line, cells.get("host", ""), cells.get("name", ""))
        rows.append(row)
        try:
            wanted = checked(**{"host": "", **{name: value for name, value in cells.items() if name in COLUMNS}})
            row.host, row.name = wanted.host, wanted.name
            first = seen.setdefault((wanted.host, wanted.port), one.line)
            if first != one.line:
                row.problems.append(N_("The same kiosk stands in line %(line)s already.") % {"line": first})
                continue
            service.place_of(call, wanted)
        except InvalidError as error:
            row.problems += list(error.fields.values()) or [str(error)]
        except HavenmeesterError as error:
            row.problems.append(str(error))
        else:
            row.wanted = wanted
    return sorted(rows, key=lambda row: row.line)


def begin(call: Call, data: bytes) -> tuple[str, list[KioskSetup]]:
    """Has every kiosk of the file set up: the batch and its set-ups. Raises InvalidError while a row is wrong: none begins."""
    rows = look(call, data)
    wrong = [row for row in rows if row.problems]
    if wrong:
        raise InvalidError(
            N_("Nothing was begun: %(count)s rows are wrong, the first in line %(line)s: %(why)s"),
            code="rows_wrong",
            count=len(wrong),
            line=wrong[0].line,
            why=wrong[0].problems[0],
        )
    return service.begin_many(call, [(row.line, row.wanted) for row in rows if row.wanted is not None])
