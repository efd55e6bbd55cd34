"""The page of discovery: bringing a capture, the lists, the file, who may what."""

import io
from collections.abc import Callable
from pathlib import Path

from mdm.core.clock import utcnow
from mdm.discovery import listening, queries
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from mdm.worker import captures
from mdm.worker.office import Office
from tests.conftest import FLEET_ADMIN, alone
from tests.console.conftest import Visitor
from tests.discovery.packets import CAMERA, office, pcap

SignedIn = Callable[[str], Visitor]


def test_a_capture_that_is_brought_becomes_lists(signed_in: SignedIn, settings: Settings, tmp_path: Path) -> None:
    boss = signed_in("mo@stad.example")
    assert "Nobody has looked here" in boss.get("/discovery?service_point=WERKHAVEN").text
    content = pcap(tmp_path / "office.pcap", office()).read_bytes()

    brought = boss.post("/discovery/captures?service_point=WERKHAVEN", file=(io.BytesIO(content), "<b>office</b>.pcap"))

    assert brought.status_code == 303
    assert "is being read" in boss.get("/discovery?service_point=WERKHAVEN").text
    engine = make_engine(settings.database)
    captures.read(Office(engine, settings, utcnow))
    engine.dispose()
    page = boss.get("/discovery?service_point=WERKHAVEN").text
    assert "sw-werkhaven" in page
    assert CAMERA in page
    assert "Brother HL-L2350DW" in page
    assert "&lt;b&gt;office&lt;/b&gt;.pcap" in page
    assert "1 device with a made-up (private) address was left out" in page
    for tab in ("not_seen", "elsewhere", "here", "flex", "nonsense"):
        assert boss.get(f"/discovery?service_point=WERKHAVEN&list={tab}").status_code == 200
    rows = boss.get("/discovery/file?service_point=WERKHAVEN").text
    assert sum(line.startswith("unmanaged,") for line in rows.splitlines()) == 4


def test_what_is_no_capture_says_so_and_nothing_is_kept(signed_in: SignedIn, settings: Settings) -> None:
    boss = signed_in("mo@stad.example")
    boss.get("/discovery?service_point=WERKHAVEN")
    empty = boss.post("/discovery/captures?service_point=WERKHAVEN", file=(io.BytesIO(b""), "x.pcap"))
    boss.post("/discovery/captures?service_point=WERKHAVEN", file=(io.BytesIO(b"GIF89a"), "x.pcap"))
    engine = make_engine(settings.database)
    captures.read(Office(engine, settings, utcnow))
    engine.dispose()

    assert empty.status_code == 422
    assert "there is no file" in empty.text
    assert "The file is no capture" in boss.get("/discovery?service_point=WERKHAVEN").text
    assert list((settings.home / "captures").iterdir()) == []
    assert boss.post("/discovery/captures?service_point=NOWHERE", file=(io.BytesIO(b"x"), "x")).status_code == 404


def test_an_auditor_looks_and_brings_nothing(signed_in: SignedIn) -> None:
    auditor = signed_in("auditor@stad.example")
    page = auditor.get("/discovery")
    assert page.status_code == 200
    assert "/discovery/captures" not in page.text
    assert auditor.post("/discovery/captures?service_point=WERKHAVEN", file=(io.BytesIO(b"x"), "x")).status_code == 403


def test_listening_is_for_who_manages_and_ends_when_they_say_so(signed_in: SignedIn, settings: Settings) -> None:
    boss, auditor = signed_in("mo@stad.example"), signed_in("auditor@stad.example")
    assert "No interface of the server hears this service point" in boss.get("/discovery?service_point=WERKHAVEN").text
    wish = {"interface": "eth0", "minutes": "5"}
    refused = boss.post("/discovery/listen?service_point=WERKHAVEN", **wish)
    assert refused.status_code == 422
    assert "does not hear this service point" in refused.text
    assert auditor.post("/discovery/listen?service_point=WERKHAVEN", **wish).status_code == 403
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        call = Call(FLEET_ADMIN, session, utcnow(), alone())
        place = queries.point(call, "WERKHAVEN")
        hears = {place.code: ("eth0",)}
        uid = listening.begin(call, place, "eth0", 15, asks=False, interfaces=hears, allowed=()).uid
    engine.dispose()
    assert "Stop listening" not in auditor.get("/discovery?service_point=WERKHAVEN").text
    assert auditor.post(f"/discovery/{uid}/stop").status_code == 403
    page = boss.get("/discovery?service_point=WERKHAVEN").text
    assert "about to begin" in page
    assert "Stop listening" in page
    assert boss.post(f"/discovery/{uid}/stop").status_code == 303
    assert boss.post(f"/discovery/{uid}/stop").status_code == 303
    assert "It was stopped before it began." in boss.get("/discovery?service_point=WERKHAVEN").text
    assert boss.post(f"/discovery/{'0' * 32}/stop").status_code == 404
