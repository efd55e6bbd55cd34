"""A whole installation, with its real processes: somebody is known, looked at, searched for, refused, and erased. Afterwards
nothing of them is in any file of the home folder: database, journal, logs, locks, figures; nor in a backup, nor in what is
restored from it."""

import http.cookiejar
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from mdm.cli.work import work
from mdm.people import service as people
from mdm.people.model import Person
from mdm.privacy import proving
from mdm.privacy import service as privacy
from mdm.privacy.model import Erasure
from tests.operation.test_up import Up

NAME, EMAIL, NUMBER, PHONE = "Qzvk Wyxjo", "qzvk@wyxjo.example", "PN88123x", "+32499112233"
WANTED = (NAME, EMAIL, NUMBER, PHONE, "qzvk", "Wyxjo")
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """Somebody with a cookie jar, at the console or at the employees' page."""

    def __init__(self, up: Up, host: str = "localhost") -> None:
        self.base, self.host = f"http://localhost:{up.port}", f"{host}:{up.port}"
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def send(self, path: str, **fields: str) -> tuple[int, str]:
        """Opens a page, or sends its form; the status and the text, also of a refusal."""
        body = urllib.parse.urlencode(fields).encode() if fields else None
        request = urllib.request.Request(
            self.base + path, body, {"Host": self.host, "Origin": f"http://{self.host}", "X-Forwarded-User": NAME}
        )
        try:
            with self.opener.open(request, timeout=60) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode(errors="replace")

    def form(self, page: str, **fields: str) -> tuple[int, str]:
        """Sends a form with the token of the page that it stands on."""
        found = CSRF.search(self.send(page)[1])
        return self.send(page, csrf_token=found[1] if found else "", **fields)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """A home of its own."""
    one = Up(tmp_path / "home")
    yield one
    if one.process is not None:
        one.stop()


def _run(up: Up, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "mdm.cli.main", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, env=up.env, check=False, timeout=300)


def _live(up: Up) -> int:
    """What leaves traces: an import, a search, a file, a wrong password, a link by mail, addresses that are not there."""
    file = up.home.parent / "people.csv"
    file.write_text(f"name,email,number,phone,left_on\n{NAME},{EMAIL},{NUMBER},{PHONE},2026-01-01\n")
    assert _run(up, "import", "people", str(file)).returncode == 0
    file.unlink()
    link = _run(up, "operator", "add", "mo@stad.example", "--role", "fleet_admin").stdout.strip().splitlines()[-1]
    mo, path = Browser(up), urllib.parse.urlsplit(link).path
    assert mo.form(path)[0] == 200
    with work(write=False) as call:
        number = call.session.scalars(select(Person.id).where(Person.email == EMAIL)).one()
    quoted = urllib.parse.quote(NAME)
    for address in (
        f"/people/{number}", f"/people?q={quoted}", f"/search?q={quoted}", f"/people/file?as=csv&q={quoted}",
        f"/people/{number}/privacy", f"/devices?q={quoted}", f"/{quoted}", f"/people/{quoted}", f"/devices?sort={quoted}",
    ):  # fmt: skip
        assert mo.send(address)[0] in (200, 400, 404, 422), address
    assert NAME in mo.send(f"/people/{number}")[1]
    assert mo.form(f"/people/{number}/edit", name=NAME, email="no address", number=NUMBER)[0] != 500
    for address in ("/people", f"/people/{number}", "/devices"):
        assert mo.send(f"/api/v1{address}?q={quoted}")[0] in (200, 400, 422)
    Browser(up).form("/sign-in", email=EMAIL, password="guess " + NAME)
    own = Browser(up, "mijn.localhost")
    token = CSRF.search(own.send("/in")[1])
    own.send("/in/mail", csrf_token=token[1] if token else "", email=EMAIL)
    return number


def _erase(number: int) -> None:
    with work() as call:
        people.leave(call, number, date(2026, 1, 1))
        privacy.erase(call, number, "asked by letter")
    end = time.monotonic() + 180
    while time.monotonic() < end:
        with work(write=False) as call:
            erasure = call.session.scalars(select(Erasure)).one()
            if erasure.clean_at is not None:
                return
        time.sleep(0.5)
    raise AssertionError("the erasure was not finished")


def _found(up: Up) -> dict[str, list[object]]:
    argv = [sys.executable, "-m", "mdm.cli.main", "privacy", "find", "--json"]
    done = subprocess.run(
        argv, input="\n".join(WANTED), capture_output=True, text=True, env=up.env, check=False, timeout=300
    )
    told: dict[str, list[object]] = json.loads(done.stdout)
    assert done.returncode == (1 if told["found"] else 0), done.stderr
    return told


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_of_somebody_who_was_erased_nothing_is_left_in_any_file(
    up: Up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    up.start("--no-demo")
    monkeypatch.setenv("HAVENMEESTER_HOME", str(up.home))
    number = _live(up)
    logs = sorted(path.name for path in (up.home / "log").glob("*.log") if path.stat().st_size)
    assert {"console.log"} <= set(logs)
    assert list(proving.in_files(up.home / "log", WANTED)) == []
    assert len(_found(up)["found"]) > 2
    assert _run(up, "backup", str(tmp_path / "before.tar")).returncode == 0

    _erase(number)

    assert _found(up)["found"] == []
    assert _run(up, "backup", str(tmp_path / "after.tar")).returncode == 0
    up.stop()
    assert list(proving.in_files(up.home, WANTED)) == []
    assert [path.name for path in proving.in_files(tmp_path, WANTED)] == ["before.tar"]

    assert _run(up, "restore", str(tmp_path / "before.tar"), "--force").returncode == 0
    replaced = [path for path in proving.in_files(up.home, WANTED) if "replaced-" not in str(path)]
    assert replaced == []
    told = _run(up, "doctor", "--json")
    assert '"old databases"' in told.stdout
