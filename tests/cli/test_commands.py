"""Every command on a real installation: what it answers, what it refuses, and what it leaves behind."""

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mdm.access.model import ApiToken, OneTimeLink, Operator, WebSession
from mdm.audit.model import AuditEntry
from mdm.cli.devices import STATES
from mdm.cli.main import run
from mdm.cli.work import work
from mdm.compliance.model import RuleInForce
from mdm.core.ids import secret_digest
from mdm.inventory.model import Device, LifeCycle
from mdm.orders.model import Order, OrderState
from mdm.outbox import service as outbox
from mdm.outbox.model import OutboxMessage
from mdm.people.model import Person
from tests.signer.neighbour import RunningSigner

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as ``init`` makes it."""
    home = tmp_path_factory.mktemp("made")
    os.environ["HAVENMEESTER_HOME"] = str(home)
    try:
        assert run(["init"]) == 0
    finally:
        del os.environ["HAVENMEESTER_HOME"]
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it that the configuration points to."""
    copy = tmp_path / "home"
    shutil.copytree(made, copy)
    copy.chmod(0o700)
    monkeypatch.setenv("HAVENMEESTER_HOME", str(copy))
    return copy


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs a command: exit code, standard output, standard error."""

    def one(*arguments: str | Path) -> tuple[int, str, str]:
        code = run([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return one


def test_init_makes_a_closed_home_with_everything_in_it(home: Path) -> None:
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for name in ("signer/ca.key", "signer/order.key", "keys/seal.key"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600
    assert "# console_port = 8080" in (home / "havenmeester.toml.example").read_text()
    with work(write=False) as call:
        assert (call.session.scalar(select(func.count(RuleInForce.id))) or 0) > 5


def test_init_again_changes_nothing(home: Path, ask: Ask) -> None:
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file() and path.suffix != ".db"}
    with work(write=False) as call:
        lines = call.session.scalar(select(func.count(AuditEntry.id)))
    assert ask("init")[0] == 0
    after = {path: path.read_bytes() for path in home.rglob("*") if path.is_file() and path.suffix != ".db"}
    assert {p: c for p, c in after.items() if "db-" not in p.name} == before
    with work(write=False) as call:
        assert call.session.scalar(select(func.count(AuditEntry.id))) == lines


def test_the_schema_that_init_made_is_what_the_models_say(home: Path, ask: Ask) -> None:
    code, told, _ = ask("database", "check", "--json")
    assert json.loads(told)["differences"] == []
    assert code == 0


def test_a_command_without_an_installation_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path / "nothing"))
    code, out, err = ask("devices")
    assert (code, out) == (3, "")
    assert "havenmeester init" in err
    assert not (tmp_path / "nothing").exists()


def service_point(ask: Ask, tmp_path: Path, code: str = "WERKHAVEN") -> None:
    file = tmp_path / "points.csv"
    file.write_text(f"code;name\n{code};Punt {code}\n")
    assert ask("import", "service-points", file)[0] == 0


def test_an_operator_is_added_with_a_place_and_a_link_that_is_stored_as_a_digest(
    home: Path, ask: Ask, tmp_path: Path
) -> None:
    service_point(ask, tmp_path)
    code, out, err = ask(
        "operator", "add", "sarah@stad.example", "--role", "desk_clerk", "--service-point", "WERKHAVEN"
    )
    assert code == 0, err
    assert out.startswith("http://localhost:8080/sign-in/link/")
    assert "desk_clerk at WERKHAVEN" in err
    secret = out.strip().rpartition("/")[2]
    with work(write=False) as call:
        assert call.session.scalars(select(OneTimeLink.secret_digest)).all() == [secret_digest(secret)]
        entry = call.session.scalars(select(AuditEntry).where(AuditEntry.action == "operator.created")).one()
        assert entry.actor_kind == "command_line"


def test_an_unknown_role_and_an_unknown_place_are_refused_and_nobody_is_added(home: Path, ask: Ask) -> None:
    assert ask("operator", "add", "x@stad.example", "--role", "king")[0] == 2
    code, _, err = ask("operator", "add", "x@stad.example", "--role", "auditor", "--service-point", "NOWHERE")
    assert (code, "service point" in err) == (1, True)
    with work(write=False) as call:
        assert call.session.scalar(select(func.count(Operator.id))) == 0


@pytest.mark.parametrize("written", ["desk-clerk", "Desk_Clerk", "desk clerk", "DESK-CLERK"])
def test_a_word_of_a_closed_list_may_be_written_as_people_write_it(home: Path, ask: Ask, written: str) -> None:
    code, _, err = ask("operator", "add", "sarah@stad.example", "--role", written)
    assert code == 0, err
    assert [one["roles"] for one in json.loads(ask("operator", "list", "--json")[1])] == ["desk_clerk"]


def test_a_link_for_somebody_who_is_not_there_is_refused(home: Path, ask: Ask) -> None:
    assert ask("sign-in", "nobody@stad.example")[0] == 1
    ask("operator", "add", "mo@stad.example", "--role", "fleet_admin")
    assert ask("sign-in", "MO@stad.example")[1].startswith("http://localhost:8080/sign-in/link/")
    listed = json.loads(ask("operator", "list", "--json")[1])
    assert [(one["email"], one["roles"]) for one in listed] == [("mo@stad.example", "fleet_admin")]


def test_a_token_is_shown_once_and_can_be_revoked(home: Path, ask: Ask) -> None:
    code, secret, _ = ask("token", "create", "--name", "report", "--role", "auditor")
    assert (code, secret.startswith("hvm_")) == (0, True)
    assert secret.strip() not in ask("token", "list", "--json")[1]
    assert ask("token", "revoke", "1")[0] == 0
    with work(write=False) as call:
        row = call.session.scalars(select(ApiToken)).one()
        assert row.revoked_at is not None
        assert row.secret_digest == secret_digest(secret.strip())
    assert ask("token", "create", "--name", "x", "--role", "approver")[0] == 1


def test_an_invitation_carries_the_fingerprint_and_makes_the_person(home: Path, ask: Ask, tmp_path: Path) -> None:
    service_point(ask, tmp_path)
    code, out, err = ask("invite", "an@stad.example", "--platform", "linux", "--service-point", "WERKHAVEN")
    assert code == 0, err
    address, _, fragment = out.strip().partition("#")
    assert address.startswith("http://localhost:8080/e/")
    assert fragment.startswith("ca=")
    with work(write=False) as call:
        assert call.session.scalars(select(Person.email)).all() == ["an@stad.example"]
    assert ask("invite", "an@stad.example", "--platform", "windows", "--service-point", "WERKHAVEN")[0] == 2
    assert ask("invite", "no address", "--platform", "linux", "--service-point", "WERKHAVEN")[0] == 1


def test_an_import_is_all_or_nothing_and_a_dry_run_writes_nothing(home: Path, ask: Ask, tmp_path: Path) -> None:
    service_point(ask, tmp_path)
    file = tmp_path / "devices.csv"
    file.write_text("serial;platform;kind;service_point\nS1;linux;laptop;WERKHAVEN\nS2;toaster;laptop;WERKHAVEN\n")
    code, out, err = ask("import", "devices", file)
    assert code == 1
    assert "line 3" in err
    assert "Nothing was imported" in out
    file.write_text("serial;platform;kind;service_point\nS1;linux;laptop;WERKHAVEN\nS2;linux;kiosk;WERKHAVEN\n")
    assert ask("import", "devices", file, "--dry-run")[0] == 0
    assert json.loads(ask("devices", "--json")[1]) == []
    assert json.loads(ask("import", "devices", file, "--json")[1])["counts"]["created"] == 2
    assert json.loads(ask("import", "devices", file, "--json")[1])["counts"]["unchanged"] == 2


def test_devices_are_listed_filtered_and_shown(home: Path, ask: Ask, tmp_path: Path) -> None:
    service_point(ask, tmp_path)
    file = tmp_path / "devices.csv"
    file.write_text("serial;platform;kind;service_point\nS1;linux;laptop;WERKHAVEN\nS2;ios;phone;\n")
    ask("import", "devices", file)

    def serials(*arguments: str) -> list[str]:
        return sorted(one["serial"] for one in json.loads(ask("devices", "--json", *arguments)[1]))

    assert serials() == ["S1", "S2"]
    assert serials("--platform", "ios") == ["S2"]
    assert serials("--service-point", "WERKHAVEN") == ["S1"]
    assert serials("--search", "s2") == ["S2"]
    assert serials("--verdict", "not_enrolled", "--limit", "1") == ["S1"]
    assert serials("--verdict", "unknown") == []
    code, _, err = ask("devices", "--service-point", "NOWHERE")
    assert (code, "NOWHERE" in err) == (1, True)
    assert serials("--enrolled") == []
    assert "WERKHAVEN" in ask("devices")[1]
    shown = json.loads(ask("device", "S1", "--json")[1])
    assert (shown["serial"], shown["verdict"], shown["findings"]) == ("S1", "not_enrolled", [])
    code, _, err = ask("device", "S9")
    assert (code, "no such device" in err) == (1, True)


def test_a_policy_is_applied_from_a_file_and_twice_is_like_once(home: Path, ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text('name = "Kiosks"\n[settings]\n"kiosk.url" = "https://zuil.example.be/"\n')
    assert json.loads(ask("policy", "apply", file, "--json")[1])["done"] == ["created"]
    assert "nothing was changed" in ask("policy", "apply", file)[1]
    file.write_text('name = "Kiosks"\n[settings]\n"kiosk.url" = "nonsense"\n')
    code, _, err = ask("policy", "apply", file)
    assert code == 1
    assert "kiosk.url" in err
    assert [one["name"] for one in json.loads(ask("policy", "list", "--json")[1])] == ["Kiosks"]
    assert json.loads(ask("policy", "show", "1")[1])["name"] == "Kiosks"


def test_a_policy_that_says_a_thing_twice_or_never_ends_is_refused(home: Path, ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "twice.json"
    file.write_text('{"name": "X", "settings": {"screen_lock.enabled": true, "screen_lock.enabled": false}}')
    code, _, err = ask("policy", "apply", file)
    assert (code, "screen_lock.enabled stands there twice" in err) == (1, True)
    code, _, err = ask("policy", "apply", "/dev/zero")
    assert (code, "larger than 512 KiB" in err) == (1, True)
    code, _, err = ask("import", "people", "/dev/zero")
    assert (code, "larger than 20 MB" in err) == (1, True)
    assert json.loads(ask("policy", "list", "--json")[1]) == []


@pytest.mark.parametrize("words", [("token", "revoke"), ("policy", "show")])
@pytest.mark.parametrize("number", ["0", "99999999999999999999999", "x"])
def test_a_number_that_no_row_can_have_is_wrong_usage(home: Path, ask: Ask, words: list[str], number: str) -> None:
    assert ask(*words, number)[0] == 2


def test_a_state_that_no_device_can_be_in_is_wrong_usage(home: Path, ask: Ask) -> None:
    assert ask("devices", "--state", "nonsense")[0] == 2
    assert ask("devices", "--state", "In-Stock", "--json")[:2] == (0, "[]\n")


def test_the_states_that_devices_are_asked_for_are_those_of_their_life() -> None:
    assert set(STATES.choices) == {state.value for state in LifeCycle}


@pytest.mark.parametrize("url", ["nonsense", "mysql://a:hush@127.0.0.1/x", "sqlite:", "postgres://a:hush@127.0.0.1/x"])
def test_a_database_that_is_not_ours_is_a_wrong_setting(
    home: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HAVENMEESTER_DATABASE_URL", url)
    code, out, err = ask("devices")
    assert (code, out) == (3, "")
    assert "HAVENMEESTER_DATABASE_URL" in err
    assert "hush" not in err


def test_a_backup_into_a_folder_that_is_not_there_is_refused(home: Path, ask: Ask, tmp_path: Path) -> None:
    code, _, err = ask("backup", tmp_path / "nowhere" / "all.tar")
    assert (code, "The folder" in err and "Nothing was written" in err) == (1, True)
    assert not (tmp_path / "nowhere").exists()


def test_the_diary_is_proved_and_a_changed_line_is_found(home: Path, ask: Ask) -> None:
    code, out, err = ask("audit", "verify")
    assert (code, "cannot be excluded" in err, "is whole" in out) == (4, True, True)
    with work() as call:
        call.session.scalars(select(AuditEntry).where(AuditEntry.id == 3)).one().actor_name = "somebody else"
    code, out, _ = ask("audit", "verify", "--json")
    assert (code, json.loads(out)["broken_at"]) == (1, 3)


def test_a_message_that_was_given_up_is_shown_and_tried_again(home: Path, ask: Ask) -> None:
    with work() as call:
        outbox.post(call, "mail", {}).dead_at = call.now
    assert [one["topic"] for one in json.loads(ask("post", "list", "--json")[1])] == ["mail"]
    told = ask("doctor", "--json")[1]
    assert [one["good"] for one in json.loads(told) if one["check"] == "post"] == [False]
    assert ask("post", "retry")[1].endswith("delivered again: 1.\n")
    with work(write=False) as call:
        assert call.session.scalars(select(OutboxMessage.dead_at)).all() == [None]


def test_the_doctor_says_what_does_not_run_and_how_to_mend_it(home: Path, ask: Ask) -> None:
    code, out, _ = ask("doctor", "--json")
    found = {one["check"]: one for one in json.loads(out)}
    assert code == 3
    assert all(found[name]["good"] for name in ("home folder", "keys", "database", "schema", "deleted data", "post"))
    assert not any(found[name]["good"] for name in ("signer", "worker", "administrator"))
    assert all(one["mend"] for one in found.values() if not one["good"] and one["check"] != "signer")
    home.chmod(0o755)
    (home / "signer" / "ca.key").chmod(0o644)
    found = {one["check"]: one for one in json.loads(ask("doctor", "--json")[1])}
    assert (found["home folder"]["good"], found["keys"]["good"]) == (False, False)


def test_the_doctor_finds_a_running_signer(home: Path, ask: Ask) -> None:
    signer = RunningSigner(home)
    signer.start()
    found = {one["check"]: one for one in json.loads(ask("doctor", "--json")[1])}
    assert found["signer"]["good"]
    assert signer.stop() == 0


def test_a_backup_comes_back_whole_without_sessions_and_open_orders(
    home: Path, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service_point(ask, tmp_path)
    ask("operator", "add", "mo@stad.example", "--role", "fleet_admin")
    with work() as call:
        device = Device(
            uid="d" * 32, platform="linux", kind="laptop", state="lost", created_at=call.now, enrolled_at=call.now
        )  # fmt: skip
        call.session.add(device)
        call.session.flush()
        for number, state in enumerate((OrderState.RELEASED, OrderState.DONE)):
            call.session.add(
                Order(
                    id=str(number) * 32, device_id=device.id, device_uid=device.uid, device_label="x", verb="wipe",
                    state=state.value, reason="lost", requested_by="An", requested_by_id="operator:1",
                    requested_at=call.now, expires_at=call.now,
                    finished_at=call.now if state is OrderState.DONE else None,
                )
            )  # fmt: skip
        operator = call.session.scalars(select(Operator)).one()
        call.session.add(
            WebSession(
                secret_digest="s", operator_id=operator.id, created_at=call.now, last_used_at=call.now,
                expires_at=call.now, fresh_at=call.now, method="link",
            )
        )  # fmt: skip
    file = tmp_path / "all.tar"
    assert ask("backup", file)[0] == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ask("backup", file)[0] == 1

    new = tmp_path / "new"
    monkeypatch.setenv("HAVENMEESTER_HOME", str(new))
    code, _, err = ask("restore", file)
    assert code == 0, err
    for name in ("signer/ca.key", "signer/order.key", "keys/seal.key"):
        assert (new / name).read_bytes() == (home / name).read_bytes()
        assert stat.S_IMODE((new / name).stat().st_mode) == 0o600
    with work(write=False) as call:
        assert call.session.scalars(select(Operator.email)).all() == ["mo@stad.example"]
        assert call.session.scalar(select(func.count(WebSession.id))) == 0
        assert call.session.scalar(select(func.count(OneTimeLink.id))) == 0
        assert call.session.scalars(select(Order.state).order_by(Order.id)).all() == ["cancelled", "done"]
    assert json.loads(ask("audit", "verify", "--json")[1])["sound"]

    code, _, err = ask("restore", file)
    assert (code, "Nothing was changed" in err) == (1, True)
    assert ask("restore", file, "--force")[0] == 0
    assert len(list(new.glob("replaced-*"))) == 1


def test_a_damaged_backup_is_refused_and_nothing_is_made(
    home: Path, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "all.tar"
    ask("backup", file, "--json")
    content = bytearray(file.read_bytes())
    content[content.index(b"SQLite format 3") + 5000] ^= 0xFF
    file.write_bytes(content)
    monkeypatch.setenv("HAVENMEESTER_HOME", str(tmp_path / "new"))
    code, _, err = ask("restore", file)
    assert (code, "damaged" in err) == (1, True)
    assert not (tmp_path / "new" / "havenmeester.db").exists()
    file.write_bytes(b"nonsense")
    assert ask("restore", file)[0] == 1
