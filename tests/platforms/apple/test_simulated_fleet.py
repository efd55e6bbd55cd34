"""Phones against the running gateway, as they would come: profile, SCEP, check-in, commands, all over TLS."""

from datetime import timedelta

from sqlalchemy import func, select

from mdm.core.actor import system
from mdm.core.clock import utcnow
from mdm.enrollment.links import Links
from mdm.org.model import ServicePoint
from mdm.platforms.apple import handout
from mdm.platforms.apple.model import AppleCommand, AppleDevice, ApplePush
from mdm.simulate.figures import Figures
from mdm.simulate.invitations import invite
from mdm.simulate.phones import PhoneRegister, Phones
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from mdm.storage.seal import create_key
from tests.gateway.conftest import RunningGateway, own_gateway
from tests.platforms.apple.city import TOPIC

__all__ = ["own_gateway"]


def test_simulated_phones_enrol_and_answer_over_the_wire(own_gateway: RunningGateway) -> None:
    gateway = own_gateway
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
    register = PhoneRegister(gateway.home, authority.fingerprint)
    fleet = Phones(base, authority.certificate, signer.phone_ca(), figures, 0.2)
    known = fleet.enroll([0, 1], profile, register, lambda: None)
    assert not figures.errors
    fleet.run(list(register.read().values()), 3, 100, lambda: None)

    assert set(known) == {0, 1} == set(register.read())
    assert not figures.errors
    assert figures.idle > 0
    with transaction(gateway.engine, write=False) as session:
        assert set(session.scalars(select(AppleDevice.state))) == {"enrolled"}
        done = select(func.count()).select_from(AppleCommand).where(AppleCommand.state == "acknowledged")
        assert session.scalar(done) == 12
