"""SCEP clients that others wrote, against the running gateway: Debian's scep, strongSwan's pki, certmonger's helper."""

import base64
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sqlalchemy import select

from mdm.core.actor import Actor, ActorKind
from mdm.core.clock import utcnow
from mdm.core.permissions import Grant, Role
from mdm.enrollment.model import Enrollment, Invitation
from mdm.inventory.model import Device
from mdm.platforms.apple import cms, sessions
from mdm.platforms.apple.envelope import open_envelope
from mdm.platforms.apple.model import AppleSession, Approval
from mdm.platforms.apple.scep import Kind
from mdm.simulate import scep as phone
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import PrivatePostgres
from tests.gateway.conftest import RunningGateway, running
from tests.signer.neighbour import RunningSigner
from tests.sim.forward import plain

ADMIN = Actor(ActorKind.OPERATOR, 1, "Mo Admin", (Grant(Role.FLEET_ADMIN),))
CERTMONGER = Path("/usr/lib/certmonger/scep-submit")


@pytest.fixture(scope="module")
def by_hand(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shared_signer: RunningSigner
) -> Iterator[RunningGateway]:
    """A gateway where first certificates wait for somebody's yes."""
    server: PrivatePostgres = request.getfixturevalue("postgres")
    made = RunningGateway(shared_signer, tmp_path_factory.mktemp("by-hand") / "home", server.fresh())
    made.environment["HAVENMEESTER_APPLE_APPROVE_BY_HAND"] = "true"
    with running(made) as started:
        yield started


def program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (apt install {package})")
    return found


def run(*arguments: str | Path, folder: Path, seconds: int = 120) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(arguments, cwd=folder, capture_output=True, timeout=seconds, check=False)


@pytest.fixture
def url(gateway: RunningGateway) -> Iterator[str]:
    with plain(gateway.port, gateway.signer.home / "signer" / "ca.pem") as address:
        yield f"{address}/apple/v1/scep"


def challenge(gateway: RunningGateway) -> str:
    """The challenge of a profile for somebody who was just invited."""
    gateway.invite(platform="ios")
    with transaction(gateway.engine) as session:
        call = Call(ADMIN, session, utcnow())
        newest = session.scalars(select(Invitation).order_by(Invitation.id.desc()).limit(1)).one()
        return sessions.for_invitation(call, newest)[1]


def checked(gateway: RunningGateway, certificate: x509.Certificate) -> str:
    """The device of a certificate that is ours and is written down; checks what it says."""
    with transaction(gateway.engine) as session:
        fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
        enrollment = session.scalars(select(Enrollment).where(Enrollment.fingerprint == fingerprint)).one()
        uid = session.get_one(Device, enrollment.device_id).uid
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == uid
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    return uid


def enrolled(gateway: RunningGateway) -> int:
    with transaction(gateway.engine) as session:
        return len(session.scalars(select(Enrollment.id)).all())


# Debian's scep ---------------------------------------------------------------------------------------------------------


def scepclient(url: str, secret: str, folder: Path, seconds: int = 120) -> "subprocess.CompletedProcess[bytes]":
    folder.mkdir(exist_ok=True)
    return run(
        program("scepclient", "scep"), "-private-key", "k.pem", "-certificate", "c.pem", f"-server-url={url}",
        f"-challenge={secret}", "-cn", "another-device", folder=folder, seconds=seconds,
    )  # fmt: skip


def test_check_93_scepclient_enrols_although_it_enciphers_with_des(
    gateway: RunningGateway, url: str, tmp_path: Path
) -> None:
    done = scepclient(url, challenge(gateway), tmp_path / "a")
    assert done.returncode == 0, done.stderr.decode()
    checked(gateway, x509.load_pem_x509_certificate((tmp_path / "a" / "c.pem").read_bytes()))


def test_check_94_scepclient_is_told_no_for_a_wrong_challenge(
    gateway: RunningGateway, url: str, tmp_path: Path
) -> None:
    before = enrolled(gateway)
    done = scepclient(url, "guessed", tmp_path / "a")
    assert done.returncode != 0
    assert not (tmp_path / "a" / "c.pem").exists()
    assert enrolled(gateway) == before


# strongSwan ------------------------------------------------------------------------------------------------------------


def pki(folder: Path, *arguments: str | Path, seconds: int = 120) -> bytes:
    done = run(program("pki", "strongswan-pki"), *arguments, folder=folder, seconds=seconds)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def strongswan(url: str, folder: Path, name: str, *more: str | Path, digest: str = "sha256") -> x509.Certificate:
    """What strongSwan's pki gets; the authority's certificate is fetched first."""
    if not (folder / "ca.pem").exists():
        pki(folder, "--scepca", "--url", url, "--caout", "ca.pem", "--outform", "pem")
    (folder / f"{name}.key").write_bytes(pki(folder, "--gen", "--type", "rsa", "--size", "2048", "--outform", "pem"))
    made = pki(
        folder, "--scep", "--url", url, "--in", f"{name}.key", "--dn", "C=BE, O=City, CN=another-device",
        "--cacert-enc", "ca.pem", "--cacert-sig", "ca.pem", "--cipher", "aes", "--digest", digest, "--outform", "pem", *more,
    )  # fmt: skip
    (folder / f"{name}.pem").write_bytes(made)
    return x509.load_pem_x509_certificate(made)


def test_checks_93_98_strongswan_enrols_and_renews_under_the_certificate_in_use(
    gateway: RunningGateway, url: str, tmp_path: Path
) -> None:
    first = strongswan(url, tmp_path, "first", "--password", challenge(gateway))
    device = checked(gateway, first)
    second = strongswan(url, tmp_path, "second", "--cert", "first.pem", "--key", "first.key", digest="sha512")
    assert checked(gateway, second) == device
    assert second.public_key() != first.public_key()


def test_check_94_strongswan_is_told_no_for_a_challenge_that_was_used(
    gateway: RunningGateway, url: str, tmp_path: Path
) -> None:
    secret = challenge(gateway)
    strongswan(url, tmp_path, "first", "--password", secret)
    before = enrolled(gateway)
    with pytest.raises(AssertionError):
        strongswan(url, tmp_path, "second", "--password", secret)
    assert enrolled(gateway) == before


def test_check_99_strongswan_polls_until_somebody_says_yes(by_hand: RunningGateway, tmp_path: Path) -> None:
    with plain(by_hand.port, by_hand.signer.home / "signer" / "ca.pem") as address:
        url = f"{address}/apple/v1/scep"
        pki(tmp_path, "--scepca", "--url", url, "--caout", "ca.pem", "--outform", "pem")
        (tmp_path / "k").write_bytes(pki(tmp_path, "--gen", "--type", "rsa", "--size", "2048", "--outform", "pem"))
        waits = subprocess.Popen(
            [
                program("pki", "strongswan-pki"), "--scep", "--url", url, "--in", "k", "--dn", "CN=x", "--password",
                challenge(by_hand), "--cacert-enc", "ca.pem", "--cacert-sig", "ca.pem", "--cipher", "aes", "--digest", "sha256",
                "--interval", "1", "--maxpolltime", "100", "--outform", "pem",
            ],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        approve_what_waits(by_hand)
        made, said = waits.communicate(timeout=120)
    assert waits.returncode == 0, said.decode()
    checked(by_hand, x509.load_pem_x509_certificate(made))


def approve_what_waits(gateway: RunningGateway) -> None:
    """Waits for a request, lets two seconds pass, and says yes."""
    for _ in range(600):
        with transaction(gateway.engine, write=True) as session:
            call = Call(ADMIN, session, utcnow())
            for one in sessions.waiting(call):
                if call.now - one.created_at > timedelta(seconds=2):
                    sessions.decide(call, one.uid, Approval.APPROVED)
                    return
        time.sleep(0.1)
    raise AssertionError("nothing came to wait")


@pytest.mark.slow
def test_check_99_scepclient_repeats_its_request_until_somebody_says_yes_and_one_certificate_is_issued(
    by_hand: RunningGateway, tmp_path: Path
) -> None:
    with plain(by_hand.port, by_hand.signer.home / "signer" / "ca.pem") as address:
        secret = challenge(by_hand)
        before = enrolled(by_hand)
        folder = tmp_path / "a"
        folder.mkdir()
        waits = subprocess.Popen(
            [
                program("scepclient", "scep"), "-private-key", "k.pem", "-certificate", "c.pem",
                f"-server-url={address}/apple/v1/scep", f"-challenge={secret}", "-cn", "x",
            ],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        approve_what_waits(by_hand)
        assert waits.wait(150) == 0
    checked(by_hand, x509.load_pem_x509_certificate((folder / "c.pem").read_bytes()))
    assert enrolled(by_hand) == before + 1


# certmonger ------------------------------------------------------------------------------------------------------------


def test_check_92_certmongers_helper_reads_capabilities_and_certificate(
    gateway: RunningGateway, url: str, tmp_path: Path
) -> None:
    if not CERTMONGER.exists():
        pytest.skip("scep-submit is not installed (apt install certmonger)")
    capabilities = run(CERTMONGER, "-u", url, "-c", folder=tmp_path)
    assert capabilities.returncode == 0, capabilities.stdout
    assert {b"AES", b"POSTPKIOperation", b"Renewal", b"SHA-256", b"SCEPStandard"} <= set(capabilities.stdout.split())
    fetched = run(CERTMONGER, "-u", url, "-C", folder=tmp_path)
    assert fetched.returncode == 0, fetched.stdout
    ca = x509.load_pem_x509_certificates(fetched.stdout)[0]
    assert ca == x509.load_pem_x509_certificate(gateway.signer.client.phone_ca().encode())


def test_check_92_certmongers_helper_sends_a_message_and_takes_the_answer(
    gateway: RunningGateway, url: str, tmp_path: Path
) -> None:
    if not CERTMONGER.exists():
        pytest.skip("scep-submit is not installed (apt install certmonger)")
    ca = x509.load_pem_x509_certificate(gateway.signer.client.phone_ca().encode())
    key = generate_private_key(65537, 2048)
    own = phone.own_certificate(key)
    sent = phone.message(Kind.REQUEST, phone.request(key, challenge(gateway)), ca, key, own, transaction="C1")
    (tmp_path / "message.pem").write_bytes(armoured(sent))
    (tmp_path / "ca.pem").write_text(gateway.signer.client.phone_ca())
    done = run(CERTMONGER, "-u", url, "-p", "message.pem", "-r", "ca.pem", "-N", "ca.pem", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    # It proved the answer by itself, and gives the envelope that was in it.
    envelope = base64.b64decode(b"".join(line for line in done.stdout.split(b"\n") if b"-----" not in line))
    (certificate,) = cms.carried_certificates(open_envelope(envelope, key, own))
    checked(gateway, x509.load_der_x509_certificate(certificate))


def armoured(message: bytes) -> bytes:
    text = base64.encodebytes(message)
    return b"-----BEGIN PKCS7-----\n" + text + b"-----END PKCS7-----\n"


# The address itself ----------------------------------------------------------------------------------------------------


def test_check_92_formats_of_the_two_questions_that_need_no_key(gateway: RunningGateway) -> None:
    agent = gateway.agent()
    capabilities = agent.send("GET", "/apple/v1/scep?operation=GetCACaps")
    assert (capabilities.status, capabilities.headers["content-type"]) == (200, "text/plain")
    assert capabilities.body.split(b"\n")[:-1] == sorted(capabilities.body.split())
    ca = agent.send("GET", "/apple/v1/scep/anything?operation=GetCACert&message=x")
    assert (ca.status, ca.headers["content-type"]) == (200, "application/x-x509-ca-cert")
    usage = x509.load_der_x509_certificate(ca.body).extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.key_encipherment
    assert usage.key_cert_sign


@pytest.mark.parametrize("operation", ["", "GetNextCACert", "getcacaps", "PKIOperation", "PKIOperation&message=AAAA"])
def test_other_questions_are_refused(gateway: RunningGateway, operation: str) -> None:
    assert gateway.agent().send("GET", f"/apple/v1/scep?operation={operation}").status == 400
    assert gateway.agent().send("PUT", "/apple/v1/scep?operation=PKIOperation", b"x").status == 405


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"\x30\x80" * 24_000])
def test_check_103_garbage_is_refused_fast_and_without_an_answer_in_scep(
    gateway: RunningGateway, garbage: bytes
) -> None:
    begun = time.monotonic()
    reply = gateway.agent().send("POST", "/apple/v1/scep?operation=PKIOperation", garbage)
    assert reply.status == 400
    assert reply.headers["content-type"] != "application/x-pki-message"
    assert time.monotonic() - begun < 5


def test_a_message_larger_than_any_request_is_not_read(gateway: RunningGateway) -> None:
    assert gateway.agent().send("POST", "/apple/v1/scep?operation=PKIOperation", b"x" * 60_000).status == 413


@pytest.mark.parametrize("how", ["get", "post with the message in the query too", "post without a type"])
def test_check_102_a_request_comes_in_the_query_or_the_body_and_the_query_of_a_post_is_ignored(
    gateway: RunningGateway, how: str
) -> None:
    ca = x509.load_pem_x509_certificate(gateway.signer.client.phone_ca().encode())
    key = generate_private_key(65537, 2048)
    own = phone.own_certificate(key)
    sent = phone.message(Kind.REQUEST, phone.request(key, challenge(gateway)), ca, key, own, transaction="Q/+=")
    path = "/apple/v1/scep?operation=PKIOperation"
    query = f"{path}&message={quote(base64.b64encode(sent).decode(), safe='')}"
    if how == "get":
        reply = gateway.agent().send("GET", query)
    elif how == "post without a type":
        reply = gateway.agent().send("POST", path, sent)
    else:
        reply = gateway.agent().send("POST", f"{path}&message={'x' * 5900}", sent)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/x-pki-message")
    told = phone.told(reply.body, ca, key, own)
    assert told.transaction == "Q/+="
    assert told.certificate is not None
    checked(gateway, told.certificate)


def test_a_certificate_of_a_phone_is_taken_by_our_tls(gateway: RunningGateway) -> None:
    """Who shows it is let through the handshake, and is still no agent."""
    ca = x509.load_pem_x509_certificate(gateway.signer.client.phone_ca().encode())
    key = generate_private_key(65537, 2048)
    own = phone.own_certificate(key)
    sent = phone.message(Kind.REQUEST, phone.request(key, challenge(gateway)), ca, key, own, transaction="T")
    agent = gateway.agent()
    told = phone.told(agent.send("POST", "/apple/v1/scep?operation=PKIOperation", sent).body, ca, key, own)
    assert told.certificate is not None
    with transaction(gateway.engine) as session:
        fingerprint = told.certificate.fingerprint(hashes.SHA256()).hex()
        chain = session.scalars(select(Enrollment.certificate).where(Enrollment.fingerprint == fingerprint)).one()
        state = session.scalars(select(AppleSession.state).where(AppleSession.fingerprint == fingerprint)).one()
    assert state == "certified"
    agent.key = key  # type: ignore[assignment]
    agent.use(chain)
    assert agent.send("GET", "/healthz").status == 200
