"""Many at once: one link signs in once, and guessing in parallel wins no free tries."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, func, select

from mdm.access import service as access
from mdm.access.brake import ACCOUNT
from mdm.access.model import SignInAttempt, WebSession
from mdm.core.actor import command_line
from mdm.core.errors import LimitedError
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.access.helpers import HERE, LIMITS, VISITOR, make_operator
from tests.conftest import NOW, Calling

AT_ONCE = 12


def test_of_many_who_redeem_one_link_at_once_exactly_one_comes_in(calling: Calling, engine: Engine) -> None:
    operator = make_operator(calling, "mo@stad.example")
    with calling(command_line("root")) as call:
        link = access.create_link(call, operator.id)

    def redeem(_number: int) -> bool:
        with transaction(engine) as session:
            return not access.with_link(Call(VISITOR, session, NOW), link, HERE, LIMITS).refused

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sum(pool.map(redeem, range(AT_ONCE))) == 1
    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(WebSession)) == 1


def test_guessing_in_parallel_is_braked_like_guessing_in_a_row(calling: Calling, engine: Engine) -> None:
    make_operator(calling, "mo@stad.example")

    def guess(number: int) -> bool:
        try:
            with transaction(engine) as session:
                return access.with_password(
                    Call(VISITOR, session, NOW), "mo@stad.example", f"guess {number}", HERE, LIMITS
                ).refused
        except LimitedError:
            return False

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sum(pool.map(guess, range(AT_ONCE))) == ACCOUNT.free
    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(SignInAttempt)) == ACCOUNT.free
