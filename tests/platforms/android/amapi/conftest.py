"""A city that is tied with a Google that is not there, over a real socket, with a signer of which nothing is left out."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine, select

from mdm.core.actor import system
from mdm.enrollment import service as enrollments
from mdm.enrollment.links import Links
from mdm.enrollment.model import Invitation
from mdm.inventory.model import Device
from mdm.platforms import service as platforms
from mdm.platforms.android.amapi import account, tokens
from mdm.platforms.android.amapi.client import Google
from mdm.platforms.android.amapi.house import House
from mdm.platforms.android.amapi.keys import Token
from mdm.platforms.android.amapi.model import AndroidGoogle, AndroidGooglePhone
from mdm.platforms.android.amapi.quota import Bucket
from mdm.platforms.android.amapi.turn import take_turn
from mdm.policies import service as policies
from mdm.signing.answers import Ownership
from mdm.simulate.google import SUBSCRIPTION, TOPIC, GoogleServer
from mdm.simulate.google_phones import GooglePhone
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from mdm.storage.seal import create_key, load_seal
from tests.conftest import NOW, Calling
from tests.orders.conftest import DeskClient, Fleet
from tests.orders.conftest import client as client
from tests.orders.conftest import fleet as fleet
from tests.orders.conftest import moment as moment

LINKS = Links("https://city.example", "https://gw.city.example", "f" * 64, 48)


@dataclass
class City:
    """One installation and one Google, with what a test does behind their backs."""

    engine: Engine
    calling: Calling
    server: GoogleServer
    client: DeskClient
    moment: list[datetime]
    home: Path
    bucket: Bucket = field(default_factory=lambda: Bucket(lambda: 0.0, burst=100_000))
    invited: int = 0
    caller: Google | None = None

    @property
    def house(self) -> House:
        """The neighbours of one turn."""

        def transact(*, write: bool = True) -> AbstractContextManager[Call]:
            return self.calling(system("google"), self.moment[0], write=write)

        return House(
            transact=transact,
            seal=lambda: load_seal(self.home / "keys"),
            google=self.google,
            issue=lambda claim, csr: self.client.issue(
                device=claim.device_uid,
                invitation=claim.invitation_uid,
                csr=csr,
                days=90,
                ownership=cast(Ownership, claim.ownership),
            ),
            renew=lambda previous, csr: self.client.renew(previous=previous, csr=csr, days=90),
            order_key=lambda: self.client.ca().order_key,
            organisation="Antwerpen",
        )

    def google(self, tie: AndroidGoogle) -> Google:
        """The caller, with the tie's own key; kept as the worker keeps it."""
        if self.caller is None:
            right = Token(account.key_of(load_seal(self.home / "keys"), tie))
            self.caller = Google(right, self.bucket, api=tie.api, pubsub=tie.api, timeout=60)
        return self.caller

    def allow(self, bucket: Bucket) -> None:
        """Another quota from now on."""
        self.bucket = bucket
        self.close()

    def close(self) -> None:
        """The caller is made anew."""
        if self.caller is not None:
            self.caller.close()
            self.caller = None

    def turn(self, times: int = 1) -> int:
        """Turns with Google; how many calls they took."""
        return sum(take_turn(self.house, simulated=True) for _ in range(times))

    def bring_key(self) -> None:
        """An administrator brings in the key of the service account."""
        with self.calling() as call:
            account.bring(
                call,
                load_seal(self.home / "keys"),
                self.server.key_file(),
                subscription=SUBSCRIPTION,
                api=self.server.address,
                token_address=self.server.token_address,
            )

    def tie(self) -> None:
        """The whole way to an enterprise."""
        self.bring_key()
        with self.calling() as call:
            account.listen(call, topic=TOPIC, subscription=SUBSCRIPTION)
            account.sign_up(call, "https://city.example/settings/google/return")
        self.turn()
        with self.calling(write=False) as call:
            name = account.present(call).signup_name  # type: ignore[union-attr]
        state = parse_qs(urlsplit(self.server.api.signups[name]).query)["state"][0]
        with self.calling() as call:
            account.returned(call, load_seal(self.home / "keys"), state, "enterprise-token-1")
        self.turn()

    def invite(self, ownership: str = "city", kind: str = "phone", device: str | None = None) -> str:
        """Somebody is invited, and a right is asked for; the invitation's public id."""
        self.invited += 1
        with self.calling(now=self.moment[0]) as call:
            invitation, _url = enrollments.invite(
                call,
                LINKS,
                email=f"p{self.invited}@city.example",
                name=f"Person {self.invited}",
                platform="android",
                service_point_code="WERKHAVEN",
                kind=kind,
                ownership=ownership,
                device_uid=device,
            )
            tokens.ask(call, invitation)
            return invitation.uid

    def code(self, uid: str) -> tokens.Code:
        """What the phone is shown."""
        with self.calling(write=False) as call:
            invitation = call.session.scalars(select(Invitation).where(Invitation.uid == uid)).one()
            token = tokens.of_invitation(call, invitation.id)
            assert token is not None
            assert token.problem == ""
            found = tokens.code(load_seal(self.home / "keys"), token)
        assert found is not None
        return found

    def phone(self, *, private: bool = False, kind: str = "phone", **more: Any) -> GooglePhone:
        """A phone that enrolled at Google; nothing was heard of it yet."""
        uid = self.invite("private" if private else "city", kind)
        self.turn()
        made = GooglePhone(self.server.api, f"SN{self.invited:04}", private=private, **more)
        made.enroll(self.code(uid).value)
        return made

    def enrolled(self, **more: Any) -> tuple[GooglePhone, int]:
        """A phone that has its cohort's policy; and the row id of its device."""
        made = self.phone(**more)
        self.turn()
        self.settle()
        self.turn(2)
        made.report()
        self.turn()
        return made, self.device_id(made)

    def device_id(self, phone: GooglePhone) -> int:
        """The row id of a phone's device."""
        with self.calling(write=False) as call:
            name = phone.name.rpartition("/")[2]
            return call.session.scalars(
                select(AndroidGooglePhone.device_id).where(AndroidGooglePhone.name == name)
            ).one()

    def settle(self) -> None:
        """What the post does between turns: devices in their cohorts, and cohorts prepared."""
        with self.calling(system("post"), self.moment[0]) as call:
            policies.place_all(call)
            while platforms.prepare_stale(call):
                pass

    def later(self, **span: float) -> None:
        """Time passes, for us, the signer and Google alike."""
        self.moment[0] += timedelta(**span)

    def device(self, device_id: int) -> Device:
        """The device as it is now."""
        with transaction(self.engine, write=False) as session:
            found = session.get_one(Device, device_id)
            session.expunge(found)
            return found


@pytest.fixture
def city(
    engine: Engine, calling: Calling, client: DeskClient, fleet: Fleet, moment: list[datetime], tmp_path: Path
) -> Iterator[City]:
    """An installation with a service point, a signer with a roster, and a Google; not yet tied."""
    assert moment[0] == NOW
    assert fleet.places
    create_key(tmp_path / "keys")
    with GoogleServer(lambda: moment[0]) as server:
        made = City(engine, calling, server, client, moment, tmp_path)
        yield made
        made.close()
