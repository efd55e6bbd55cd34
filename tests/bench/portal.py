"""How soon the employees' page can be used on a slow line: Chromium at 400 kbit/s and 400 ms, with nothing kept."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from mdm.core.actor import command_line
from mdm.inventory.model import Device
from mdm.people.model import Person
from mdm.portal import keys
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.bench.house import House, house, wait_for
from tests.chromium import chromium
from tests.conftest import alone
from tests.console.house import fill
from tests.portal.loading import SLOW_3G, Load, first_load

SCREEN = {"width": 360, "height": 760}
LINE_SECONDS = 3 * 0.4
"""What the browser's slow line leaves out: finding the address, TCP and TLS 1.3 take a way there and back each."""
INSIDE = ("/", "/seen", "/apps", "/panic/", "/leaving", "/help", "/loans", "/enrol", "/accessibility")
TIMES = 3


@dataclass(frozen=True)
class Found:
    """A page: bytes and requests of its first load, and the median of seconds until it can be used."""

    address: str
    bytes: int
    requests: int
    usable: float
    whole: float


def measure(folder: Path) -> list[Found]:
    """Every page of the employees' door, each from nothing, three times."""
    with house(folder) as made:
        settings = Settings(home=folder, database_url=made.url, console_port=made.console_port, language="nl")
        fill(settings, datetime.now(UTC).replace(microsecond=0))
        code, device = _key(made)
        made.start("console")
        wait_for(f"http://localhost:{made.console_port}/healthz", folder / "console.log")
        base = f"http://mijn.localhost:{made.console_port}"
        with chromium() as browser:
            context = browser.new_context(viewport=SCREEN, service_workers="block")  # type: ignore[arg-type]
            page = context.new_page()
            found = [_median([first_load(page, f"{base}/in", SLOW_3G) for _ in range(TIMES)], "/in")]
            page.goto(f"{base}/in")
            page.fill("#code", code)
            page.press("#code", "Enter")
            page.wait_for_url(f"{base}/")
            # The button of the panic page is shown once it is switched on.
            page.goto(f"{base}/panic/")
            page.click("form[action$='/panic/on'] button")
            for address in (*INSIDE, f"/d/{device}", f"/d/{device}/lost", f"/d/{device}/broken"):
                loads = [first_load(page, base + address, SLOW_3G) for _ in range(TIMES)]
                found.append(_median(loads, address.replace(device, "…")))
    return found


def _key(made: House) -> tuple[str, str]:
    """The code of somebody who holds a device, and the id of that device."""
    with transaction(made.engine, write=True) as session:
        person, device = session.execute(
            select(Person.id, Device.uid)
            .join(Device, Device.person_id == Person.id)
            .where(Device.state == "handed_out", Person.left_on.is_(None))
            .order_by(Person.id)
        ).first() or sys.exit("nobody holds a device")
        return keys.make_paper(Call(command_line("bench"), session, datetime.now(UTC), alone()), person), device


def _median(loads: list[Load], address: str) -> Found:
    middle = sorted(loads, key=lambda one: one.usable)[len(loads) // 2]
    return Found(address, middle.bytes, len(middle.requests), middle.usable + LINE_SECONDS, middle.whole + LINE_SECONDS)
