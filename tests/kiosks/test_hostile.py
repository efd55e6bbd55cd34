"""Kiosks that are not what they say, that say too much, that never end, that have no room: nothing leaves, nothing stays."""

import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdm.core.clock import utcnow
from mdm.core.errors import InvalidError
from mdm.kiosks import access, hostkeys
from mdm.kiosks.commands import COMMANDS
from mdm.kiosks.model import SignIn, State, Step
from mdm.kiosks.ssh import Limits, SshError, connect, tidy
from mdm.storage.engine import transaction
from tests.kiosks.conftest import Setup
from tests.sim.kiosk import Kiosk, Wire

KEXINIT, NEWKEYS = 20, 21
KEX_FIRST, KEX_LAST = 30, 34
STOP = 'case "$SSH_ORIGINAL_COMMAND" in *look) exit 1;; esac'
"""What follows is another test's."""


def packets(sent: bytes) -> list[int]:
    """The kinds of the packets that were sent in the clear (RFC 4253, section 6), after the version line."""
    rest = sent.split(b"\r\n", 1)[1]
    found = []
    while len(rest) >= 6:
        size = struct.unpack(">I", rest[:4])[0]
        found.append(rest[5])
        rest = rest[4 + size :]
    return found


def test_not_a_byte_of_a_credential_leaves_for_a_wrong_host_key(made: Setup, kiosk: Kiosk) -> None:
    expected = kiosk.fingerprint
    kiosk.stop()
    kiosk.new_host_key()
    kiosk.start()
    wire = Wire(kiosk.port)
    row = made.begin(kiosk, port=str(wire.port), host_key=expected).to_the_end()
    wire.close()
    assert (row.state, row.problem) == (State.FAILED, "wrong_host_key")
    assert kiosk.fingerprint in row.sentence
    # Everything that we sent was in the clear, and it is the beginning of the exchange alone: not even the new keys were
    # agreed to, so nothing that follows them can have been sent.
    kinds = packets(wire.sent)
    assert kinds[0] == KEXINIT
    assert all(KEX_FIRST <= kind <= KEX_LAST or kind == 1 for kind in kinds[1:])
    assert NEWKEYS not in kinds
    assert kiosk.account.encode() not in wire.sent.split(b"\r\n", 1)[1]
    assert "userauth-request" not in kiosk.log
    assert kiosk.untouched()


def test_the_right_host_key_lets_the_same_wire_go_on(made: Setup, kiosk: Kiosk) -> None:
    kiosk.hook(STOP)
    wire = Wire(kiosk.port)
    made.begin(kiosk, port=str(wire.port)).once()
    wire.close()
    assert NEWKEYS in packets(wire.sent)
    assert "userauth-request" in kiosk.log


def test_a_key_that_is_not_let_in_is_no_reason_to_try_for_hours(made: Setup, kiosk: Kiosk) -> None:
    kiosk.keys.write_text("")
    row = made.begin(kiosk).once()
    assert (row.state, row.problem, row.changed) == (State.FAILED, "not_let_in", False)


def test_a_kiosk_that_nobody_can_reach_is_tried_again_and_then_given_up(made: Setup, kiosk: Kiosk) -> None:
    kiosk.stop()
    row = made.begin(kiosk).once()
    assert (row.state, row.problem, row.tries) == (State.RUNNING, "unreachable", 1)
    row = made.to_the_end(20)
    assert (row.state, row.problem) == (State.FAILED, "unreachable")


@pytest.mark.parametrize(
    ("command", "problem"),
    [("yes flood", "too_much"), ("sleep 600", "too_long"), ("echo not what was asked for; exit 0", "other_command")],
)
def test_a_command_that_floods_or_never_ends_is_stopped(made: Setup, kiosk: Kiosk, command: str, problem: str) -> None:
    # A good connection and a bad helper: the kiosk answers the first commands, and then it does not.
    kiosk.hook(f'case "$SSH_ORIGINAL_COMMAND" in *look) {command}; exit 0;; esac')
    object.__setattr__(made.ground, "limits", Limits(5, 5, 10, most=2))
    begun = time.monotonic()
    row = made.begin(kiosk).once()
    assert row.problem == problem
    assert time.monotonic() - begun < 60
    if problem != "too_long":
        kiosk.hook("")
        row = made.to_the_end()
        assert row.state == State.FAILED
        assert kiosk.untouched()
    assert len(row.sentence) < 2500


def test_what_a_kiosk_says_is_shown_without_its_tricks(made: Setup, kiosk: Kiosk) -> None:
    kiosk.banner.write_text("\x1b]0;owned\x07\x1b[2J<script>alert(1)</script>\u202egnp.exe welcome\n" * 40)
    kiosk.hook(STOP)
    row = made.begin(kiosk).once()
    told = "".join(line["text"] for line in row.log)
    assert "welcome" in told
    assert not any(ord(character) < 32 and character != "\n" for character in told)
    assert "\u202e" not in told
    assert len(told) < 8000


def test_escape_sequences_go_as_a_whole() -> None:
    assert (
        tidy(b"\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b\\\r\nnext\x9b1m\xff") == "red link\nnext\ufffd1m\ufffd"
    )


def test_a_full_disk_is_named_and_nothing_stays(made: Setup, kiosk: Kiosk, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", small], check=False).returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    try:
        kiosk.hook(f"export HOME={small}; cd {small}")
        row = made.begin(kiosk).to_the_end()
        assert (row.state, row.problem) == (State.FAILED, "disk_full"), row.log
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)
    assert kiosk.untouched()


def test_a_package_that_is_changed_on_its_way_is_not_installed(made: Setup, kiosk: Kiosk) -> None:
    kiosk.hook('case "$SSH_ORIGINAL_COMMAND" in *install) printf x >> .havenmeester-setup/agent.deb;; esac')
    row = made.begin(kiosk).to_the_end()
    assert (row.state, row.problem) == (State.FAILED, "package_changed"), row.log
    assert kiosk.untouched()


def test_a_package_with_a_signature_of_another_key_is_not_installed(made: Setup, kiosk: Kiosk, tmp_path: Path) -> None:
    from dataclasses import replace

    from mdm.releases import package

    ours = made.ground.package()
    other = package.make(tmp_path / "other")
    object.__setattr__(made.ground, "package", lambda: replace(ours, signature=other.signature))
    row = made.begin(kiosk).to_the_end()
    assert (row.state, row.problem) == (State.FAILED, "package_unsigned"), row.log
    assert kiosk.untouched()


@pytest.fixture
def stranger() -> Iterator["Stranger"]:
    one = Stranger()
    yield one
    one.close()


class Stranger:
    """Something that is no SSH server: it says ``word`` again and again, or nothing."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.server.getsockname()[1])
        self.word = b""
        self.said = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self.server.accept()
            except OSError:
                return
            with one:
                try:
                    while self.word:
                        one.sendall(self.word)
                        self.said += len(self.word)
                    one.recv(65536)
                    one.recv(65536)
                except OSError:
                    continue

    def close(self) -> None:
        self.server.close()


@pytest.mark.parametrize(
    ("word", "code"), [(b"a" * 65536, "too_much"), (b"HTTP/1.1 400 Bad Request\r\n" * 9, "lost"), (b"", "no_ssh")]
)
def test_what_is_no_ssh_server_is_left_soon(stranger: Stranger, house: Path, word: bytes, code: str) -> None:
    stranger.word = word
    asked: list[int] = []

    def never() -> "None":
        asked.append(1)

    with pytest.raises(SshError) as refused:
        connect("127.0.0.1", stranger.port, "root", "SHA256:" + "a" * 43, never, utcnow(), Limits(2, 2, 2, 2))  # type: ignore[arg-type]
    assert refused.value.code in (code, "too_much")
    assert not asked
    assert stranger.said < 64 * 1024 * 1024


def test_only_addresses_of_the_kiosk_networks_are_spoken_to(made: Setup, kiosk: Kiosk) -> None:
    from mdm.kiosks import networks

    object.__setattr__(made.ground, "networks", networks.read("10.0.0.0/8"))
    row = made.begin(kiosk).once()
    assert (row.state, row.problem) == (State.FAILED, "not_our_network")
    # Its own look whether the server answers is the one connection that there was.
    assert kiosk.log.count("Connection from") <= 1


class TestHostKeys:
    """What is read as a host key, and what a kiosk may show for it."""

    def test_every_way_of_writing_a_key_comes_to_the_same_fingerprint(self, kiosk: Kiosk) -> None:
        public = (kiosk.folder / "host_key.pub").read_text()
        for text in (
            kiosk.fingerprint,
            kiosk.label,
            public,
            f"kiosk-7.lan,10.0.0.7 {public}",
            f"havenmeester-kiosk://kiosk-7:2222/?key={kiosk.fingerprint}&account=setup&name=Hall+7",
        ):
            assert hostkeys.read(text).key == kiosk.fingerprint
        label = hostkeys.read(f"havenmeester-kiosk://kiosk-7:2222/?key={kiosk.fingerprint}&account=setup&name=Hall+7")
        assert (label.host, label.port, label.account, label.name) == ("kiosk-7", 2222, "setup", "Hall 7")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "SHA256:short",
            "SHA256:" + "a" * 44,
            "MD5:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99",
            "ssh-ed25519 AAAA",
            "ssh-dss AAAAB3NzaC1kc3MAAACB",
            f"SHA256:{'a' * 43} SHA256:{'b' * 43}",
            "havenmeester-kiosk://kiosk:99999/?key=SHA256:" + "a" * 43,
            "@revoked * ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDoWneighbour",
        ],
    )
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidError):
            hostkeys.read(text)

    def test_a_host_certificate_of_the_authority_is_taken_and_every_other_is_not(
        self, kiosk: Kiosk, house: Path, tmp_path: Path
    ) -> None:
        authority, other = tmp_path / "ca", tmp_path / "other"
        for path in (authority, other):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        known = hostkeys.read(f"@cert-authority * {authority.with_suffix('.pub').read_text()}").key

        def code(*words: str, signer: Path = authority) -> str:
            sign = ["ssh-keygen", "-q", "-s", str(signer), "-I", "kiosk", *words, f"{kiosk.folder / 'host_key'}.pub"]
            subprocess.run(sign, check=True)
            kiosk.stop()
            kiosk.extra = f"HostCertificate {kiosk.folder / 'host_key-cert.pub'}\n"
            kiosk.start()
            now = utcnow()
            ours = access.identity(house, SignIn.KEY, kiosk.account, "0" * 32, now)
            try:
                connect("127.0.0.1", kiosk.port, kiosk.account, known, lambda: ours, now).close()
            except SshError as trouble:
                return trouble.code
            return "in"

        assert code("-h", "-n", "127.0.0.1") == "in"
        assert code("-h", "-n", "another.lan") == "wrong_host_key"
        assert code("-h", "-n", "127.0.0.1", "-V", "20200101:20210101") == "wrong_host_key"
        assert code("-h", "-n", "127.0.0.1", signer=other) == "wrong_host_key"
        assert code("-h") == "wrong_host_key"
        # Without a certificate at all there is nothing that both sides take.
        kiosk.stop()
        kiosk.extra = ""
        kiosk.start()
        with pytest.raises(SshError) as refused:
            connect("127.0.0.1", kiosk.port, kiosk.account, known, lambda: 1 / 0, utcnow())  # type: ignore[arg-type,return-value]
        assert refused.value.code == "no_ssh"


class TestTheEnd:
    """Taking our access out, and proving it."""

    def test_a_certificate_of_our_authority_lets_us_in_and_the_authority_is_taken_out(
        self, made: Setup, kiosk: Kiosk
    ) -> None:
        kiosk.keys.write_text(access.access(made.ground.home).lines(kiosk.account)[SignIn.CERTIFICATE] + "\n")
        made.begin(kiosk, sign_in="certificate")
        self._stop_before_the_package(made, kiosk)
        row = made.once()
        assert row.state == State.DONE, (row.sentence, row.log)
        assert kiosk.keys.read_text() == ""

    def test_a_kiosk_that_lets_us_in_by_another_file_says_so(self, made: Setup, kiosk: Kiosk) -> None:
        other = kiosk.folder / "second_keys"
        other.write_text(access.access(made.ground.home).lines(kiosk.account)[SignIn.KEY] + "\n")
        kiosk.stop()
        kiosk.extra = f"Match all\nAuthorizedKeysFile {kiosk.keys} {other}\n"
        kiosk.start()
        made.begin(kiosk)
        self._stop_before_the_package(made, kiosk)
        row = made.once()
        assert (row.state, row.problem) == (State.ACCESS_LEFT, "access_left"), (row.sentence, row.log)
        assert "havenmeester-setup" not in kiosk.keys.read_text()

    def _stop_before_the_package(self, made: Setup, kiosk: Kiosk) -> None:
        """Leaves the helper on the kiosk, and has the set-up believe that it is at its last step."""
        from sqlalchemy import update

        from mdm.kiosks.model import KioskSetup

        kiosk.hook('case "$SSH_ORIGINAL_COMMAND" in *agent.deb*) kill -9 $PPID;; esac')
        row = made.once()
        assert row.step == Step.UPLOAD, row.log
        kiosk.hook("")
        with transaction(made.engine) as session:
            session.execute(update(KioskSetup).values(step=Step.CLOSE.value))


def test_no_word_of_the_table_is_more_than_a_word_to_a_shell() -> None:
    for command in COMMANDS.values():
        assert command.line(sudo=True)
    assert os.sep not in "".join(COMMANDS)
