"""Signing in with the city's identity provider: every claim that is off is refused, and rights never come from there."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from pytest_httpserver import HTTPServer
from sqlalchemy import func, select

from mdm.access import oidc
from mdm.access import service as access
from mdm.access.model import Operator
from mdm.audit.model import AuditEntry
from mdm.core.actor import command_line
from mdm.core.errors import ConfigurationError, NotSignedInError, UnavailableError
from tests.access.helpers import HERE, LIMITS, VISITOR, make_operator
from tests.conftest import NOW, Calling, free_port
from tests.sim.oidc import CLIENT, REDIRECT, SECRET, IdentityProvider


@pytest.fixture
def city(httpserver: HTTPServer) -> IdentityProvider:
    """A provider that knows Mo."""
    return IdentityProvider(httpserver, NOW)


def _ours(city: IdentityProvider) -> oidc.Provider:
    return oidc.Provider(city.issuer, CLIENT, SECRET, REDIRECT)


def _come(city: IdentityProvider) -> oidc.Identity:
    begun = oidc.begin(_ours(city), NOW)
    return oidc.finish(_ours(city), begun, city.authorize(begun.url), NOW)


def test_a_person_is_proved_by_code_and_key(city: IdentityProvider) -> None:
    assert _come(city) == oidc.Identity(city.issuer, "u-1", "mo@stad.example", "Mo")


def _without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda claims: claims.pop(name)


def _with(**changed: object) -> Callable[[dict[str, Any]], None]:
    return lambda claims: claims.update(changed)


EARLY = int(NOW.timestamp())


@pytest.mark.parametrize(
    "change",
    [
        *(_without(name) for name in ("iss", "aud", "sub", "exp", "iat", "nonce")),
        _with(iss="https://elsewhere.example"),
        _with(aud="another client"),
        _with(aud=["another client"]),
        _with(aud=[CLIENT, "another client"]),
        _with(azp="another client"),
        _with(nonce="of yesterday"),
        _with(exp=EARLY - 61),
        _with(iat=EARLY + 61),
        _with(sub=""),
        _with(exp="tomorrow"),
    ],
)
def test_each_claim_that_is_off_is_refused(city: IdentityProvider, change: Callable[[dict[str, Any]], None]) -> None:
    city.change = change

    with pytest.raises(NotSignedInError):
        _come(city)


def _unsigned(claims: dict[str, Any]) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{head}.{body}."


@pytest.mark.parametrize("how", ["another key", "none", "our own secret", "nonsense"])
def test_a_token_that_the_provider_did_not_sign_is_refused(city: IdentityProvider, how: str) -> None:
    other = RSAKey.generate_key(2048, parameters={"kid": "k1"})
    secret = OctKey.import_key(SECRET.ljust(32))
    city.sign = {
        "another key": lambda claims: jwt.encode({"alg": "RS256", "kid": "k1"}, claims, other),
        "none": _unsigned,
        "our own secret": lambda claims: jwt.encode({"alg": "HS256"}, claims, secret),
        "nonsense": lambda _claims: "a.b.c",
    }[how]

    with pytest.raises(NotSignedInError):
        _come(city)


def test_an_answer_of_another_sign_in_is_refused(city: IdentityProvider) -> None:
    first, second = oidc.begin(_ours(city), NOW), oidc.begin(_ours(city), NOW)
    back = city.authorize(first.url)

    for begun, answered in (
        (second, back),
        (first, {**back, "state": ""}),
        (first, {"state": first.state, "error": "access_denied"}),
        (first, {**back, "iss": "https://elsewhere.example"}),
        (replace(first, verifier=second.verifier), back),
    ):
        with pytest.raises(NotSignedInError):
            oidc.finish(_ours(city), begun, answered, NOW)


def test_a_code_works_once(city: IdentityProvider) -> None:
    begun = oidc.begin(_ours(city), NOW)
    back = city.authorize(begun.url)
    oidc.finish(_ours(city), begun, back, NOW)

    with pytest.raises(NotSignedInError):
        oidc.finish(_ours(city), begun, back, NOW + timedelta(seconds=1))


def test_a_provider_that_is_silent_or_somebody_else_is_told_apart(city: IdentityProvider) -> None:
    with pytest.raises(UnavailableError):
        oidc.begin(replace(_ours(city), issuer=f"http://localhost:{free_port()}"), NOW)
    with pytest.raises(ConfigurationError, match="calls itself"):
        oidc.begin(replace(_ours(city), issuer=city.issuer + "/"), NOW)
    with pytest.raises(ConfigurationError, match="not encrypted"):
        oidc.begin(replace(_ours(city), issuer="http://id.stad.example"), NOW)


def test_an_operator_is_known_by_address_once_and_by_subject_from_then_on(
    calling: Calling, city: IdentityProvider
) -> None:
    operator = make_operator(calling, "mo@stad.example")
    first = _come(city)
    with calling(VISITOR) as call:
        found = oidc.operator_for(call, first)
        assert found is not None
        assert access.as_operator(call, found, "oidc", HERE, LIMITS).secret

    with calling(VISITOR) as call:
        renamed = oidc.operator_for(call, replace(first, email="mohamed@stad.example"))
        usurper = oidc.operator_for(call, replace(first, subject="u-2"))
        foreign = oidc.operator_for(call, replace(first, issuer="https://elsewhere.example"))
        assert renamed is not None
        assert renamed.id == operator.id
        assert usurper is None
        assert foreign is None
        ties = call.session.scalars(select(AuditEntry).where(AuditEntry.action == "operator.identity_tied")).all()
        assert len(ties) == 1


def test_strangers_unverified_addresses_and_disabled_operators_do_not_come_in(
    calling: Calling, city: IdentityProvider
) -> None:
    operator = make_operator(calling, "mo@stad.example")
    stranger = replace(_come(city), email="stranger@stad.example")
    city.user["email_verified"] = False
    unverified = _come(city)
    city.user["email_verified"] = "true"
    pretended = _come(city)

    with calling(VISITOR) as call:
        for identity in (stranger, unverified, pretended):
            assert oidc.operator_for(call, identity) is None
        assert call.session.scalar(select(func.count()).select_from(Operator)) == 1
    with calling(command_line("root")) as call:
        access.disable_operator(call, operator.id)
        assert oidc.operator_for(call, replace(unverified, email="mo@stad.example")) is None


def _again(city: IdentityProvider, said: object) -> oidc.Identity:
    begun = oidc.begin(_ours(city), NOW, again=True)
    assert "prompt=login" in begun.url
    assert "max_age=0" in begun.url
    city.change = _with(auth_time=said) if said is not None else lambda _claims: None
    return oidc.finish(_ours(city), begun, city.authorize(begun.url), NOW + timedelta(seconds=20))


@pytest.mark.parametrize("said", [None, EARLY - 61, 0, True, "now", EARLY - 3600])
def test_who_is_to_prove_it_anew_is_refused_unless_the_provider_says_that_they_did(
    city: IdentityProvider, said: object
) -> None:
    with pytest.raises(NotSignedInError, match="auth_time"):
        _again(city, said)


def test_a_proof_made_just_now_is_taken_and_its_moment_is_known(city: IdentityProvider) -> None:
    assert _again(city, EARLY + 10).proved_at == NOW + timedelta(seconds=10)


@pytest.mark.parametrize(("ago", "fresh"), [(None, False), (3600, False), (10, True), (-3600, True)])
def test_a_sign_in_is_as_fresh_as_the_proof_at_the_provider(
    calling: Calling, city: IdentityProvider, ago: int | None, fresh: bool
) -> None:
    operator = make_operator(calling, "mo@stad.example")
    with calling(VISITOR) as call:
        at = None if ago is None else NOW - timedelta(seconds=ago)
        secret = access.as_operator(call, operator, "oidc", HERE, LIMITS, proved_at=at).secret
        assert secret is not None
        found = access.find(call.session, secret, NOW, LIMITS)
        assert found is not None
        assert access.is_fresh(found[0], NOW) is fresh
        assert found[0].fresh_at <= NOW
