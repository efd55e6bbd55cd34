"""Black-box checks 104-110 (push), by their numbers, against a push service of our own over real HTTP/2."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import delete, select

from mdm.core.actor import system
from mdm.core.errors import ConflictError, InvalidError, UnavailableError
from mdm.inventory.model import Device
from mdm.outbox.model import OutboxMessage
from mdm.platforms.apple import pushing, waking
from mdm.platforms.apple.apns import Outcome, Pusher
from mdm.platforms.apple.model import ApplePush
from mdm.platforms.apple.post import behind, placed
from mdm.simulate.iphone import IPhone
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from mdm.storage.seal import load_seal
from tests.platforms.apple.city import TOPIC, City
from tests.platforms.apple.papers import Holder, key
from tests.platforms.apple.test_checks_i_declarative import settle, shall_have
from tests.sim.apns import PushService

UID = x509.ObjectIdentifier("0.9.2342.19200300.100.1.1")


def push_papers(topic: str = TOPIC, number: int = 0, days: int = 300) -> Holder:
    """A push certificate as Apple makes it, but for the signature: the topic is the UID of its subject."""
    private = key("rsa", number)
    name = x509.Name([x509.NameAttribute(UID, topic), x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(private, hashes.SHA256())
    )
    return Holder(private, certificate)


def pem(papers: Holder) -> tuple[str, str]:
    return (
        papers.certificate.public_bytes(Encoding.PEM).decode(),
        papers.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    )


class Post:
    """The worker's side: wakes phones at a moment that a test chooses."""

    def __init__(self, city: City, service: PushService, authority: Path) -> None:
        self.city, self.service, self.authority = city, service, authority
        self.now = datetime.now(UTC)
        self.seal = load_seal(city.home / "keys")
        self.pushers: dict[int, Pusher] = {}

    def connect(self, held: ApplePush) -> Pusher:
        if held.id not in self.pushers:
            private = pushing.private_key(self.seal, held)
            self.pushers[held.id] = Pusher(
                self.service.address, held.certificate, private, held.topic, authority=str(self.authority)
            )
        return self.pushers[held.id]

    def transact(self) -> AbstractContextManager[Call]:
        from contextlib import contextmanager

        @contextmanager
        def one() -> Iterator[Call]:
            with transaction(self.city.engine) as session:
                yield Call(system("tests"), session, self.now)

        return one()

    def wake(self, phone: IPhone) -> Outcome | None:
        return waking.wake(self.transact, self.connect, self.seal, {"device": self.city.apple(phone).device_id})

    def seen(self, phone: IPhone) -> None:
        with transaction(self.city.engine) as session:
            session.get_one(Device, self.city.apple(phone).device_id).last_seen_at = self.now + timedelta(seconds=1)


@pytest.fixture
def post(city: City, tmp_path: Path) -> Iterator[Post]:
    """A push service, and the push certificate that it lets in."""
    papers = push_papers()
    certificate, private = papers.files(tmp_path, "push")
    service = PushService(certificate, private, certificate)
    with transaction(city.engine) as session:
        session.execute(delete(ApplePush))
    with city.call() as call:
        pushing.bring(call, load_seal(city.home / "keys"), *pem(papers), "it@example.org")
    made = Post(city, service, certificate)
    yield made
    for pusher in made.pushers.values():
        pusher.close()
    service.stop()


def token_of(post: Post) -> str:
    return post.service.pushed[-1].path.rpartition("/")[2]


def test_checks_104_and_105_a_push_is_exactly_what_apple_wants(city: City, post: Post) -> None:
    phone = city.phone()
    phone.authenticate()
    phone.token_update(PushMagic='say "hi" \\ there', Token=b"\x01" * 32)
    assert post.wake(phone) is Outcome.SENT
    (pushed,) = post.service.pushed
    assert json.loads(pushed.body) == {"mdm": 'say "hi" \\ there'}
    assert pushed.path == "/3/device/" + "01" * 32
    wanted = {"apns-topic": TOPIC, "apns-push-type": "mdm", "apns-priority": "10"}
    assert wanted.items() <= pushed.headers.items()
    assert int(pushed.headers["apns-expiration"]) > post.now.timestamp() + 86400


def test_check_106_a_dead_token_is_pushed_no_more_until_the_phone_tells_a_new_one(city: City, post: Post) -> None:
    phone = city.enrolled(quiet=False)
    post.wake(phone)
    post.seen(phone)
    before = int((city.apple(phone).push_at - timedelta(days=1)).timestamp() * 1000)  # type: ignore[operator]
    post.service.answers[token_of(post)] = (410, {"reason": "Unregistered", "timestamp": before})
    post.now += timedelta(minutes=1)
    assert post.wake(phone) is Outcome.OLD
    assert city.apple(phone).push_bad == ""
    post.seen(phone)
    post.service.answers[token_of(post)] = (410, {"reason": "Unregistered"})
    post.now += timedelta(minutes=1)
    assert post.wake(phone) is Outcome.DEAD
    post.seen(phone)
    post.now += timedelta(minutes=1)
    assert post.wake(phone) is None
    assert city.apple(phone).state == "enrolled"
    phone.token_update()
    assert post.wake(phone) is Outcome.SENT


def test_check_107_a_refused_certificate_is_not_used_again(city: City, post: Post) -> None:
    one, two = city.enrolled(quiet=False), city.enrolled(quiet=False)
    post.wake(one)
    post.seen(one)
    post.service.answers[token_of(post)] = (403, {"reason": "BadCertificate"})
    post.now += timedelta(minutes=1)
    assert post.wake(one) is Outcome.REFUSED
    count = len(post.service.pushed)
    assert post.wake(two) is None
    assert len(post.service.pushed) == count
    bad = city.enrolled(quiet=False)
    with transaction(city.engine) as session:
        session.scalars(select(ApplePush)).one().refused_at = None
    post.wake(bad)
    post.seen(bad)
    post.service.answers[token_of(post)] = (400, {"reason": "BadDeviceToken"})
    post.now += timedelta(minutes=1)
    assert post.wake(bad) is Outcome.DEAD
    assert city.apple(bad).state == "enrolled"


def test_check_108_what_is_apples_fault_is_tried_again_later(city: City, post: Post) -> None:
    phone = city.enrolled(quiet=False)
    post.wake(phone)
    post.seen(phone)
    token = token_of(post)
    post.service.answers[token] = (503, {"reason": "ServiceUnavailable"})
    post.now += timedelta(minutes=1)
    with pytest.raises(UnavailableError):
        post.wake(phone)
    post.service.answers[token] = (429, {"reason": "TooManyRequests"})
    assert post.wake(phone) is Outcome.LATER
    assert post.wake(phone) is None
    del post.service.answers[token]
    post.now += timedelta(hours=1)
    assert post.wake(phone) is Outcome.SENT


def test_check_109_a_phone_that_does_not_come_is_pushed_once_a_day(city: City, post: Post) -> None:
    phone = city.enrolled(quiet=False)
    post.now = datetime.now(UTC) + timedelta(seconds=1)
    for _ in range(10):
        post.wake(phone)
    assert len(post.service.pushed) == 1
    post.now += timedelta(hours=23)
    assert post.wake(phone) is None
    post.now += timedelta(hours=2)
    with post.transact() as call:
        assert waking.repeat(call) == 1
    assert post.wake(phone) is Outcome.SENT
    assert len(post.service.pushed) == 2


def test_what_comes_right_after_a_push_is_looked_at_again(city: City, post: Post) -> None:
    phone = city.enrolled(quiet=False)
    post.now = datetime.now(UTC) + timedelta(seconds=1)
    post.wake(phone)
    post.wake(phone)
    with transaction(city.engine, write=False) as session:
        later = session.scalars(select(OutboxMessage).where(OutboxMessage.due_at > post.now)).all()
    assert [one.payload for one in later if one.topic == "apple.push"] == [{"device": city.apple(phone).device_id}]


def test_check_110_a_push_certificate_is_renewed_and_never_replaced_by_another_topic(city: City, post: Post) -> None:
    phone = city.enrolled(quiet=False)
    seal = load_seal(city.home / "keys")
    other = push_papers("com.apple.mgmt.External.other", 1)
    with city.call() as call, pytest.raises(ConflictError) as refused:
        pushing.bring(call, seal, *pem(other), "it@example.org")
    assert "it@example.org" in str(refused.value)
    renewed = push_papers(number=0, days=365)
    with city.call() as call:
        held = pushing.bring(call, seal, *pem(renewed), "it@example.org")
        assert pushing.bring(call, seal, *pem(renewed), "it@example.org").id == held.id
        assert pushing.days_left(call.session, call.now) in (364, 365)
        assert b"PRIVATE" not in held.key
    assert {phone.token_update()[0]} == {200}
    with transaction(city.engine, write=False) as session:
        assert pushing.topic(session, datetime.now(UTC)) == TOPIC


def test_what_is_no_push_certificate_is_not_brought_in(city: City, post: Post) -> None:
    seal = load_seal(city.home / "keys")
    good, over = push_papers(), push_papers(days=-1)
    strange = push_papers("com.example")
    certificate, _ = pem(good)
    for given in (pem(over), pem(strange), (certificate, pem(push_papers(number=1))[1]), ("x", "y")):
        with city.call() as call, pytest.raises(InvalidError):
            pushing.bring(call, seal, *given, "")


def test_a_phone_that_is_gone_is_not_pushed(city: City, post: Post) -> None:
    phone = city.enrolled(quiet=False)
    phone.check_in("CheckOut", Topic=TOPIC)
    assert post.wake(phone) is None
    assert post.service.pushed == []


def test_a_phone_that_shall_have_something_else_is_woken(city: City, post: Post) -> None:
    phone = city.enrolled()
    with post.transact() as call:
        assert behind(call) == 0
    shall_have(city, phone, **{"passcode.required": True})
    with post.transact() as call:
        assert behind(call) == 1
        placed(call, [city.apple(phone).device_id])
    with transaction(city.engine, write=False) as session:
        waiting = session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == "apple.push")).all()
    assert waiting.count({"device": city.apple(phone).device_id}) >= 2
    settle(city, phone)
    with post.transact() as call:
        assert behind(call) == 0
