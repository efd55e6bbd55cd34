"""The figures of a whole installation, read at both doors by a program on the same machine."""

import json
import re
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.operation.test_up import Up, up
from web.build import build

__all__ = ["up"]
SECRET = "a-secret-that-signs-somebody-in-0123456789"


def value(page: str, name: str, **labels: str) -> float:
    """The figure of that name whose labels hold these; 0 when there is none."""
    for line in page.splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if found and found[1] == name and all(f'{key}="{one}"' in (found[2] or "") for key, one in labels.items()):
            return float(found[3])
    return 0.0


def get(address: str, tls: ssl.SSLContext | None = None, **headers: str) -> tuple[int, str]:
    asked = urllib.request.Request(address, headers={name.replace("_", "-"): one for name, one in headers.items()})
    try:
        with urllib.request.urlopen(asked, timeout=10, context=tls) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_both_doors_show_what_every_process_counted(up: Up) -> None:
    build()
    up.start("--no-demo")
    tls = ssl.create_default_context(cafile=str(up.home / "signer" / "ca.pem"))
    console, gateway = f"http://localhost:{up.port}", f"https://localhost:{up.env['HAVENMEESTER_GATEWAY_PORT']}"
    assert get(f"{console}/sign-in/link/{SECRET}")[0] < 500
    assert get(f"{console}/api/v1/devices")[0] == 401
    assert get(f"{console}/nowhere/{SECRET}")[0] == 404
    assert get(f"{gateway}/nowhere", tls)[0] == 404
    assert json.loads(get(f"{gateway}/readyz", tls)[1])["parts"]["signer"] == "ok"

    for address, context in ((console, None), (gateway, tls)):
        status, page = get(f"{address}/metrics", context)

        assert status == 200
        assert value(page, "havenmeester_requests_total", door="api", route="/devices", status="401") == 1
        assert value(page, "havenmeester_requests_total", door="console", route="-", status="404") >= 1
        assert value(page, "havenmeester_requests_total", door="gateway", route="/readyz", status="200") >= 1
        assert value(page, "havenmeester_request_seconds_count", door="gateway") >= 2
        assert value(page, "havenmeester_job_runs_total", job="post", outcome="done") >= 1
        assert value(page, "havenmeester_worker_leads") == 1
        for name in ("outbox_waiting", "outbox_dead", "gateway_idle_checkins_total", "gateway_waiting"):
            assert f"havenmeester_{name} " in page, name
        assert value(page, "havenmeester_requests_total", door="console", route="/sign-in/link/<token>") == 1
        assert SECRET not in page
        assert get(f"{address}/metrics", context, X_Forwarded_For="192.0.2.1")[0] == 404


def test_a_process_that_was_killed_leads_no_more_in_the_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prometheus_client.values import MultiProcessValue

    from mdm.operation import metrics

    monkeypatch.setenv(metrics.FOLDER, str(tmp_path))
    for pid in (1, 4_190_000):
        kept = MultiProcessValue(lambda pid=pid: pid)
        kept("gauge", "leads", "leads", (), (), "", multiprocess_mode="livesum").set(1)

    page = metrics.exposition()[0].decode()

    assert value(page, "leads") == 1
