"""The hot path costs one statement, and a database that is away costs no certificate and no report."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from werkzeug.test import Client

from agent.wire import CHECKIN
from mdm.enrollment.model import Enrollment
from mdm.inventory.model import Device
from mdm.settings import Settings
from mdm.storage.engine import transaction
from tests.conftest import NOW, free_port
from web.gateway.app import make_gateway
from web.gateway.hot import HotPath
from web.gateway.peer import Peers

DER = b"a certificate"


class Connection:
    """A TLS connection whose client has shown a certificate."""

    asked = 0

    def getpeercert(self, *, binary_form: bool) -> bytes:
        """The certificate."""
        self.asked += 1
        return DER if binary_form else b""


@pytest.fixture
def hot(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[HotPath]:
    """The gateway in this process, and one device that has told everything."""
    with transaction(engine) as session:
        device = Device(uid="d" * 32, platform="linux", kind="kiosk", report_digest="f" * 16, created_at=NOW)
        session.add(device)
        session.flush()
        session.add(
            Enrollment(
                device_id=device.id,
                fingerprint=hashlib.sha256(DER).hexdigest(),
                key_digest="k" * 64,
                certificate="",
                serial_number="1",
                not_before=NOW,
                not_after=NOW + timedelta(days=3650),
                renew_after=NOW + timedelta(days=3600),
                first_used_at=NOW,
                created_at=NOW,
            )
        )
    made = make_gateway(Settings(home=tmp_path, database_url=database_url))
    yield made
    made.database.dispose()


def checkin(hot: HotPath, connection: Any, query: str = "d=-&r=" + "f" * 16, **more: Any) -> Any:
    return Client(hot).post(f"{CHECKIN}?{query}", environ_overrides={"gunicorn.socket": connection, **more})


def test_an_idle_checkin_is_one_statement(hot: HotPath, tmp_path: Path) -> None:
    connection = Connection()
    assert checkin(hot, connection).status_code == 204
    seen: list[str] = []
    trace = (tmp_path / "trace").open("w+")
    with hot.database._lent() as raw:
        if hot.database.engine.dialect.name == "sqlite":
            raw.driver_connection.set_trace_callback(seen.append)
        else:
            raw.driver_connection.pgconn.trace(trace.fileno())

    for _ in range(10):
        assert checkin(hot, connection).status_code == 204

    if hot.database.engine.dialect.name == "postgresql":
        with hot.database._lent() as again:
            again.driver_connection.pgconn.untrace()
        lines = (tmp_path / "trace").read_text().splitlines()
        seen = [line for line in lines if "\tF\t" in line and ("Execute" in line or "Query" in line)]
    assert len(seen) == 10
    assert connection.asked == 1
    trace.close()


@pytest.mark.parametrize("query", ["", "d=-&r=" + "e" * 16, "r=%00&d=x&w=-1", "w=99999&r=" + "f" * 400])
def test_what_differs_is_not_idle(hot: HotPath, query: str) -> None:
    answer = checkin(hot, Connection(), query)

    assert (answer.status_code, answer.json["want"]) == (200, ["*"])


def test_a_stopped_database_is_told_with_a_time_to_come_back(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing"
    hot = make_gateway(Settings(home=tmp_path, database_url=url))

    answer = checkin(hot, Connection())

    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_the_header_of_a_proxy_counts_only_from_the_proxy() -> None:
    header = ":" + base64.b64encode(DER).decode() + ":"
    environ = {"REMOTE_ADDR": "10.0.0.7", "HTTP_CLIENT_CERT": header}

    assert Peers({"10.0.0.7"}).fingerprint(environ) == hashlib.sha256(DER).hexdigest()
    assert Peers({"10.0.0.8"}).fingerprint(environ) is None
    assert Peers().fingerprint(environ) is None
    for wrong in ("", ":", "::", "MIIB", ":M!:", None):
        assert Peers({"10.0.0.7"}).fingerprint({**environ, "HTTP_CLIENT_CERT": wrong}) is None
