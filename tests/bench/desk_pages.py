"""How long the pages of the desk take in a city of the size of the sources: 8,081 devices at Werkhaven and eighty places."""

import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import select

from mdm.access import service as access
from mdm.core.actor import command_line
from mdm.core.permissions import Role
from mdm.desk.cases import service as cases
from mdm.desk.custody.follow import follow_all
from mdm.desk.repairs import service as repairs
from mdm.inventory.model import Device, LifeCycle
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.api.city import sign_in
from tests.bench import seed
from tests.bench.house import house
from tests.conftest import alone
from web.console.app import make_console

DEVICES, PLACES = 8_081, 81
CASES, REPAIRS = 200, 200
ROUNDS = 7
PAGES = (
    "/desk",
    "/desk/stock",
    "/desk/repairs",
    "/desk/cases",
    "/desk/cases?late=yes&state=open",
    "/desk/loans",
    "/desk/kiosks",
)


def measure(folder: Path, url: str | None) -> dict[str, dict[str, float]]:
    """Milliseconds (median) of each page that there is, by who asks: ``clerk`` of one place, ``city``."""
    with house(folder, url) as here:
        now = datetime.now(UTC)
        seed.places(here.engine, now, PLACES)
        seed.fleet(here.engine, now, 1, DEVICES)
        with transaction(here.engine) as session:
            call = Call(command_line("bench"), session, now, alone())
            while follow_all(call, 2000):
                pass
            _lived_in(call)
            cookies = {"clerk": _cookie(call, "clerk", access.Place(7)), "city": _cookie(call, "city", access.CITY)}
        with here.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
        console = make_console(
            Settings(home=here.home, database_url=str(here.engine.url.render_as_string(False)), language="en")
        )
        known = {rule.rule for rule in console.url_map.iter_rules()}
        pages = [page for page in PAGES if page.partition("?")[0] in known]
        found = {}
        for who, cookie in cookies.items():
            client = console.test_client()
            client.set_cookie("hm_session", cookie)
            found[who] = {page: _median(client, page) for page in pages}
    return found


def _lived_in(call: Call) -> None:
    """Cases and repairs spread over all places, some of them late."""
    out = select(Device).where(Device.state == LifeCycle.HANDED_OUT.value).order_by(Device.id)
    devices = call.session.scalars(out.limit((CASES + REPAIRS) * 2)).all()
    for number, device in enumerate(devices[::2][:CASES]):
        opened = cases.open_lost(call, device.uid)
        opened.due_at = call.now + timedelta(hours=number - CASES // 2)
    for device in devices[1::2][:REPAIRS]:
        repairs.open(call, device, faults=["screen"], due_on=call.now.date())


def _cookie(call: Call, name: str, place: access.Place) -> str:
    operator = access.create_operator(call, email=f"{name}@bench.example", name=name)
    access.add_grant(call, operator.id, Role.DESK_CLERK, place)
    return sign_in(call, operator)


def _median(client: FlaskClient, page: str) -> float:
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        answer = client.get(page, follow_redirects=True)
        times.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code == 200, (page, answer.status_code)
    return statistics.median(times[1:])
