"""A city moves in from Snipe-IT and out again: what it wrote is understood, nothing is half taken, and nothing is lost."""

import csv
import io
import shutil
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import undefer

from mdm.core.errors import DeniedError, GoneError, InvalidError, TooLargeError
from mdm.desk.exchange import kept, service
from mdm.desk.exchange.columns import EXPORTED
from mdm.desk.exchange.export import export_assets
from mdm.desk.exchange.model import ExchangeFile
from mdm.desk.exchange.service import Files, SnipeKind, SnipeResult
from mdm.imports.plan import More
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.storage.seal import Seal
from tests.conftest import FLEET_ADMIN, NOW, Calling
from tests.desk.stock.place import clerk, phone, point

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LOCATIONS = """name,address,address2,city,state,country,zip,manager,currency
Werkhaven,Kielsbroek 1,,Antwerpen,,BE,2020,,EUR
Zwembad Arena,Hof ter Lo 1,,Deurne,,BE,2100,,EUR
"""
USERS = """First Name,Last Name,Username,Email,Employee Number,Phone,Location,Department,Activated
Ann,Peeters,apeeters,ann.peeters@stad.example,1001,+32 470 00 00 01,Werkhaven,Not a unit,yes
Łukasz,Çelik,lcelik,lukasz@stad.example,,,Zwembad Arena,,yes
"""
ASSETS = Path(__file__).with_name("assets.csv").read_text()


def take(call: Call, kind: str, text: str, **more: Any) -> SnipeResult:
    data = text if isinstance(text, bytes) else text.encode()
    return service.import_snipe(
        call, SnipeKind(kind), Files(data, **more.pop("files", {})), More(Seal(bytes(32))), **more
    )


def moved_in(call: Call) -> None:
    for kind, text in (("locations", LOCATIONS), ("users", USERS), ("assets", ASSETS)):
        result = take(call, kind, text)
        assert [row.message for row in result.errors] == []
        assert result.applied


def facts(call: Call) -> list[tuple[Any, ...]]:
    """Everything that an import says of a device, with places and people by name."""
    rows = call.session.execute(
        select(Device, ServicePoint.code, Person.email)
        .options(undefer(Device.custom))
        .outerjoin(ServicePoint, ServicePoint.id == Device.service_point_id)
        .outerjoin(Person, Person.id == Device.person_id)
        .order_by(Device.tag, Device.serial)
    ).all()
    names = (
        "name", "tag", "serial", "imei", "platform", "kind", "manufacturer", "model", "phone_number", "ownership", "ring",
        "state", "purchased_on", "warranty_until", "cost_cents", "currency", "supplier", "order_number", "contract",
        "contract_until", "measure", "note", "custom",
    )  # fmt: skip
    return [(*(getattr(row[0], name) for name in names), row[1], row[2]) for row in rows]


def test_what_snipe_it_writes_is_understood(calling: Calling) -> None:
    with calling() as call:
        moved_in(call)
        found = {row[1]: (row[4], row[5], row[11], row[-2], row[-1]) for row in facts(call)}
        assert found == {
            "AST-1": ("ios", "phone", "handed_out", "WERKHAVEN", "ann.peeters@stad.example"),
            "AST-2": ("android", "phone", "in_stock", "WERKHAVEN", None),
            "AST-3": ("linux", "laptop", "in_repair", "WERKHAVEN", "lukasz@stad.example"),
            "AST-4": ("linux", "kiosk", "in_stock", "ZWEMBAD-ARENA", None),
        }
        device = call.session.scalars(select(Device).where(Device.tag == "AST-1")).one()
        assert (device.cost_cents, device.currency, device.order_number, device.imei) == (
            142900,
            "EUR",
            "PO-7",
            "356789104512346",
        )
        assert (device.purchased_on, device.warranty_until) == (date(2026, 1, 31), date(2028, 1, 31))
        assert device.custom == {"Company": "Stad", "Model Number": "A2783", "Kleur": "zwart"}
        person = call.session.scalars(select(Person).where(Person.email == "ann.peeters@stad.example")).one()
        assert (person.number, person.name, person.unit_id) == ("1001", "Ann Peeters", None)


def test_taking_the_same_files_again_changes_nothing(calling: Calling) -> None:
    with calling() as call:
        moved_in(call)
        for kind, text in (("locations", LOCATIONS), ("users", USERS), ("assets", ASSETS)):
            assert {row.outcome.value for row in take(call, kind, text).rows} == {"unchanged"}


def test_a_city_moves_out_and_in_again_and_nothing_is_lost(
    calling: Calling, sqlite_template: Any, tmp_path: Any
) -> None:
    with calling() as call:
        moved_in(call)
        desk = call.session.scalars(select(ServicePoint).where(ServicePoint.code == "WERKHAVEN")).one()
        phone(
            call, desk, name="=HYPERLINK(1)", note='a "quoted"; note, with\nlines', measure="article_60", contract="Raam 7",
            contract_until=date(2028, 2, 29), warranty_until=date(2028, 3, 7), purchased_on=date(2026, 3, 1), currency="CHF",
            cost_cents=1, ring="pilot", custom={"Legal owner": "-x", "Ünïcode": "ja"}, ownership="private",
        )  # fmt: skip
        state = phone(call, desk, model="Fairphone Fairphone", imei="356789104512353")
        inventory.apply_fields(call, state, {"state": "lost"}, None)
        out, before = export_assets(call), facts(call)
    assert out.splitlines()[0].startswith(",".join(EXPORTED))
    assert "'=HYPERLINK(1)" in out
    target = tmp_path / "other.db"
    shutil.copy(sqlite_template, target)
    engine = make_engine(f"sqlite:///{target}")
    with transaction(engine) as session:
        call = Call(FLEET_ADMIN, session, NOW)
        for kind, text in (("locations", LOCATIONS), ("users", USERS), ("assets", out)):
            assert [row.message for row in take(call, kind, text).errors] == []
        assert facts(call) == before
        assert list(csv.reader(io.StringIO(export_assets(call)))) == list(csv.reader(io.StringIO(out)))
    engine.dispose()


def test_one_wrong_line_and_nothing_is_taken(calling: Calling) -> None:
    wrong = {
        "Monitors": ("category", "Asset Tag,Category\nM-1,Monitors\n"),
        "nobody": ("holder", "Asset Tag,Category,Full Name\nM-1,Phones,Nobody Known\n"),
        "status": ("status", "Asset Tag,Category,Status\nM-1,Phones,On the moon\n"),
        "place": ("service_point", "Asset Tag,Category,Location\nM-1,Phones,Nowhere\n"),
        "day": ("purchased_on", "Asset Tag,Category,Purchase Date\nM-1,Phones,last week\n"),
        "cost": ("cost", "Asset Tag,Category,Purchase Cost\nM-1,Phones,a lot\n"),
        "twice": ("tag", "Asset Tag,Category\nM-1,Phones\nm-1,Phones\n"),
        "imei": ("imei", "Asset Tag,Category,IMEI\nM-1,Phones,12\n"),
        "months": ("warranty", "Asset Tag,Category,Purchase Date,Warranty\nM-1,Phones,2026-01-01,soon\n"),
    }
    with calling() as call:
        moved_in(call)
        before = facts(call)
        for column, text in wrong.values():
            result = take(call, "assets", text + "OK-1,Phones\n")
            assert not result.applied
            assert [row.column for row in result.errors] == [column], text
            assert all(row.message for row in result.errors)
        assert facts(call) == before
        assert take(call, "assets", "Asset Tag,Category\nOK-9,Phones\n", dry_run=True).counts["created"] == 1
        assert facts(call) == before


def test_what_we_do_not_manage_is_left_out_when_asked(calling: Calling) -> None:
    with calling() as call:
        text = "Asset Tag,Model\nM-1,Big screen\nP-1,Fairphone 5\nP-2,Unheard of\n"
        models = b"Name,Category,Manufacturer\nBig screen,Monitors,LG\nFairphone 5,Mobile Phones,Fairphone\n"
        result = take(call, "assets", text, files={"models": models}, only_ours=True)
        assert (result.applied, result.left_out, result.counts["created"]) == (True, 2, 1)
        assert call.session.scalars(select(Device.kind)).all() == ["phone"]


def test_a_list_of_status_labels_says_what_a_citys_own_words_mean(calling: Calling) -> None:
    with calling() as call:
        statuses = b"Name,Type\nKlaar,deployable\nOp de werkbank,undeployable\nWeg,archived\n"
        text = "Asset Tag,Category,Status\nA,Phones,Klaar\nB,Phones,Op de werkbank\nC,Phones,Weg\n"
        assert take(call, "assets", text, files={"statuses": statuses}).applied
        states = dict(call.session.execute(select(Device.tag, Device.state)).all())
        assert states == {"A": "in_stock", "B": "in_repair", "C": "retired"}


HOSTILE = 'Asset Tag;Category;Item Name;Asset Notes;Kleur\r\nA-1;Phones;"=cmd|\' /C calc\'!A0";"a;b\r\nc";"@SUM(1)"\r\n'


@pytest.mark.parametrize(
    "data",
    [
        HOSTILE.encode(),
        HOSTILE.encode("utf-8-sig"),
        HOSTILE.encode("cp1252"),
        b"sep=;\r\n" + HOSTILE.encode(),
        HOSTILE.replace(";", "\t").replace('"a\tb', '"a;b').encode(),
    ],
    ids=["plain", "bom", "cp1252", "sep", "tabs"],
)
def test_a_formula_is_text_whatever_the_encoding(calling: Calling, data: bytes) -> None:
    with calling() as call:
        assert take(call, "assets", data).applied  # type: ignore[arg-type]
        device = call.session.scalars(select(Device)).one()
        assert device.name == "=cmd|' /C calc'!A0"
        assert device.note == "a;b\nc"
        assert device.custom == {"Kleur": "@SUM(1)"}
        cells = next(iter(csv.DictReader(io.StringIO(export_assets(call)))))
        assert (cells["Item Name"][:2], cells["Kleur"][:2]) == ("'=", "'@")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x01\x02",
        "Asset Tag,Category\nA,Phones\n".encode("utf-16"),
        b"PK\x03\x04" + b"\x00" * 40,
        b"Asset Tag,Asset Tag,Category\nA,B,Phones\n",
        b"Asset Tag,Category\n",
        ("Asset Tag,Category," + ",".join(f"Field {n}" for n in range(61)) + "\nA,Phones\n").encode(),
    ],
    ids=["empty", "binary", "utf-16", "zip", "twice", "header-only", "61-fields"],
)
def test_what_is_no_list_is_refused_as_a_whole(calling: Calling, data: bytes) -> None:
    with calling() as call:
        with pytest.raises(InvalidError):
            take(call, "assets", data)  # type: ignore[arg-type]
        assert call.session.scalar(select(func.count()).select_from(Device)) == 0


def test_a_line_with_an_open_quotation_mark_is_named(calling: Calling) -> None:
    with calling() as call:
        result = take(call, "assets", 'Asset Tag,Category\nA,Phones\nB,"Phones\n')
        assert not result.applied
        assert [row.line for row in result.errors] == [3]


def test_a_file_that_is_too_large_is_refused_before_it_is_read(calling: Calling) -> None:
    with calling() as call, pytest.raises(TooLargeError):
        take(call, "assets", b"a" * (20 * 1024 * 1024 + 1))  # type: ignore[arg-type]


def test_a_clerk_moves_in_and_out_what_is_the_own_desks(calling: Calling) -> None:
    with calling() as call:
        desk, other = point(call, "WERK"), point(call, "STAD")
        mine, theirs = phone(call, desk), phone(call, other)
        speaking = call.by(clerk(desk.id))
        out = export_assets(speaking)
        assert (mine.tag or "") in out
        assert (theirs.tag or "") not in out
        assert other.code not in out
        result = take(speaking, "assets", f"Asset Tag,Category,Location\n{theirs.tag},Phones,\n")
        assert [row.outcome.value for row in result.rows] == ["error"]
        with pytest.raises(DeniedError):
            take(speaking, "users", USERS)


def test_a_file_that_was_brought_is_sealed_and_nobody_elses_and_forgotten_after_a_day(calling: Calling) -> None:
    seal = Seal(bytes(32))
    files = Files(ASSETS.encode(), statuses=b"Name,Type\n")
    with calling() as call:
        uid = kept.keep(call, seal, SnipeKind.ASSETS, files, name="a.csv", only_ours=True).uid
        row, found, only_ours = kept.kept(call, seal, uid)
        assert (found, only_ours, row.name) == (files, True, "a.csv")
        assert b"Peeters" not in row.content
        with pytest.raises(GoneError):
            kept.kept(call.by(clerk(1)), seal, uid)
        with pytest.raises(InvalidError):
            kept.keep(call, seal, SnipeKind.ASSETS, Files(b""))
    with calling(now=NOW + kept.KEPT) as call:
        with pytest.raises(GoneError):
            kept.kept(call, seal, uid)
        kept.tidy(call.session, call.now)
        assert call.session.scalar(select(func.count()).select_from(ExchangeFile)) == 0


@pytest.mark.slow
def test_fifty_thousand_lines_with_one_wrong_are_checked_and_none_is_taken(engine: Engine, figure: Any) -> None:
    lines = ["Asset Tag,Serial,Category,Manufacturer,Model Name,Purchase Cost,Status,Kleur"]
    lines += [
        f"T-{n},S-{n},Mobile Phones,Fairphone,Fairphone 5,{n % 900}.50,Ready to Deploy,rood" for n in range(50_000)
    ]
    begin = time.process_time()
    with transaction(engine) as session:
        result = take(Call(FLEET_ADMIN, session, NOW), "assets", "\n".join([*lines, "T-1,again,Mobile Phones,,,,,"]))
        assert (result.applied, result.counts["created"], len(result.errors)) == (False, 50_000, 1)
        assert session.scalar(select(func.count()).select_from(Device)) == 0
    figure(f"50,000 lines of Snipe-IT: checked in {time.process_time() - begin:.1f} s of CPU")
