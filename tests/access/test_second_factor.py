"""Time-based codes: sealed, asked for at every way in, and each taken once."""

from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import select

from mdm.access import service as access
from mdm.access.model import Operator, WebSession
from mdm.core.actor import command_line
from mdm.core.errors import ConfigurationError, ConflictError, DeniedError, InvalidError, LimitedError
from mdm.core.permissions import Role
from mdm.storage.seal import Seal, create_key, load_seal
from tests.access.helpers import HERE, LIMITS, PASSWORD, VISITOR, make_operator, speaking, with_password
from tests.conftest import NOW, Calling

SEAL = Seal(bytes(32))
LATER = NOW + timedelta(minutes=2)


def _with_factor(calling: Calling, email: str = "mo@stad.example") -> tuple[Operator, pyotp.TOTP]:
    operator = with_password(calling, email)
    with calling() as call:
        me = call.by(speaking(call.session, operator))
        totp = pyotp.TOTP(access.begin_totp(me, "Antwerpen", SEAL).secret)
        access.confirm_totp(me, totp.at(NOW), SEAL)
    return operator, totp


def _pending(calling: Calling, email: str = "mo@stad.example") -> str:
    with calling(VISITOR, LATER) as call:
        came = access.with_password(call, email, PASSWORD, HERE, LIMITS)
    assert came.code_needed
    assert came.secret is not None
    return came.secret


def _code(calling: Calling, pending: str, code: str) -> access.SignIn:
    with calling(VISITOR, LATER) as call:
        return access.with_code(call, pending, code, HERE, LIMITS, SEAL)


def test_a_password_alone_opens_nothing_once_a_second_factor_is_set(calling: Calling) -> None:
    _, totp = _with_factor(calling)

    pending = _pending(calling)

    with calling(write=False) as call:
        assert access.find(call.session, pending, LATER, LIMITS) is None
    came = _code(calling, pending, totp.at(LATER))
    assert came.secret is not None
    with calling(write=False) as call:
        found = access.find(call.session, came.secret, LATER, LIMITS)
        assert found is not None
        assert found[0].method == "password+code"
        assert access.find_pending(call.session, pending, LATER) is None


def test_a_code_works_once(calling: Calling) -> None:
    _, totp = _with_factor(calling)
    first, second = _pending(calling), _pending(calling)

    assert not _code(calling, first, totp.at(LATER)).refused
    assert _code(calling, second, totp.at(LATER)).refused
    assert not _code(calling, second, totp.at(LATER + timedelta(seconds=30))).refused


def test_an_older_code_than_the_last_one_is_refused(calling: Calling) -> None:
    _, totp = _with_factor(calling)
    assert not _code(calling, _pending(calling), totp.at(LATER)).refused

    assert _code(calling, _pending(calling), totp.at(LATER - timedelta(seconds=30))).refused


def test_guessing_codes_is_braked_and_knowing_the_password_wins_no_tries_back(calling: Calling) -> None:
    _with_factor(calling)
    for number in range(5):
        assert _code(calling, _pending(calling), f"00000{number}").refused

    with pytest.raises(LimitedError):
        _pending(calling)


def test_a_link_asks_for_the_code_as_well(calling: Calling) -> None:
    operator, totp = _with_factor(calling)
    with calling(command_line("root"), LATER) as call:
        link = access.create_link(call, operator.id)

    with calling(VISITOR, LATER) as call:
        came = access.with_link(call, link, HERE, LIMITS)

    assert came.code_needed
    assert came.secret is not None
    assert not _code(calling, came.secret, totp.at(LATER)).refused


def test_a_factor_is_in_force_only_after_its_first_code(calling: Calling) -> None:
    operator = with_password(calling, "mo@stad.example")
    with calling() as call:
        me = call.by(speaking(call.session, operator))
        enrolment = access.begin_totp(me, "Antwerpen", SEAL)
        assert pyotp.parse_uri(enrolment.uri).secret == enrolment.secret
    with pytest.raises(InvalidError), calling() as call:
        access.confirm_totp(call.by(speaking(call.session, operator)), "000000", SEAL)

    with calling(VISITOR) as call:
        assert not access.with_password(call, "mo@stad.example", PASSWORD, HERE, LIMITS).code_needed


def test_a_confirmed_factor_is_not_silently_replaced(calling: Calling) -> None:
    operator, _ = _with_factor(calling)

    with pytest.raises(ConflictError), calling() as call:
        access.begin_totp(call.by(speaking(call.session, operator)), "Antwerpen", SEAL)


def test_removing_ones_factor_needs_a_fresh_proof(calling: Calling) -> None:
    operator, totp = _with_factor(calling)
    secret = _code(calling, _pending(calling), totp.at(LATER)).secret
    assert secret is not None
    hour = LATER + timedelta(minutes=50)

    with pytest.raises(DeniedError), calling(now=hour) as call:
        found = access.find(call.session, secret, hour, LIMITS)
        assert found is not None
        access.remove_totp(call.by(speaking(call.session, operator)), found[0])
    with calling(now=hour) as call:
        me = call.by(speaking(call.session, operator))
        found = access.find(call.session, secret, hour, LIMITS)
        assert found is not None
        assert not access.prove_again(me, found[0], HERE, SEAL, password=PASSWORD)
        assert not access.prove_again(me, found[0], HERE, SEAL, code=totp.at(hour))
        assert access.prove_again(me, found[0], HERE, SEAL, password=PASSWORD, code=totp.at(hour))
        access.remove_totp(me, found[0])
        assert call.session.scalar(select(Operator.totp_sealed).where(Operator.id == operator.id)) is None


def test_a_fleet_admin_resets_a_lost_factor_but_never_the_own_one(calling: Calling) -> None:
    operator, totp = _with_factor(calling)
    assert not _code(calling, _pending(calling), totp.at(LATER)).refused
    admin = make_operator(calling, "admin@stad.example", Role.FLEET_ADMIN)

    with calling() as call:
        me = call.by(speaking(call.session, admin))
        access.reset_totp(me, operator.id)
        assert call.session.scalars(select(WebSession)).all() == []
        with pytest.raises(DeniedError):
            access.reset_totp(me, admin.id)

    with calling(VISITOR) as call:
        assert not access.with_password(call, "mo@stad.example", PASSWORD, HERE, LIMITS).code_needed


def test_the_secret_is_sealed_for_its_own_row(calling: Calling) -> None:
    operator, totp = _with_factor(calling)
    other, _ = _with_factor(calling, "sarah@stad.example")

    with calling() as call:
        sealed = {row.id: row for row in call.session.scalars(select(Operator))}
        assert totp.secret.encode() not in (sealed[operator.id].totp_sealed or b"")
        sealed[other.id].totp_sealed = sealed[operator.id].totp_sealed
    with pytest.raises(ConfigurationError, match="does not open"):
        _code(calling, _pending(calling, "sarah@stad.example"), totp.at(LATER))


def test_the_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = create_key(tmp_path / "keys")
    before = path.read_bytes()

    assert create_key(tmp_path / "keys") == path
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_seal(tmp_path / "keys").open(Seal(before).seal(b"x", "a"), "a") == b"x"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_seal(tmp_path / "elsewhere")
    path.write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="not a key"):
        load_seal(tmp_path / "keys")
