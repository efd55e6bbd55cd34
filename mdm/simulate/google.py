"""A Google that is not there, on a real socket: tokens for a service account, the management of phones, its notifications."""

import base64
import json
import secrets
import threading
from collections.abc import Callable
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from mdm.core.clock import utcnow
from mdm.simulate.google_api import ApiError, GoogleApi, Json

PROJECT: Final = "simulated-city"
SUBSCRIPTION: Final = f"projects/{PROJECT}/subscriptions/havenmeester"
TOPIC: Final = f"projects/{PROJECT}/topics/havenmeester"
ACCOUNT: Final = f"havenmeester@{PROJECT}.iam.gserviceaccount.com"
MAX_BODY: Final = 4 * 1024 * 1024


@cache
def _account_key() -> rsa.RSAPrivateKey:
    """The key of the service account; one for all servers of a process, because making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class GoogleServer:
    """Listens on 127.0.0.1 from entering until leaving. ``api`` is what it knows and how it misbehaves.

    ``twice`` gives every notification twice, ``backwards`` the newest first; one that is not acknowledged comes again.
    """

    def __init__(self, clock: Callable[[], datetime] = utcnow, port: int = 0) -> None:
        self.api = GoogleApi(clock)
        self.twice = self.backwards = False
        self.refused_tokens = 0
        """Calls that come with the right token and are refused all the same."""
        self._given: set[str] = set()
        self._acks: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def token_address(self) -> str:
        """Where tokens are asked for."""
        return f"{self.address}/token"

    def key_file(self) -> bytes:
        """The key file of a service account, as an administrator downloads it."""
        pem = _account_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return json.dumps(
            {
                "type": "service_account",
                "project_id": PROJECT,
                "private_key_id": "1",
                "private_key": pem,
                "client_email": ACCOUNT,
                "token_uri": "https://oauth2.googleapis.com/token",
            }
        ).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Nothing is written of a call."""

            def _go(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(min(size, MAX_BODY))
                try:
                    status, answer = 200, outer.respond(self.command, self.path, dict(self.headers), raw)
                except ApiError as error:
                    said = {"code": error.status, "message": error.message, "status": error.code}
                    status, answer = error.status, {"error": said}
                content = json.dumps(answer).encode()
                self.send_response(status)
                if status == 429:
                    self.send_header("Retry-After", "7")
                self.send_header("Content-Type", "application/json; charset=UTF-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = _go  # noqa: N815 -- the names that the server looks for

        return Handler

    def respond(self, http: str, target: str, headers: dict[str, str], raw: bytes) -> Json:
        """The answer to one request. Raises ApiError."""
        parts = urlsplit(target)
        path = unquote(parts.path)
        if path == "/token":
            return self._token(raw)
        given = headers.get("Authorization", "").removeprefix("Bearer ")
        if self.refused_tokens > 0:
            self.refused_tokens -= 1
            self._given.discard(given)
        if given not in self._given:
            raise ApiError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if path.startswith(f"/v1/{SUBSCRIPTION}:"):
            return self._subscription(path.rpartition(":")[2], json.loads(raw or b"{}"))
        return self.api.answer(http, path, dict(parse_qsl(parts.query)), raw)

    def _token(self, raw: bytes) -> Json:
        """RFC 7523: a token for who signs with the key of the account."""
        said = dict(parse_qsl(raw.decode()))
        try:
            claims = jwt.decode(said.get("assertion", ""), RSAKey.import_key(_account_key().public_key())).claims
        except (JoseError, ValueError) as error:
            raise ApiError(400, "invalid_grant", "The assertion is not signed by this account.") from error
        if claims.get("iss") != ACCOUNT or "androidmanagement" not in str(claims.get("scope")):
            raise ApiError(400, "invalid_grant", "The assertion is of somebody else.")
        token = secrets.token_urlsafe(24)
        self._given.add(token)
        return {"access_token": token, "token_type": "Bearer", "expires_in": 3600}

    def _subscription(self, verb: str, body: Json) -> Json:
        with self.api.lock:
            self.api.calls.append(f"pubsub.{verb}")
            if verb == "acknowledge":
                gone = {self._acks.pop(one, "") for one in body.get("ackIds", [])}
                self.api.messages[:] = [one for one in self.api.messages if one["id"] not in gone]
                return {}
            waiting = self.api.messages[: int(body.get("maxMessages", 1))]
            if self.backwards:
                waiting = waiting[::-1]
            if self.twice:
                waiting = [one for each in waiting for one in (each, each)]
            return {"receivedMessages": [self._wrapped(one) for one in waiting]} if waiting else {}

    def _wrapped(self, one: Json) -> Json:
        ack = secrets.token_hex(8)
        self._acks[ack] = one["id"]
        message: Json = {
            "attributes": {"notificationType": one["kind"]},
            "messageId": one["id"],
            "publishTime": self.api.stamp(),
        }
        if one["content"] is not None:
            message["data"] = base64.b64encode(json.dumps(one["content"]).encode()).decode()
        return {"ackId": ack, "message": message}
