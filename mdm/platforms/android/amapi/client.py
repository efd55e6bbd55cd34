"""Calling Google: one caller for every method of the document, checked before it leaves, within the quota.

There are no methods here that wipe by the way (``devices.delete`` does): what may be called is a list.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol
from urllib.parse import quote

import httpx2

from mdm.core.errors import (
    N_,
    ConflictError,
    HavenmeesterError,
    InvalidError,
    LimitedError,
    NotFoundError,
    UnavailableError,
)
from mdm.core.text import clean
from mdm.platforms.android.amapi.document.check import Finding, check, check_value, errors
from mdm.platforms.android.amapi.document.table import method
from mdm.platforms.android.amapi.quota import Bucket

API: Final = "https://androidmanagement.googleapis.com"
PUBSUB: Final = "https://pubsub.googleapis.com"
MAX_ANSWER: Final = 16 * 1024 * 1024
PAGES: Final = 500
"""Pages of one list at the most: a list that never ends is a fault, and not read for ever."""
PULLED: Final = 100
CALLED: Final = frozenset(
    {
        "signupUrls.create",
        "enterprises.create",
        "enterprises.get",
        "enterprises.patch",
        "enterprises.policies.patch",
        "enterprises.policies.get",
        "enterprises.enrollmentTokens.create",
        "enterprises.enrollmentTokens.delete",
        "enterprises.devices.get",
        "enterprises.devices.list",
        "enterprises.devices.patch",
        "enterprises.devices.issueCommand",
        "enterprises.devices.operations.get",
        "enterprises.devices.operations.list",
        "enterprises.devices.operations.cancel",
    }
)
"""Every method that we call. Deleting a device or an enterprise wipes: it is not among them."""
_PLACE: Final = re.compile(r"\{\w+\}")


class Right(Protocol):
    """What gives the right to call."""

    def header(self, client: httpx2.Client) -> str: ...
    def forget(self) -> None: ...


class Google:
    """One conversation with Google, for as long as one likes. Close it at the end.

    Every method raises UnavailableError while Google is away, LimitedError (with ``retry_after``) where the quota is used up
    or Google asks to wait, NotFoundError, ConflictError (``google_denied``, ``google_conflict``) with what Google said, and
    InvalidError (``google_refused``) for what Google, or its document, refuses.
    """

    def __init__(
        self, right: Right, bucket: Bucket, *, api: str = API, pubsub: str = PUBSUB, timeout: float = 30
    ) -> None:
        self._right = right
        self._bucket = bucket
        self._api, self._pubsub = api.rstrip("/"), pubsub.rstrip("/")
        self._client = httpx2.Client(timeout=timeout, headers={"User-Agent": "Havenmeester"}, follow_redirects=False)
        self.calls = 0
        """Calls that were made, tries that failed too."""

    def close(self) -> None:
        """Ends the conversation."""
        self._client.close()

    def call(
        self,
        name: str,
        *parts: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> dict[str, Any]:
        """Calls a method of the document; its answer. ``parts`` fill the places of its path, in order.

        What goes out is checked against the document first; nothing was sent when that refuses it.
        """
        if name not in CALLED:
            raise InvalidError(N_("%(name)s is not called from here."), code="google_refused", name=name)
        known = method(name)
        self._check(known.body, body, known.query, query)
        path = _filled(known.path, parts)
        return self._ask(known.http, f"{self._api}/{path}", body if known.body else None, query)

    def all(self, name: str, *parts: str, items: str, size: int = 100, **query: str) -> Iterator[dict[str, Any]]:
        """Every entry of a list, page by page."""
        token = ""
        for _ in range(PAGES):
            page: dict[str, str | int] = {"pageSize": size, **query, **({"pageToken": token} if token else {})}
            answer = self.call(name, *parts, query=page)
            found = answer.get(items)
            yield from (one for one in (found if isinstance(found, list) else ()) if isinstance(one, dict))
            token = str(answer.get("nextPageToken") or "")
            if not token:
                return

    def pull(self, subscription: str) -> list[dict[str, Any]]:
        """What waits in the subscription (``projects/…/subscriptions/…``), each with ``ackId`` and ``message``."""
        answer = self._ask("POST", f"{self._pubsub}/v1/{_name(subscription)}:pull", {"maxMessages": PULLED}, None)
        found = answer.get("receivedMessages")
        return [one for one in (found if isinstance(found, list) else ()) if isinstance(one, dict)]

    def acknowledge(self, subscription: str, ids: list[str]) -> None:
        """Has these messages not come again."""
        if ids:
            self._ask("POST", f"{self._pubsub}/v1/{_name(subscription)}:acknowledge", {"ackIds": ids}, None)

    def _check(
        self,
        schema: str,
        body: Mapping[str, Any] | None,
        known: Mapping[str, Any],
        query: Mapping[str, str | int] | None,
    ) -> None:
        found: list[Finding] = check(schema, body) if schema and body is not None else []
        for key, value in (query or {}).items():
            found += check_value(known[key], value, key) if key in known else []
            if key not in known:
                raise InvalidError(N_("%(name)s is no parameter of this method."), code="google_refused", name=key)
        wrong = errors(found)
        if wrong:
            raise InvalidError(
                N_("Google would refuse this: %(why)s Nothing was sent."),
                code="google_refused",
                fields={one.path or "-": one.text for one in wrong},
                why=wrong[0].text,
            )

    def _ask(
        self, http: str, address: str, body: Mapping[str, Any] | None, query: Mapping[str, str | int] | None
    ) -> dict[str, Any]:
        """One question; with one new token, and only one, where the old one is refused."""
        for again in (True, False):
            answer = self._send(http, address, body, query)
            if answer.status_code != 401 or not again:
                break
            self._right.forget()
        if answer.status_code == 429:
            wait = _seconds(answer)
            self._bucket.shut(wait)
            raise _enough(wait)
        if answer.status_code >= 500:
            raise UnavailableError(
                N_("Google does not answer. It is tried again by itself."), retry_after=_seconds(answer)
            )
        content = _content(answer)
        if answer.status_code >= 300:
            raise _refused(answer.status_code, content)
        return content

    def _send(
        self, http: str, address: str, body: Mapping[str, Any] | None, query: Mapping[str, str | int] | None
    ) -> httpx2.Response:
        wait = self._bucket.take()
        if wait > 0:
            raise _enough(wait)
        self.calls += 1
        headers = {"Authorization": self._right.header(self._client)}
        try:
            return self._client.request(http, address, json=body, params=dict(query or {}), headers=headers)
        except httpx2.HTTPError as error:
            raise UnavailableError(N_("Google does not answer. It is tried again by itself.")) from error


def _filled(path: str, parts: tuple[str, ...]) -> str:
    left = list(parts)
    made = _PLACE.sub(lambda _: quote(left.pop(0), safe="") if left else "", path)
    if left or len(_PLACE.findall(path)) != len(parts) or not all(parts):
        raise InvalidError(N_("%(name)s is not called from here."), code="google_refused", name=path)
    return made


def _name(resource: str) -> str:
    """A resource's name as part of an address: letters, digits and a few signs, so that it cannot lead elsewhere."""
    if not re.fullmatch(r"projects/[\w.:-]{1,100}/(subscriptions|topics)/[\w.~+%-]{1,255}", resource):
        raise InvalidError(N_("%(name)s is no name at Google's."), code="google_refused", name=clean(resource, 200))
    return resource


def _seconds(answer: httpx2.Response) -> int:
    wait = answer.headers.get("Retry-After", "")
    return min(int(wait), 3600) if wait.isascii() and wait.isdigit() and len(wait) < 9 else 60


def _enough(wait: float) -> LimitedError:
    return LimitedError(
        N_("The quota of calls to Google is used up for now. It goes on by itself."), retry_after=max(1, int(wait + 1))
    )


def _content(answer: httpx2.Response) -> dict[str, Any]:
    try:
        found = json.loads(answer.content) if len(answer.content) <= MAX_ANSWER else None
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    if answer.status_code < 300:
        raise InvalidError(N_("The answer of Google makes no sense. Nothing was changed."), code="google_odd")
    return {}


def _refused(status: int, content: Mapping[str, Any]) -> HavenmeesterError:
    said = content.get("error")
    why = clean(said.get("message") if isinstance(said, Mapping) else "", 500) or str(status)
    if status == 404:
        return NotFoundError(N_("Google knows nothing of this: %(why)s"), code="google_unknown", why=why)
    if status in (401, 403):
        return ConflictError(N_("Google does not allow this: %(why)s"), code="google_denied", why=why)
    if status == 409:
        return ConflictError(
            N_("Google says that this contradicts something: %(why)s"), code="google_conflict", why=why
        )
    return InvalidError(N_("Google refused this: %(why)s"), code="google_refused", why=why)
