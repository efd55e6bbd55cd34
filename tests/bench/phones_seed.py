"""Phones of any number, written by the database itself: a statement per table, rows as the rooms would have written them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Engine,
    LargeBinary,
    Select,
    String,
    bindparam,
    cast,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.orm import Session

from mdm.enrollment.model import Enrollment
from mdm.inventory.model import Device
from mdm.platforms.apple import plist
from mdm.platforms.apple.model import AppleCommand, AppleDevice
from mdm.storage.base import Base
from mdm.storage.engine import transaction

FIRST_SEEN: Final = timedelta(days=1)
HERE: Final = "@@"
REQUEST: Final = "ProfileList"
_BODY: Final = plist.write({"CommandUUID": HERE, "Command": {"RequestType": REQUEST}}).decode()
ANSWER: Final = "x" * 400


def udid(number: int) -> str:
    """The identifier of a phone."""
    return f"00008110-{number:016X}"


def uuid(number: int, place: int) -> str:
    """The identifier of the command that stands at ``place`` (from 0) in the queue of a phone."""
    return f"{number:08X}-{place:012X}"


class _Writer:
    """The statements in the words of one database."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.sqlite = session.get_bind().dialect.name == "sqlite"

    def hex(self, number: ColumnElement[int], width: int, *, upper: bool = False) -> ColumnElement[str]:
        """A number in hexadecimal, with zeros before it."""
        if self.sqlite:
            return func.printf(f"%0{width}{'X' if upper else 'x'}", number)
        text = func.lpad(func.to_hex(number), width, "0")
        return func.upper(text) if upper else text

    def bytes(self, text: ColumnElement[str]) -> ColumnElement[bytes]:
        """A text as its bytes."""
        return cast(text, LargeBinary) if self.sqlite else func.convert_to(text, "UTF8")

    def write(self, table: type[Base], source: Any, values: dict[str, Any]) -> None:
        """One row for each row of ``source``. What ``values`` leaves out is what the table says."""
        columns = {
            name: value if isinstance(value, ColumnElement) else self._value(table, name, value)
            for name, value in values.items()
        }
        rows: Select[Any] = select(*(value.label(name) for name, value in columns.items())).select_from(source)
        self.session.execute(insert(table).from_select(list(columns), rows))

    def _value(self, table: type[Base], name: str, value: Any) -> ColumnElement[Any]:
        kind = table.__table__.c[name].type
        given: ColumnElement[Any] = null() if value is None else literal(value, kind)
        # PostgreSQL must be told the type of what is only given; SQLite would take a moment for a number.
        return given if self.sqlite else cast(given, kind)


def _numbers(first: int, last: int, name: str) -> Any:
    """The numbers from ``first`` to ``last`` as rows with the column ``n``."""
    begin = select(literal(first).label("n")).cte(name, recursive=True)
    return begin.union_all(select(begin.c.n + 1).where(begin.c.n < last))


def fleet(engine: Engine, prints: dict[int, str], count: int, now: datetime) -> None:
    """``count`` enrolled phones; ``prints`` are the fingerprints of those that will really speak."""
    with transaction(engine) as session:
        writer = _Writer(session)
        rows = _numbers(1, count, "phone")
        n = rows.c.n
        writer.write(
            Device,
            rows,
            {
                "id": n, "uid": writer.hex(n, 32), "name": literal("iphone-") + cast(n, String), "platform": "ios",
                "kind": "phone", "state": "handed_out", "enrolled_at": now - FIRST_SEEN, "created_at": now,
            },
        )  # fmt: skip
        digest = writer.hex(n, 64)
        writer.write(
            Enrollment,
            rows,
            {
                "device_id": n, "fingerprint": digest, "key_digest": digest, "certificate": "",
                "serial_number": writer.hex(n, 16), "not_before": now - FIRST_SEEN, "not_after": now + timedelta(days=90),
                "renew_after": now + timedelta(days=60), "first_used_at": now - FIRST_SEEN, "created_at": now,
            },
        )  # fmt: skip
        writer.write(
            AppleDevice,
            rows,
            {
                "device_id": n, "udid": literal("00008110-") + writer.hex(n, 16, upper=True), "state": "enrolled",
                "generation": 1, "created_at": now,
            },
        )  # fmt: skip
        table = Enrollment.__table__
        if prints:
            session.connection().execute(
                update(Enrollment).where(table.c.device_id == bindparam("who")).values(fingerprint=bindparam("told")),
                [{"who": number, "told": told} for number, told in prints.items()],
            )


def commands(engine: Engine, groups: Iterable[tuple[int, int, int, int]], now: datetime) -> None:
    """For the phones from ``first`` to ``last``: so many commands that are done, and so many that wait."""
    with transaction(engine) as session:
        writer = _Writer(session)
        for first, last, history, pending in groups:
            for begin, end, past in ((0, history, True), (history, history + pending, False)):
                if begin < end:
                    _commands(writer, (first, last), (begin, end), now, past=past)
            session.execute(update(Device).where(Device.id.between(first, last)).values(waiting=pending))


def queue(engine: Engine, phones: tuple[int, int], places: tuple[int, int], now: datetime) -> None:
    """For the phones from the first to the last of ``phones``: commands that wait, at ``places`` of their queues."""
    with transaction(engine) as session:
        _commands(_Writer(session), phones, places, now, past=False)
        added = places[1] - places[0]
        session.execute(update(Device).where(Device.id.between(*phones)).values(waiting=Device.waiting + added))


def _commands(writer: _Writer, phones: tuple[int, int], places: tuple[int, int], now: datetime, *, past: bool) -> None:
    phone, place = _numbers(*phones, "phone"), _numbers(places[0], places[1] - 1, "place")
    name = writer.hex(phone.c.n, 8, upper=True) + "-" + writer.hex(place.c.n, 12, upper=True)
    before, after = _BODY.split(HERE)
    writer.write(
        AppleCommand,
        place.join(phone, literal(True)),
        {
            "uuid": name, "device_id": phone.c.n, "generation": 1, "request_type": REQUEST,
            "body": writer.bytes(literal(before) + name + literal(after)), "open": not past,
            "state": "acknowledged" if past else "queued", "priority": 10, "created_at": now,
            "expires_at": now + timedelta(days=7), "finished_at": now if past else None,
            "answer": ANSWER.encode() if past else None,
        },
    )  # fmt: skip
