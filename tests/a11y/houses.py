"""The two doors with something of everything, and who goes through them."""

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select

from mdm.access import service as access
from mdm.access.model import Operator
from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.core.permissions import Role
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.a11y.wander import SAME_KIND, Wanderer, links_token
from tests.a11y.world import CAREFUL, World, founded
from tests.conftest import alone
from tests.console.house import sign_in_link
from tests.console.visiting import Visitor
from tests.portal.conftest import HOST, Employee
from web.common.language import COOKIE
from web.portal.language import COOKIE as MINE

OPEN = ("/e/", "/in/link/", "/off/", "/panic/come/", "/pause/", "/sign/")
"""What a secret in the address opens, to whoever has it."""


def everything(settings: Settings, email: str) -> None:
    """Gives somebody every role, so that there is nothing to see that they do not see."""
    engine = make_engine(settings.database)
    with transaction(engine, write=True) as session:
        call = Call(command_line("tests"), session, utcnow(), alone())
        number = session.scalars(select(Operator.id).where(Operator.email == email)).one()
        held = {one.role for one in access.grants_of(call, number)}
        for role in Role:
            if role.value not in held and role is not Role.APPROVER:
                access.add_grant(call, number, role)
    engine.dispose()


def console_seen(
    console: Flask, settings: Settings, signed_in: Callable[[str], Visitor], world: World, language: str = "en"
) -> Wanderer:
    """Every page of the console: for a stranger, for somebody who may do everything, for an approver, and once founded."""
    everything(settings, "mo@stad.example")
    stranger = Wanderer(console, console.test_client(), "http://localhost:8080")
    stranger.client.set_cookie(COOKIE, language, domain="localhost")
    stranger.visit([one for one in world.console if one.startswith(OPEN)])
    half_in(stranger, sign_in_link(settings.database, CAREFUL))
    stranger.wander(["/sign-in", f"/sign-in/link/{sign_in_link(settings.database, 'sarah@stad.example')}"])
    walker = Wanderer(console, signed_in("mo@stad.example").client, "http://localhost", stranger.seen)
    speaks(walker, language)
    walker.wander(["/", *walker.visit(world.console), *bare(console)])
    approver = Wanderer(console, signed_in("marijke@stad.example").client, "http://localhost", walker.seen)
    speaks(approver, language)
    approver.opened = {f"{rule} []": SAME_KIND for rule, _, _ in walker.seen}
    approver.wander(["/", *bare(console)])
    walker.known = set()
    walker.visit(behind(settings, founded))
    return walker


def half_in(stranger: Wanderer, secret: str) -> None:
    """The first half of a sign-in: the code is asked for next."""
    address = f"/sign-in/link/{secret}"
    token = links_token(stranger.client.get(address, base_url=stranger.base).text)
    answer = stranger.client.post(address, data={"csrf_token": token}, base_url=stranger.base)
    stranger.visit([stranger.local(answer.location, address)])


def speaks(walker: Wanderer, language: str) -> None:
    """Chooses the language of the console as its button does."""
    walker.send("/preferences", language=language, next="/")


def behind(settings: Settings, act: Callable[[Call], list[str]]) -> list[str]:
    """Does something behind the doors' backs."""
    engine = make_engine(settings.database)
    with transaction(engine, write=True) as session:
        found = act(Call(command_line("tests"), session, utcnow().replace(microsecond=0), alone()))
    engine.dispose()
    return found


def portal_seen(portal: Flask, employee: Employee, world: World, language: str = "en") -> Wanderer:
    """Every page of the employees' door."""
    stranger = Wanderer(portal, portal.test_client(), HOST)
    stranger.client.set_cookie(MINE, language, domain=urlsplit(HOST).hostname or "")
    stranger.visit([one for one in world.portal if one.startswith(OPEN)])
    stranger.wander(["/in", "/in/link/unknown"])
    walker = Wanderer(portal, employee.client, HOST, stranger.seen)
    walker.wander(["/", *walker.visit(world.portal), *bare(portal)])
    portal_answered(walker)
    return walker


def bare(app: Flask) -> list[str]:
    """Every address that needs no name of a thing."""
    return [one.rule for one in app.url_map.iter_rules() if "GET" in (one.methods or ()) and not one.arguments]


def portal_answered(walker: Wanderer) -> None:
    """What comes back when somebody sends forms empty, reports a device, or leaves."""
    device = next(one.address for one in walker.seen.values() if one.rule == "/d/<uid>")
    walker.send_nothing()
    walker.send(f"{device}/broken", account="The screen is broken.")
    walker.send(f"{device}/lost", where="In the tram", when="", stolen="")
    walker.send("/leaving", last_day="2031-01-01")
    walker.send("/thanks")
    walker.send("/in/code", code="WRONG")
