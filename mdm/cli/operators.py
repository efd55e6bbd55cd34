"""``havenmeester operator``, ``sign-in`` and ``token``: who may come in."""

from datetime import timedelta
from typing import TYPE_CHECKING

import rich_click as click

from mdm.cli import output
from mdm.cli.choice import NUMBER, Words
from mdm.cli.work import work
from mdm.core.errors import NotFoundError
from mdm.core.permissions import Role
from mdm.core.risk import Risk
from mdm.core.text import clean
from mdm.settings import Settings, load

if TYPE_CHECKING:
    from mdm.access.places import Place
    from mdm.storage.call import Call

ROLES = Words([role.value for role in Role])


@click.group()
def operator() -> None:
    """Add operators and let them in."""


@operator.command("add")
@click.argument("email")
@click.option("--role", type=ROLES, required=True, help="What they may do.")
@click.option("--service-point", "code", default=None, metavar="CODE", help="Only there; without it: the whole city.")
@click.option("--name", default="", help="Their name.")
@click.option("--language", type=Words(["nl", "fr", "en"]), default=None, help="Of the console.")
def add(email: str, role: str, code: str | None, name: str, language: str | None) -> None:
    """Add somebody, or give another role to somebody who is there, and print a link that signs in once."""
    settings = load()
    from mdm.access import service as access
    from mdm.orders import acts

    with work(settings=settings) as call:
        found = access.ensure_operator(call, email=email, name=name, language=language or settings.language)
        # Whoever runs the server may let somebody new in; giving more to somebody who is there is no matter for one.
        giving = (
            acts.by_the_host(call, Risk.ROLE_GIVE, ("operator", found.id)) if found.created_at == call.now else call
        )
        access.add_grant(giving, found.id, Role(role), _place(call, code))
        acts.note_uses(giving)
        secret = access.create_link(call, found.id)
        told = f"{found.email} is {role} {'at ' + code if code else 'for the city'}."
    output.note(told)
    output.say(sign_in_url(settings, secret))


@operator.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def list_operators(json_wanted: bool) -> None:
    """Show who may sign in, with their roles and places."""
    from mdm.access import queries

    with work(write=False) as call:
        found = [
            {
                "email": one.email,
                "name": one.name,
                "disabled": one.disabled_at is not None,
                "roles": ", ".join(
                    sorted(_shown(grant.role, grant.service_point_id, grant.unit_id) for grant in grants)
                ),
            }
            for one, grants in queries.operators(call)
        ]
    output.rows(found, ("email", "name", "roles", "disabled"), json_wanted=json_wanted)


@operator.command("link")
@click.argument("email")
def link(email: str) -> None:
    """Print a link that signs this operator in once, within fifteen minutes."""
    _print_link(email)


@click.command("sign-in")
@click.argument("email")
def sign_in(email: str) -> None:
    """Print a link that signs this operator in once, within fifteen minutes."""
    _print_link(email)


@click.group()
def token() -> None:
    """Make, show and revoke tokens for programs that use the API."""


@token.command("create")
@click.option("--name", required=True, help="What it is for.")
@click.option("--role", type=ROLES, required=True, help="What it may do.")
@click.option("--service-point", "code", default=None, metavar="CODE", help="Only there; without it: the whole city.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="Days that it works.")
def create(name: str, role: str, code: str | None, days: int) -> None:
    """Make a token and print it, this once."""
    from mdm.access import service as access
    from mdm.orders import acts

    with work() as call:
        making = acts.by_the_host(call, Risk.TOKEN_MAKE, ("api_token", clean(name)))
        _row, secret = access.create_token(
            making, name=name, role=Role(role), place=_place(call, code), expires_at=call.now + timedelta(days=days)
        )
        acts.note_uses(making)
    output.note("Keep it safe; it is not shown again.")
    output.say(secret)


@token.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def list_tokens(json_wanted: bool) -> None:
    """Show every token, without the secret."""
    from mdm.access.tokens import tokens

    columns = ("id", "name", "role", "created_at", "expires_at", "last_used_at", "revoked_at")
    with work(write=False) as call:
        found = [{column: getattr(row, column) for column in columns} for row in tokens(call)]
    output.rows(found, columns, json_wanted=json_wanted)


@token.command("revoke")
@click.argument("number", type=NUMBER)
def revoke(number: int) -> None:
    """Make a token worthless, from the next request on."""
    from mdm.access import service as access

    with work() as call:
        access.revoke_token(call, number)
    output.say(f"Token {number} is revoked.")


def sign_in_url(settings: Settings, secret: str) -> str:
    """The address at which a one-time link signs in."""
    return f"{settings.console_base}/sign-in/link/{secret}"


def first_link(settings: Settings) -> str | None:
    """A one-time link for the first fleet admin who may sign in; None where there is nobody."""
    from mdm.access import queries
    from mdm.access import service as access

    with work(settings=settings) as call:
        for one, grants in queries.operators(call, disabled=False):
            if any(
                grant.role == Role.FLEET_ADMIN and grant.service_point_id is None and grant.unit_id is None
                for grant in grants
            ):
                return sign_in_url(settings, access.create_link(call, one.id))
    return None


def _print_link(email: str) -> None:
    settings = load()
    from mdm.access import queries
    from mdm.access import service as access

    with work(settings=settings) as call:
        wanted = [one for one, _grants in queries.operators(call) if one.email == email.strip().lower()]
        if not wanted:
            raise NotFoundError(
                "There is no operator with the address %(email)s. Add one: havenmeester operator add", email=email
            )
        secret = access.create_link(call, wanted[0].id)
    output.say(sign_in_url(settings, secret))


def _place(call: "Call", code: str | None) -> "Place":
    from mdm.access.places import CITY, Place
    from mdm.org import queries as org

    return CITY if code is None else Place(service_point_id=org.service_point_by_code(call, code).id)


def _shown(role: str, service_point_id: int | None, unit_id: int | None) -> str:
    if service_point_id is not None:
        return f"{role} at service point {service_point_id}"
    return f"{role} in unit {unit_id}" if unit_id is not None else role
