"""Kiosks as they stand in offices: chatty shells, shut-in accounts, old servers, wrong clocks, two who begin at once."""

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from mdm.alarms.model import Alarm
from mdm.core.clock import utcnow
from mdm.core.errors import ConflictError
from mdm.kiosks import access, networks, service
from mdm.kiosks.book import Book
from mdm.kiosks.model import KioskSetup, SignIn, State, Step
from mdm.kiosks.wanted import checked
from mdm.org.model import ServicePoint
from mdm.outbox.model import OutboxMessage
from mdm.overview.desk_words import KIOSK_LOG, KIOSK_PROBLEMS
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import FLEET_ADMIN, alone
from tests.kiosks.conftest import LOOPBACK, Setup
from tests.sim.kiosk import Kiosk, Wire

BEFORE_THE_PACKAGE = 'case "$SSH_ORIGINAL_COMMAND" in *agent.deb*) exit 1;; esac'
"""What follows is another test's; it has looked by then."""


def _again(kiosk: Kiosk, extra: str) -> None:
    kiosk.stop()
    kiosk.extra = extra
    kiosk.start()


def test_a_shell_that_talks_before_and_after_every_command_is_heard_over(made: Setup, kiosk: Kiosk) -> None:
    noise = r"printf '\033[2J\033]0;x\007<b>WELKOM</b>\r\nLaatste aanmelding: gisteren\nzonder einde'"
    kiosk.hook(
        f'{noise}\ntrap "echo tot ziens; echo YQ==" EXIT\n{BEFORE_THE_PACKAGE}\n/bin/sh -c "$SSH_ORIGINAL_COMMAND"; exit $?'
    )

    row = made.begin(kiosk).once()

    # It has looked, and understood the answer.
    assert (row.step, row.problem) == (Step.UPLOAD, "not_written"), row.log
    assert [line["word"] for line in row.log] == ["signed_in", "looked", "not_written"]
    assert set(KIOSK_LOG | KIOSK_PROBLEMS) >= {line["word"] for line in row.log}
    assert "\x1b" not in "".join(line["text"] + line["said"] for line in row.log)


@pytest.mark.parametrize(
    ("shell", "problem"),
    [
        ('case "$SSH_ORIGINAL_COMMAND" in python3*) exec /bin/sh -c "python3x";; esac', "no_python"),
        ("echo this account may not run commands; exit 1", "not_written"),
        ("exit 0", "other_command"),
        ("echo \"mkdir: cannot create directory '.havenmeester-setup': Read-only file system\"; exit 1", "read_only"),
    ],
)
def test_an_account_that_cannot_work_says_why_and_nothing_stays(
    made: Setup, kiosk: Kiosk, shell: str, problem: str
) -> None:
    kiosk.hook(shell)
    row = made.begin(kiosk).once()
    assert row.problem == problem, row.log
    kiosk.hook("")
    row = made.to_the_end()
    assert (row.state, row.problem) == (State.FAILED, problem), row.log
    assert kiosk.untouched()


def test_an_account_that_may_only_move_files_is_named(made: Setup, kiosk: Kiosk) -> None:
    # The server takes the first of two that it is told; the forced shell of the simulation comes later.
    config = kiosk.folder / "shell.sh"
    config.write_text("exec /usr/lib/openssh/sftp-server\n")
    row = made.begin(kiosk).once()
    assert row.problem in ("not_written", "other_command"), row.log


def test_a_home_that_can_only_be_read_is_named_and_left_alone(made: Setup, kiosk: Kiosk, tmp_path: Path) -> None:
    still = tmp_path / "still"
    still.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "none", still], check=False).returncode != 0:
        pytest.skip("a disk that can only be read cannot be mounted here")
    try:
        kiosk.hook(f"export HOME={still}; cd {still}")
        row = made.begin(kiosk).to_the_end()
    finally:
        subprocess.run(["umount", still], check=True)
    assert (row.state, row.problem) == (State.FAILED, "read_only"), row.log


def test_a_wrong_clock_is_named_before_anything_is_installed(made: Setup, kiosk: Kiosk) -> None:
    ahead = Book(made.engine, lambda: utcnow() + timedelta(hours=20))
    made.ground = replace(made.ground, book=ahead)
    row = made.begin(kiosk).to_the_end()
    assert (row.state, row.problem) == (State.FAILED, "clock_wrong"), row.log
    assert "1200 minutes behind" in row.sentence
    assert kiosk.untouched()


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ("KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha1", "exchange of keys"),
        ("Ciphers 3des-cbc,aes128-cbc", "cipher"),
        ("MACs hmac-md5\nCiphers aes128-ctr", "code of authentication"),
    ],
    ids=["exchange", "cipher", "checksum"],
)
def test_a_server_with_nothing_but_old_ways_is_not_spoken_to(
    made: Setup, kiosk: Kiosk, settings: str, missing: str
) -> None:
    _again(kiosk, settings + "\n")
    row = made.begin(kiosk).once()
    assert (row.state, row.problem) == (State.FAILED, "no_ssh"), row.log
    assert missing in row.sentence
    assert "userauth-request" not in kiosk.log


@pytest.mark.parametrize(
    "settings",
    [
        "KexAlgorithms curve25519-sha256\nCiphers aes256-gcm@openssh.com",
        "RekeyLimit 64K 1\nMaxSessions 1\nMaxAuthTries 1\nDisableForwarding yes\nUnusedConnectionTimeout 2",
    ],
    ids=["one-way", "one-at-a-time"],
)
def test_a_server_that_is_set_up_tightly_is_worked_with(made: Setup, kiosk: Kiosk, settings: str) -> None:
    _again(kiosk, settings + "\n")
    row = made.begin(kiosk).once()
    # All but the gateway, which nobody is here.
    assert (row.step, row.problem) == (Step.ENROL, "gateway_unreachable"), row.log


def test_a_kiosk_is_reached_over_ipv6_and_at_another_port(made: Setup, kiosk: Kiosk) -> None:
    kiosk.hook(BEFORE_THE_PACKAGE)
    kiosk.address = "::1"
    kiosk.stop()
    kiosk.start()
    made.ground = replace(made.ground, networks=networks.read("::1/128"))
    label = f"havenmeester-kiosk://[0:0:0:0:0:0:0:1]:{kiosk.port}/?key={kiosk.fingerprint}&account={kiosk.account}"

    row = made.begin(kiosk, host="", port="", account="", host_key=label).once()

    assert row.address == f"[::1]:{kiosk.port}"
    assert row.step == Step.UPLOAD, row.log
    with transaction(made.engine) as session, pytest.raises(ConflictError):
        service.place_of(
            Call(FLEET_ADMIN, session, utcnow(), alone()),
            checked(
                host="0::1", port=kiosk.port, host_key=kiosk.fingerprint, service_point="WERKHAVEN", email="a@b.example"
            ),
        )


def test_of_two_who_set_one_kiosk_up_one_ends_and_the_other_goes_on(made: Setup, kiosk: Kiosk) -> None:
    kiosk.hook('case "$SSH_ORIGINAL_COMMAND" in *agent.deb*) kill -9 $PPID;; esac')
    first = made.begin(kiosk).once()
    assert first.step == Step.UPLOAD
    wire = Wire(kiosk.port)
    second = Setup(made.ground, made.engine)
    try:
        # By another port, as it would be by another name.
        row = second.begin(kiosk, port=str(wire.port)).once()
    finally:
        wire.close()
    assert (row.state, row.problem) == (State.FAILED, "also_begun"), row.log
    # Nothing of the first one's was put back, and it goes on.
    assert (kiosk.home / ".havenmeester-setup" / "onsite.py").exists()
    kiosk.hook('case "$SSH_ORIGINAL_COMMAND" in *install) exit 9;; esac')
    assert made.once().step == Step.INSTALL
    kiosk.hook("")
    assert made.to_the_end().state == State.FAILED
    assert kiosk.untouched()


def test_a_wrong_host_key_rings_once_an_hour_for_each_address(made: Setup, kiosk: Kiosk) -> None:
    wrong = "SHA256:" + "a" * 43
    for _ in range(2):
        row = made.begin(kiosk, host_key=wrong).to_the_end()
        assert row.problem == "wrong_host_key"
    wire = Wire(kiosk.port)
    made.begin(kiosk, host_key=wrong, port=str(wire.port)).to_the_end()
    wire.close()

    def alarms() -> list[Alarm]:
        with transaction(made.engine, write=False) as session:
            return list(session.scalars(select(Alarm).order_by(Alarm.id)))

    assert [alarm.params["address"] for alarm in alarms()] == [f"127.0.0.1:{kiosk.port}", f"127.0.0.1:{wire.port}"]
    assert alarms()[0].params["seen"] == kiosk.fingerprint
    with transaction(made.engine, write=False) as session:
        place = session.scalars(select(ServicePoint)).one()
        assert {alarm.service_point_id for alarm in alarms()} == {place.id}
        assert session.scalars(select(OutboxMessage.topic)).all().count("mail") == sum(alarm.told for alarm in alarms())
    later = Book(made.engine, lambda: utcnow() + timedelta(minutes=61))
    made.ground = replace(made.ground, book=later)
    with transaction(made.engine) as session:
        session.query(KioskSetup).delete()
    made.begin(kiosk, host_key=wrong).to_the_end()
    assert len(alarms()) == 3


def test_our_line_is_found_among_conditions_and_neighbours_stay(made: Setup, kiosk: Kiosk) -> None:
    ours = access.access(made.ground.home)
    stranger = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDoWneighbourNeighbourNeighbourNeighbourNeig een ander"
    kept = ["# " + ours.key, 'command="echo \\"hallo\\" daar",no-pty ' + stranger]
    lines = [
        *kept,
        f'from="127.0.0.0/8,::1",environment="A=b c",no-agent-forwarding {ours.key} met spaties',
        f"  restrict,pty\t{ours.key}",
        access.access(made.ground.home).lines(kiosk.account)[SignIn.CERTIFICATE],
        "",
    ]
    kiosk.keys.write_text("\n".join(lines))
    kiosk.hook('case "$SSH_ORIGINAL_COMMAND" in *agent.deb*) kill -9 $PPID;; esac')
    assert made.begin(kiosk).once().step == Step.UPLOAD
    kiosk.hook("")
    with transaction(made.engine) as session:
        session.query(KioskSetup).update({"step": Step.CLOSE.value})

    row = made.once()

    assert (row.state, row.problem) == (State.DONE, ""), row.log
    assert kiosk.keys.read_text().splitlines() == kept


def test_a_kiosk_network_of_loopback_alone_is_the_tests_own() -> None:
    assert networks.resolve("127.0.0.1", 22, LOOPBACK) == "127.0.0.1"
    assert networks.resolve("192.0.2.1", 22, LOOPBACK) is None
