"""The gateway in this process, and phones that are enrolled at it as far as a test wants them to be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from werkzeug.test import Client

from mdm.core.actor import system
from mdm.core.clock import utcnow
from mdm.core.ids import new_uid
from mdm.enrollment.model import Enrollment, Invitation
from mdm.inventory.model import Device, DeviceEvent
from mdm.org.model import ServicePoint
from mdm.outbox.model import OutboxMessage
from mdm.people import service as people
from mdm.platforms.apple import addresses, post, translate
from mdm.platforms.apple.model import AppleCommand, AppleDevice, ApplePush, AppleSession, SessionKind
from mdm.settings import Settings
from mdm.simulate.iphone import IPhone
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from mdm.storage.seal import create_key, load_seal
from tests.conftest import free_port
from tests.platforms.apple.papers import Holder, holder
from web.gateway.app import make_gateway
from web.gateway.hot import HotPath

TOPIC = "com.apple.mgmt.External.test"
ORGANISATION = "Antwerpen"


class Line:
    """A connection that shows no certificate."""


@dataclass
class City:
    """One gateway with its database, and what a test does behind its back."""

    engine: Engine
    home: Path
    gateway: HotPath
    settings: Settings
    headers: dict[str, str] = field(default_factory=dict)
    number: int = 0

    def put(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """One request, as a phone sends it."""
        answer = Client(self.gateway).put(
            path,
            data=body,
            headers={**self.headers, **headers},
            environ_overrides={"REMOTE_ADDR": "127.0.0.1", "gunicorn.socket": Line()},
        )
        return answer.status_code, answer.data

    def restart(self) -> None:
        """Another process takes the gateway's place."""
        self.gateway = make_gateway(self.settings)

    def request(self, method: str, path: str, body: bytes) -> Any:
        """One request of any kind."""
        return Client(self.gateway).open(path, method=method, data=body)

    def session(
        self,
        device_id: int | None = None,
        *,
        kind: SessionKind = SessionKind.INVITATION,
        papers: Holder | None = None,
        device: Mapping[str, Any] | None = None,
        scep: bool = False,
        invitation_of: int | None = None,
        **more: Any,
    ) -> tuple[Holder, int]:
        """An enrollment session whose certificate was issued: what a phone has before it says who it is."""
        self.number += 1
        papers = papers or holder(f"phone-{self.number}", number=self.number % 2)
        now = utcnow()
        certificate = papers.certificate
        with transaction(self.engine) as session:
            if device_id is None:
                made = Device(uid=new_uid(), platform="ios", kind="phone", created_at=now, **(device or {}))
                session.add(made)
                session.flush()
                device_id = made.id
            fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
            session.add(
                Enrollment(
                    device_id=device_id,
                    fingerprint=fingerprint,
                    key_digest=fingerprint[:64],
                    certificate="",
                    serial_number="1",
                    not_before=certificate.not_valid_before_utc,
                    not_after=certificate.not_valid_after_utc,
                    renew_after=now + timedelta(days=20),
                    created_at=now,
                )
            )
            if invitation_of is not None:
                invitation = self._invitation(session, invitation_of, device_id)
                more["invitation_id"] = invitation.id
            if not scep:
                values = {
                    "uid": new_uid(), "kind": kind.value, "state": "certified", "place": "p" * 32,
                    "challenge_digest": new_uid(), "device_id": device_id, "fingerprint": fingerprint,
                    "created_at": now, "expires_at": now + timedelta(hours=1),
                }  # fmt: skip
                session.add(AppleSession(**{**values, **more}))
        return papers, device_id

    def _invitation(self, session: Session, person_id: int, device_id: int) -> Invitation:
        now = utcnow()
        made = Invitation(
            uid=new_uid(), token_digest=new_uid(), person_id=person_id, platform="ios", service_point_id=1,
            device_id=device_id, created_by="tests", created_at=now, expires_at=now + timedelta(days=1), used_at=now,
        )  # fmt: skip
        session.add(made)
        session.flush()
        return made

    def person(self) -> int:
        """Somebody at a service point, who can be invited."""
        with transaction(self.engine) as session:
            if session.get(ServicePoint, 1) is None:
                session.add(ServicePoint(id=1, code="WERKHAVEN", name="Werkhaven", created_at=utcnow()))
                session.flush()
            call = Call(system("tests"), session, utcnow())
            return people.ensure(call, f"{new_uid()}@example.org", name="Sarah", service_point_id=1).id

    def recorded(self, **more: Any) -> int:
        """A phone in stock that nobody has enrolled."""
        with transaction(self.engine) as session:
            made = Device(uid=new_uid(), platform="ios", kind="phone", created_at=utcnow(), **more)
            session.add(made)
            session.flush()
            return made.id

    def uid(self, device_id: int) -> str | None:
        """The public id of a device; None where it is recorded no longer."""
        with transaction(self.engine, write=False) as session:
            return session.scalar(select(Device.uid).where(Device.id == device_id))

    def failure(self, device_id: int) -> str:
        """Why the invitation that brought this device stopped."""
        with transaction(self.engine, write=False) as session:
            return session.scalars(select(Invitation.failure).where(Invitation.device_id == device_id)).one()

    def phone(self, *, papers: Holder | None = None, session: Mapping[str, Any] | None = None, **more: Any) -> IPhone:
        """A phone with a certificate of its own that has not said who it is."""
        given = papers or self.session(**(session or {}))[0]
        return IPhone(
            send=self.put,
            checkin_path=addresses.CHECKIN + "p" * 32,
            server_path=addresses.SERVER + "p" * 32,
            topic=TOPIC,
            key=given.key,
            certificate=given.certificate,
            **more,
        )

    def enrolled(self, *, quiet: bool = True, **more: Any) -> IPhone:
        """A phone that is enrolled; ``quiet``: and has answered everything it is asked at first."""
        phone = self.phone(**more)
        phone.enroll()
        if quiet:
            phone.run()
            self.deliver()
            phone.run()
            self.deliver()
        return phone

    def deliver(self) -> int:
        """What the worker does with the phones' post; how many messages."""
        count = 0
        while True:
            with transaction(self.engine) as session:
                rows = session.scalars(
                    select(OutboxMessage)
                    .where(
                        OutboxMessage.topic.in_(("apple.answer", "apple.status", "commands.asked")),
                        OutboxMessage.done_at.is_(None),
                    )
                    .order_by(OutboxMessage.id)
                    .limit(50)
                ).all()
                for row in rows:
                    row.done_at = utcnow()
                letters = [(row.topic, row.payload) for row in rows]
            if not letters:
                return count
            for topic, payload in letters:
                count += 1
                with self.call() as call:
                    if topic == "commands.asked":
                        translate.take(call, payload)
                    else:
                        take = post.take_answer if topic == "apple.answer" else post.take_status
                        take(call, payload, ORGANISATION)
                    if topic == "apple.answer":
                        post.take_location(call, payload, load_seal(self.home / "keys"))

    def call(self) -> Any:
        """A transaction of the machinery."""
        return _call(self.engine)

    def apple(self, phone: IPhone) -> AppleDevice:
        """What is kept of a phone."""
        with transaction(self.engine, write=False) as session:
            return session.scalars(select(AppleDevice).where(AppleDevice.udid == phone.udid)).one()

    def device(self, phone: IPhone) -> Device:
        """The device that a phone is."""
        with transaction(self.engine, write=False) as session:
            return session.get_one(Device, self.apple(phone).device_id)

    def commands(self, phone: IPhone) -> list[AppleCommand]:
        """Every command of a phone, the oldest first."""
        with transaction(self.engine, write=False) as session:
            query = select(AppleCommand).where(AppleCommand.device_id == self.apple(phone).device_id)
            return list(session.scalars(query.order_by(AppleCommand.id)))

    def events(self, phone: IPhone) -> list[str]:
        """The time line of a phone."""
        with transaction(self.engine, write=False) as session:
            query = select(DeviceEvent.kind).where(DeviceEvent.device_id == self.apple(phone).device_id)
            return list(session.scalars(query.order_by(DeviceEvent.id)))

    def state(self) -> dict[str, Any]:
        """Everything that a message could change, to compare."""
        with self.engine.connect() as connection:
            return {
                table: connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1").fetchall()
                for table in ("apple_device", "apple_session", "apple_command", "apple_profile", "enrollment")
            }


def _call(engine: Engine) -> Any:
    from contextlib import contextmanager

    @contextmanager
    def one() -> Iterator[Call]:
        with transaction(engine) as session:
            yield Call(system("tests"), session, datetime.now(UTC))

    return one()


@pytest.fixture
def city(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[City]:
    """A gateway in this process, with a push certificate."""
    create_key(tmp_path / "keys")
    with transaction(engine) as session:
        session.add(
            ApplePush(
                topic=TOPIC, certificate="", key=b"", not_after=utcnow() + timedelta(days=300), created_by="tests",
                created_at=utcnow(),
            )
        )  # fmt: skip
    settings = Settings(home=tmp_path, database_url=database_url, gateway_port=free_port(), organisation=ORGANISATION)
    made = make_gateway(settings)
    found = City(engine, tmp_path, made, settings)
    yield found
    for one in (made, found.gateway):
        one.database.dispose()
