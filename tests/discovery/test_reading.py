"""Captures read by the process of their own: what it finds, and what it does with what is broken."""

import os
import random
import signal
import struct
from pathlib import Path

import pytest

from mdm.core.errors import HavenmeesterError, InvalidError, UnavailableError
from mdm.discovery import reading
from mdm.discovery.kinds import Clues, NetworkKind, kind_of
from mdm.discovery.reading import Limits, Result, read_capture, take
from mdm.discovery.vendors import compact, private, vendor
from tests.discovery.packets import AT, CAMERA, LAPTOP, PHONE, PRINTER, SWITCH, arp, mdns, office, pcap, pcapng


def _read(path: Path, **more: object) -> Result:
    with path.open("rb") as file:
        return read_capture(file, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("write", [pcap, pcapng], ids=["pcap", "pcapng"])
def test_a_capture_tells_who_is_there(tmp_path: Path, write: object) -> None:
    result = _read(write(tmp_path / "office", office()))  # type: ignore[operator]

    heard = {one.mac: one for one in result.heard}
    assert set(heard) == {PRINTER, LAPTOP, SWITCH, CAMERA, PHONE}
    assert (result.packets, result.malformed, result.unread, result.cut) == (8, 0, 0, False)
    printer = heard[PRINTER]
    assert (printer.serial, printer.model, printer.services) == ("E7 3190", "Brother HL-L2350DW", ["_ipp._tcp"])
    assert printer.addresses == ["10.1.0.11"]
    assert "BRW001BA9.local" in printer.names
    assert (printer.first, printer.last) == (AT, AT + 1)
    assert (heard[LAPTOP].names, heard[LAPTOP].vendor_class) == (["laptop-balie-2"], "MSFT 5.0")
    assert heard[SWITCH].capabilities == ["bridge"]
    assert heard[CAMERA].addresses == ["10.1.0.14"]
    assert private(PHONE)
    assert not private(PRINTER)


def test_a_cut_capture_gives_what_was_before_the_cut(tmp_path: Path) -> None:
    whole = pcap(tmp_path / "whole", office()).read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])

    result = _read(tmp_path / "cut")

    assert result.cut
    assert 0 < len(result.heard) < 5


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"GIF89a" * 50,
        b"\xd4\xc3\xb2\xa1",
        b"\x1f\x8b\x08\x00" + b"\0" * 64,
        b"\x0a\x0d\x0d\x0a" + b"\xff" * 40,
    ],
    ids=["empty", "byte", "picture", "only-magic", "gzip", "claims-4-gib"],
)
def test_what_is_no_capture_is_refused_or_gives_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)

    try:
        result = _read(tmp_path / "file")
    except InvalidError as error:
        assert error.code in ("not_a_capture", "compressed")  # noqa: PT017 -- both are right
    else:
        assert result.heard == []


def test_another_kind_of_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wifi").write_bytes(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 127))

    with pytest.raises(InvalidError) as refused:
        _read(tmp_path / "wifi")

    assert refused.value.code == "wireless_link"


def test_malformed_packets_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    packet = mdns(PRINTER, "10.1.0.11", "p", "_ipp._tcp")
    raw = bytes(packet)
    pointing_at_itself = raw[:42] + raw[42:54] + b"\xc0\x0c" * 200
    huge_count = raw[:48] + b"\xff\xff" * 3 + raw[54:]
    wild = [pointing_at_itself, huge_count, raw[:60], raw[:44], b"", b"\xff" * 9, bytes(arp(LAPTOP, "10.1.0.12"))]

    with (tmp_path / "wild").open("wb") as file:
        file.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for one in wild:
            file.write(struct.pack("<IIII", int(AT), 0, len(one), len(one)) + one)
    result = _read(tmp_path / "wild")

    assert result.packets == len(wild)
    assert result.unread == 2
    assert {one.mac for one in result.heard} == {PRINTER, LAPTOP}


def test_chance_bytes_never_end_the_reading(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    for write in (pcap, pcapng):
        whole = bytearray(write(tmp_path / "whole", office() * 20).read_bytes())
        for _ in range(400):
            whole[chance.randrange(24, len(whole))] = chance.randrange(256)
        (tmp_path / "fuzzed").write_bytes(whole)
        try:
            result = _read(tmp_path / "fuzzed")
        except HavenmeesterError as error:
            assert error.code in ("not_a_capture", "other_link")  # noqa: PT017 -- a broken head may be either
        else:
            assert result.ended
            assert result.restarts == 0


def test_a_process_that_dies_is_started_again_and_nothing_is_lost(tmp_path: Path) -> None:
    path = pcap(tmp_path / "office", office())
    lives: list[int] = []

    def kill_the_first(number: int) -> None:
        lives.append(number)
        if len(lives) == 1:
            os.kill(number, signal.SIGKILL)

    result = _read(path, started=kill_the_first)

    assert (len(lives), result.restarts, len(result.heard)) == (2, 1, 5)


def test_a_process_that_dies_again_and_again_is_given_up(tmp_path: Path) -> None:
    path = pcap(tmp_path / "office", office())
    lives: list[int] = []

    def kill(number: int) -> None:
        lives.append(number)
        os.kill(number, signal.SIGKILL)

    with pytest.raises(UnavailableError) as given_up:
        _read(path, started=kill)

    assert given_up.value.code == "reader_died"
    assert len(lives) == reading.STARTS
    for number in lives:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


def test_too_little_memory_ends_only_the_process(tmp_path: Path) -> None:
    path = pcap(tmp_path / "office", office())

    with pytest.raises(UnavailableError):
        _read(path, limits=Limits(memory=24 * 1024 * 1024))


def test_the_process_has_no_rights_and_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAVENMEESTER_DATABASE_URL", "postgresql://secret")
    path = pcap(tmp_path / "long", office())
    content = path.read_bytes()
    path.write_bytes(content + content[24:] * 3000)
    told: dict[str, str] = {}

    def look(number: int) -> None:
        # It stops itself at nothing; so it is looked at until it has given its rights away, or has ended.
        folder = Path("/proc") / str(number)
        while "NoNewPrivs:\t1" not in told.get("status", ""):
            told["status"] = (folder / "status").read_text()
            if "State:\tZ" in told["status"]:
                return
        os.kill(number, signal.SIGSTOP)
        told["status"] = (folder / "status").read_text()
        os.kill(number, signal.SIGCONT)

    def begin(number: int) -> None:
        import threading

        threading.Thread(target=look, args=(number,)).start()
        told["environment"] = (Path("/proc") / str(number) / "environ").read_text()

    result = _read(path, started=begin)

    assert result.ended
    assert "secret" not in told["environment"]
    lines = dict(line.split(":\t", 1) for line in told["status"].splitlines() if ":\t" in line)
    assert int(lines["CapEff"], 16) == int(lines["CapPrm"], 16) == 0
    assert "0" not in lines["Uid"].split()


def test_what_the_process_writes_is_not_believed() -> None:
    good = (
        b'{"type": "device", "mac": "00:1b:a9:00:00:01", "first": 1, "last": 2, "packets": 1,'
        b' "names": ["a\\u001b[31m\\u202eb"]}'
    )
    wild = [
        b"not json",
        b"[1]",
        b'{"type": "device", "mac": "\' OR 1=1", "first": 1, "last": 2, "packets": 1}',
        b'{"type": "device", "mac": "01:00:5e:00:00:01", "first": 1, "last": 2, "packets": 1}',
        b'{"type": "device", "mac": "00:1b:a9:00:00:02", "first": NaN, "last": 2, "packets": 1}',
        b'{"type": "device", "mac": "00:1b:a9:00:00:02", "first": 1, "last": 2, "packets": 1, "names": ' + b"[" * 5000,
        b'{"type": "device", "mac": "00:1b:a9:00:00:03", "server": "' + b"x" * 20_000 + b'"}',
        good,
        b'{"type": "end", "packets": -4, "cut": false}',
        good,
    ]

    result = take(iter(wild))

    assert [one.names for one in result.heard] == [["a[31mb"]]
    assert (result.ended, result.packets, result.malformed) == (True, 0, 3)


def test_lines_without_an_end_stop_somewhere() -> None:
    assert not take(iter([b"{}"] * (reading.LINES + 10))).ended


@pytest.mark.parametrize(
    ("clues", "kind"),
    [
        (Clues(services=["_ipp._tcp"], vendor="Dell Inc."), NetworkKind.PRINTER),
        (Clues(services=["_airplay._tcp"], model="iPad13,1"), NetworkKind.TABLET),
        (Clues(vendor_class="android-dhcp-14"), NetworkKind.PHONE),
        (Clues(vendor_class="MSFT 5.0"), NetworkKind.COMPUTER),
        (Clues(capabilities=["bridge", "telephone"]), NetworkKind.TELEPHONE),
        (Clues(capabilities=["router"]), NetworkKind.NETWORK),
        (Clues(options="1,3,6,15,26,28,51,58,59,43,114,108"), NetworkKind.PHONE),
        (Clues(names=["Galaxy-Tab-S6.local"]), NetworkKind.TABLET),
        (Clues(vendor="Axis Communications AB"), NetworkKind.CAMERA),
        (Clues(services=["_hap._tcp"]), NetworkKind.UNKNOWN),
        (Clues(), NetworkKind.UNKNOWN),
    ],
)
def test_what_a_device_says_goes_before_who_made_it(clues: Clues, kind: NetworkKind) -> None:
    assert kind_of(clues) is kind


def test_the_maker_is_known_by_the_address_and_a_made_up_address_has_none() -> None:
    assert vendor(CAMERA) == "AXIS COMMUNICATIONS AB"
    assert vendor(PHONE) == ""
    listing = "".join(
        f"{one}   (base 16)\t\t{name}\n\t\t\t\tStreet 1\n\n"
        for one, name in (("002272", "B Corp."), ("AA0000", "A"), ("002273", "B Corp."))
    )
    assert compact(listing) == "A\taa0000\nB Corp.\t002272 002273\n"


def test_memory_of_many_senders_has_an_end(tmp_path: Path) -> None:
    from mdm.discovery.reader.dissect import DISSECTORS
    from mdm.discovery.reader.gather import MOST_DEVICES, MOST_PRIVATE, Gathering

    gathering = Gathering(DISSECTORS)
    for number in range(MOST_DEVICES + MOST_PRIVATE + 500):
        first = b"\x02" if number % 2 else b"\x00"
        source = first + (number + 1).to_bytes(5, "big")
        gathering.packet(b"\xff" * 6 + source + b"\x08\x00" + b"\0" * 40, 1, AT)

    assert len(gathering.seen) == MOST_DEVICES + MOST_PRIVATE
    assert gathering.beyond == 500
