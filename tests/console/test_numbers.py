"""Every number on Home is the number of lines of the list that it links to, for whoever looks."""

import html
import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from mdm.access import service as access
from mdm.access.places import Place
from mdm.core.actor import command_line
from mdm.core.permissions import Role
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import alone

TILE = re.compile(r'<a class="hm-tile" href="([^"]+)"><b>(\d+)</b>')
NEED = re.compile(r'<a href="([^"#]+)"><span class="text-\w+">.*?</span><b>(\d+)</b>')
ROW = re.compile(r'<tr><td><a href="([^"]+)">[^<]*</a></td>((?:<td class="hm-number">\d+</td>)+)</tr>')
TOTAL = re.compile(r"<span><b>(\d+)</b>")


def numbers(page: str) -> list[tuple[str, int]]:
    """Each address on Home with the number beside it; the numbers of a row of a chart belong together."""
    single = [(html.unescape(url), int(number)) for url, number in (*TILE.findall(page), *NEED.findall(page))]
    rows = [(html.unescape(url), sum(map(int, re.findall(r">(\d+)<", cells)))) for url, cells in ROW.findall(page)]
    return single + rows


def total(page: str) -> int:
    """How many lines a list says that it has; an empty one says no number."""
    found = TOTAL.search(page)
    return int(found[1]) if found else 0


def add_clerk(settings: Settings) -> None:
    """A desk clerk of the service point that has the most enrolled devices, of which some have gone."""
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        call = Call(command_line("tests"), session, datetime.now(UTC), alone())
        devices = session.scalars(select(Device).where(Device.service_point_id.is_not(None)).order_by(Device.id)).all()
        ids = [device.service_point_id for device in devices if device.enrolled_at]
        most = max(set(ids), key=ids.count)
        assert session.get(ServicePoint, most) is not None
        made = access.ensure_operator(call, email="desk@stad.example", name="Desk Clerk", language="en")
        access.add_grant(call, made.id, Role.DESK_CLERK, Place(service_point_id=most))
        devices[0].state = "lost"
        next(device for device in devices if device.service_point_id == most and device.enrolled_at).state = "lost"
        for device in devices[::7]:
            device.enrolled_at = device.last_seen_at = None
    engine.dispose()


@pytest.mark.parametrize("email", ["mo@stad.example", "desk@stad.example"])
def test_every_number_is_the_length_of_the_list_behind_it(signed_in, settings: Settings, email: str) -> None:
    add_clerk(settings)
    visitor = signed_in(email)

    found = numbers(visitor.get("/").text)
    shown = {url: total(visitor.get(url).text) for url, _ in found}

    assert len(found) > 15
    assert sum(number > 0 for _, number in found) > 8
    assert [(url, number, shown[url]) for url, number in found if shown[url] != number] == []


def test_a_device_that_was_never_enrolled_is_called_so_and_not_unknown(signed_in, settings: Settings) -> None:
    add_clerk(settings)
    visitor = signed_in("mo@stad.example")

    never = visitor.get("/devices?enrolled=no")
    unknown = visitor.get("/devices?verdict=unknown&enrolled=no")

    assert "Not enrolled" in never.text
    assert "Unknown</span>" not in never.text
    assert total(never.text) == total(visitor.get("/devices?verdict=not_enrolled").text) > 0
    assert total(unknown.text) == 0


def test_a_place_may_be_named_by_its_code_in_the_address_and_an_unknown_one_shows_nothing(signed_in) -> None:
    visitor = signed_in("mo@stad.example")

    known = visitor.get("/devices?service_point=WERKHAVEN")
    unknown = visitor.get("/devices?service_point=NOWHERE")

    assert total(known.text) > 0
    assert (unknown.status_code, total(unknown.text)) == (200, 0)
    assert "NOWHERE" in unknown.text
