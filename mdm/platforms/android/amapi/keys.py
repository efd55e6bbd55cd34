"""The service account: what an administrator downloads at Google's console, checked, and how it becomes a short-lived token.

The library for that comes with an extra of the package (``pip install havenmeester[amapi]``): whoever has no project at
Google's does without it.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx2

from mdm.core.errors import N_, ConfigurationError, ConflictError, InvalidError, UnavailableError
from mdm.core.text import clean

SCOPES: Final = (
    "https://www.googleapis.com/auth/androidmanagement",
    "https://www.googleapis.com/auth/pubsub",
)
TOKEN_ADDRESS: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 -- an address
MAX_FILE: Final = 16 * 1024
_FIELDS: Final = ("project_id", "private_key_id", "private_key", "client_email")


def read(raw: bytes, *, token_address: str = TOKEN_ADDRESS) -> dict[str, str]:
    """What matters of a service account's key file. Raises InvalidError for what is none.

    The address at which tokens are asked for is Google's, whatever the file says: it must not send us elsewhere.
    """
    if len(raw) > MAX_FILE:
        raise _not_one()
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _not_one() from error
    if not isinstance(found, dict) or found.get("type") != "service_account":
        raise _not_one()
    kept = {name: found.get(name) for name in _FIELDS}
    if not all(isinstance(value, str) and 0 < len(value) <= 8000 for value in kept.values()):
        raise _not_one()
    made = {name: str(value) for name, value in kept.items()} | {"type": "service_account", "token_uri": token_address}
    for name in ("project_id", "client_email", "private_key_id"):
        made[name] = clean(made[name], 255)
    Token(made)
    return made


def packed(account: Mapping[str, str]) -> bytes:
    """The account as bytes, to be sealed."""
    return json.dumps(dict(account)).encode()


def unpacked(plain: bytes) -> dict[str, str]:
    """The account again."""
    found: dict[str, str] = json.loads(plain)
    return found


def _not_one() -> InvalidError:
    return InvalidError(
        N_(
            "This is not the key file (JSON) of a service account. Nothing was changed; download it anew at Google's console."
        ),
        code="service_account",
    )


class Token:
    """The right to call Google for an hour, asked for anew when it ends. Raises InvalidError for a key that is none."""

    def __init__(self, account: Mapping[str, str]) -> None:
        try:
            from google.auth import exceptions
            from google.oauth2 import service_account
        except ImportError as error:
            raise ConfigurationError(
                "Google's library is not installed, so Google's management cannot be used.",
                code="amapi_extra",
                mend='Install it with: pip install "havenmeester[amapi]".',
            ) from error
        self._errors = exceptions
        try:
            make = service_account.Credentials.from_service_account_info
            self._credentials: Any = make(dict(account), scopes=list(SCOPES))
        except ValueError as error:
            raise _not_one() from error

    def header(self, client: httpx2.Client) -> str:
        """What stands in ``Authorization``. Raises UnavailableError, ConflictError (``google_key``) for a key that Google
        refuses."""
        if not self._credentials.valid:
            try:
                self._credentials.refresh(_Transport(client))
            except self._errors.TransportError as error:
                raise UnavailableError(N_("Google does not answer. It is tried again by itself.")) from error
            except self._errors.RefreshError as error:
                if getattr(error, "retryable", False):
                    raise UnavailableError(N_("Google does not answer. It is tried again by itself.")) from error
                raise ConflictError(
                    N_("Google refuses the key of the service account. Make a new one and bring it in."),
                    code="google_key",
                ) from error
        return f"Bearer {self._credentials.token}"

    def forget(self) -> None:
        """The present token is refused: the next call asks for another."""
        self._credentials.token = None


class _Transport:
    """Google's library asks for its tokens through this."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> "_Answer":
        from google.auth import exceptions

        try:
            answer = self._client.request(method, url, content=body, headers=dict(headers or {}))
        except httpx2.HTTPError as error:
            raise exceptions.TransportError(error) from error
        return _Answer(answer)


class _Answer:
    def __init__(self, answer: httpx2.Response) -> None:
        self.status = answer.status_code
        self.headers = dict(answer.headers)
        self.data = answer.content[: 1024 * 1024]
