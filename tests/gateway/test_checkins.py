"""Check-ins over real TLS: known devices are answered, everybody else is refused, and what is acknowledged was kept."""

import json
import signal
import socket
import ssl
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from agent.wire import CA, CHECKIN, LEAVE, MAX_BODY, MAX_PICTURE, PICTURE, RENEW, report_digest, short_digest
from mdm.core.actor import system
from mdm.core.clock import utcnow
from mdm.core.ids import new_uid
from mdm.enrollment import service as enrollment
from mdm.enrollment.model import Enrollment
from mdm.inventory.model import Device, FactChange
from mdm.outbox import service as outbox
from mdm.outbox.model import OutboxMessage
from mdm.policies.model import Cohort
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import alone
from tests.gateway.conftest import Agent, RunningGateway
from tests.signer.neighbour import csr, new_key

SYSTEM = {"hostname": "zuil-7", "os_name": "Debian", "os_version": "12"}


def report(number: int, **sections: dict[str, Any]) -> dict[str, Any]:
    digests = {name: short_digest(content) for name, content in sections.items()}
    return {
        "report": {"id": f"report-{number:04}", "at": "2026-11-21T20:00:00Z", "sections": sections, "digests": digests}
    }


def digest_of(said: dict[str, Any]) -> str:
    return report_digest(said["report"]["digests"])


def number(gateway: RunningGateway, agent: Agent) -> int:
    with transaction(gateway.engine, write=False) as session:
        return session.scalars(select(Device.id).where(Device.uid == agent.uid)).one()


def test_a_device_enrols_reports_and_then_has_nothing_to_tell(gateway: RunningGateway) -> None:
    agent = gateway.agent()
    assert agent.enroll(gateway.invite()).status == 200
    first = agent.checkin()
    assert (first.status, first.json["want"]) == (200, ["*"])

    said = report(1, system=SYSTEM)
    assert agent.checkin(said, r=digest_of(said)).status == 204
    idle = agent.checkin(r=digest_of(said))

    assert (idle.status, idle.body) == (204, b"")
    assert 54 <= int(idle.headers["next"]) <= 66
    with transaction(gateway.engine, write=False) as session:
        assert session.scalars(select(Device.os_version).where(Device.uid == agent.uid)).all() == ["12"]


def test_last_seen_is_written_at_the_end_for_those_who_were_in_no_batch_yet(own_gateway: RunningGateway) -> None:
    agent = own_gateway.enrolled()
    with transaction(own_gateway.engine) as session:
        session.execute(update(Device).values(last_seen_at=None))
    agent.checkin(r="-")

    own_gateway.stop()

    with transaction(own_gateway.engine, write=False) as session:
        assert session.scalars(select(Device.last_seen_at)).one() is not None


def test_without_a_certificate_nobody_checks_in(gateway: RunningGateway) -> None:
    reply = gateway.agent().checkin()

    assert (reply.status, reply.json["code"]) == (401, "certificate_missing")
    assert reply.headers["content-type"] == "application/problem+json"


def test_a_header_from_anywhere_is_no_certificate(gateway: RunningGateway) -> None:
    headers = {"Client-Cert": ":MIIB:", "X-SSL-Client-Cert": "x", "X-Forwarded-For": "127.0.0.1"}

    assert gateway.agent().send("POST", CHECKIN, b"", headers).json["code"] == "certificate_missing"


def test_a_foreign_certificate_does_not_even_get_in(gateway: RunningGateway, tmp_path: Any) -> None:
    from tests.enrollment.conftest import Authority

    stranger = gateway.agent()
    stranger.use(Authority().issue("f" * 32, csr(stranger.key)).chain)

    with pytest.raises((ssl.SSLError, OSError)):
        stranger.checkin()


def test_a_certificate_of_our_ca_that_is_nobodys_is_refused(gateway: RunningGateway) -> None:
    stranger = gateway.agent()
    issued = gateway.signer.client.issue(
        device="e" * 32, invitation=new_uid(), csr=csr(stranger.key), days=1, ownership="city"
    )
    stranger.use(issued.chain)

    assert stranger.checkin().json["code"] == "certificate_refused"


def test_a_revoked_certificate_is_refused_on_the_next_request(gateway: RunningGateway) -> None:
    agent = gateway.enrolled()
    with transaction(gateway.engine) as session:
        enrollment.revoke(Call(system("t"), session, utcnow(), alone()), agent.uid, "lost")

    reply = agent.checkin()

    assert (reply.status, reply.json["code"]) == (401, "certificate_refused")


def test_a_certificate_that_is_over_is_refused_with_a_sentence(gateway: RunningGateway) -> None:
    agent = gateway.enrolled()
    with transaction(gateway.engine) as session:
        session.execute(
            update(Enrollment)
            .where(Enrollment.device_id == number(gateway, agent))
            .values(not_after=utcnow() - timedelta(seconds=1))
        )

    assert agent.checkin().json["code"] == "certificate_refused"


def test_a_retired_device_is_refused(gateway: RunningGateway) -> None:
    agent = gateway.enrolled()
    with transaction(gateway.engine) as session:
        session.execute(update(Device).where(Device.uid == agent.uid).values(state="retired"))

    assert agent.checkin().status == 401


def test_a_used_invitation_is_refused_to_another_key_and_answers_the_same_key_alike(gateway: RunningGateway) -> None:
    token = gateway.invite()
    first = gateway.agent()
    reply = first.enroll(token)
    again = first.enroll(token)
    other = gateway.agent().enroll(token)

    assert reply.json == again.json
    assert (other.status, other.json["code"]) == (410, "invitation_used")


def test_a_device_speaks_only_for_itself(gateway: RunningGateway) -> None:
    one, two = gateway.enrolled(), gateway.enrolled()
    one.checkin(report(1, system=SYSTEM))

    with transaction(gateway.engine, write=False) as session:
        told = session.scalars(
            select(Device.uid).where(Device.last_report_at.is_not(None), Device.uid.in_([one.uid, two.uid]))
        ).all()
    assert told == [one.uid]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 422, "not_json"),
        (b"\xff\xfe", 422, "not_json"),
        (b'{"report": NaN}', 422, "not_json"),
        (b'{"results": [], "results": []}', 422, "not_json"),
        (b"[" * 50_000, 422, "too_deep"),
        (b'{"root": true}', 422, "unknown_field"),
        (b'{"results": [{"id": "1", "state": "exploded"}]}', 422, "invalid"),
        (json.dumps(report(1, secrets={})).encode(), 422, "unknown_section"),
    ],
)
def test_a_wrong_message_is_refused_and_nothing_is_stored(
    gateway: RunningGateway, body: bytes, status: int, code: str
) -> None:
    agent = gateway.enrolled()

    reply = agent.send("POST", CHECKIN, body)

    assert (reply.status, reply.json["code"]) == (status, code)
    with transaction(gateway.engine, write=False) as session:
        assert session.scalars(select(Device.last_report_at).where(Device.uid == agent.uid)).one() is None
    assert agent.checkin().status == 200


def test_too_large_is_refused_before_it_is_read(gateway: RunningGateway) -> None:
    agent = gateway.enrolled()
    connection = agent._tls().wrap_socket(
        socket.create_connection(("localhost", gateway.port)), server_hostname="localhost"
    )
    connection.sendall(
        f"POST {CHECKIN} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MAX_BODY * 1000}\r\n\r\n".encode() + b"x" * 10
    )

    answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413")
    connection.close()


def test_too_large_in_pieces_is_refused(gateway: RunningGateway) -> None:
    agent = gateway.enrolled()
    connection = agent._tls().wrap_socket(
        socket.create_connection(("localhost", gateway.port)), server_hostname="localhost"
    )
    connection.sendall(f"POST {CHECKIN} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    for _ in range(MAX_BODY // 65536 + 1):
        connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    assert connection.recv(65536).startswith(b"HTTP/1.1 413")
    connection.close()


def test_a_packed_message_is_not_opened(gateway: RunningGateway) -> None:
    reply = gateway.enrolled().send("POST", CHECKIN, b"\x1f\x8b", {"Content-Encoding": "gzip"})

    assert (reply.status, reply.json["code"]) == (422, "content_encoding")


def test_a_report_twice_is_like_once_and_a_late_double_changes_nothing(gateway: RunningGateway) -> None:
    agent = gateway.enrolled()
    old, new = report(1, system=SYSTEM), report(2, system={**SYSTEM, "os_version": "13"})

    device = number(gateway, agent)
    before = judged(gateway, device)

    statuses = [agent.checkin(said, r=digest_of(new)).status for said in (old, old, new, old, new)]

    assert statuses[-1] == 204
    assert judged(gateway, device) == before + 2
    with transaction(gateway.engine, write=False) as session:
        assert session.get_one(Device, device).os_version == "13"
        assert len(session.scalars(select(FactChange).where(FactChange.device_id == device)).all()) == 1


def judged(gateway: RunningGateway, device: int) -> int:
    with transaction(gateway.engine, write=False) as session:
        posted = session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == "device.judge")).all()
        return posted.count({"device": device})


def cohort_for(gateway: RunningGateway, agent: Agent, digest: str) -> int:
    with transaction(gateway.engine) as session:
        cohort = Cohort(
            key=(digest + agent.uid)[:64],
            platform="linux",
            assignments=[],
            desired_digest=digest,
            desired={"digest": digest, "resources": [{"id": "motd", "kind": "file", "keys": []}]},
        )
        session.add(cohort)
        session.flush()
        session.execute(update(Device).where(Device.uid == agent.uid).values(cohort_id=cohort.id))
        return cohort.id


def test_a_new_desired_state_is_served_until_the_device_has_it(gateway: RunningGateway) -> None:
    agent = gateway.enrolled()
    said = report(1, system=SYSTEM)
    agent.checkin(said)
    cohort_for(gateway, agent, "a" * 16)

    reply = agent.checkin(r=digest_of(said))

    assert reply.json["desired"]["resources"][0]["id"] == "motd"
    assert agent.checkin(d="a" * 16, r=digest_of(said)).status == 204


def wait_for_poll(agent: Agent, said: dict[str, Any], out: list[float], **more: Any) -> threading.Thread:
    def poll() -> None:
        begun = time.monotonic()
        reply = agent.checkin(r=digest_of(said), w=20, **more)
        out.extend([reply.status, time.monotonic() - begun])

    thread = threading.Thread(target=poll)
    thread.start()
    time.sleep(1)
    return thread


def test_a_ring_wakes_the_long_poll_of_the_device_that_has_something_to_fetch(gateway: RunningGateway) -> None:
    agent = gateway.enrolled()
    said = report(1, system=SYSTEM)
    agent.checkin(said)
    out: list[float] = []
    thread = wait_for_poll(agent, said, out)
    cohort = cohort_for(gateway, agent, "b" * 16)
    with transaction(gateway.engine) as session:
        call = Call(system("t"), session, utcnow(), alone())
        outbox.ring(call, device_id=number(gateway, agent))
        outbox.ring(call, cohort_id=cohort)
    thread.join(20)

    assert out[0] == 200
    assert out[1] < 5


def test_a_device_that_is_put_into_a_cohort_while_it_waits_hears_that_cohorts_bell(gateway: RunningGateway) -> None:
    agent = gateway.enrolled()
    said = report(1, system=SYSTEM)
    agent.checkin(said)
    out: list[float] = []
    thread = wait_for_poll(agent, said, out)
    cohort = cohort_for(gateway, agent, "-")
    with transaction(gateway.engine) as session:
        outbox.ring(Call(system("t"), session, utcnow(), alone()), device_id=number(gateway, agent))
    time.sleep(1.5)
    assert out == []

    with transaction(gateway.engine) as session:
        session.execute(update(Cohort).where(Cohort.id == cohort).values(desired_digest="b" * 16))
        outbox.ring(Call(system("t"), session, utcnow(), alone()), cohort_id=cohort)
    thread.join(20)

    assert out[0] == 200
    assert out[1] < 10


def test_a_stopping_gateway_answers_its_long_polls_and_ends_soon(own_gateway: RunningGateway) -> None:
    agent = own_gateway.enrolled()
    said = report(1, system=SYSTEM)
    agent.checkin(said)
    idle = own_gateway.enrolled()
    out: list[float] = []
    thread = wait_for_poll(agent, said, out)
    assert own_gateway.process is not None

    begun = time.monotonic()
    own_gateway.process.send_signal(signal.SIGTERM)
    code = own_gateway.process.wait(20)
    thread.join(5)

    assert (code, out[0]) == (0, 204)
    assert time.monotonic() - begun < 8
    idle.hang_up()


def test_a_certificate_is_renewed_and_the_old_one_ends_when_the_new_one_is_used(gateway: RunningGateway) -> None:
    agent = gateway.enrolled()
    with transaction(gateway.engine) as session:
        session.execute(
            update(Enrollment).where(Enrollment.device_id == number(gateway, agent)).values(renew_after=utcnow())
        )
    assert agent.checkin().json["renew"] is True
    key = new_key()
    reply = agent.send("POST", RENEW, json.dumps({"csr": csr(key)}).encode())
    assert reply.status == 200
    assert agent.checkin().status == 200

    renewed = Agent(gateway, gateway.home, key)
    renewed.use(reply.json["certificate"])

    assert renewed.checkin().status == 200
    assert agent.checkin().json["code"] == "certificate_refused"
    renewed.hang_up()


def test_whoever_left_is_not_let_in_again(gateway: RunningGateway) -> None:
    agent = gateway.enrolled()

    assert agent.send("POST", LEAVE).status == 204
    assert agent.checkin().status == 401


def test_everybody_may_read_our_ca_and_health_and_nobody_a_page(gateway: RunningGateway) -> None:
    visitor = gateway.agent()

    assert b"BEGIN CERTIFICATE" in visitor.send("GET", CA).body
    ready = visitor.send("GET", "/readyz")
    assert (ready.status, ready.json["parts"]["database"], ready.json["parts"]["signer"]) == (200, "ok", "ok")
    assert (ready.json["status"], ready.json["parts"]["worker"]) == ("degraded", "degraded"), "no worker runs here"
    assert b"havenmeester_gateway_idle_checkins_total" in visitor.send("GET", "/metrics").body
    assert visitor.send("GET", "/").json["code"] == "not_found"


def test_a_picture_comes_only_with_a_certificate_for_a_command_of_its_own_and_within_its_size(
    gateway: RunningGateway,
) -> None:
    agent = gateway.enrolled()
    address = f"{PICTURE}/no-such-command"

    assert gateway.agent().send("POST", address, b"x").json["code"] == "certificate_missing"
    assert agent.send("POST", address, b"\x89PNG\r\n").status == 404
    assert agent.send("POST", address, b"x" * (MAX_PICTURE + 1)).status == 413
