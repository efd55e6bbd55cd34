"""Phones against the running gateway, as they would come: profile, SCEP, check-in, commands, all over TLS."""

import base64
import http.client
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mdm.core.actor import system
from mdm.core.clock import utcnow
from mdm.enrollment.links import Links
from mdm.inventory.model import Device
from mdm.orders import service as orders
from mdm.orders.model import Order, OrderState
from mdm.orders.release import release
from mdm.org.model import ServicePoint
from mdm.platforms.apple import asking, cms, handout, plist, post
from mdm.platforms.apple.model import AppleCommand, AppleDevice, ApplePush
from mdm.simulate import phones as iphones
from mdm.simulate.figures import Figures
from mdm.simulate.invitations import invite
from mdm.simulate.iphone import IPhone
from mdm.simulate.phones import Phones
from mdm.simulate.register import Register
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from mdm.storage.seal import create_key
from tests.conftest import FLEET_ADMIN
from tests.gateway.conftest import RunningGateway, running
from tests.orders.ceremony import NO_COOLING, council, found, mirrored, signed
from tests.platforms.apple.city import TOPIC
from tests.signer.neighbour import RunningSigner


@dataclass
class Wire:
    """Simulated phones at a running gateway."""

    gateway: RunningGateway
    fleet: Phones
    register: Register[iphones.Known]
    figures: Figures
    profile: Callable[[int], bytes]

    def phone(self, number: int) -> IPhone:
        """One phone that was enrolled."""
        return self.fleet.phone(self.register.read()[number])


@pytest.fixture
def staffed_gateway(database_url: str, tmp_path: Path) -> Iterator[RunningGateway]:
    """A gateway and a signer of the test's own, with people who may sign orders."""
    signer = RunningSigner(tmp_path / "signer", NO_COOLING)
    (tmp_path / "signer").mkdir()
    signer.start()
    people = council()
    found(signer.client, signer.home, people)
    with running(RunningGateway(signer, tmp_path / "home", database_url, people=people)) as started:
        mirrored(started.engine, signer.client)
        yield started
    signer.stop()


@pytest.fixture
def wire(staffed_gateway: RunningGateway) -> Iterator[Wire]:
    """Two simulated phones that are enrolled over the wire."""
    gateway = staffed_gateway
    create_key(gateway.home / "keys")
    with transaction(gateway.engine) as session:
        session.add(ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=utcnow()))
        session.add(
            ApplePush(
                topic=TOPIC, certificate="", key=b"", not_after=utcnow() + timedelta(days=300), created_by="tests",
                created_at=utcnow(),
            )
        )  # fmt: skip
    signer = gateway.signer.client
    authority, base = signer.ca(), f"https://localhost:{gateway.port}"
    here = handout.Here.of("Antwerpen", base, authority.certificate, signer.phone_ca())
    tokens = invite(gateway.engine, Links("http://console", base, "0" * 64, 168), [0, 1], lambda _: None, "ios")

    def profile(number: int) -> bytes:
        with transaction(gateway.engine) as session:
            made = handout.for_token(Call(system("tests"), session, utcnow()), here, tokens[number])
        return signer.sign_profile(made)

    figures = Figures()
    register = iphones.register(gateway.home, authority.fingerprint)
    fleet = Phones(base, authority.certificate, signer.phone_ca(), figures, 0.2)
    fleet.enroll([0, 1], profile, register, lambda: None)
    assert not figures.errors
    yield Wire(gateway, fleet, register, figures, profile)
    fleet.close()


def test_simulated_phones_enrol_and_answer_over_the_wire(wire: Wire) -> None:
    wire.fleet.run(list(wire.register.read().values()), 3, 100, lambda: None)

    assert set(wire.register.read()) == {0, 1}
    assert not wire.figures.errors
    assert wire.figures.idle > 0
    with transaction(wire.gateway.engine, write=False) as session:
        assert set(session.scalars(select(AppleDevice.state))) == {"enrolled"}
        done = select(func.count()).select_from(AppleCommand).where(AppleCommand.state == "acknowledged")
        assert session.scalar(done) == 12


def answered(line: http.client.HTTPSConnection) -> int:
    """The status of the answer; 0 where the gateway hung up instead. A TimeoutError is neither."""
    try:
        return line.getresponse().status
    except (http.client.HTTPException, ConnectionError):
        return 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_checks_4_5_10_bodies_in_pieces_bodies_cut_short_and_many_turns_at_once_over_the_wire(wire: Wire) -> None:
    """As many at once as a test has time for; thousands are the benchmark's."""
    gateway, known = wire.gateway, list(wire.register.read().values())
    asked: dict[str, str] = {}
    for number in (0, 1):
        wire.phone(number).run()
        with transaction(gateway.engine) as session:
            call = Call(system("tests"), session, utcnow())
            apple = session.scalars(select(AppleDevice).where(AppleDevice.udid == wire.phone(number).udid)).one()
            named = {"Settings": [{"Item": "DeviceName", "DeviceName": f"Phone {number}"}]}
            asked[apple.udid] = asking.queue(call, apple, "Settings", named).uuid

    def turns(number: int) -> set[tuple[str, int, str]]:
        phone = wire.fleet.phone(known[number % 2])
        answers = [phone.idle() for _ in range(10)]
        return {(phone.udid, status, str(plist.read(body)["CommandUUID"])) for status, body in answers}

    with ThreadPoolExecutor(8) as pool:
        given = set().union(*pool.map(turns, range(8)))
    assert given == {(udid, 200, uuid) for udid, uuid in asked.items()}

    phone = wire.phone(0)
    body = plist.write({"UDID": phone.udid, "Status": "Idle"})
    signature = base64.b64encode(cms.sign(body, phone.key, phone.certificate, attached=False)).decode()
    context = ssl.create_default_context(cadata=gateway.signer.client.ca().certificate)
    for cut in (False, True):
        line = http.client.HTTPSConnection("localhost", gateway.port, context=context, timeout=60)
        if not cut:
            line.request("PUT", phone.server_path, iter([body[:50], body[50:]]), {"Mdm-Signature": signature})
            answer = line.getresponse()
            assert (answer.status, plist.read(answer.read())["CommandUUID"]) == (200, asked[phone.udid])
        else:
            line.putrequest("PUT", phone.server_path)
            line.putheader("Content-Length", str(len(body) * 2))
            line.putheader("Mdm-Signature", signature)
            line.endheaders(body)
            assert line.sock is not None
            line.sock.shutdown(socket.SHUT_WR)
            assert answered(line) in (0, 400)
        line.close()
    assert phone.idle()[0] == 200


def test_a_phone_is_erased_by_a_released_order_and_by_nothing_else(wire: Wire) -> None:
    gateway, phone, other = wire.gateway, wire.phone(0), wire.phone(1)
    with transaction(gateway.engine) as session:
        apple = session.scalars(select(AppleDevice).where(AppleDevice.udid == phone.udid)).one()
        uid = session.get_one(Device, apple.device_id).uid
        asked = orders.request_wipe(Call(FLEET_ADMIN, session, utcnow()), uid, "Stolen from the van.").id
    phone.run()
    assert not phone.erased

    assert signed(gateway.engine, asked, gateway.people[:2]) == 0
    assert release(gateway.engine, gateway.signer.client, asked) is OrderState.RELEASED
    other.run()
    phone.run()

    assert (phone.erased, other.erased) == (True, False)
    with transaction(gateway.engine) as session:
        command = session.scalars(select(AppleCommand).where(AppleCommand.order_id == asked)).one()
        post.take_answer(Call(system("tests"), session, utcnow()), {"command": command.id}, "Antwerpen")
        assert session.get_one(Order, asked).state == OrderState.DONE
