"""A browser's trip to the city's identity provider: what it keeps from leaving until it is back. For every door of people.

INVARIANT: no transaction of ours is open while the provider is asked; a slow provider must not hold the database.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

from flask import current_app, make_response, redirect, request
from flask.wrappers import Response
from itsdangerous import BadData, URLSafeTimedSerializer

from mdm.access import oidc
from mdm.core.errors import N_, NotFoundError, NotSignedInError
from mdm.settings import Settings

LIFE: Final = 600
"""Seconds that a sign-in may take at the provider."""


def provider(settings: Settings, back: str) -> oidc.Provider:
    """The city's identity provider, which sends browsers back to this address. Raises NotFoundError where there is none."""
    if not settings.oidc_issuer:
        raise NotFoundError(N_("No city account can be used here: no identity provider is configured."))
    return oidc.Provider(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, back)


@dataclass(frozen=True, slots=True)
class Trip:
    """One door's way there and back. What must come back with the browser is kept in a signed cookie for ten minutes."""

    cookie: str
    place: str
    """The cookie is sent to addresses below this one and to no other."""
    salt: str
    """Keeps what one door has signed from being taken by another."""
    secure: bool

    def leave(self, begun: oidc.Begun, **kept: str) -> Response:
        """Sends the browser to the provider; ``kept`` is there again when it is back."""
        response = make_response(redirect(begun.url, 303))
        response.set_cookie(
            self.cookie,
            self._signer().dumps({**asdict(begun), "kept": kept}),
            max_age=LIFE,
            path=self.place,
            httponly=True,
            samesite="Lax",
            secure=self.secure,
        )
        return response

    def back(self) -> tuple[oidc.Begun, dict[str, str]]:
        """The sign-in that this browser began, and what it kept. Raises NotSignedInError when there is none."""
        try:
            found: dict[str, Any] = self._signer().loads(request.cookies.get(self.cookie, ""), max_age=LIFE)
        except BadData as error:
            raise NotSignedInError(
                N_(
                    "This sign-in was not begun in this browser, or it took longer than ten minutes. Nobody was signed in."
                )
            ) from error
        kept: dict[str, str] = found.pop("kept")
        return oidc.Begun(**found), kept

    def forget(self, response: Response) -> Response:
        """The response that makes the browser forget the trip."""
        response.delete_cookie(self.cookie, path=self.place, httponly=True, samesite="Lax", secure=self.secure)
        return response

    def _signer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt=self.salt)
