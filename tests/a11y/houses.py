"""The two doors with something of everything, and who goes through them."""

from collections.abc import Callable

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
from tests.a11y.wander import SAME_KIND, Wanderer
from tests.conftest import alone
from tests.console.house import sign_in_link
from tests.console.visiting import Visitor
from tests.portal.conftest import HOST, Employee


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


def console_seen(console: Flask, settings: Settings, signed_in: Callable[[str], Visitor]) -> Wanderer:
    """Every page of the console."""
    everything(settings, "mo@stad.example")
    stranger = Wanderer(console, console.test_client(), "http://localhost:8080")
    stranger.wander(["/sign-in", f"/sign-in/link/{sign_in_link(settings.database, 'sarah@stad.example')}"])
    walker = Wanderer(console, signed_in("mo@stad.example").client, "http://localhost", dict(stranger.seen))
    walker.wander(["/", *bare(console)])
    approver = Wanderer(console, signed_in("marijke@stad.example").client, "http://localhost", walker.seen)
    approver.opened = {f"{rule} []": SAME_KIND for rule, _ in walker.seen}
    approver.wander(["/", *bare(console)])
    return walker


def portal_seen(portal: Flask, employee: Employee) -> Wanderer:
    """Every page of the employees' door."""
    stranger = Wanderer(portal, portal.test_client(), HOST)
    stranger.wander(["/in", "/in/link/unknown"])
    walker = Wanderer(portal, employee.client, HOST, dict(stranger.seen))
    walker.wander(["/", *bare(portal)])
    portal_answered(walker)
    return walker


def bare(app: Flask) -> list[str]:
    """Every address that needs no name of a thing."""
    return [one.rule for one in app.url_map.iter_rules() if "GET" in (one.methods or ()) and not one.arguments]


def portal_answered(walker: Wanderer) -> None:
    """What comes back when somebody reports a device, or leaves."""
    device = next(one.address for one in walker.seen.values() if one.rule == "/d/<uid>")
    walker.send(f"{device}/broken", account="")
    walker.send(f"{device}/broken", account="The screen is broken.")
    walker.send(f"{device}/lost", where="In the tram", when="", stolen="")
    walker.send("/leaving", when="2031-01-01")
    walker.send("/thanks")
    walker.send("/in/code", code="WRONG")
