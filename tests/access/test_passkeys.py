"""Passkeys: made, used, counted, refused for every rule that does not hold, and never the last thing taken away."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, select, update
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from mdm.access import queries
from mdm.access import service as access
from mdm.access.model import Operator, Passkey, PasskeyChallenge, SignInAttempt, WebSession
from mdm.audit.model import AuditEntry
from mdm.core.actor import command_line
from mdm.core.errors import ConflictError, DeniedError, InvalidError, LimitedError, NotFoundError
from mdm.storage.call import Call
from mdm.storage.seal import Seal
from tests.access.helpers import HERE, LIMITS, PASSWORD, VISITOR, make_operator, speaking, with_password
from tests.conftest import NOW, Calling
from tests.sim.authenticator import ORIGIN, PRESENT, VERIFIED, SoftAuthenticator, SoftPasskey

PARTY = access.relying_party(ORIGIN, "Antwerpen")
LATER = NOW + timedelta(minutes=30)
SEAL = Seal(bytes(32))


def come(calling: Calling, operator: Operator) -> int:
    """A session by link, and its id."""
    with calling(command_line("root")) as call:
        link = access.create_link(call, operator.id)
    with calling(VISITOR) as call:
        secret = access.with_link(call, link, HERE, LIMITS).secret
        assert secret is not None
        found = access.find(call.session, secret, NOW, LIMITS)
        assert found is not None
        return found[0].id


def mine(call: Call, operator: Operator) -> Call:
    """The call as this operator."""
    return call.by(speaking(call.session, operator, call.now))


def register(
    calling: Calling, operator: Operator, session_id: int, device: SoftAuthenticator, name: str = "Phone"
) -> int:
    """A passkey on this device, and its id."""
    with calling() as call:
        session = call.session.get_one(WebSession, session_id)
        options = access.begin_passkey(mine(call, operator), PARTY, session, HERE)
    with calling() as call:
        session = call.session.get_one(WebSession, session_id)
        return access.add_passkey(mine(call, operator), PARTY, session, device.create(options), name).id


def sign_in(calling: Calling, device: SoftAuthenticator, answer: str | None = None) -> access.SignIn:
    """Comes in with the device's passkey, or with that answer."""
    with calling(VISITOR, LATER) as call:
        options = access.begin_passkey_sign_in(call, PARTY, HERE)
    with calling(VISITOR, LATER) as call:
        return access.with_passkey(call, PARTY, device.get(options) if answer is None else answer, HERE, LIMITS)


@pytest.fixture
def mo(calling: Calling) -> Operator:
    """An operator with neither password nor code."""
    return make_operator(calling, "mo@stad.example")


@pytest.fixture
def device() -> SoftAuthenticator:
    """A phone."""
    return SoftAuthenticator()


@pytest.mark.parametrize("algorithm", ["es256", "eddsa"])
def test_a_passkey_signs_in_without_a_name_and_without_a_code(calling: Calling, mo: Operator, algorithm: str) -> None:
    device = SoftAuthenticator(algorithm=algorithm)
    register(calling, mo, come(calling, mo), device)

    came = sign_in(calling, device)

    assert came.secret is not None
    assert not came.code_needed
    with calling(write=False) as call:
        found = access.find(call.session, came.secret, LATER, LIMITS)
        assert found is not None
        assert (found[0].method, found[1].id, access.is_fresh(found[0], LATER)) == ("passkey", mo.id, True)
        kept = queries.passkeys_of(call, mo.id)[0]
        assert (kept.public_key, kept.sign_count, kept.last_used_at) == (device.passkeys[0].spki, 1, LATER)
        assert kept.key_id == hashlib.sha256(device.passkeys[0].spki).hexdigest()[:32]
        actions = list(call.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
        assert actions[-2:] == ["passkey.added", "operator.signed_in"]


def changed_client_data(answer: str, **changed: object) -> str:
    """The answer with other client data than was signed."""
    content = json.loads(answer)
    client = json.loads(base64url_to_bytes(content["response"]["clientDataJSON"]))
    content["response"]["clientDataJSON"] = bytes_to_base64url(json.dumps({**client, **changed}).encode())
    return json.dumps(content)


def forging(device: SoftAuthenticator) -> SoftAuthenticator:
    """A device that knows the name of the passkey and not its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    return SoftAuthenticator(passkeys=[SoftPasskey(device.passkeys[0].id, device.passkeys[0].handle, key)])


BAD: dict[str, Callable[[SoftAuthenticator], None]] = {
    "another site": lambda device: setattr(device, "origin", "https://mdm.stad.example.evil.example"),
    "another name": lambda device: setattr(device, "rp_id", "evil.example"),
    "nobody verified": lambda device: setattr(device, "flags", PRESENT),
    "nobody present": lambda device: setattr(device, "flags", VERIFIED),
    "inside another page": lambda device: device.more_client_data.update(crossOrigin=True),
    "another ceremony": lambda device: device.more_client_data.update(type="payment.get"),
    "another challenge": lambda device: device.more_client_data.update(challenge="A" * 43),
}


@pytest.mark.parametrize("how", BAD)
def test_an_answer_against_any_rule_signs_nobody_in_and_adds_no_passkey(
    calling: Calling, mo: Operator, device: SoftAuthenticator, how: str
) -> None:
    session_id = come(calling, mo)
    register(calling, mo, session_id, device)
    BAD[how](device)

    assert sign_in(calling, device).refused
    with pytest.raises(InvalidError, match="could not be checked"):
        register(calling, mo, session_id, device)
    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(Passkey)) == 1
        assert call.session.scalar(select(func.count()).select_from(SignInAttempt).where(~SignInAttempt.succeeded)) == 1


def test_a_forged_signature_an_unknown_key_and_nonsense_are_refused_alike(
    calling: Calling, mo: Operator, device: SoftAuthenticator
) -> None:
    register(calling, mo, come(calling, mo), device)
    stranger = SoftAuthenticator()
    stranger.create({"user": {"id": "b3BlcmF0b3I6MQ"}, "challenge": "A" * 43})
    forger = forging(device)

    answers = [
        sign_in(calling, stranger),
        sign_in(calling, forger),
        *(
            sign_in(calling, device, nonsense)
            for nonsense in ("", "{}", "[]", "null", '{"id":1}', "[" * 9000, "x" * 20000)
        ),
    ]

    assert {answer.refused for answer in answers} == {True}
    assert not sign_in(calling, device).refused


def test_a_challenge_is_answered_once_in_time_for_its_purpose_and_by_its_session(
    calling: Calling, mo: Operator, device: SoftAuthenticator
) -> None:
    session_id = come(calling, mo)
    register(calling, mo, session_id, device)
    with calling(VISITOR) as call:
        options = access.begin_passkey_sign_in(call, PARTY, HERE)
    answer = device.get(options)
    with calling(VISITOR) as call:
        assert not access.with_passkey(call, PARTY, answer, HERE, LIMITS).refused
    with calling(VISITOR) as call:
        assert access.with_passkey(call, PARTY, answer, HERE, LIMITS).refused

    with calling(VISITOR) as call:
        late = device.get(access.begin_passkey_sign_in(call, PARTY, HERE))
    with calling(VISITOR, NOW + timedelta(minutes=5)) as call:
        assert access.with_passkey(call, PARTY, late, HERE, LIMITS).refused

    with calling() as call:
        session = call.session.get_one(WebSession, session_id)
        proof = device.get(access.begin_passkey_proof(mine(call, mo), PARTY, session, HERE))
    other = come(calling, mo)
    with calling(VISITOR) as call:
        assert access.with_passkey(call, PARTY, proof, HERE, LIMITS).refused
    with calling() as call:
        assert not access.prove_with_passkey(
            mine(call, mo), PARTY, call.session.get_one(WebSession, other), proof, HERE
        )


def test_a_session_grows_fresh_by_ones_own_passkey_and_not_by_anothers(
    calling: Calling, mo: Operator, device: SoftAuthenticator
) -> None:
    session_id = come(calling, mo)
    register(calling, mo, session_id, device)
    sarah, hers = make_operator(calling, "sarah@stad.example"), SoftAuthenticator()
    register(calling, sarah, come(calling, sarah), hers)

    for used, right in ((hers, False), (device, True)):
        with calling(now=LATER) as call:
            session = call.session.get_one(WebSession, session_id)
            options = access.begin_passkey_proof(mine(call, mo), PARTY, session, HERE)
            assert [one["id"] for one in options["allowCredentials"]] == [bytes_to_base64url(device.passkeys[0].id)]
            assert options["userVerification"] == "required"
            assert access.prove_with_passkey(mine(call, mo), PARTY, session, used.get(options), HERE) is right
            assert access.is_fresh(session, LATER) is right


def test_a_count_that_goes_back_is_refused_told_and_stops_the_passkey(
    calling: Calling, mo: Operator, device: SoftAuthenticator
) -> None:
    register(calling, mo, come(calling, mo), device)
    assert not sign_in(calling, device).refused
    device.passkeys[0].count = 0

    assert sign_in(calling, device).refused
    device.passkeys[0].count = 100
    assert sign_in(calling, device).refused

    with calling(write=False) as call:
        assert queries.passkeys_of(call, mo.id)[0].stopped_at == LATER
        assert not queries.has_passkey(call, mo.id)
        lines = call.session.scalars(select(AuditEntry).where(AuditEntry.action == "passkey.stopped")).all()
        assert [(line.subject_id, line.details["count"], line.details["kept"]) for line in lines] == [
            (str(mo.id), 1, 1)
        ]


def test_a_synced_passkey_that_never_counts_works_every_time(calling: Calling, mo: Operator) -> None:
    device = SoftAuthenticator(counts=False)
    register(calling, mo, come(calling, mo), device)

    assert [sign_in(calling, device).refused for _ in range(3)] == [False, False, False]


def test_a_forged_count_raises_no_alarm(calling: Calling, mo: Operator, device: SoftAuthenticator) -> None:
    register(calling, mo, come(calling, mo), device)
    assert not sign_in(calling, device).refused
    forger = forging(device)

    assert sign_in(calling, forger).refused
    assert not sign_in(calling, device).refused


def test_a_disabled_operator_does_not_come_in(calling: Calling, mo: Operator, device: SoftAuthenticator) -> None:
    register(calling, mo, come(calling, mo), device)
    with calling(command_line("root")) as call:
        access.disable_operator(call, mo.id)

    assert sign_in(calling, device).refused


def test_adding_and_removing_need_a_recent_proof(calling: Calling, mo: Operator, device: SoftAuthenticator) -> None:
    session_id = come(calling, mo)
    passkey_id = register(calling, mo, session_id, device)
    register(calling, mo, session_id, SoftAuthenticator(), "Key ring")

    with calling(now=NOW + timedelta(minutes=5)) as call:
        session = call.session.get_one(WebSession, session_id)
        with pytest.raises(DeniedError, match="Show who you are"):
            access.begin_passkey(mine(call, mo), PARTY, session, HERE)
        with pytest.raises(DeniedError, match="Show who you are"):
            access.add_passkey(mine(call, mo), PARTY, session, "{}", "x")
        with pytest.raises(DeniedError, match="Show who you are"):
            access.remove_passkey(mine(call, mo), session, passkey_id)
    with calling() as call:
        access.remove_passkey(mine(call, mo), call.session.get_one(WebSession, session_id), passkey_id)
        assert [one.name for one in queries.passkeys_of(call, mo.id)] == ["Key ring"]


def test_the_last_way_in_stays(calling: Calling, mo: Operator, device: SoftAuthenticator) -> None:
    session_id = come(calling, mo)
    passkey_id = register(calling, mo, session_id, device)

    with calling() as call:
        session = call.session.get_one(WebSession, session_id)
        with pytest.raises(ConflictError, match="only way"):
            access.remove_passkey(mine(call, mo), session, passkey_id)
        assert access.set_password(mine(call, mo), session, PASSWORD, HERE)
        access.remove_passkey(mine(call, mo), session, passkey_id)
        assert not queries.has_passkey(call, mo.id)


def test_nobody_touches_the_passkey_of_another(calling: Calling, mo: Operator, device: SoftAuthenticator) -> None:
    passkey_id = register(calling, mo, come(calling, mo), device)
    sarah = make_operator(calling, "sarah@stad.example")
    session_id = come(calling, sarah)

    with calling() as call:
        with pytest.raises(NotFoundError):
            access.rename_passkey(mine(call, sarah), passkey_id, "Mine")
        with pytest.raises(NotFoundError):
            access.remove_passkey(mine(call, sarah), call.session.get_one(WebSession, session_id), passkey_id)
        with pytest.raises(InvalidError):
            access.rename_passkey(mine(call, mo), passkey_id, "\u202e ")
        assert access.rename_passkey(mine(call, mo), passkey_id, "Work\u202e phone").name == "Work phone"


def test_an_authenticator_is_not_registered_twice_nor_an_eleventh(calling: Calling, mo: Operator) -> None:
    device = SoftAuthenticator()
    session_id = come(calling, mo)
    register(calling, mo, session_id, device)
    with calling() as call:
        session = call.session.get_one(WebSession, session_id)
        options = access.begin_passkey(mine(call, mo), PARTY, session, HERE)
        assert [one["id"] for one in options["excludeCredentials"]] == [bytes_to_base64url(device.passkeys[0].id)]
        assert options["authenticatorSelection"]["residentKey"] == "required"
    for _ in range(9):
        register(calling, mo, session_id, device)
    with pytest.raises(ConflictError, match="ten passkeys"):
        register(calling, mo, session_id, device)


def test_no_browser_makes_a_passkey_for_a_bare_number(calling: Calling, mo: Operator) -> None:
    session_id = come(calling, mo)
    with calling() as call:
        session = call.session.get_one(WebSession, session_id)
        for address in ("http://127.0.0.1:8080", "http://[::1]:8080"):
            with pytest.raises(ConflictError, match="need a name"):
                access.begin_passkey(mine(call, mo), access.relying_party(address, "x"), session, HERE)
    assert access.relying_party("http://LOCALHOST:8080/x", "x").origin == "http://localhost:8080"
    assert access.relying_party("https://mdm.stad.example:443", "x").origin == "https://mdm.stad.example"


def test_guessing_and_asking_are_braked_per_address_and_lock_no_account(
    calling: Calling, mo: Operator, device: SoftAuthenticator
) -> None:
    register(calling, mo, come(calling, mo), device)
    with calling(VISITOR, LATER) as call:
        for _ in range(30):
            assert access.with_passkey(call, PARTY, "{}", HERE, LIMITS).refused
        with pytest.raises(LimitedError):
            access.with_passkey(call, PARTY, "{}", HERE, LIMITS)
        elsewhere = access.Visit("192.0.2.99", "Firefox")
        answer = device.get(access.begin_passkey_sign_in(call, PARTY, elsewhere))
        assert not access.with_passkey(call, PARTY, answer, elsewhere, LIMITS).refused
        for _ in range(60):
            access.begin_passkey_sign_in(call, PARTY, elsewhere)
        with pytest.raises(LimitedError):
            access.begin_passkey_sign_in(call, PARTY, elsewhere)
    with calling(now=LATER + timedelta(minutes=6)) as call:
        access.tidy(call.session, call.now)
        assert call.session.scalar(select(func.count()).select_from(PasskeyChallenge)) == 0


def test_a_statement_is_signed_by_ones_own_passkey_over_exactly_its_digest(
    calling: Calling, mo: Operator, device: SoftAuthenticator
) -> None:
    register(calling, mo, come(calling, mo), device)
    digest, another = hashlib.sha256(b"order").digest(), hashlib.sha256(b"another order").digest()
    with calling() as call:
        me = mine(call, mo)
        options = access.signing_options(me, PARTY, digest)
        assert base64url_to_bytes(options["challenge"]) == digest
        answer = device.get(options)
        assert access.sign_statement(me, PARTY, another, answer) is None
        assert access.sign_statement(me, PARTY, digest, changed_client_data(answer, challenge="x")) is None
        signed = access.sign_statement(me, PARTY, digest, answer)
        assert signed is not None
        assert sorted(signed.proof) == ["authenticator_data", "client_data", "key", "person", "signature", "type"]
        assert (signed.person, signed.key) == (f"operator:{mo.id}", queries.passkeys_of(call, mo.id)[0].key_id)
        # The same answer again: its count does not rise, so it is not taken twice.
        assert access.sign_statement(me, PARTY, digest, answer) is None


def test_who_has_no_passkey_cannot_sign_or_prove(calling: Calling, mo: Operator) -> None:
    session_id = come(calling, mo)
    with calling() as call:
        with pytest.raises(ConflictError, match="no passkey yet"):
            access.signing_options(mine(call, mo), PARTY, bytes(32))
        with pytest.raises(ConflictError, match="no passkey yet"):
            access.begin_passkey_proof(mine(call, mo), PARTY, call.session.get_one(WebSession, session_id), HERE)


def test_a_password_alone_proves_nothing_where_a_passkey_is(calling: Calling, device: SoftAuthenticator) -> None:
    mo = with_password(calling, "mo@stad.example")
    session_id = come(calling, mo)

    def prove() -> bool:
        with calling() as call:
            session = call.session.get_one(WebSession, session_id)
            return access.prove_again(mine(call, mo), session, HERE, SEAL, password=PASSWORD)

    assert prove()
    register(calling, mo, session_id, device)
    assert not prove()


def test_a_session_left_open_gives_itself_no_password(calling: Calling, mo: Operator) -> None:
    session_id = come(calling, mo)
    with calling(now=LATER) as call:
        session = call.session.get_one(WebSession, session_id)
        with pytest.raises(DeniedError, match="ask for a new link"):
            access.set_password(mine(call, mo), session, PASSWORD, HERE)
        assert call.session.scalar(select(Operator.password_hash)) is None
        call.session.execute(update(WebSession).values(fresh_at=LATER))
        call.session.expire_all()
        assert access.set_password(mine(call, mo), session, PASSWORD, HERE)
