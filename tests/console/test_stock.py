"""The pages of the stock and of repairs: each opens, says what it must, and does by a form what it offers, once."""

import csv
import io
import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from mdm.desk.repairs.model import Repair
from mdm.desk.stock.model import Shelf, StockTake, Transfer, TransferLine
from mdm.inventory.model import Device
from mdm.settings import Settings
from mdm.storage.engine import make_engine, transaction
from tests.console.conftest import Visitor

SignedIn = Callable[[str], Visitor]
HERE = "WERKHAVEN"


def rows(settings: Settings, model: type, *conditions: object) -> list[object]:
    engine = make_engine(settings.database)
    with transaction(engine, write=False) as session:
        found = list(session.scalars(select(model).where(*conditions).order_by(model.id)))
    engine.dispose()
    return found


@pytest.fixture
def clerk(signed_in: SignedIn) -> Visitor:
    """The fleet admin at the counter of Werkhaven."""
    visitor = signed_in("mo@stad.example")
    assert visitor.post("/desk/place", service_point="1", next="/desk/stock").status_code == 303
    return visitor


def stored(settings: Settings) -> list[Device]:
    """Devices that lie at Werkhaven and go nowhere."""
    travelling = Device.id.in_(select(TransferLine.device_id))
    return rows(settings, Device, Device.service_point_id == 1, Device.state == "in_stock", ~travelling)  # type: ignore[return-value]


def test_shelves_are_made_once_labelled_and_filled_by_scanning(clerk: Visitor, settings: Settings) -> None:
    form = {"name": "A1, A2", "key": "k1"}
    assert [clerk.post("/desk/stock/shelves", **form).status_code for _ in range(2)] == [303, 303]
    shelves = rows(settings, Shelf, Shelf.name.in_(["A1", "A2"]))
    assert [shelf.name for shelf in shelves] == ["A1", "A2"]
    device = stored(settings)[0]
    page = f"/desk/stock/shelves/{shelves[0].id}"
    assert clerk.post(page, code=device.tag or "").status_code == 303
    assert device.label in clerk.get(page).text
    assert clerk.post(page, code="nothing like it").status_code == 404
    move = clerk.post("/desk/stock/shelve", device=device.uid, code=shelves[1].code)
    assert move.location.endswith(f"/desk?code={device.uid}")
    paper = clerk.get("/desk/stock/labels.pdf?what=shelves&sheet=a4-3x8&first=1")
    assert paper.data.startswith(b"%PDF")
    refused = clerk.get("/desk/stock/labels.pdf?what=shelves&sheet=papyrus&first=1")
    assert refused.status_code == 422
    assert "choose a paper" in refused.text
    scanned = clerk.get(f"/desk/scan/{shelves[0].code}")
    assert scanned.location.endswith(f"/desk?code={shelves[0].code}")


def test_a_level_that_is_not_kept_is_seen_on_the_stock_page_and_at_home(clerk: Visitor) -> None:
    assert clerk.post("/desk/stock/minimum", kind="phone", least="9999").status_code == 303
    assert "Too few" in clerk.get("/desk/stock").text
    assert "too few ready" in clerk.get("/").text
    table = list(csv.reader(io.StringIO(clerk.get("/desk/stock/chart.csv").text.lstrip("\ufeff"))))
    assert table[1][0] == "Werkhaven: Phone"
    assert int(table[1][1]) + int(table[1][2]) == 9999
    assert clerk.post("/desk/stock/minimum", kind="phone", least="-4").status_code == 422


def test_devices_travel_to_another_desk_with_their_document(clerk: Visitor, settings: Settings) -> None:
    begun = clerk.post("/desk/stock/transfers", to="SL-ANTWERPEN", note="team", key="t1")
    again = clerk.post("/desk/stock/transfers", to="SL-ANTWERPEN", note="team", key="t1")
    assert begun.location == again.location
    (transfer,) = rows(settings, Transfer, Transfer.note == "team")
    page = f"/desk/stock/transfers/{transfer.uid}"
    one, two = stored(settings)[:2]
    for device in (one, two):
        assert clerk.post(page, code=device.serial or device.tag or "").status_code == 303
    assert clerk.post(page, step="send").status_code == 303
    assert clerk.get(f"{page}/paper.pdf").data.startswith(b"%PDF")
    assert clerk.post(page, code=one.tag or "").status_code == 303
    assert clerk.post(page, step="finish", note="one is missing").status_code == 303
    shown = clerk.get(page).text
    assert "Missing" in shown
    assert "Found at" in shown
    assert clerk.post(page, step="found", device=two.uid, place="1").status_code == 303
    moved = {
        device.uid: device.service_point_id for device in rows(settings, Device, Device.uid.in_([one.uid, two.uid]))
    }
    assert moved == {one.uid: 2, two.uid: 1}
    assert clerk.post("/desk/stock/transfers", to="NOWHERE").status_code == 422


def test_a_count_goes_on_where_it_stopped_and_ends_with_a_report(clerk: Visitor, settings: Settings) -> None:
    assert clerk.post("/desk/stock/takes").status_code == 303
    (take,) = rows(settings, StockTake)
    page = f"/desk/stock/takes/{take.id}"
    devices = stored(settings)
    for device in devices[:2]:
        assert clerk.post(page, code=device.tag or "").status_code == 303
    assert "counted already" in clerk.get(clerk.post(page, code=devices[0].tag or "").location).text
    clerk.post(page, code="=cmd|calc")
    assert clerk.post(page, step="undo").status_code == 303
    clerk.post(page, code="=cmd|calc")
    assert clerk.post("/desk/stock/takes").location.endswith(page)
    assert clerk.post(page, step="close", tidy="yes").status_code == 303
    table = list(csv.reader(io.StringIO(clerk.get(f"{page}/report.csv").text.lstrip("\ufeff"))))
    results = [line[0] for line in table[1:]]
    assert results.count("As recorded") == 2
    assert results.count("Missing") >= len(devices) - 2
    assert [line[2] for line in table if line[0] == "Unknown code"] == ["'=cmd|calc"]
    assert clerk.post(page, code=devices[2].tag or "").status_code == 409


def test_a_repair_goes_its_way_on_its_page(clerk: Visitor, settings: Settings) -> None:
    device = stored(settings)[0]
    assert "What is wrong" in clerk.get(f"/desk/repairs/open?device={device.uid}").text
    refused = clerk.post("/desk/repairs/open", device=device.uid)
    assert refused.status_code == 422
    assert "Choose at least one." in refused.text
    form = {"device": device.uid, "faults": ["screen", "sound"], "note": "fell", "key": "r1"}
    opened = [clerk.post("/desk/repairs/open", **form) for _ in range(2)]
    assert opened[0].location == opened[1].location
    (repair,) = rows(settings, Repair, Repair.note == "fell")
    page = f"/desk/repairs/{repair.uid}"
    assert clerk.get(f"/desk/repairs?device={device.uid}").location.endswith(page)
    steps = (
        {"step": "send", "supplier": "Repair nv", "due_on": "2020-01-01"},
        {"step": "edit", "supplier": "Repair nv", "faults": ["screen"], "due_on": "2020-01-02"},
    )
    for step in steps:
        assert clerk.post(page, **step).status_code == 303
    assert "Overdue" in clerk.get(page).text
    assert "overdue repairs" in clerk.get("/").text
    assert repair.uid in clerk.get("/desk/repairs?overdue=yes").text
    assert clerk.post(page, step="back").status_code == 303
    wrong = clerk.post(page, step="close", outcome="repaired", cost="much")
    assert wrong.status_code == 422
    assert clerk.post(page, step="close", outcome="repaired", cost="1.045,50").status_code == 303
    assert "1,045.50" in clerk.get(page).text
    assert clerk.get("/desk/repairs/faults").status_code == 200
    listed = clerk.get("/desk/repairs/file?as=csv").text
    assert "1045.5" in listed
    assert re.search(r"Fault|Name", clerk.get("/desk/repairs/faults.csv").text)


def test_costs_are_told_per_unit_and_measure(clerk: Visitor, settings: Settings) -> None:
    device = stored(settings)[0]
    before = {"service_point_id": device.service_point_id, "owner_unit_id": device.owner_unit_id}
    form = {
        "tag": device.tag or "", "name": device.name, "platform": device.platform, "kind": device.kind,
        "service_point_id": str(device.service_point_id), "owner_unit_id": str(device.owner_unit_id or ""),
        "cost": "300", "measure": "lde", "purchased_on": "2026-01-01", "contract": "Raamcontract 7",
    }  # fmt: skip
    assert clerk.post(f"/devices/{device.uid}/edit", **form).status_code == 303
    (saved,) = rows(settings, Device, Device.uid == device.uid)
    assert (saved.cost_cents, saved.currency, saved.measure) == (30000, "EUR", "lde")  # type: ignore[attr-defined]
    assert {key: getattr(saved, key) for key in before} == before
    assert "Raamcontract 7" in clerk.get(f"/devices/{device.uid}").text
    page = clerk.get("/desk/stock/costs?on=2026-01-01").text
    assert "€300.00" in page
    lines = list(csv.reader(io.StringIO(clerk.get("/desk/stock/costs/file?on=2030-01-01").text.lstrip("\ufeff"))))
    priced = [line for line in lines if line[1] == "LDE"]
    assert [line[5:7] for line in priced] == [["300.0", "0.0"]]
    assert clerk.get("/desk/stock/costs/file?as=xlsx").data.startswith(b"PK")
    assert clerk.post(f"/devices/{device.uid}/edit", **{**form, "cost": "a lot"}).status_code == 422


def test_an_auditor_reads_the_stock_and_moves_nothing(signed_in: SignedIn) -> None:
    visitor = signed_in("sarah@stad.example")
    for address in ("/desk/stock", "/desk/repairs", "/desk/stock/costs", "/desk/stock/transfers"):
        assert visitor.get(address).status_code == 200
    for address in ("/desk/stock/minimum", "/desk/stock/shelves", "/desk/repairs/open"):
        assert visitor.post(address).status_code == 403


def test_a_file_of_snipe_it_is_looked_at_first_and_taken_as_a_whole(clerk: Visitor, settings: Settings) -> None:
    def bring(text: str, **more: str) -> str:
        file = (io.BytesIO(text.encode()), "assets.csv")
        return str(clerk.post("/desk/stock/exchange", kind="assets", file=file, **more).location)

    head = "Asset Tag,Category,Location,Kleur\n"
    page = bring(
        f"{head}SN-1,Mobile Phones,Werkhaven,rood\nSN-2,Mobile Phones,Nowhere,\nSN-3,Monitors,,\n", only_ours="yes"
    )
    shown = clerk.get(page).text
    assert "There is no open service point" in shown
    assert "left out" in shown
    clerk.post(page, step="take")
    assert rows(settings, Device, Device.tag.like("SN-%")) == []
    page = bring(f"{head}SN-1,Mobile Phones,Werkhaven,rood\n")
    assert "Every line is right." in clerk.get(page).text
    assert rows(settings, Device, Device.tag.like("SN-%")) == []
    assert clerk.post(page, step="take").status_code == 303
    assert [device.service_point_id for device in rows(settings, Device, Device.tag.like("SN-%"))] == [1]  # type: ignore[attr-defined]
    assert clerk.get(page).status_code == 410
    assert "SN-1" in clerk.get("/desk/stock/exchange/assets.csv").text
    assert clerk.post("/desk/stock/exchange", kind="assets").status_code == 422
