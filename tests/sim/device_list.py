"""Apple's device list on a real socket: OAuth 1.0 with a signature that is checked, sessions that change, cursors that end."""

import base64
import hashlib
import hmac
import json
import re
import secrets
from typing import Any
from urllib.parse import quote, unquote

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

CREDENTIALS = {
    "consumer_key": "CK_1",
    "consumer_secret": "CS & 1",
    "access_token": "AT_1",
    "access_secret": "AS_1",
    "access_token_expiry": "2031-01-01T00:00:00Z",
}
PAGE = 2


class DeviceListServer:
    """Plays Apple. ``devices`` is the list, ``operations`` what happened since; the rest makes it misbehave."""

    def __init__(self, server: HTTPServer) -> None:
        self.address = server.url_for("").rstrip("/")
        self.session = ""
        self.sessions = 0
        self.devices: list[dict[str, Any]] = []
        self.operations: list[dict[str, Any]] = []
        self.profiles: dict[str, dict[str, Any]] = {}
        self.assigned: dict[str, str] = {}
        self.not_accessible: set[str] = set()
        self.cursor_ended = False
        self.terms = False
        self.never_good = False
        self.asked: list[str] = []
        server.expect_request(re.compile(".*")).respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        self.asked.append(request.path)
        if request.path == "/session":
            return self._begin(request)
        if self.terms:
            return Response("T_C_NOT_SIGNED", 403)
        if self.never_good or request.headers.get("X-ADM-Auth-Session") != self.session:
            return Response("UNAUTHORIZED", 401)
        assert request.headers["X-Server-Protocol-Version"] == "3"
        self.session = secrets.token_hex(8)
        content = request.get_json(silent=True) or {}
        answer = {
            "/server/devices": self._fetch,
            "/devices/sync": self._sync,
            "/profile": self._define,
            "/profile/devices": self._assign,
        }[request.path](content)
        if isinstance(answer, Response):
            return answer
        return Response(
            json.dumps(answer), content_type="application/json", headers={"X-ADM-Auth-Session": self.session}
        )

    def _begin(self, request: Request) -> Response:
        self.sessions += 1
        if not self._signed(request):
            return Response("oauth_problem_adviser", 401)
        self.session = secrets.token_hex(8)
        return Response(json.dumps({"auth_session_token": self.session}), content_type="application/json")

    def _signed(self, request: Request) -> bool:
        """RFC 5849, section 3.4, done by hand."""
        given = dict(re.findall(r'(\w+)="([^"]*)"', request.headers.get("Authorization", "")))
        given = {name: unquote(value) for name, value in given.items()}
        if given.pop("realm", "") != "ADM":
            return False
        signature = given.pop("oauth_signature", "")
        pairs = "&".join(f"{_q(name)}={_q(value)}" for name, value in sorted(given.items()))
        text = "&".join((request.method, _q(self.address + request.path), _q(pairs)))
        key = f"{_q(CREDENTIALS['consumer_secret'])}&{_q(CREDENTIALS['access_secret'])}"
        made = base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()).decode()
        known = (given.get("oauth_consumer_key"), given.get("oauth_token")) == ("CK_1", "AT_1")
        return known and hmac.compare_digest(made, signature)

    def _page(self, rows: list[dict[str, Any]], start: int, kind: str) -> dict[str, Any]:
        more = start + PAGE < len(rows)
        return {
            "devices": rows[start : start + PAGE],
            "cursor": f"{kind}:{min(start + PAGE, len(rows))}",
            "more_to_follow": more,
        }

    def _fetch(self, content: dict[str, Any]) -> Any:
        start = int(content["cursor"].split(":")[1]) if content.get("cursor") else 0
        return self._page(self.devices, start, "fetch")

    def _sync(self, content: dict[str, Any]) -> Any:
        if self.cursor_ended:
            self.cursor_ended = False
            return Response("EXPIRED_CURSOR", 400, headers={"X-ADM-Auth-Session": self.session})
        kind, start = content["cursor"].split(":")
        return self._page(self.operations, int(start) if kind == "sync" else 0, "sync")

    def _define(self, content: dict[str, Any]) -> Any:
        number = secrets.token_hex(16)
        self.profiles[number] = content
        return {"profile_uuid": number, "devices": {}}

    def _assign(self, content: dict[str, Any]) -> Any:
        assert content["profile_uuid"] in self.profiles
        said = {}
        for serial in content["devices"]:
            said[serial] = "NOT_ACCESSIBLE" if serial in self.not_accessible else "SUCCESS"
            if said[serial] == "SUCCESS":
                self.assigned[serial] = content["profile_uuid"]
        return {"profile_uuid": content["profile_uuid"], "devices": said}


def _q(value: str) -> str:
    return quote(value, safe="~-._")
