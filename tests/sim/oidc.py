"""A city's identity provider on a real socket, with a real key: discovery, authorization, tokens, keys."""

import base64
import hashlib
import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

CLIENT, SECRET = "havenmeester", "s3cret & more"
REDIRECT = "http://localhost:8080/sign-in/oidc/back"


class IdentityProvider:
    """Plays the provider. ``change`` alters the claims of the next tokens, ``sign`` how they are signed."""

    def __init__(self, server: HTTPServer, now: datetime) -> None:
        self.issuer = server.url_for("").rstrip("/")
        self.now = int(now.timestamp())
        self.key = RSAKey.generate_key(2048, parameters={"kid": "k1"})
        self.user: dict[str, Any] = {"sub": "u-1", "email": "Mo@stad.example", "email_verified": True, "name": "Mo"}
        self.change: Callable[[dict[str, Any]], None] = lambda _claims: None
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.codes: dict[str, dict[str, str]] = {}
        self.slow = 0.0
        self.redirect = REDIRECT
        base = self.issuer
        server.expect_request("/.well-known/openid-configuration").respond_with_handler(
            lambda _request: self._json(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{base}/authorize",
                    "token_endpoint": f"{base}/token",
                    "jwks_uri": f"{base}/jwks",
                }
            )
        )
        server.expect_request("/jwks").respond_with_handler(
            lambda _request: self._json({"keys": [self.key.as_dict(private=False)]})
        )
        server.expect_request("/token", method="POST").respond_with_handler(self._token)

    def _json(self, content: object, status: int = 200) -> Response:
        time.sleep(self.slow)
        return Response(json.dumps(content), status, content_type="application/json")

    def signed(self, claims: dict[str, Any]) -> str:
        """The claims as a token with the provider's own key."""
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)

    def authorize(self, url: str) -> dict[str, str]:
        """What the person's browser does: goes there, signs in, and is sent back with these parameters."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (asked["client_id"], asked["redirect_uri"], asked["response_type"]) == (CLIENT, self.redirect, "code")
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def _token(self, request: Request) -> Response:
        asked = self.codes.pop(request.form["code"], None)
        verifier = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        known = request.authorization is not None and (
            request.authorization.username,
            request.authorization.password,
        ) == ("havenmeester", "s3cret%20%26%20more")
        if asked is None or asked["code_challenge"] != challenge or not known:
            return self._json({"error": "invalid_grant"}, 400)
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "nonce": asked["nonce"],
            "iat": self.now,
            "exp": self.now + 300,
            **self.user,
        }
        self.change(claims)
        return self._json({"access_token": "a", "token_type": "Bearer", "id_token": self.sign(claims)})
