"""A restored backup brings nothing back to life that was decided about since, on both databases."""

import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mdm.access.model import ApiToken, IdempotencyKey, OneTimeLink, Operator, PasskeyChallenge, WebSession
from mdm.alarms import looking
from mdm.alarms.model import Alarm
from mdm.audit import export
from mdm.audit.model import AuditEntry
from mdm.cli import archive
from mdm.cli.main import run
from mdm.cli.work import work
from mdm.enrollment.model import Invitation
from mdm.orders import states
from mdm.orders.acts.states import OPEN
from mdm.orders.model import Act, ActState, Order, OrderState
from mdm.org.model import ServicePoint
from mdm.outbox.model import OutboxMessage
from mdm.people.model import Person
from mdm.settings import load
from mdm.storage.call import Call
from tests.conftest import PrivatePostgres
from tests.signer.neighbour import RunningSigner


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Points the configuration at another empty database; the first one as well."""

    def point() -> None:
        if request.param == "postgresql":
            server: PrivatePostgres = request.getfixturevalue("postgres")
            monkeypatch.setenv("HAVENMEESTER_DATABASE_URL", server.fresh(tables=False))

    return point


def _live(call: Call) -> None:
    """Somebody is signed in, a program has a token, and an order stands in every state."""
    person = call.session.scalars(select(Operator)).first()
    assert person is not None
    later = call.now + timedelta(hours=1)
    moments = {"created_at": call.now, "expires_at": later}
    session = WebSession(
        secret_digest="s", operator_id=person.id, last_used_at=call.now, fresh_at=call.now, method="link", **moments
    )
    call.session.add_all(
        [
            session,
            OneTimeLink(secret_digest="l", operator_id=person.id, **moments),
            ApiToken(name="t", secret_digest="t", role="auditor", created_at=call.now, created_by="Mo"),
            PasskeyChallenge(challenge="c", purpose="sign_in", address="", **moments),
            IdempotencyKey(
                speaker="token:1", key="k", request_digest="d", status=201, headers={}, body=b"", created_at=call.now
            ),
        ]
    )
    for number, act_state in enumerate(ActState):
        call.session.add(
            Act(
                id=f"{act_state.value:x<32}", verb="webhook", subject_kind="webhook_target", subject_id="x",
                subject_name=act_state.value, canonical="{}", arguments={}, facts={}, digest=f"{number}",
                state=act_state.value, approvals_needed=1, reason="x", requested_by="Mo", requested_by_id="operator:1",
                actor_kind="operator", actor_id=person.id, requested_at=call.now, expires_at=later,
            )
        )  # fmt: skip
    _invited(call, later)
    for number, state in enumerate(OrderState):
        call.session.add(
            Order(
                id=f"{state.value:x<32}"[:32], device_uid=f"{number:032x}", device_label=state.value, verb="wipe",
                state=state.value,
                reason="x", requested_by="Mo", requested_by_id="operator:1", requested_at=call.now, expires_at=later,
            )
        )  # fmt: skip


def _invited(call: Call, later: datetime) -> None:
    """One invitation is open, one was used."""
    point = ServicePoint(code="A", name="A", created_at=call.now)
    holder = Person(name="Lea", email="lea@stad.example", created_at=call.now)
    call.session.add_all([point, holder])
    call.session.flush()
    for name, used in (("open", None), ("used", call.now)):
        call.session.add(
            Invitation(
                uid=name, token_digest=name, person_id=holder.id, platform="linux", service_point_id=point.id,
                created_by="Mo", created_at=call.now, expires_at=later, used_at=used,
            )
        )  # fmt: skip


def test_a_restore_ends_sessions_tokens_challenges_and_open_orders_and_everybody_hears_of_it(
    fresh: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh()
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path / "old"))
    assert run(["init"]) == 0
    assert run(["operator", "add", "mo@stad.example", "--role", "fleet_admin"]) == 0
    with work() as call:
        _live(call)
    assert run(["backup", str(tmp_path / "all.tar")]) == 0
    fresh()
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path / "new"))
    capsys.readouterr()

    assert run(["restore", str(tmp_path / "all.tar")]) == 0

    told = capsys.readouterr().err
    assert "every session (1)" in told
    assert "programs (1)" in told
    assert f"Cancelled: {len(states.CANCELLABLE)} orders" in told
    assert f"{len(OPEN)} open requests" in told
    assert "Withdrawn: 1 invitations" in told
    with work() as call:
        for table in (WebSession, OneTimeLink, PasskeyChallenge, IdempotencyKey):
            assert call.session.scalar(select(func.count()).select_from(table)) == 0, table
        assert call.session.scalars(select(ApiToken.revoked_at)).all() != [None]
        for order in call.session.scalars(select(Order)):
            was = OrderState(order.device_label)
            assert order.state == (OrderState.CANCELLED if was in states.CANCELLABLE else was), was
        for act in call.session.scalars(select(Act)):
            stood = ActState(act.subject_name)
            assert act.state == (ActState.CANCELLED if stood in OPEN else stood), stood
        withdrawn = dict(call.session.execute(select(Invitation.uid, Invitation.withdrawn_at)).all())
        assert (withdrawn["open"] is not None, withdrawn["used"]) == (True, None)
        line = call.session.scalars(select(AuditEntry).where(AuditEntry.action == "installation.restored")).one()
        assert line.details["tokens"] == 1
        looking.look_at_diary(call, 0)
        assert "restored" in call.session.scalars(select(Alarm.kind)).all()
        letters = call.session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == "mail")).all()
        assert any("restored a backup" in letter["text"] for letter in letters)


def test_a_witness_is_told_of_the_restore_and_an_old_database_brought_back_in_silence_is_found(
    signer: RunningSigner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    witness = tmp_path / "outside.jsonl"
    monkeypatch.setenv("HAVENMEESTER_HOME", str(signer.home))
    monkeypatch.setenv("HAVENMEESTER_WITNESS_FILE", str(witness))
    assert run(["init"]) == 0
    settings = load()
    for email in ("mo", "sarah", "ada"):
        assert run(["operator", "add", f"{email}@stad.example", "--role", "fleet_admin"]) == 0
    _witnessed(signer)
    assert run(["backup", str(tmp_path / "all.tar")]) == 0
    old = tmp_path / "old.db"
    archive.copy_sqlite(signer.home / "havenmeester.db", old)
    for email in ("eve", "bob"):
        assert run(["operator", "add", f"{email}@stad.example", "--role", "fleet_admin"]) == 0
    _witnessed(signer)
    signer.stop()
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path / "new"))

    assert run(["restore", str(tmp_path / "all.tar")]) == 0
    assert "The witness of the diary knows" in capsys.readouterr().err
    assert run(["audit", "verify", "--witness", str(witness), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["proved"], len(told["restores"])) == (True, 1)

    witness.write_text(
        "".join(line for line in witness.read_text().splitlines(keepends=True) if "restored" not in line)
    )
    for suffix in ("-wal", "-shm"):
        (tmp_path / "new" / f"havenmeester.db{suffix}").unlink(missing_ok=True)
    shutil.copy(old, tmp_path / "new" / "havenmeester.db")
    assert run(["audit", "verify", "--witness", str(witness)]) == 1
    assert "Lines are missing at the end" in capsys.readouterr().out
    assert settings.witness_file == str(witness)


def _witnessed(signer: RunningSigner) -> None:
    from mdm.audit import heads
    from mdm.core.clock import utcnow
    from mdm.storage.engine import make_engine

    settings = load()
    engine = make_engine(settings.database)
    heads.seal(engine, signer.client)
    export.carry_out(settings, signer.client, utcnow())
    engine.dispose()
