"""Signing in by password and by link; the brake on guessing; sessions that end."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from mdm.access import queries
from mdm.access import service as access
from mdm.access.brake import ACCOUNT, ADDRESS
from mdm.access.model import Operator, SignInAttempt, WebSession
from mdm.audit.model import AuditEntry
from mdm.core.actor import command_line
from mdm.core.errors import InvalidError, LimitedError, NotFoundError
from mdm.core.ids import secret_digest
from mdm.core.permissions import Role
from tests.access.helpers import HERE, LIMITS, PASSWORD, VISITOR, make_operator, speaking, with_password
from tests.conftest import NOW, Calling


def _try(calling: Calling, email: str, password: str, seconds: float = 0, visit: access.Visit = HERE) -> access.SignIn:
    with calling(VISITOR, NOW + timedelta(seconds=seconds)) as call:
        return access.with_password(call, email, password, visit, LIMITS)


def test_a_right_password_signs_in_and_the_diary_notes_who(calling: Calling) -> None:
    operator = with_password(calling, "mo@stad.example", Role.FLEET_ADMIN)

    came = _try(calling, "MO@stad.example", PASSWORD)

    assert came.secret is not None
    with calling(write=False) as call:
        found = access.find(call.session, came.secret, NOW, LIMITS)
        assert found is not None
        assert found[1].id == operator.id
        assert call.session.scalar(select(WebSession.secret_digest)) == secret_digest(came.secret)
        line = call.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert line is not None
        assert (line.action, line.actor_id, line.details) == ("operator.signed_in", operator.id, {"method": "password"})


def test_unknown_wrong_and_disabled_are_answered_alike_and_make_no_session(calling: Calling) -> None:
    with_password(calling, "mo@stad.example")
    gone = with_password(calling, "gone@stad.example")
    make_operator(calling, "none@stad.example")
    with calling(command_line("root")) as call:
        access.disable_operator(call, gone.id)

    answers = {
        _try(calling, "mo@stad.example", "wrong"),
        _try(calling, "mo@stad.example", ""),
        _try(calling, "nobody@stad.example", PASSWORD),
        _try(calling, "none@stad.example", ""),
        _try(calling, "gone@stad.example", PASSWORD),
    }

    assert answers == {access.SignIn()}
    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(WebSession)) == 0
        assert call.session.scalar(select(func.count()).select_from(SignInAttempt).where(~SignInAttempt.succeeded)) == 5


def test_guessing_is_braked_for_known_and_unknown_accounts_alike_even_when_right_at_last(calling: Calling) -> None:
    with_password(calling, "mo@stad.example")

    waits = []
    for email in ("mo@stad.example", "nobody@stad.example"):
        for _ in range(5):
            assert _try(calling, email, "wrong").refused
        with pytest.raises(LimitedError) as caught:
            _try(calling, email, PASSWORD)
        waits.append(caught.value.retry_after)

    assert waits[0] == waits[1] > 0
    assert not _try(calling, "mo@stad.example", PASSWORD, seconds=waits[0] + 1).refused


def test_each_further_wrong_try_doubles_the_wait_up_to_a_quarter_of_an_hour() -> None:
    waits = [ACCOUNT.wait([NOW] * failures, NOW) for failures in range(4, 16)]

    assert waits == [0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]
    assert ACCOUNT.wait([NOW] * 15, NOW + timedelta(minutes=15)) == 0


def test_one_address_that_tries_many_accounts_is_braked_and_others_are_not(calling: Calling) -> None:
    with_password(calling, "mo@stad.example")
    with calling(VISITOR) as call:
        for number in range(ADDRESS.free):
            call.session.add(SignInAttempt(account=f"{number}", address="192.0.2.7", at=NOW, succeeded=False))

    with pytest.raises(LimitedError):
        _try(calling, "mo@stad.example", PASSWORD)
    assert not _try(calling, "mo@stad.example", PASSWORD, visit=access.Visit("198.51.100.1")).refused


def test_a_link_signs_in_once(calling: Calling) -> None:
    operator = make_operator(calling, "mo@stad.example")
    with calling(command_line("root")) as call:
        link = access.create_link(call, operator.id)

    with calling(VISITOR) as call:
        assert access.link_works(call, link)
        first = access.with_link(call, link, HERE, LIMITS)
        second = access.with_link(call, link, HERE, LIMITS)

    assert first.secret is not None
    assert second.refused
    with calling(VISITOR) as call:
        assert not access.link_works(call, link)
        assert access.with_link(call, "guess", HERE, LIMITS).refused


def test_a_link_expires_after_a_quarter_of_an_hour(calling: Calling) -> None:
    operator = make_operator(calling, "mo@stad.example")
    with calling(command_line("root")) as call:
        link = access.create_link(call, operator.id)

    with calling(VISITOR, NOW + timedelta(minutes=15)) as call:
        assert access.with_link(call, link, HERE, LIMITS).refused


def test_a_session_ends_when_idle_when_old_and_when_its_operator_is_disabled(calling: Calling) -> None:
    operator = with_password(calling, "mo@stad.example")
    secret = _try(calling, "mo@stad.example", PASSWORD).secret
    assert secret is not None

    def alive(minutes: int) -> bool:
        with calling(write=False) as call:
            return access.find(call.session, secret, NOW + timedelta(minutes=minutes), LIMITS) is not None

    assert alive(59)
    assert not alive(60)
    with calling() as call:
        found = access.find(call.session, secret, NOW + timedelta(minutes=59), LIMITS)
        assert found is not None
        assert access.needs_touch(found[0], NOW + timedelta(minutes=59))
        access.touch(call.session, found[0].id, NOW + timedelta(hours=11, minutes=30))
    assert alive(11 * 60 + 59)
    assert not alive(12 * 60)
    with calling(command_line("root")) as call:
        access.disable_operator(call, operator.id)
    assert not alive(1)


def test_signing_in_ends_the_session_that_the_browser_brought(calling: Calling) -> None:
    with_password(calling, "mo@stad.example")
    planted = _try(calling, "mo@stad.example", PASSWORD).secret
    assert planted is not None

    new = _try(calling, "mo@stad.example", PASSWORD, visit=access.Visit("192.0.2.7", "", planted)).secret

    assert new is not None
    with calling(write=False) as call:
        assert access.find(call.session, planted, NOW, LIMITS) is None
        assert access.find(call.session, new, NOW, LIMITS) is not None


def test_a_new_password_ends_other_sessions_and_needs_the_old_one(calling: Calling) -> None:
    operator = with_password(calling, "mo@stad.example")
    other = _try(calling, "mo@stad.example", PASSWORD).secret
    mine = _try(calling, "mo@stad.example", PASSWORD).secret
    assert other is not None
    assert mine is not None

    with calling() as call:
        me = call.by(speaking(call.session, operator))
        found = access.find(call.session, mine, NOW, LIMITS)
        assert found is not None
        assert not access.set_password(me, found[0], "a new pass phrase", HERE, current="wrong")
        assert access.find(call.session, other, NOW, LIMITS) is not None
        assert access.set_password(me, found[0], "a new pass phrase", HERE, current=PASSWORD)
        assert access.find(call.session, other, NOW, LIMITS) is None
        assert access.find(call.session, mine, NOW, LIMITS) is not None

    assert _try(calling, "mo@stad.example", PASSWORD).refused
    assert not _try(calling, "mo@stad.example", "a new pass phrase").refused


@pytest.mark.parametrize(
    "weak", ["short", "marijke@stad.example", "aaaaaaaaaaaaaaaa", "abababababab", "marijke.marijke", "x" * 257]
)
def test_weak_passwords_are_refused_and_the_old_one_stays(calling: Calling, weak: str) -> None:
    operator = with_password(calling, "marijke@stad.example")
    secret = _try(calling, "marijke@stad.example", PASSWORD).secret
    assert secret is not None

    with pytest.raises(InvalidError), calling() as call:
        found = access.find(call.session, secret, NOW, LIMITS)
        assert found is not None
        access.set_password(call.by(speaking(call.session, operator)), found[0], weak, HERE, current=PASSWORD)

    assert not _try(calling, "marijke@stad.example", PASSWORD).refused


def test_one_sees_and_ends_only_ones_own_sessions(calling: Calling) -> None:
    operator = with_password(calling, "mo@stad.example")
    other = with_password(calling, "sarah@stad.example")
    for email in ("mo@stad.example", "mo@stad.example", "sarah@stad.example"):
        _try(calling, email, PASSWORD)

    with calling() as call:
        me = call.by(speaking(call.session, operator))
        mine = queries.my_sessions(me)
        theirs = queries.my_sessions(call.by(speaking(call.session, other)))
        assert len(mine) == 2
        with pytest.raises(NotFoundError):
            access.end(me, theirs[0].id)
        access.end(me, mine[0].id)
        call.session.flush()
        assert len(queries.my_sessions(me)) == 1
        access.end_mine(me, but=mine[1].id)
        assert len(queries.my_sessions(me)) == 1
        assert len(queries.my_sessions(call.by(speaking(call.session, other)))) == 1


def test_no_password_stands_in_the_database_or_the_diary(calling: Calling) -> None:
    with_password(calling, "mo@stad.example")

    with calling(write=False) as call:
        stored = call.session.scalar(select(Operator.password_hash))
        assert stored is not None
        assert stored.startswith("$argon2id$")
        assert PASSWORD not in str([entry.details for entry in call.session.scalars(select(AuditEntry))])


def test_what_has_expired_is_forgotten(calling: Calling) -> None:
    with_password(calling, "mo@stad.example")
    _try(calling, "mo@stad.example", PASSWORD)
    _try(calling, "mo@stad.example", "wrong")

    with calling() as call:
        access.tidy(call.session, NOW)
        assert call.session.scalar(select(func.count()).select_from(WebSession)) == 1
        access.tidy(call.session, NOW + timedelta(days=31))
        assert call.session.scalar(select(func.count()).select_from(WebSession)) == 0
        assert call.session.scalar(select(func.count()).select_from(SignInAttempt)) == 0
