"""The front end's files: small on the way, kept for long; pages: kept by nobody."""

import gzip
import json
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from tests.console.conftest import Visitor
from web.build import DIST


def _get(visitor: Visitor, address: str, **options: object) -> TestResponse:
    """The answer, read to its end, as a browser does."""
    return visitor.get(address, buffered=True, **options)


def _address(name: str) -> str:
    return "/static/dist/" + json.loads((DIST / "manifest.json").read_text())["files"][name]


@pytest.mark.parametrize(
    ("name", "kind"), [("app.css", "text/css"), ("app.js", "text/javascript"), ("icons.svg", "image/svg+xml")]
)
def test_a_browser_that_reads_gzip_gets_the_same_bytes_in_a_quarter_of_the_room(
    visitor: Visitor, name: str, kind: str
) -> None:
    plain = _get(visitor, _address(name))
    packed = _get(visitor, _address(name), headers={"Accept-Encoding": "br, gzip"})

    assert "Content-Encoding" not in plain.headers
    assert (packed.headers["Content-Encoding"], packed.mimetype) == ("gzip", kind)
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < 0.4 * len(plain.data)
    for answer in (plain, packed):
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Accept-Encoding" in answer.headers["Vary"]


def test_a_browser_that_refuses_gzip_gets_it_plain(visitor: Visitor) -> None:
    for refusal in ("identity", "gzip;q=0", ""):
        assert (
            "Content-Encoding" not in _get(visitor, _address("app.css"), headers={"Accept-Encoding": refusal}).headers
        )


def test_what_is_known_already_is_not_sent_again(visitor: Visitor) -> None:
    headers = {"Accept-Encoding": "gzip"}
    tag = _get(visitor, _address("app.css"), headers=headers).headers["ETag"]

    again = _get(visitor, _address("app.css"), headers={**headers, "If-None-Match": tag})

    assert (again.status_code, again.data) == (304, b"")


def test_a_name_without_a_digest_is_not_kept_and_nothing_outside_is_sent(visitor: Visitor) -> None:
    assert _get(visitor, "/static/dist/manifest.json").headers["Cache-Control"] != "public, max-age=31536000, immutable"
    for address in (
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/dist/nothing-12345678.css",
        "/static//etc/passwd",
    ):
        assert _get(visitor, address, headers={"Accept-Encoding": "gzip"}).status_code in (404, 308)


def test_pages_are_kept_by_nobody(signed_in: Callable[[str], Visitor]) -> None:
    assert signed_in("mo@stad.example").get("/devices").headers["Cache-Control"] == "no-store"
