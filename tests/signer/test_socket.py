"""The socket: who may speak, how much, how long, and what happens to nonsense."""

import ctypes
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.wire import canonical
from mdm.core.errors import DeniedError, HavenmeesterError, UnavailableError
from mdm.core.ids import new_uid
from mdm.signing.client import SignerClient
from mdm.signing.messages import MAX_LINE
from tests.signer.neighbour import RunningSigner, csr, enrol, new_key

SYS_TGKILL = {"x86_64": 234, "aarch64": 131}
"""Numbers of the system call by machine: the library of C has no name for it before glibc 2.30."""
ASK_HEALTH = canonical({"args": {}, "v": 1, "verb": "health"})


def _say(signer: RunningSigner, message: bytes) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(signer.socket))
        connection.sendall(message)
        answer = b""
        while not answer.endswith(b"\n"):
            part = connection.recv(65536)
            if not part:
                break
            answer += part
    value = json.loads(answer)
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\n", "malformed"),
        (b"{}\n", "malformed"),
        (b"null\n", "malformed"),
        (b"\xff\xfe\n", "malformed"),
        (b"[" * 60000 + b"\n", "malformed"),
        (b'{"args": {}, "v": 1, "verb": "health"}\n', "malformed"),
        (b'{"args":{},"args":{},"v":1,"verb":"health"}\n', "malformed"),
        (b'{"args":{},"v":true,"verb":"health"}\n', "malformed"),
        (b'{"args":{},"v":2,"verb":"health"}\n', "malformed"),
        (b'{"args":{},"v":1,"verb":"export_keys"}\n', "unknown_verb"),
        (b'{"args":{},"v":1,"verb":["health"]}\n', "unknown_verb"),
        (b'{"args":{"more":1},"v":1,"verb":"health"}\n', "malformed"),
        (b'{"args":[],"v":1,"verb":"health"}\n', "malformed"),
        (b'{"args":{"hash":"' + b"0" * 64 + b'","number":"1"},"v":1,"verb":"sign_head"}\n', "malformed"),
        (b'{"args":{"hash":"' + b"0" * 64 + b'","number":0},"v":1,"verb":"sign_head"}\n', "malformed"),
        (b'{"args":{"after":1e400},"v":1,"verb":"heads"}\n', "malformed"),
    ],
)
def test_nonsense_is_refused_with_a_typed_error_and_the_signer_goes_on(
    shared_signer: RunningSigner, message: bytes, code: str
) -> None:
    answer = _say(shared_signer, message)

    assert set(answer) == {"error"}
    assert answer["error"]["code"] == code  # type: ignore[index]
    assert "result" in _say(shared_signer, ASK_HEALTH + b"\n")


def test_a_huge_request_is_refused_before_it_is_read(shared_signer: RunningSigner) -> None:
    answer = _say(shared_signer, b"x" * (MAX_LINE + 1))

    assert answer["error"]["code"] == "too_large"  # type: ignore[index]


def test_numbers_too_large_for_the_ledger_are_refused(shared_signer: RunningSigner) -> None:
    line = canonical({"args": {"hash": "0" * 64, "number": 10**30}, "v": 1, "verb": "sign_head"}) + b"\n"

    assert set(_say(shared_signer, line)) == {"error"}


def test_several_questions_may_be_asked_on_one_connection(shared_signer: RunningSigner) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(shared_signer.socket))
        for _ in range(3):
            connection.sendall(ASK_HEALTH + b"\n")
            assert b'"result"' in connection.recv(65536)


def test_silent_callers_keep_nobody_out_and_too_many_are_told(shared_signer: RunningSigner) -> None:
    idle = []
    try:
        for _ in range(40):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(5)
            connection.connect(str(shared_signer.socket))
            idle.append(connection)
        with pytest.raises(UnavailableError):
            shared_signer.client.health()
    finally:
        for connection in idle:
            connection.close()
    for _ in range(1000):
        try:
            assert shared_signer.client.health().head >= 0
            break
        except UnavailableError:
            time.sleep(0.02)
    else:
        pytest.fail("the signer did not come back")


def test_the_socket_is_for_its_user_only(shared_signer: RunningSigner) -> None:
    assert shared_signer.socket.stat().st_mode & 0o777 == 0o600
    assert shared_signer.socket.parent.stat().st_mode & 0o777 == 0o700


ASK_AS = "import sys; from pathlib import Path; from mdm.signing.client import SignerClient\n" + (
    "try:\n    print(SignerClient(Path(sys.argv[1])).health())\nexcept Exception as error:\n    print(error.code)\n"
)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A home folder that every user can reach."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can speak as another user")
@pytest.mark.parametrize(("peers", "answer"), [("", b"peer_refused"), ("65534", b"Health(")])
def test_another_user_is_refused_by_credentials_unless_configured(open_folder: Path, peers: str, answer: bytes) -> None:
    signer = RunningSigner(open_folder, {"HAVENMEESTER_SIGNER_PEERS": peers})
    signer.start()
    try:
        # The mode of the socket is opened on purpose: the kernel's word on who calls must be enough by itself.
        signer.socket.parent.chmod(0o755)
        signer.socket.chmod(0o666)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(signer.socket))
        asked = subprocess.run(
            [sys.executable, "-c", _as_nobody(), str(signer.socket)], capture_output=True, timeout=30, check=True
        )
        assert asked.stdout.startswith(answer), asked
    finally:
        signer.stop()


def _as_nobody() -> str:
    """Imports as we are, then becomes nobody, then asks."""
    first, rest = ASK_AS.split("\n", 1)
    return f"{first}\nimport os; os.setgid(65534); os.setuid(65534)\n{rest}"


def test_a_signer_that_is_down_is_said_to_be_down(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as refused:
        SignerClient(tmp_path / "run" / "signer.sock").health()

    assert refused.value.retry_after > 0


def test_a_signer_that_hangs_up_or_babbles_is_said_to_be_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "s"
    answers = [b"", b"babble\n", b'{"result":1}\n', b'{"result":{}}', b"x" * (MAX_LINE + 9)]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)

        def answer_each() -> None:
            for text in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(text)

        thread = threading.Thread(target=answer_each, daemon=True)
        thread.start()
        for _ in answers:
            with pytest.raises(UnavailableError):
                SignerClient(path, timeout=2).health()
        thread.join(5)


def test_a_deep_home_folder_is_no_obstacle(tmp_path: Path) -> None:
    signer = RunningSigner(tmp_path / ("deep" * 20) / ("deeper" * 20))
    signer.start()
    try:
        assert len(str(signer.socket)) > 150
        assert signer.client.health().fleet == 0
    finally:
        assert signer.stop() == 0


def test_a_stop_is_graceful_and_takes_the_socket_away(signer: RunningSigner) -> None:
    enrol(signer.client, new_uid())

    assert signer.stop() == 0
    assert not signer.socket.exists()


def test_many_callers_at_once_get_one_certificate_per_invitation(shared_signer: RunningSigner) -> None:
    device, invitation = new_uid(), new_uid()
    outcomes: list[str] = []

    def ask() -> None:
        try:
            issued = SignerClient(shared_signer.socket, timeout=30).issue(
                device=device, invitation=invitation, csr=csr(new_key()), days=9, ownership="city"
            )
            outcomes.append(issued.fingerprint)
        except HavenmeesterError as error:
            outcomes.append(type(error).__name__)

    # Fewer than the signer attends to at once, so that each gets an answer and none is asked to come back.
    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 20
    assert outcomes.count("ConflictError") == 19


def test_the_diary_may_grow_and_never_go_back(signer: RunningSigner) -> None:
    client = signer.client
    first = client.sign_head(5, "a" * 64)
    later = client.sign_head(9, "b" * 64)

    assert client.sign_head(9, "b" * 64) == later
    for number, line_hash in ((9, "c" * 64), (5, "a" * 64), (8, "d" * 64)):
        with pytest.raises(DeniedError) as refused:
            client.sign_head(number, line_hash)
        assert refused.value.code == "head_back"
    assert list(client.heads()) == [first, later]
    assert list(client.heads(5)) == [later]
    assert first.proved(client.ca().head_key)
    assert not first.proved(client.ca().order_key)


def test_a_signer_that_is_told_to_stop_does_not_wait_for_callers_who_only_keep_a_connection(tmp_path: Path) -> None:
    running = RunningSigner(tmp_path / "home")
    running.start()
    assert running.process is not None
    with socket.socket(socket.AF_UNIX) as idle, socket.socket(socket.AF_UNIX) as cut:
        for caller in (idle, cut):
            caller.settimeout(60)
            caller.connect(str(running.socket))
        idle.sendall(ASK_HEALTH + b"\n")
        assert idle.recv(65536).endswith(b"\n")
        cut.sendall(ASK_HEALTH[:10])
        # The read limit of a caller is ten seconds: whoever waited for both would need that long.
        running.process.send_signal(signal.SIGTERM)
        assert idle.recv(1) == b""
        assert running.stop() == 0


def test_a_signer_stops_when_a_thread_that_attends_to_a_caller_gets_the_signal(tmp_path: Path) -> None:
    """Which thread gets a signal is the system's choice; here one is named, as tgkill(2) allows."""
    running = RunningSigner(tmp_path / "home")
    running.start()
    assert running.process is not None
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(60)
        caller.connect(str(running.socket))
        caller.sendall(ASK_HEALTH + b"\n")
        assert caller.recv(65536).endswith(b"\n")
        threads = {int(name.name) for name in Path(f"/proc/{running.process.pid}/task").iterdir()}
        other = max(threads - {running.process.pid})
        tgkill = ctypes.CDLL(None, use_errno=True).syscall
        assert tgkill(SYS_TGKILL[platform.machine()], running.process.pid, other, signal.SIGTERM) == 0
        assert running.process.wait(60) == 0
