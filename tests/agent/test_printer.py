"""A printer is asked how it is: a real one by the Internet Printing Protocol, and strangers who answer anything at all."""

import json
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent import ipp
from agent.collect import printer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\n"


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a printer that CUPS's own tools pretend, on a message bus of its own: it announces itself to nobody."""
    program = shutil.which("ippeveprinter", path="/usr/sbin:/usr/bin")
    bus = shutil.which("dbus-daemon")
    if program is None or bus is None:
        pytest.skip("ippeveprinter (Debian: cups-ipp-utils) or dbus-daemon is not installed")
    folder = tmp_path_factory.mktemp("printer")
    address, port = f"unix:path={folder}/bus", free_port()
    command = [program, "-r", "off", "-p", str(port), "-n", "localhost", "-d", str(folder), "Balie"]
    with (
        subprocess.Popen(
            [bus, "--session", "--nofork", "--nopidfile", f"--address={address}"], stderr=subprocess.DEVNULL
        ) as daemon,
        subprocess.Popen(
            ["/bin/sh", "-c", f'while [ ! -S {folder}/bus ]; do sleep 0.05; done; exec "$@"', "-", *command],
            env={"DBUS_SYSTEM_BUS_ADDRESS": address, "PATH": "/usr/bin:/bin"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        try:
            wait_for_port(port)
            yield port
        finally:
            process.kill()
            daemon.kill()


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("localhost", port), timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline, "the printer did not start"
            time.sleep(0.05)
        else:
            return


@contextmanager
def stranger(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """Something that listens where a printer should be; the address to ask."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            with socket.socket() as nothing:
                link = nothing
                try:
                    link, _ = server.accept()
                    with link:
                        link.settimeout(60)
                        link.recv(65536)
                        behave(link)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"ipp://127.0.0.1:{server.getsockname()[1]}/ipp/print"
    thread.join(60)


def says(content: bytes) -> Callable[[socket.socket], None]:
    def behave(link: socket.socket) -> None:
        link.sendall(content)

    return behave


def answer(*attributes: tuple[int, str, bytes], status: int = 0, end: bool = True) -> bytes:
    """The body of an IPP answer with one printer."""
    body = struct.pack(">BBHI", 2, 0, status, 1) + b"\x04"
    for tag, name, value in attributes:
        body += struct.pack(">BH", tag, len(name)) + name.encode() + struct.pack(">H", len(value)) + value
    return body + (b"\x03" if end else b"")


def http(body: bytes) -> bytes:
    return HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_a_real_printer_says_that_it_has_paper_how_much_toner_and_when_the_paper_is_gone(real: int) -> None:
    uri = f"ipp://localhost:{real}/ipp/print"
    fill(real, "250")
    found = ipp.ask(uri)
    assert (found["state"], found["paper"], found["problem"]) == ("idle", "ok", "")
    assert found["supplies"] == [{"name": "Black Toner", "level": 70}]
    fill(real, "0")
    assert ipp.ask(uri)["paper"] == "empty"
    fill(real, "250")
    assert ipp.ask(uri)["paper"] == "ok"


def fill(port: int, sheets: str) -> None:
    """Puts sheets into its tray, by the form of its own page."""
    trays = f"size1=iso_a4_210x297mm&type1=stationery&level1={sheets}&size3=iso_a4_210x297mm&type3=stationery&level3=25"
    form = f"http://localhost:{port}/media?{trays}"
    with urllib.request.urlopen(form, timeout=60) as page:
        page.read()


def test_the_process_that_asks_needs_nothing_of_the_agent_and_tells_in_one_line(real: int) -> None:
    outcome = subprocess.run(
        [sys.executable, "-I", "-S", ipp.__file__, f"ipp://localhost:{real}/ipp/print"],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    assert json.loads(outcome.stdout)["state"] == "idle"
    assert outcome.stdout.count("\n") == 1


def test_what_is_no_printer_is_told_as_a_sentence(real: int) -> None:
    assert "HTTP 404" in ipp.ask(f"ipp://localhost:{real}/no/printer")["problem"] or (
        "IPP status" in ipp.ask(f"ipp://localhost:{real}/no/printer")["problem"]
    )
    assert "does not answer" in ipp.ask(f"ipp://127.0.0.1:{free_port()}/")["problem"]
    assert "must begin with ipp" in ipp.ask("http://127.0.0.1/")["problem"]
    assert "must begin with ipp" in ipp.ask("ipp:///ipp/print")["problem"]


SAID: dict[str, tuple[bytes, str]] = {
    "cut": (http(answer((0x23, "printer-state", b"\0\0\0\3"), end=False)), "cut short"),
    "empty": (http(b""), "cut short"),
    "redirect": (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n", "HTTP 302"),
    "another type": (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", "not IPP"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP"),
    "huge length of a value": (http(answer()[:-1] + b"\x44\x00\x01x\xff\xff"), "cannot be"),
    "huge length of a name": (http(answer()[:-1] + b"\x44\xff\xff"), "cannot be"),
    "number of three bytes": (http(answer((0x23, "printer-state", b"\0\0\3"))), "wrong length"),
    "too many values": (http(answer(*[(0x44, "x", b"y")] * 2500)), "no end"),
    "another version": (http(b"\x09" + answer()[1:]), "version"),
    "refused": (http(answer(status=0x0406)), "0x0406"),
    "too long": (HEAD + b"Content-Length: 99999999\r\n\r\n" + b"\x02" * 70_000, "too long"),
    "chunks without end": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffff\r\n" + b"\x02" * 70_000, "too long"),
    "a header without end": (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000, "HTTP"),
}


@pytest.mark.parametrize("name", SAID)
def test_a_stranger_s_answer_ends_as_a_sentence_and_tells_nothing(name: str) -> None:
    content, sentence = SAID[name]
    with stranger(says(content)) as uri:
        found = ipp.ask(uri)
    assert sentence in found["problem"]
    assert (found["state"], found["paper"], found["supplies"]) == ("unreachable", "unknown", [])


def test_a_printer_that_never_ends_is_left_after_its_time_and_the_agent_goes_on() -> None:
    def drip(link: socket.socket) -> None:
        link.sendall(HEAD)
        for _ in range(1000):
            link.sendall(b"x")
            time.sleep(0.05)

    with stranger(drip) as uri:
        before = time.monotonic()
        found = printer.ask(uri, seconds=1.5)
        assert time.monotonic() - before < 30
    assert (found["state"], found["problem"]) == ("unreachable", "The printer took too long to answer.")


def test_hostile_words_of_a_printer_become_harmless_and_few() -> None:
    body = answer(
        (0x23, "printer-state", b"\0\0\0\5"),
        *[(0x44, "printer-state-reasons" if place == 0 else "", f"odd-{place}-error".encode()) for place in range(99)],
        (0x42, "marker-names", "\x1b[2J<script>\u202e".encode()),
        (0x21, "marker-levels", struct.pack(">i", -3)),
    )
    with stranger(says(http(body))) as uri:
        found: dict[str, Any] = ipp.ask(uri)
    assert found["state"] == "stopped"
    assert len(found["reasons"]) == ipp.MAX_LISTED
    assert found["supplies"] == [{"name": "[2J<script>", "level": None}]


def test_members_of_a_collection_are_not_taken_for_what_was_asked() -> None:
    status, found = ipp.decode(
        answer(
            (0x34, "media-col-ready", b""),
            (0x4A, "", b"printer-state"),
            (0x21, "", b"\0\0\0\5"),
            (0x37, "", b""),
            (0x23, "printer-state", b"\0\0\0\3"),
            (0x36, "printer-state-reasons", b"\0\2en\0\4none"),
        )
    )
    assert (status, found) == (0, {"printer-state": [3], "printer-state-reasons": ["none"]})


def test_reasons_are_words_without_their_weight() -> None:
    reasons: list[int | str] = ["media-low-report", "marker-supply-low-warning"]
    low = ipp.summary({"printer-state": [3], "printer-state-reasons": reasons})
    assert (low["paper"], low["reasons"]) == ("low", ["marker-supply-low", "media-low"])
    assert ipp.summary({})["paper"] == "unknown"
    assert ipp.summary({"printer-state-reasons": ["none"]})["paper"] == "ok"


def test_only_a_line_of_the_process_is_believed(tmp_path: Path) -> None:
    assert printer.read("") == ipp.unreachable("The printer could not be asked.")
    assert printer.read("Traceback …")["state"] == "unreachable"
    assert printer.read('warning\n{"state": "idle", "paper": "ok", "reasons": [], "supplies": [], "problem": ""}') == {
        **ipp.unreachable(""),
        "state": "idle",
        "paper": "ok",
    }
    assert printer.read("[1, 2]")["state"] == "unreachable"
