"""Imports: dry run, a result per row, all or nothing, twice like once."""

import hashlib
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select

from mdm.audit import service as audit
from mdm.audit.model import AuditEntry
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import DeniedError
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.imports.plan import More, Outcome
from mdm.imports.service import ImportKind, ImportResult, import_csv
from mdm.inventory.model import Device, DeviceEvent
from mdm.org import queries as org
from mdm.org.model import Unit
from mdm.outbox.model import OutboxMessage
from mdm.people import erased
from mdm.people.erased import ErasedWhy
from mdm.people.model import ErasedMark, Person
from mdm.storage.seal import Seal
from tests.conftest import Calling

SEAL = Seal(b"k" * 32)
PLACES = "code;name;openingsuren\nWERKHAVEN;Werkhaven;ma-vr 09:00-17:00\nSL-1;Stadsloket Eén;\n"
UNITS = "code;naam;bovenliggend;vanaf\nSB-VEEG;Veegdienst;SB;2016-01-01\nSB;Onderhoud;-;2016-01-01\n"
PEOPLE = (
    "personeelsnummer;voornaam;naam;e-mail;taal;profiel;afdeling;servicepunt\n"
    "0042;Gülşen;Öztürk;G.Ozturk@stad.example;Turks;bedrijf;SB-VEEG;WERKHAVEN\n"
    "0043;Jan;Peeters;j.peeters@stad.example;;;Veegdienst;Werkhaven\n"
)
DEVICES = (
    "tag,serial,imei,platform,type,merk,model,service point,houder,status,aankoopdatum\n"
    "A-1,SER-1,35-694216-000001-0,iPadOS,tablette,Apple,iPad,WERKHAVEN,0042,,21/11/2025\n"
    "A-2,,,Android,gsm,Samsung,XCover7,WERKHAVEN,,in voorraad,2025-11-21\n"
)


def _run(calling: Calling, kind: str, text: str, *, dry_run: bool = False, actor: Actor | None = None) -> ImportResult:
    with calling(actor) if actor else calling() as call:
        return import_csv(call, ImportKind(kind), text.encode(), More(SEAL), name=f"{kind}.csv", dry_run=dry_run)


def _organisation(calling: Calling) -> None:
    for kind, text in (("service-points", PLACES), ("units", UNITS)):
        result = _run(calling, kind, text)
        assert result.applied, [row.message for row in result.errors]


def _number(calling: Calling, model: type) -> int:
    with calling(write=False) as call:
        return call.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_whole_organisation_comes_from_four_files(calling: Calling) -> None:
    _organisation(calling)
    people, devices = _run(calling, "people", PEOPLE), _run(calling, "devices", DEVICES)

    assert people.counts == devices.counts == {"created": 2, "error": 0, "skipped": 0, "unchanged": 0, "updated": 0}
    with calling(write=False) as call:
        gulsen = call.session.scalars(select(Person).where(Person.number == "0042")).one()
        assert (gulsen.name, gulsen.email, gulsen.language, gulsen.persona) == (
            "Gülşen Öztürk", "g.ozturk@stad.example", "tr", "unit",
        )  # fmt: skip
        tablet = call.session.scalars(select(Device).where(Device.tag == "A-1")).one()
        assert (tablet.person_id, tablet.unit_id, tablet.state) == (gulsen.id, gulsen.unit_id, "handed_out")
        assert (tablet.imei, tablet.platform, tablet.kind) == ("356942160000010", "ios", "tablet")
        assert tablet.purchased_on == date(2025, 11, 21)
        units = {line.unit.code: line for line in org.units(call)}
        assert units["SB-VEEG"].parent_id == units["SB"].unit.id
        assert org.service_point_by_code(call, "WERKHAVEN").opening_hours["fri"] == [["09:00", "17:00"]]
        assert audit.verify(call.session).sound


def test_the_same_files_again_change_nothing_and_write_no_line(calling: Calling) -> None:
    _organisation(calling)
    _run(calling, "people", PEOPLE)
    _run(calling, "devices", DEVICES)
    lines, posted = _number(calling, AuditEntry), _number(calling, OutboxMessage)

    for kind, text in (("service-points", PLACES), ("units", UNITS), ("people", PEOPLE), ("devices", DEVICES)):
        result = _run(calling, kind, text)
        assert result.applied
        assert result.count(Outcome.UNCHANGED) == 2, [(row.subject, row.changes) for row in result.rows]

    assert (_number(calling, AuditEntry), _number(calling, OutboxMessage)) == (lines, posted)


def test_a_dry_run_tells_everything_and_writes_nothing(calling: Calling) -> None:
    _organisation(calling)
    lines = _number(calling, AuditEntry)

    result = _run(calling, "people", PEOPLE, dry_run=True)

    assert result.counts["created"] == 2
    assert not result.applied
    assert (_number(calling, Person), _number(calling, AuditEntry)) == (0, lines)


def test_one_wrong_row_holds_back_the_whole_file_and_is_named(calling: Calling) -> None:
    _organisation(calling)
    text = PEOPLE + (
        "0044;An;Claes;not an address;;;;\n"
        "0045;An;Claes;;klingon;;;\n"
        "0046;An;Claes;;;;NOWHERE;\n"
        "0042;Twice;Over;;;;;\n"
        "0047;;;a@stad.example;;;;\n"
    )

    result = _run(calling, "people", text)

    assert not result.applied
    assert [(row.line, row.column) for row in result.errors] == [
        (4, "email"), (5, "language"), (6, "unit"), (7, "number"), (8, "name"),
    ]  # fmt: skip
    assert "line 2" in result.errors[3].message
    assert all(row.message for row in result.errors)
    assert _number(calling, Person) == 0


def test_an_empty_cell_leaves_and_a_hyphen_empties(calling: Calling) -> None:
    _organisation(calling)
    _run(calling, "people", PEOPLE)

    result = _run(calling, "people", "number;unit;language;email\n0042;-;;\n0043;;fr;-\n")

    assert [row.changes for row in result.rows] == [("unit_id",), ("email", "language")]
    with calling(write=False) as call:
        people = {p.number: p for p in call.session.scalars(select(Person))}
        assert (people["0042"].unit_id, people["0042"].email) == (None, "g.ozturk@stad.example")
        assert (people["0043"].language, people["0043"].email) == ("fr", None)
        topics = call.session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == "person.changed"))
        assert list(topics) == [{"person": people["0042"].id}]


def test_a_clerk_of_one_place_imports_nothing_elsewhere(calling: Calling) -> None:
    _organisation(calling)
    _run(calling, "devices", DEVICES.replace("0042", ""))
    with calling(write=False) as call:
        mine = org.service_point_by_code(call, "SL-1").id
    clerk = Actor(ActorKind.OPERATOR, 9, "Clerk", (Grant(Role.DESK_CLERK, PlaceKind.SERVICE_POINT, mine),))

    ours = _run(calling, "devices", "tag;platform;kind;service point\nB-1;linux;kiosk;SL-1\n", actor=clerk)
    theirs = _run(calling, "devices", "tag;name\nA-1;Mine now\n", actor=clerk)
    hidden = _run(calling, "devices", "tag;platform;kind;service point\nB-2;linux;kiosk;WERKHAVEN\n", actor=clerk)

    assert ours.applied
    assert [row.column for row in theirs.errors] == ["service_point"]
    assert [row.column for row in hidden.errors] == ["service_point"]
    for kind in ("people", "units", "service-points"):
        with pytest.raises(DeniedError):
            _run(calling, kind, "code;name\nA;A\n", actor=clerk)
    assert _number(calling, Device) == 3


def test_an_import_does_not_move_a_known_device_along_its_life(calling: Calling) -> None:
    _organisation(calling)
    _run(calling, "people", PEOPLE)
    _run(calling, "devices", DEVICES)

    result = _run(calling, "devices", "tag;state;holder\nA-2;handed out;0043\nA-1;;0043\n")

    assert [(row.column, row.outcome) for row in result.rows] == [("state", "error"), ("holder", "error")]
    changed = _run(calling, "devices", "tag;name;state\nA-2;Reserve;in stock\n")
    assert changed.applied
    with calling(write=False) as call:
        device = call.session.scalars(select(Device).where(Device.tag == "A-2")).one()
        kinds = call.session.scalars(select(DeviceEvent.kind).where(DeviceEvent.device_id == device.id))
        assert (device.name, "reserve" in device.search, list(kinds)) == ("Reserve", True, ["recorded", "edited"])


def test_devices_that_contradict_themselves_are_refused(calling: Calling) -> None:
    _organisation(calling)
    _run(calling, "devices", DEVICES.replace("0042", ""))

    result = _run(
        calling,
        "devices",
        "tag;serial;imei;platform;kind;state\n"
        "A-2;SER-1;;;;\n"
        ";;;linux;kiosk;\n"
        "C-1;;12;linux;kiosk;\n"
        "C-2;;;symbian;phone;\n"
        "C-3;;;linux;;\n"
        "C-4;;;linux;kiosk;handed out\n",
    )

    assert [row.column for row in result.errors] == ["serial", "tag", "imei", "platform", "kind", "holder"]


def test_units_may_move_within_one_file_but_never_in_a_circle(calling: Calling) -> None:
    _organisation(calling)

    moved = _run(
        calling,
        "units",
        "code;name;parent;from\nOS;Ondernemen;-;2016-01-01\nWERK;Werk;SB;2016-01-01\nWERK;;OS;2020-07-01\n",
    )
    circle = _run(calling, "units", "code;parent\nSB;SB-VEEG\nNOPE;ELSEWHERE\n")
    later = _run(calling, "units", "code;parent;from\nSB;WERK;2027-01-01\nWERK;SB-VEEG;2027-06-01\n")

    assert moved.applied, [row.message for row in moved.errors]
    assert [row.column for row in circle.errors] == ["parent", "name"]
    assert not later.applied
    assert "2027-06-01" in later.errors[-1].message
    with calling(write=False) as call:
        ids = {unit.code: unit.id for unit in call.session.scalars(select(Unit))}
        then = org.unit_paths(call.session, date(2020, 6, 30))
        now = org.unit_paths(call.session, date(2020, 7, 1))
        assert then[ids["WERK"]] == (ids["WERK"], ids["SB"])
        assert now[ids["WERK"]] == (ids["WERK"], ids["OS"])


def test_ten_thousand_people_are_one_line_in_the_diary(calling: Calling) -> None:
    _organisation(calling)
    lines = _number(calling, AuditEntry)
    seen: list[tuple[int, int]] = []
    rows = "".join(f"{n};Person {n};p{n}@stad.example;SB-VEEG\n" for n in range(10_000))

    with calling() as call:
        result = import_csv(
            call,
            ImportKind.PEOPLE,
            f"number;name;email;unit\n{rows}".encode(),
            More(SEAL),
            progress=lambda done, total: seen.append((done, total)),
        )

    assert result.applied
    assert seen[-1] == (10_000, 10_000)
    assert _number(calling, Person) == 10_000
    assert _number(calling, AuditEntry) == lines + 1


def _erased(calling: Calling, number: str, why: ErasedWhy = ErasedWhy.ASKED) -> None:
    """As erasing leaves it: the mark, and a record that names nobody."""
    with calling() as call:
        person = call.session.scalars(select(Person).where(Person.number == number)).one()
        erased.note(call, SEAL, person, datetime(2026, 3, 3, tzinfo=UTC), why)
        person.number, person.email, person.name = None, f"{number}@erased.invalid", "Erased person AAAAAA"


def test_whoever_was_erased_is_left_out_and_said_so_until_somebody_chooses_their_line(calling: Calling) -> None:
    _organisation(calling)
    _run(calling, "people", PEOPLE)
    _erased(calling, "0042")
    moved = PEOPLE.replace("0042;", "9942;").replace("G.Ozturk", "g.ozturk")
    new = "number;name\n0042 ;Somebody New\n"

    dry, taken = (_run(calling, "people", PEOPLE, dry_run=one) for one in (True, False))
    by_address, by_number = _run(calling, "people", moved, dry_run=True), _run(calling, "people", new, dry_run=True)
    assert (dry.counts, dry.counts == taken.counts) == (
        {"created": 0, "error": 0, "skipped": 1, "unchanged": 1, "updated": 0}, True,
    )  # fmt: skip
    assert dry.skipped[0].message.startswith("Their record was erased on 2026-03-03, as was asked;")
    assert taken.applied
    assert (len(by_address.skipped), len(by_number.skipped)) == (1, 1)
    assert _number(calling, Person) == 2

    with calling() as call:
        back = import_csv(call, ImportKind.PEOPLE, PEOPLE.encode(), More(SEAL, {2}))
    assert back.counts["created"] == 1
    assert _number(calling, Person) == 3
    assert _number(calling, ErasedMark) == 0
    with calling(write=False) as call:
        told = call.session.scalars(select(AuditEntry).where(AuditEntry.action == "person.brought_back")).one()
        assert (told.subject_name, told.details) == ("Gülşen Öztürk", {"erased_on": "2026-03-03"})
    assert _run(calling, "people", PEOPLE).counts["unchanged"] == 2


def test_the_mark_of_somebody_erased_names_nobody_and_is_another_with_another_key(calling: Calling) -> None:
    _organisation(calling)
    _run(calling, "people", PEOPLE)
    _erased(calling, "0043", ErasedWhy.OVER)

    with calling() as call:
        rows = call.session.scalars(select(ErasedMark)).all()
        said = " ".join(f"{row.digest} {row.why}" for row in rows)
        plain = {hashlib.sha256(text.encode()).hexdigest() for text in ("0043", "j.peeters@stad.example")}
        other = import_csv(call, ImportKind.PEOPLE, PEOPLE.encode(), More(Seal(b"x" * 32)), dry_run=True)
        same = import_csv(call, ImportKind.PEOPLE, PEOPLE.encode(), More(SEAL), dry_run=True)

    assert len(rows) == 2
    assert not [one for one in ("0043", "peeters", *plain) if one in said.lower()]
    assert (other.counts["skipped"], same.counts["skipped"]) == (0, 1)
    assert "when its time was over" in same.skipped[0].message
