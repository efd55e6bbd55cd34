"""Apple's device list over HTTP: OAuth 1.0 once, then a session whose token changes with every answer."""

import json
from typing import Any, Final

import httpx2
from authlib.oauth1 import ClientAuth

from mdm.core.errors import N_, ConflictError, InvalidError, LimitedError, UnavailableError
from mdm.platforms.apple.automated.token import Token

ADDRESS: Final = "https://mdmenrollment.apple.com"
SESSION: Final = "X-ADM-Auth-Session"
MAX_ANSWER: Final = 16 * 1024 * 1024


class CursorError(InvalidError):
    """The cursor is too old or not Apple's: the whole list is read again."""


class DeviceList:
    """One conversation with Apple. Close it, or use it as a context.

    Every method raises UnavailableError (also with ``retry_after`` when Apple asks to wait), ConflictError with a sentence
    for an administrator (``apple_terms``, ``apple_token``), CursorError, and InvalidError for an answer that makes no sense.
    """

    def __init__(self, token: Token, address: str = ADDRESS, timeout: float = 30.0) -> None:
        self._token = token
        self._client = httpx2.Client(
            base_url=address,
            timeout=timeout,
            headers={"User-Agent": "Havenmeester", "X-Server-Protocol-Version": "3"},
            follow_redirects=False,
        )
        self._session = ""

    def __enter__(self) -> "DeviceList":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def account(self) -> dict[str, Any]:
        """Who we are at Apple's."""
        return self._ask("GET", "/account")

    def fetch(self, cursor: str, limit: int = 1000) -> dict[str, Any]:
        """One page of the whole list."""
        return self._ask("POST", "/server/devices", {"limit": limit, **({"cursor": cursor} if cursor else {})})

    def sync(self, cursor: str, limit: int = 1000) -> dict[str, Any]:
        """What changed since the cursor."""
        return self._ask("POST", "/devices/sync", {"cursor": cursor, "limit": limit})

    def define(self, profile: dict[str, Any]) -> str:
        """Defines an enrollment profile; Apple's number of it."""
        return str(self._ask("POST", "/profile", profile).get("profile_uuid", ""))

    def assign(self, profile: str, serials: list[str]) -> dict[str, str]:
        """Gives a profile to devices; what Apple says of each: ``SUCCESS``, ``NOT_ACCESSIBLE``, ``FAILED``."""
        answer = self._ask("POST", "/profile/devices", {"profile_uuid": profile, "devices": serials})
        return {str(one): str(said) for one, said in dict(answer.get("devices") or {}).items()}

    def _begin(self) -> None:
        token = self._token
        signing = ClientAuth(
            token.consumer_key, token.consumer_secret, token.access_token, token.access_secret, realm="ADM"
        )
        address, headers, _ = signing.prepare("GET", str(self._client.base_url.join("/session")), {}, b"")
        answer = self._send("GET", address, headers=headers)
        if answer.status_code in (401, 403):
            raise _refused(answer)
        self._session = str(_content(answer).get("auth_session_token", ""))

    def _ask(self, method: str, path: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
        """One question; with one new session, and only one, where the old one has ended."""
        for again in (True, False):
            if not self._session:
                self._begin()
            answer = self._send(method, path, headers={SESSION: self._session}, content=content)
            self._session = answer.headers.get(SESSION, self._session)
            if answer.status_code not in (401, 403):
                return _content(answer)
            if "T_C_NOT_SIGNED" in answer.text[:1000] or not again:
                raise _refused(answer)
            self._session = ""
        raise _refused(answer)

    def _send(
        self, method: str, path: str, *, headers: dict[str, str], content: dict[str, Any] | None = None
    ) -> httpx2.Response:
        try:
            answer = self._client.request(method, path, headers=headers, json=content)
        except httpx2.HTTPError as error:
            raise UnavailableError(N_("Apple's device list does not answer. It is tried again by itself.")) from error
        if answer.status_code == 429 or answer.status_code >= 500:
            wait = answer.headers.get("Retry-After", "")
            seconds = min(int(wait), 3600) if wait.isascii() and wait.isdigit() else 60
            raise LimitedError(
                N_("Apple's device list asks to wait. It is tried again by itself."), retry_after=seconds
            )
        return answer


def _content(answer: httpx2.Response) -> dict[str, Any]:
    if answer.status_code == 400 and "CURSOR" in answer.text[:200]:
        raise CursorError(N_("Apple's device list is read anew."), code="cursor")
    good = answer.status_code == 200 and len(answer.content) <= MAX_ANSWER
    try:
        found = json.loads(answer.content) if good else None
    except (ValueError, RecursionError) as error:
        raise InvalidError(N_("The answer of Apple's device list makes no sense. Nothing was changed.")) from error
    if not isinstance(found, dict):
        raise InvalidError(N_("The answer of Apple's device list makes no sense. Nothing was changed."))
    return found


def _refused(answer: httpx2.Response) -> ConflictError:
    if "T_C_NOT_SIGNED" in answer.text[:1000]:
        return ConflictError(
            N_("Apple has new terms for its device list. Nothing was read. Accept them at Apple's portal."),
            code="apple_terms",
        )
    return ConflictError(
        N_("Apple refuses the token of its device list. Nothing was read. Download a new one at Apple's portal."),
        code="apple_token",
    )
