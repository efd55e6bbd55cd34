"""``havenmeester simulate``: a fleet that speaks the true wire protocol to the gateway of this installation."""

from collections.abc import Callable
from typing import Any

import rich_click as click

from mdm.cli import output
from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.settings import load


@click.command()
@click.option("--devices", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many devices.")
@click.option("--minutes", type=click.FloatRange(0.01, 10_080), default=1.0, show_default=True, help="How long.")
@click.option(
    "--every",
    type=click.FloatRange(0.05, 86_400),
    default=None,
    metavar="SECONDS",
    help="Each device checks in so often; without it devices do as real ones: they wait at the doorbell.",
)
@click.option(
    "--ramp", type=click.FloatRange(1, 10_000), default=200.0, show_default=True, help="Come online per second."
)
@click.option(
    "--platform",
    type=click.Choice(["linux", "ios", "android"]),
    default="linux",
    show_default=True,
    help="What kind of devices.",
)
@click.option(
    "--way",
    type=click.Choice(["headwind", "amapi"]),
    default="headwind",
    show_default=True,
    help="How Android phones are managed: by the free agent, or by Google's management, which is played.",
)
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def simulate(
    devices: int, minutes: float, every: float | None, ramp: float, platform: str, way: str, json_wanted: bool
) -> int:
    """Let simulated devices enrol, report, apply settings and answer commands, and show how the server does."""
    from mdm.enrollment.links import Links
    from mdm.signing.client import SignerClient
    from mdm.simulate.figures import Figures
    from mdm.simulate.fleet import Fleet, Plan
    from mdm.simulate.identities import Register

    settings = load()
    if platform == "android" and way == "amapi":
        return _google(settings, devices, minutes, json_wanted=json_wanted)
    if platform == "android":
        return _androids(settings, devices, minutes, every, ramp, json_wanted=json_wanted)
    if platform == "ios":
        return _phones(settings, devices, minutes, every, ramp, json_wanted=json_wanted)
    authority = SignerClient(settings.signer_socket).ca()
    register = Register(settings.home, authority.fingerprint)
    figures = Figures()
    plan = Plan(settings.gateway_base, authority.certificate, minutes * 60, every, ramp)
    fleet = Fleet(plan, register, figures)
    known = register.read()
    missing = [number for number in range(devices) if number not in known]
    if missing:
        links = Links.of(settings, authority.fingerprint)
        known |= _enrolled(settings.database, links, fleet, missing)
    identities = [known[number] for number in range(devices) if number in known]
    _run(fleet, identities, figures)
    summary = figures.summary()
    output.record(summary, json_wanted=json_wanted)
    return 0 if identities and not figures.errors else 1


def _google(settings: Any, devices: int, minutes: float, *, json_wanted: bool) -> int:
    """Simulated Android phones by Google's management: a Google is played, and this installation is tied with it."""
    from mdm.enrollment.links import Links
    from mdm.signing.client import SignerClient
    from mdm.simulate.google import GoogleServer
    from mdm.simulate.google_fleet import GoogleFleet
    from mdm.storage.engine import make_engine
    from mdm.worker.office import Office

    authority = SignerClient(settings.signer_socket).ca()
    engine = make_engine(settings.database)
    with GoogleServer() as server:
        fleet = GoogleFleet(Office(engine, settings), Links.of(settings, authority.fingerprint), server)
        found = fleet.run(devices, minutes * 60)
    engine.dispose()
    output.record(found, json_wanted=json_wanted)
    return 0 if found["managed"] and not found["refused"] else 1


def _phones(settings: Any, devices: int, minutes: float, every: float | None, ramp: float, *, json_wanted: bool) -> int:
    """Simulated iPhones: each gets its enrollment profile and its certificate as a real one does."""
    from mdm.enrollment.links import Links
    from mdm.platforms.apple import handout
    from mdm.signing.client import SignerClient
    from mdm.simulate import phones as iphones
    from mdm.simulate.figures import Figures
    from mdm.simulate.invitations import invite
    from mdm.simulate.phones import Phones
    from mdm.storage.call import Call
    from mdm.storage.engine import make_engine, transaction

    signer = SignerClient(settings.signer_socket)
    authority, phone_ca = signer.ca(), signer.phone_ca()
    here = handout.Here.of(settings.organisation, settings.gateway_base, authority.certificate, phone_ca)
    register, figures = iphones.register(settings.home, authority.fingerprint), Figures()
    fleet = Phones(settings.gateway_base, authority.certificate, phone_ca, figures, every)
    known = register.read()
    missing = [number for number in range(devices) if number not in known]
    engine = make_engine(settings.database)
    tokens = (
        invite(engine, Links.of(settings, authority.fingerprint), missing, lambda _: None, "ios") if missing else {}
    )

    def profile(number: int) -> bytes:
        with transaction(engine) as session:
            made = handout.for_token(Call(command_line("simulate"), session, utcnow()), here, tokens[number])
        return signer.sign_profile(made)

    known |= fleet.enroll(missing, profile, register, lambda: None)
    engine.dispose()
    phones = [known[number] for number in range(devices) if number in known]
    fleet.run(phones, minutes * 60, ramp, lambda: None)
    output.record(figures.summary(), json_wanted=json_wanted)
    return 0 if phones and not figures.errors else 1


def _androids(
    settings: Any, devices: int, minutes: float, every: float | None, ramp: float, *, json_wanted: bool
) -> int:
    """Simulated Android phones with the free agent: each has a device number of its own, as from a QR code."""
    from mdm.enrollment.links import Links
    from mdm.enrollment.queries import by_token, unknown_invitation
    from mdm.platforms.android.headwind.numbers import number_for
    from mdm.signing.client import SignerClient
    from mdm.simulate import androids as handsets
    from mdm.simulate.androids import Androids
    from mdm.simulate.figures import Figures
    from mdm.simulate.invitations import invite
    from mdm.storage.call import Call
    from mdm.storage.engine import make_engine, transaction

    authority = SignerClient(settings.signer_socket).ca()
    register, figures = handsets.register(settings.home, authority.fingerprint), Figures()
    fleet = Androids(settings.gateway_base, authority.certificate, figures, every)
    known = register.read()
    missing = [number for number in range(devices) if number not in known]
    engine = make_engine(settings.database)
    links = Links.of(settings, authority.fingerprint)
    tokens = invite(engine, links, missing, lambda _: None, "android") if missing else {}

    def device_number(number: int) -> str:
        with transaction(engine) as session:
            invitation = by_token(session, tokens[number])
            if invitation is None:
                raise unknown_invitation()
            return number_for(Call(command_line("simulate"), session, utcnow()), invitation, tokens[number])

    known |= fleet.enroll(missing, device_number, register)
    engine.dispose()
    phones = [known[number] for number in range(devices) if number in known]
    fleet.run(phones, minutes * 60, ramp)
    output.record(figures.summary(), json_wanted=json_wanted)
    return 0 if phones and not figures.errors else 1


def _enrolled(url: str, links: Any, fleet: Any, missing: list[int]) -> dict[int, Any]:
    """Invites and enrols those that are new, with a bar for each of the two."""
    from rich.console import Console
    from rich.progress import Progress

    from mdm.simulate.invitations import invite
    from mdm.storage.engine import make_engine

    engine = make_engine(url)
    with Progress(console=Console(stderr=True), auto_refresh=False) as bars:
        inviting = bars.add_task("inviting", total=len(missing))
        tokens = invite(engine, links, missing, _advance(bars, inviting))
        enrolling = bars.add_task("enrolling", total=len(tokens))
        step = _advance(bars, enrolling)
        found: dict[int, Any] = fleet.enroll(tokens, lambda: step(1))
    engine.dispose()
    return found


def _advance(bars: Any, task: Any) -> Callable[[int], None]:
    def advance(count: int) -> None:
        bars.update(task, advance=count, refresh=True)

    return advance


def _run(fleet: Any, identities: list[Any], figures: Any) -> None:
    """Runs the fleet with a table of live figures on standard error."""
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    def table() -> Table:
        shown = Table(box=None, show_header=False)
        for name, value in figures.summary().items():
            shown.add_row(name.replace("_", " "), str(value))
        return shown

    console = Console(stderr=True)
    if not console.is_terminal:
        fleet.run(identities, lambda: None)
        return
    with Live(table(), console=console, auto_refresh=False) as live:
        fleet.run(identities, lambda: live.update(table(), refresh=True))
