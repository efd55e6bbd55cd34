"""The demonstration: the pilot of the city in the database, and eight real agents on machines of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import rich_click as click

from mdm.cli import output
from mdm.cli.demo_roots import MACHINES, Machine, plant
from mdm.cli.install import install
from mdm.cli.supervisor import Service
from mdm.cli.work import work
from mdm.settings import Settings, load

Tell = Callable[[str], None]
ENROL_SECONDS = 90
AT_ONCE = 3


@click.command()
def demo() -> None:
    """Load the pilot: units, service points, people, accounts, policies, devices. Twice is like once."""
    settings = load()
    install(settings, output.note)
    loaded = load_pilot(settings, output.note)
    output.say("The pilot is loaded." if loaded else "The pilot was loaded before; nothing was changed.")


def load_pilot(settings: Settings, tell: Tell) -> bool:
    """Enters the pilot in one transaction: False when it was entered before."""
    from mdm.adoption import starting as adoption
    from mdm.discovery import starting as discovery
    from mdm.enrollment.links import Links
    from mdm.guidance import starting as guidance
    from mdm.panic import starting as panic
    from mdm.pilot import service as pilot
    from mdm.portal import starting as offers

    with work(settings=settings, write=False) as call:
        if pilot.loaded(call):
            return False
    with work(settings=settings) as call:
        loaded = pilot.load(
            call,
            lambda what, number, of: tell(f"  Pilot, {number} of {of}: {what}"),
            Links.of(settings, ca_fingerprint(settings)),
        )
        guidance.load_pilot(call)
        offers.load(call)
        adoption.load(call)
        panic.load(call)
        discovery.load(call)
        return loaded


def ca_fingerprint(settings: Settings) -> str:
    """SHA-256 (hexadecimal) of the DER of our CA: from its certificate where this user may read it, else as the signer says."""
    import hashlib
    import ssl

    from mdm.signer.keys import FOLDER
    from mdm.signing.client import SignerClient

    try:
        pem = (settings.home / FOLDER / "ca.pem").read_text(encoding="ascii")
    except OSError:
        return SignerClient(settings.signer_socket).ca().fingerprint
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def agent_folder(settings: Settings, machine: Machine) -> Path:
    """Where the state and the root of one of the demonstration's machines are."""
    return settings.home / "agents" / machine.name


def not_enrolled(settings: Settings) -> list[Machine]:
    """The machines that still need an invitation; one that was wiped by an order has had its day."""
    return [
        machine
        for machine in MACHINES
        if not any(
            (agent_folder(settings, machine) / "state" / name).exists() for name in ("identity.json", "wiped.json")
        )
    ]


def enrol_machines(settings: Settings, machines: Sequence[Machine], tell: Tell) -> None:
    """Plants each machine, invites a person of the pilot for it and has the agent enrol with that invitation."""
    addresses = _invite(settings, machines)

    def one(machine: Machine) -> str:
        folder = agent_folder(settings, machine)
        plant(folder / "root", machine)
        done = subprocess.run(
            _agent("enroll", addresses[machine.name], "--state", folder / "state", "--root", folder / "root"),
            capture_output=True,
            text=True,
            timeout=ENROL_SECONDS,
            check=False,
        )
        if done.returncode == 0:
            return f"  {machine.name} is enrolled"
        last = (done.stderr or done.stdout).strip().splitlines()
        return f"  {machine.name} could not enrol: {last[-1] if last else 'it said nothing'}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for told in pool.map(one, machines):
            tell(told)


def agents(settings: Settings) -> list[Service]:
    """The agents of the enrolled machines as services for the supervisor."""
    found = []
    for machine in MACHINES:
        folder = agent_folder(settings, machine)
        if (folder / "state" / "identity.json").exists():
            tied = [sys.executable, "-m", "mdm.operation.parent", str(os.getpid())]
            argv = tied + _agent("run", "--state", folder / "state")[1:]
            found.append(Service(f"agent-{machine.name}", argv, lambda: True, rank=4, patience=4))
    return found


def _agent(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "agent.main", *(str(argument) for argument in arguments)]


def _invite(settings: Settings, machines: Sequence[Machine]) -> dict[str, str]:
    from sqlalchemy import select

    from mdm.enrollment import service as enrollment
    from mdm.enrollment.links import Links
    from mdm.org.model import ServicePoint
    from mdm.people.model import Person

    links = Links.of(settings, ca_fingerprint(settings))
    addresses: dict[str, str] = {}
    with work(settings=settings) as call:
        staff = call.session.execute(
            select(Person.email, ServicePoint.code)
            .join(ServicePoint, ServicePoint.id == Person.service_point_id)
            .where(Person.email.is_not(None), Person.left_on.is_(None))
            .order_by(Person.id)
        ).all()
        step = max(1, len(staff) // len(MACHINES))
        for machine in machines:
            email, code = staff[(MACHINES.index(machine) * step) % len(staff)]
            assert email is not None
            _invitation, address = enrollment.invite(
                call, links, email=email, platform="linux", service_point_code=code, kind=machine.kind
            )
            addresses[machine.name] = address
    return addresses
