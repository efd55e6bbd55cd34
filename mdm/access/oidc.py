"""OpenID Connect: signing in with the city's identity provider (Core 1.0, authorization code with PKCE, RFC 7636).

INVARIANT: nothing here runs inside a transaction of ours, except ``operator_for``: ``begin`` and ``finish`` speak to the
provider, and a slow provider must not hold the database. The door keeps ``Begun`` for the browser (signed, for ten minutes)
between the two. Rights never come from the provider: it only says who somebody is.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx2
from authlib.common.security import generate_token
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import select

from mdm.access.model import Operator
from mdm.audit import service as audit
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import N_, ConfigurationError, InvalidError, NotSignedInError, UnavailableError
from mdm.core.ids import secret_digest
from mdm.core.mail import email_address
from mdm.core.text import clean
from mdm.settings import LOOPBACK
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384")
"""Asymmetric ones only: with HS256 the client secret, and with none nobody, would be the signer."""
STANDARD: Final = frozenset(
    {"iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "azp", "auth_time", "email", "email_verified", "name"}
)
"""Claims that have a meaning of their own; none of them is a personnel number."""
SCOPE = "openid email profile"
LEEWAY = 60
"""Seconds that the provider's clock may be off."""
TIMEOUT = 5.0
MAX_ANSWER = 256 * 1024
DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Provider:
    """The identity provider and who we are there."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in under way: where the browser goes, and what must come back with it."""

    url: str
    state: str
    nonce: str
    verifier: str
    again_since: int | None = None
    """Seconds since 1970 when the person was asked to show anew who they are; None for an ordinary sign-in."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider has proved. ``email`` is None unless the provider says that it verified it."""

    issuer: str
    subject: str
    email: str | None
    name: str
    numbers: Mapping[str, str] = field(default_factory=dict)
    """Short texts and numbers among the other claims, cleaned, by name: a city may say its personnel number in one."""
    proved_at: datetime | None = None
    """When the person showed the provider who they are, where it says so: hours ago, when its own session goes on."""

    @property
    def key(self) -> str:
        """What is kept to know the person again: a digest, because a subject of another issuer is another person."""
        return secret_digest(f"{self.issuer}\n{self.subject}")


def begin(provider: Provider, now: datetime, *, again: bool = False) -> Begun:
    """Where to send the browser; ``again`` asks the provider to have the person show anew who they are.

    Raises UnavailableError when the provider does not answer.
    """
    metadata = _metadata(provider)
    state, nonce, verifier = generate_token(32), generate_token(32), generate_token(64)
    url = prepare_grant_uri(
        _endpoint(metadata, "authorization_endpoint"),
        provider.client_id,
        "code",
        provider.redirect_uri,
        SCOPE,
        state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
        **({"prompt": "login", "max_age": "0"} if again else {}),
    )
    return Begun(url, state, nonce, verifier, int(now.timestamp()) if again else None)


def finish(provider: Provider, begun: Begun, answered: Mapping[str, str], now: datetime) -> Identity:
    """Whom the provider proved, from the parameters with which it sent the browser back.

    Raises NotSignedInError when the answer is not for this sign-in, was refused, or its token does not hold: signature,
    issuer, audience, nonce, time. Also when the person was to show anew who they are and the provider does not say that they
    did (``auth_time``). UnavailableError when the provider does not answer.
    """
    if not hmac.compare_digest(answered.get("state", "").encode(), begun.state.encode()):
        raise _refused("state")
    if "error" in answered or not answered.get("code"):
        raise _refused(clean(answered.get("error", "code"), 64))
    metadata = _metadata(provider)
    if answered.get("iss", provider.issuer) != provider.issuer:
        # RFC 9207: an answer of another provider must not be taken for this one's.
        raise _refused("iss")
    form = {
        "grant_type": "authorization_code",
        "code": answered["code"],
        "redirect_uri": provider.redirect_uri,
        "code_verifier": begun.verifier,
    }
    tokens = _ask("POST", _endpoint(metadata, "token_endpoint"), form, (provider.client_id, provider.client_secret))
    keys = _ask("GET", _endpoint(metadata, "jwks_uri"))
    return _identity(provider, _claims(provider, begun, tokens.get("id_token"), keys, now))


def operator_for(call: Call, identity: Identity) -> Operator | None:
    """The operator whom this identity belongs to; None when there is none: nobody is made here, and no right is given.

    Known by the subject; the first time by the verified e-mail address of an operator who is tied to nobody yet, and from
    then on by the subject, whatever address the provider says.
    """
    operator = call.session.scalar(select(Operator).where(Operator.oidc_subject == identity.key))
    if operator is None and identity.email is not None:
        operator = call.session.scalar(
            select(Operator).where(Operator.email == identity.email, Operator.oidc_subject.is_(None))
        )
        if operator is not None and operator.disabled_at is None:
            operator.oidc_subject = identity.key
            flush_unique(call.session, _refused("subject"))
            speaker = Actor(ActorKind.OPERATOR, operator.id, operator.name, (), call.actor.request_id)
            audit.record(
                call.by(speaker), "operator.identity_tied", ("operator", operator.id), name=operator.name,
                details={"issuer": identity.issuer},
            )  # fmt: skip
    return operator if operator is not None and operator.disabled_at is None else None


def _metadata(provider: Provider) -> dict[str, Any]:
    metadata = _ask("GET", provider.issuer.rstrip("/") + DISCOVERY)
    if metadata.get("issuer") != provider.issuer:
        raise ConfigurationError(
            "The identity provider calls itself %(said)s, not %(issuer)s.",
            code="oidc_issuer",
            said=clean(metadata.get("issuer"), 200) or "nothing",
            issuer=provider.issuer,
            mend="Set HAVENMEESTER_OIDC_ISSUER to exactly what the provider calls itself.",
        )
    return metadata


def _endpoint(metadata: Mapping[str, Any], name: str) -> str:
    address = metadata.get(name)
    if not isinstance(address, str):
        raise UnavailableError(N_("The identity provider does not say what is needed (%(name)s)."), name=name)
    return _safe(address)


def _safe(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return address
    raise ConfigurationError(
        "The identity provider's address %(address)s is not encrypted.",
        code="oidc_plain",
        address=address[:200],
        mend="Use an https address; http is for a provider on this machine only.",
    )


def _ask(
    method: str, address: str, form: Mapping[str, str] | None = None, client: tuple[str, str] | None = None
) -> dict[str, Any]:
    """The provider's JSON answer. Raises UnavailableError when there is none, NotSignedInError when it refuses us."""
    # RFC 6749, 2.3.1: id and secret are form-encoded before they become user name and password.
    auth = (quote(client[0], safe=""), quote(client[1], safe="")) if client else None
    try:
        with (
            httpx2.Client(timeout=TIMEOUT, follow_redirects=False) as http,
            http.stream(method, _safe(address), data=form, auth=auth, headers={"Accept": "application/json"}) as answer,
        ):
            body = b""
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER:
                    raise UnavailableError(N_("The identity provider's answer is too long. Nobody was signed in."))
    except httpx2.HTTPError as error:
        raise UnavailableError(
            N_("The identity provider does not answer. Nobody was signed in; try again, or use a password.")
        ) from error
    if answer.status_code >= 500:
        raise UnavailableError(N_("The identity provider is out of order. Nobody was signed in; try again later."))
    if answer.status_code != 200:
        raise _refused(f"{answer.status_code}")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnavailableError(N_("The identity provider's answer cannot be read. Nobody was signed in.")) from error
    if not isinstance(content, dict):
        raise UnavailableError(N_("The identity provider's answer cannot be read. Nobody was signed in."))
    return content


def _claims(provider: Provider, begun: Begun, token: object, keys: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    if not isinstance(token, str):
        raise _refused("id_token")
    rules = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client_id},
        sub={"essential": True, "allow_blank": False},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": begun.nonce},
    )
    try:
        claims: dict[str, Any] = dict(
            jwt.decode(token, KeySet.import_key_set(keys), algorithms=list(ALGORITHMS)).claims  # type: ignore[arg-type]
        )
        rules.validate(claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise _refused("id_token") from error
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else provider.client_id) != provider.client_id:
        raise _refused("azp")
    proved_at = _proved_at(claims)
    if begun.again_since is not None and (proved_at is None or proved_at < begun.again_since - LEEWAY):
        # A provider that ignores prompt=login answers from its own session: that proves nothing about who sits there now.
        raise _refused("auth_time")
    return claims


def _proved_at(claims: Mapping[str, Any]) -> int | None:
    """Seconds since 1970 at which the person showed the provider who they are; None when it does not say."""
    said = claims.get("auth_time")
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    return int(said) if 0 < said < 1 << 40 else None


def _identity(provider: Provider, claims: Mapping[str, Any]) -> Identity:
    try:
        email = email_address(str(claims["email"])) if claims.get("email_verified") is True else None
    except (InvalidError, KeyError):
        email = None
    proved_at = _proved_at(claims)
    return Identity(
        issuer=provider.issuer,
        subject=str(claims["sub"]),
        email=email,
        name=clean(claims.get("name")),
        numbers={
            name: clean(str(value), 64)
            for name, value in claims.items()
            if isinstance(value, str | int) and not isinstance(value, bool) and name not in STANDARD
        },
        proved_at=None if proved_at is None else datetime.fromtimestamp(proved_at, UTC),
    )


def _refused(why: str) -> NotSignedInError:
    return NotSignedInError(
        N_("The identity provider did not prove who you are (%(why)s). Nobody was signed in; begin again."),
        code="oidc_refused",
        why=why,
    )
