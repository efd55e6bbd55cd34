"""Webhooks on a real connection: signed, limited, never redirected, never through a proxy; and their way through the post."""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from mdm.alarms import queries, sending, service, targets
from mdm.alarms.address import Address
from mdm.alarms.kinds import Kind
from mdm.alarms.model import Alarm, WebhookTarget
from mdm.audit.model import AuditEntry
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ApprovalNeededError, DeniedError, InvalidError, NotFoundError, UnavailableError
from mdm.core.permissions import Grant, Role
from mdm.core.risk import Permit, Why
from mdm.outbox.model import OutboxMessage
from mdm.storage.seal import create_key, load_seal
from tests.alarms.receiver import Receiver, receiver
from tests.conftest import NOW, Calling

ALONE = Permit(Why.NO_ROSTER)
BODY = b'{"alarm":1}'


def _there(there: Receiver, target: str = "/in") -> Address:
    return Address("localhost", there.port, target, exact=True)


def test_a_webhook_goes_to_the_judged_address_under_the_name_and_is_signed(tmp_path: Path) -> None:
    with receiver(tmp_path, "hooks.stad.example") as there:
        # No resolver knows this name: the connection goes to the address alone, the certificate is proved for the name.
        to = Address("hooks.stad.example", there.port, "/in?x=1", exact=True)
        status = sending.send(to, "127.0.0.1", sending.headers(b"secret", "m-1", NOW, BODY), BODY, there.trust)
        ((path, said, body),) = there.heard

    assert (status, path, body) == (204, "/in?x=1", BODY)
    assert said["host"] == f"hooks.stad.example:{there.port}"
    at = said["webhook-timestamp"]
    expected = hmac.new(b"secret", f"m-1.{at}.".encode() + BODY, hashlib.sha256).digest()
    assert (said["webhook-id"], int(at)) == ("m-1", int(NOW.timestamp()))
    assert said["webhook-signature"] == "v1," + base64.b64encode(expected).decode()


def test_a_certificate_for_another_name_or_of_a_stranger_is_not_spoken_to(tmp_path: Path) -> None:
    with receiver(tmp_path, "other.example") as there:
        for trust in (there.trust, ssl.create_default_context()):
            with pytest.raises(UnavailableError, match="did not take"):
                sending.send(_there(there), "127.0.0.1", {}, BODY, trust)
        assert there.heard == []


def test_a_redirect_is_an_answer_and_is_not_followed(tmp_path: Path) -> None:
    with receiver(tmp_path) as there, receiver(tmp_path, "localhost") as other:
        there.status, there.headers = 307, {"Location": f"https://localhost:{other.port}/"}
        assert sending.send(_there(there), "127.0.0.1", {}, BODY, there.trust) == 307
        assert (len(there.heard), other.connections) == (1, 0)


def test_no_proxy_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver(tmp_path) as there, receiver(tmp_path) as proxy:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert sending.send(_there(there), "127.0.0.1", {}, BODY, there.trust) == 204
        assert proxy.connections == 0


def test_an_answer_that_is_too_long_or_too_slow_is_cut(tmp_path: Path) -> None:
    with receiver(tmp_path) as there:
        there.status, there.body = 200, b"x" * sending.MAX_ANSWER
        assert sending.send(_there(there), "127.0.0.1", {}, BODY, there.trust) == 200
        there.body += b"x"
        with pytest.raises(UnavailableError, match="larger than 65536"):
            sending.send(_there(there), "127.0.0.1", {}, BODY, there.trust)
        there.body, there.pause = b"drip" * 100, 0.1
        begun = time.monotonic()
        with pytest.raises(UnavailableError, match=r"too long|timed out"):
            sending.send(_there(there), "127.0.0.1", {}, BODY, there.trust, seconds=1.0)
        assert time.monotonic() - begun < 20


def test_somebody_who_does_not_speak_tls_or_http_is_a_failure_and_not_a_hang(tmp_path: Path) -> None:
    with receiver(tmp_path) as there, socket.create_server(("127.0.0.1", 0)) as deaf:
        thread = threading.Thread(target=lambda: deaf.accept()[0].close())
        thread.start()
        with pytest.raises(UnavailableError):
            sending.send(Address("localhost", deaf.getsockname()[1], "/", True), "127.0.0.1", {}, BODY, there.trust)
        thread.join(10)
        with pytest.raises(UnavailableError):
            sending.send(Address("localhost", 1, "/", True), "127.0.0.1", {}, BODY, there.trust)


def _target(calling: Calling, there: Receiver, **more: Any) -> str:
    with calling() as call:
        url = f"https://localhost:{there.port}/in"
        targets.set_target(call.with_permit(ALONE), [f"localhost:{there.port}"], name="Siem", url=url, **more)
    return f"localhost:{there.port}"


def test_an_alarm_reaches_a_real_target_without_names_and_twice_is_known_as_the_same(
    calling: Calling, engine: Engine, tmp_path: Path
) -> None:
    create_key(tmp_path)
    seal = load_seal(tmp_path)
    with receiver(tmp_path) as there:
        allowed = _target(calling, there)
        with calling() as call:
            service.raise_alarm(call, Kind.ORDER_HELD, "%(who)s asked.", {"who": "Mo Admin"}, subject=("order", "o-1"))
        with calling(write=False) as call:
            (payload,) = call.session.scalars(
                select(OutboxMessage.payload).where(OutboxMessage.topic == "webhook")
            ).all()
        for _ in range(2):
            targets.deliver(engine, payload, allowed=[allowed], seal=seal, clock=lambda: NOW, tls=there.trust)
        (first, second) = there.heard
        with calling() as call:
            secret = targets.show_secret(call, "Siem", seal)

    assert first[1]["webhook-id"] == second[1]["webhook-id"]
    assert b"Mo" not in first[2]
    assert json.loads(first[2])["subject"] == {"id": "o-1", "kind": "order"}
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert first[1]["webhook-signature"] == sending.signature(
        key, first[1]["webhook-id"], int(NOW.timestamp()), first[2]
    )
    with calling(write=False) as call:
        kept = call.session.scalars(select(WebhookTarget)).one()
        assert key not in kept.secret
        assert (kept.last_status, kept.failures, kept.last_error) == (204, 0, "")
        assert "webhook.secret_shown" in call.session.scalars(select(AuditEntry.action)).all()


def test_a_delivery_that_fails_is_noted_and_raised_for_the_post_to_try_again(
    calling: Calling, engine: Engine, tmp_path: Path
) -> None:
    create_key(tmp_path)
    seal = load_seal(tmp_path)
    with receiver(tmp_path) as there:
        allowed = _target(calling, there)
        with calling(write=False) as call:
            target = call.session.scalars(select(WebhookTarget.id)).one()
        payload = {"target": target, "message": "m", "notice": {}}
        for status in (500, 301, 404):
            there.status = status
            with pytest.raises(UnavailableError, match=f"answered {status}"):
                targets.deliver(engine, payload, allowed=[allowed], seal=seal, clock=lambda: NOW, tls=there.trust)
        heard = len(there.heard)
        # The list was shortened since: what is not allowed now is not called now.
        with pytest.raises(InvalidError):
            targets.deliver(engine, payload, allowed=[], seal=seal, clock=lambda: NOW, tls=there.trust)
        assert len(there.heard) == heard
    with calling(write=False) as call:
        kept = call.session.scalars(select(WebhookTarget)).one()
        assert (kept.failures, "not on the list" in kept.last_error) == (4, True)


def test_a_target_hears_only_what_it_asked_for_and_heads_only_by_name(calling: Calling, tmp_path: Path) -> None:
    with receiver(tmp_path) as there:
        _target(calling, there, kinds=["freeze", "diary_head"])
        with calling() as call:
            told = {kind: targets.tell(call, kind, {}, "m") for kind in targets.HEARD}
        assert {kind for kind, count in told.items() if count} == {"freeze", "diary_head"}
        _target(calling, there, kinds=[])
        with calling() as call:
            told = {kind: targets.tell(call, kind, {}, "m") for kind in targets.HEARD}
        assert {kind for kind, count in told.items() if not count} == {"diary_head"}
        _target(calling, there, enabled=False)
        with calling() as call:
            assert targets.tell(call, Kind.FREEZE, {}, "m") == 0


def test_setting_or_removing_a_target_needs_the_right_and_somebody_else(calling: Calling) -> None:
    allowed, url = ["hooks.stad.example"], "https://hooks.stad.example/in"
    clerk = Actor(ActorKind.OPERATOR, 5, "Clerk", (Grant(Role.APPROVER),))
    with calling(asked=True) as call:
        with pytest.raises(ApprovalNeededError):
            targets.set_target(call, allowed, name="Siem", url=url)
        with pytest.raises(DeniedError):
            targets.set_target(call.by(clerk).with_permit(ALONE), allowed, name="Siem", url=url)
        for name, wrong, kinds in (("", url, []), ("x", "http://hooks.stad.example", []), ("x", url, ["nothing"])):
            with pytest.raises(InvalidError):
                targets.set_target(call.with_permit(ALONE), allowed, name=name, url=wrong, kinds=kinds)
        assert call.session.scalars(select(WebhookTarget)).all() == []
        targets.set_target(call.with_permit(ALONE), allowed, name="Siem", url=url)
        with pytest.raises(ApprovalNeededError):
            targets.remove_target(call, "Siem")
        with pytest.raises(NotFoundError):
            targets.remove_target(call.with_permit(ALONE), "Other")
        targets.remove_target(call.with_permit(ALONE), "Siem")
        assert call.session.scalars(select(WebhookTarget)).all() == []


def test_another_address_gets_another_secret(calling: Calling, tmp_path: Path) -> None:
    create_key(tmp_path)
    seal = load_seal(tmp_path)
    allowed = ["a.stad.example", "b.stad.example"]
    shown = []
    for host in ("a", "a", "b"):
        with calling() as call:
            targets.set_target(call.with_permit(ALONE), allowed, name="Siem", url=f"https://{host}.stad.example/")
            shown.append(targets.show_secret(call, "Siem", seal))

    assert shown[0] == shown[1] != shown[2]


def test_what_waits_and_what_was_given_up_is_counted(calling: Calling) -> None:
    with calling() as call:
        for dead in (None, NOW, NOW):
            call.session.add(OutboxMessage(topic="webhook", payload={}, created_at=NOW, due_at=NOW, dead_at=dead))
        assert queries.undelivered(call) == (1, 2)
        assert call.session.scalars(select(Alarm)).all() == []
