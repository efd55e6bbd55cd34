"""Captures as tools and networks really give them, and as somebody who means harm would: the same answers, and nothing else."""

import gzip
import io
import struct

import pytest

from mdm.discovery.kinds import Clues, NetworkKind, kind_of
from mdm.discovery.reader.captures import Capture
from mdm.discovery.reader.dissect import DISSECTORS
from mdm.discovery.reader.gather import Gathering
from mdm.discovery.reader.refusal import NotACaptureError
from mdm.discovery.reading import Heard
from mdm.discovery.vendors import vendor
from tests.discovery import forms
from tests.discovery.forms import AT, block, interface, option, packet, pcap, section, simple
from tests.discovery.packets import CAMERA, LAPTOP, PHONE, PRINTER, SWITCH, arp, dhcp, lldp, mdns, office

OFFICE = [bytes(one) for one in office()]
ARP = bytes(arp(PRINTER, "10.1.0.11"))
FE80 = bytes.fromhex("fe80000000000000021ba9fffe000001")


class Read:
    """What a capture told: devices by address, and the figures."""

    def __init__(self, content: bytes) -> None:
        found = Capture(io.BytesIO(content))
        gathering = Gathering(DISSECTORS)
        for data, link, at in found:
            gathering.packet(data, link, at)
        self.cut, self.others = found.cut, found.other_links
        self.counts = gathering.counts()
        self.refused = found.only_other() if found.other_links and found.other_links == gathering.packets else ""
        records = list(gathering.records())
        self.by_mac = {one.mac: one for one in (Heard.model_validate(record) for record in records)}

    @property
    def macs(self) -> set[str]:
        return set(self.by_mac)


@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
@pytest.mark.parametrize("nano", [False, True], ids=["micro", "nano"])
def test_a_classic_capture_is_read_in_both_orders_and_both_clocks(order: str, nano: bool) -> None:
    told = Read(pcap(OFFICE, order=order, nano=nano))

    assert told.macs == {PRINTER, LAPTOP, SWITCH, CAMERA, PHONE}
    assert told.by_mac[PRINTER].first == pytest.approx(AT + (5e-7 if nano else 5e-4), abs=1e-6)
    assert not told.cut


def test_a_length_of_checksums_above_the_link_is_no_other_link() -> None:
    assert Read(pcap([ARP], link=forms.ETHERNET | 0x24000000)).macs == {PRINTER}


@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
def test_a_newer_capture_with_everything_that_may_stand_in_it_is_read(order: str) -> None:
    comment = option(1, "een opmerking ✓".encode(), order) + option(0, b"", order)
    content = (
        section(order, comment)
        + interface(options=option(2, b"eth0", order) + comment, order=order)
        + interface(order=order, options=option(9, b"\x09", order))
        + block(4, b"\0\1\0\4\x0a\1\0\x0bpc\0\0", order)  # names of addresses
        + packet(ARP, order, options=comment)
        + packet(bytes(arp(LAPTOP, "10.1.0.12")), order, interface=1, moment=AT * 10**9)
        + block(0x0BAD, b"\0\0\x30\x39 somebody's own", order)
        + block(0x7777, b"unknown" * 50, order)
        + block(10, struct.pack(order + "II", 0x544C534B, 8) + b"CLIENT_R", order)
        + simple(bytes(arp(CAMERA, "10.1.0.14")), order)
        + block(5, b"\0" * 12, order)
    )
    told = Read(content)

    assert told.macs == {PRINTER, LAPTOP, CAMERA}
    assert {one.first for one in told.by_mac.values()} == {AT}
    assert not told.cut


def test_each_section_has_an_order_interfaces_and_a_clock_of_its_own() -> None:
    first = section("<") + interface(forms.RADIOTAP) + packet(b"\0" * 40)
    clock = option(9, b"\x83", ">") + option(14, struct.pack(">q", AT), ">")
    second = section(">") + interface(forms.ETHERNET, ">", options=clock) + packet(ARP, ">", moment=80)

    told = Read(first + second)

    assert (told.macs, told.others) == ({PRINTER}, 1)
    # Eighths of a second since a moment that the interface names.
    assert told.by_mac[PRINTER].first == AT + 10


def test_a_packet_of_an_interface_that_was_never_told_of_is_left_out() -> None:
    told = Read(section() + interface() + packet(ARP, interface=7) + packet(bytes(arp(LAPTOP, "10.1.0.12"))))

    assert told.macs == {LAPTOP}


@pytest.mark.parametrize("resolution", [b"\x00", b"\x7f", b"\xff", b"\x12"])
def test_an_impossible_clock_takes_no_device_away(resolution: bytes) -> None:
    told = Read(section() + interface(options=option(9, resolution)) + packet(ARP, moment=2**64 - 1))

    assert told.macs == {PRINTER}


@pytest.mark.parametrize("at", [0, 1, 4_294_967_290])
def test_a_moment_of_1970_or_of_the_next_century_takes_no_device_away(at: int) -> None:
    assert Read(pcap([ARP], at=at)).macs == {PRINTER}


def test_a_length_of_a_gigabyte_is_a_cut_and_nothing_is_reserved_for_it() -> None:
    lie = struct.pack("<IIII", AT, 0, 1_000_000_000, 1_000_000_000)
    told = Read(pcap([ARP]) + lie + ARP * 10)
    assert told.cut
    assert told.macs == {PRINTER}
    newer = Read(section() + interface() + packet(ARP) + struct.pack("<II", 6, 1_000_000_000) + ARP * 10)
    assert newer.cut
    assert newer.macs == {PRINTER}


@pytest.mark.parametrize(
    "whole", [pcap(OFFICE), section() + interface() + b"".join(map(packet, OFFICE))], ids=["pcap", "pcapng"]
)
def test_a_capture_that_ends_anywhere_says_that_it_was_cut(whole: bytes) -> None:
    assert not Read(whole).cut
    # Not where a packet could have begun: there nobody can tell.
    for missing in (1, 3, 5, 13, 40):
        assert Read(whole[:-missing]).cut


def test_packets_that_were_cut_short_say_who_sent_them() -> None:
    told = Read(pcap(OFFICE, snaplen=64))

    assert told.macs == {PRINTER, LAPTOP, SWITCH, CAMERA, PHONE}
    assert not told.cut


def test_records_without_bytes_and_giants_are_counted() -> None:
    jumbo = ARP[:12] + b"\x08\x00" + b"\x45" + b"\0" * 9000
    told = Read(pcap([b"", jumbo, b"\0", ARP]))

    assert (told.counts["packets"], told.counts["unread"]) == (4, 2)
    assert told.macs == {PRINTER}


def variant(capture: bytes, more: int) -> bytes:
    """The capture with so many bytes more in the head of each record, as programs of the nineties wrote it."""
    found, place = capture[:24], 24
    while place < len(capture):
        end = place + 16 + int.from_bytes(capture[place + 8 : place + 12], "little")
        found += capture[place : place + 16] + b"\x01\0\0\0\x08\0\0\0"[:more] + capture[place + 16 : end]
        place = end
    return found


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_a_capture"),
        (b"time,source,destination\n1,2,3\n" * 20, "not_a_capture"),
        (gzip.compress(pcap(OFFICE)), "compressed"),
        (b"PK\x03\x04" + b"\0" * 50, "compressed"),
        (b"\x28\xb5\x2f\xfd" + b"\0" * 50, "compressed"),
        (pcap([ARP], link=forms.RADIOTAP), "wireless_link"),
        (pcap([ARP], link=105), "wireless_link"),
        (pcap([b"\x45" + b"\0" * 39], link=forms.RAW_IP), "no_addresses"),
        (pcap([b"\2\0\0\0\x45" + b"\0" * 39], link=forms.BSD_LOOPBACK), "no_addresses"),
        (pcap([ARP], link=189), "other_link"),
        (variant(pcap([ARP, ARP, ARP]), 8), "old_variant"),
        (variant(pcap([ARP]), 8), "old_variant"),
        (variant(pcap([ARP, ARP]), 4), "old_variant"),
        (variant(pcap([ARP] * 2000), 8), "old_variant"),
        (b"\x34\xcd\xb2\xa1" + pcap([ARP])[4:], "old_variant"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, code: str) -> None:
    with pytest.raises(NotACaptureError) as refused:
        Read(content)
    assert refused.value.code == code


def test_a_newer_capture_of_nothing_but_wifi_says_so() -> None:
    assert Read(section() + interface(forms.RADIOTAP) + packet(b"\0" * 40) * 3).refused == "wireless_link"
    assert (
        Read(
            section() + interface(forms.RADIOTAP) + interface() + packet(b"\0" * 40) + packet(ARP, interface=1)
        ).refused
        == ""
    )


@pytest.mark.parametrize(
    "frame",
    [
        forms.tags(ARP, 0x8100),
        forms.tags(ARP, 0x88A8, 0x8100),
        forms.tags(ARP, 0x9100, 0x88A8, 0x8100),
    ],
)
def test_tags_of_virtual_networks_are_looked_through(frame: bytes) -> None:
    assert Read(pcap([frame])).by_mac[PRINTER].addresses == ["10.1.0.11"]


def test_what_linux_cooked_is_read_in_both_forms() -> None:
    for cook, link in ((forms.cooked, forms.COOKED), (forms.cooked_2, forms.COOKED_2)):
        told = Read(pcap([cook(PRINTER, 0x0806, ARP[14:]), cook(LAPTOP, 0x0800, b"\x45" + b"\0" * 30)], link=link))
        assert told.by_mac[PRINTER].addresses == ["10.1.0.11"]
        assert told.macs == {PRINTER, LAPTOP}


def test_a_session_over_pppoe_and_frames_of_the_spanning_tree_count_as_presence() -> None:
    session = b"\xff" * 6 + bytes.fromhex(LAPTOP.replace(":", "")) + b"\x88\x64\x11\0\0\1\0\x06\0\x21\x45" + b"\0" * 30
    tree = b"\x01\x80\xc2\0\0\0" + bytes.fromhex(SWITCH.replace(":", "")) + b"\0\x26\x42\x42\x03" + b"\0" * 35

    assert Read(pcap([session, tree])).macs == {LAPTOP, SWITCH}


def test_addresses_of_nobody_are_never_devices() -> None:
    nobody = ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb", "33:33:00:00:00:01", "00:00:00:00:00:00"]

    told = Read(pcap([bytes(arp(one, "10.1.0.9")) for one in nobody]))

    assert told.macs == set()
    assert told.counts["unread"] == len(nobody)


def test_a_router_that_passes_a_hundred_hosts_on_is_one_device() -> None:
    router = "00:0b:86:00:00:99"
    passed = [forms.datagram(router, 443, 5000, b"x", address=bytes([198, 51, 100, n])) for n in range(100)]
    advertised = forms.neighbour(router, 134, b"\x40\0\x07\x08" + b"\0" * 8, FE80)

    told = Read(pcap([*passed, advertised]))

    assert told.macs == {router}
    # The senders' addresses are not its own.
    assert told.by_mac[router].addresses == [str(_six(FE80))]
    assert kind_of(Clues(capabilities=told.by_mac[router].capabilities)) is NetworkKind.NETWORK
    assert kind_of(Clues(vendor=vendor("00:00:5e:00:01:0a"))) is NetworkKind.NETWORK


def _six(value: bytes) -> object:
    import ipaddress

    return ipaddress.IPv6Address(value)


def test_a_relay_speaks_of_its_clients_and_is_none_of_them() -> None:
    relay, server = "00:0b:86:00:00:10", "00:0b:86:00:00:11"
    asked = forms.asking(LAPTOP, (12, b"balie-2"), source=relay, relay=b"\x0a\1\0\1")
    answered = forms.datagram(
        server, 67, 67, forms.bootp(LAPTOP, forms.dhcp_options((53, b"\x05")), op=2, given=b"\x0a\1\0\x63")
    )

    told = Read(pcap([asked, answered]))

    assert (told.by_mac[LAPTOP].names, told.by_mac[LAPTOP].addresses) == (["balie-2"], ["10.1.0.99"])
    assert told.by_mac[relay].names == []
    assert told.by_mac[server].services == ["dhcp-server"]


def test_a_name_stands_where_there_was_room_for_it_and_a_long_class_in_its_parts() -> None:
    overloaded = forms.bootp(
        PRINTER,
        forms.dhcp_options((53, b"\x03"), (52, b"\x03"), (60, b"Mfg=Acme;Typ=Printer;" + b"x" * 300)),
        file=forms.dhcp_options((12, b"gang-printer")),
        sname=forms.dhcp_options((55, bytes([6, 3, 1, 15]))),
    )
    told = Read(pcap([forms.datagram(PRINTER, 68, 67, overloaded)])).by_mac[PRINTER]

    assert (told.names, told.options) == (["gang-printer"], "6,3,1,15")
    assert told.vendor_class.startswith("Mfg=Acme;Typ=Printer;xxx")
    assert len(told.vendor_class) == 128


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("réception-é".encode(), "réception-é"),
        (b"<script>alert(1)</script>", "<script>alert(1)</script>"),
        (b"\x1b]0;owned\x07\x1b[31mred", "]0;owned[31mred"),
        (b"a\r\nb\0c\xff", "a  bc\ufffd"),
        ("\u202egnp.exe".encode(), "gnp.exe"),
    ],
)
def test_a_name_is_one_harmless_line(said: bytes, name: str) -> None:
    assert Read(pcap([forms.asking(LAPTOP, (12, said))])).by_mac[LAPTOP].names == [name]


def test_the_full_name_is_read_as_text_and_as_labels() -> None:
    wire = b"\x04\0\0" + forms.name_of(["balie-3", "stad", "lan"])

    for value, name in (
        (wire, "balie-3.stad.lan"),
        (b"\0\0\0balie-4.stad.lan", "balie-4.stad.lan"),
        (b"\x04\0\0\xc0\x0c", ""),
    ):
        assert Read(pcap([forms.asking(LAPTOP, (81, value))])).by_mac[LAPTOP].names == ([name] if name else [])


def test_neighbours_of_ipv6_name_their_addresses() -> None:
    host = bytes.fromhex("20010db8000000000000000000000017")
    solicits = forms.neighbour(LAPTOP, 135, b"\0\0\0\0" + FE80, host)
    advertises = forms.neighbour(PRINTER, 136, b"\x60\0\0\0" + FE80, FE80)
    forwarded = forms.neighbour(CAMERA, 136, b"\x60\0\0\0" + host, FE80, hops=63)
    new = forms.neighbour(SWITCH, 135, b"\0\0\0\0" + FE80, b"\0" * 16)

    told = Read(pcap([solicits, advertises, forwarded, new]))

    assert told.by_mac[LAPTOP].addresses == ["2001:db8::17"]
    assert told.by_mac[PRINTER].addresses == ["fe80::21b:a9ff:fe00:1"]
    assert told.by_mac[CAMERA].addresses == told.by_mac[SWITCH].addresses == []


def test_dhcp_of_ipv6_and_mdns_over_ipv6_are_read() -> None:
    named = struct.pack("!HH", 39, 1 + len(forms.name_of(["balie-5"]))) + b"\0" + forms.name_of(["balie-5"])
    kind = struct.pack("!HHI", 16, 4 + 2 + 8, 311) + struct.pack("!H", 8) + b"MSFT 5.0"
    solicit = forms.datagram_6(LAPTOP, 546, 547, b"\x01\0\0\x07" + named + kind, FE80)
    server = forms.datagram_6(SWITCH, 547, 546, b"\x02\0\0\x07", FE80)
    printer = bytes(mdns(PRINTER, "10.1.0.11", "p", "_ipp._tcp"))[42:]
    spoken = forms.datagram_6(PRINTER, 5353, 5353, printer, FE80)

    told = Read(pcap([solicit, server, spoken]))

    assert (told.by_mac[LAPTOP].names, told.by_mac[LAPTOP].vendor_class) == (["balie-5"], "MSFT 5.0")
    assert told.by_mac[SWITCH].services == ["dhcp-server"]
    assert told.by_mac[PRINTER].services == ["_ipp._tcp"]
    assert told.by_mac[PRINTER].addresses == ["fe80::21b:a9ff:fe00:1"]


def test_names_that_point_at_themselves_end() -> None:
    head = struct.pack("!HHHHHH", 0, 0x8400, 0, 40, 0, 0)
    loops = [
        head + b"\xc0\x0c" * 400,
        head + b"\x01a\xc0\x0e\xc0\x0c" * 200,
        head + (b"\xc0\x0e" + struct.pack("!HHIH", 12, 1, 60, 2) + b"\xc0\x0c") * 40,
        head + b"\x3f" + b"a" * 30,
    ]
    told = Read(pcap([*(forms.datagram(CAMERA, 5353, 5353, one) for one in loops), ARP]))

    assert told.macs == {CAMERA, PRINTER}
    assert all(len(name) < 256 for name in told.by_mac[CAMERA].names)


def test_nothing_behind_the_head_of_ssdp_counts() -> None:
    def server(text: bytes) -> str:
        return Read(pcap([forms.datagram(CAMERA, 1900, 1900, text, address=b"\x0a\1\0\7")])).by_mac[CAMERA].server

    assert server(b"NOTIFY * HTTP/1.1\r\nSERVER: A\r\n\r\nSERVER: B\r\n") == "A"
    assert server(b"NOTIFY * HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\nSERVER: B\r\n") == ""
    assert server(b"NOTIFY * HTTP/1.1\nNT: x\nSERVER: only\x1b[2J\tfeeds\n") == "only[2J feeds"
    assert server(b"NOTIFY * HTTP/1.1\r\n" + b"X: y\r\n" * 5000) == ""


def test_what_stands_before_a_broken_part_of_lldp_was_said() -> None:
    good = forms.lldp_parts((1, b"\4" + b"\0" * 6), (5, b"sw-1"), (7, b"\0\x14\0\x14"), (127, b"\x00\x12\xbb\x08SN-77"))
    frame = bytes(lldp(SWITCH, "x"))[:14]

    whole = Read(pcap([frame + good + b"\0\0"])).by_mac[SWITCH]
    assert (whole.names, whole.capabilities, whole.serial) == (["sw-1"], ["bridge", "router"], "SN-77")
    for broken in (good + b"\xff\xff", good + b"\x0a", good + forms.lldp_parts((127, b""), (127, b"\0")), good * 40):
        told = Read(pcap([frame + broken]))
        assert told.by_mac[SWITCH].names == ["sw-1"]


def test_two_that_claim_one_address_are_both_marked_and_probes_claim_nothing() -> None:
    claims = [bytes(arp(PRINTER, "10.1.0.11")), bytes(arp(CAMERA, "10.1.0.11")), bytes(arp(LAPTOP, "10.1.0.12"))]
    probes = [bytes(arp(SWITCH, "0.0.0.0")), bytes(arp(PHONE, "0.0.0.0"))]
    virtual = [bytes(arp("00:00:5e:00:01:0a", "10.1.0.12"))]

    told = Read(pcap([*claims, *probes, *virtual]))

    assert told.by_mac[PRINTER].shared == told.by_mac[CAMERA].shared == ["10.1.0.11"]
    assert told.by_mac[LAPTOP].shared == []
    assert told.by_mac[SWITCH].addresses == told.by_mac[PHONE].addresses == []


def test_somebody_who_speaks_arp_for_another_card_gives_it_no_address() -> None:
    lie = bytes(arp(PRINTER, "10.1.0.11"))
    lie = lie[:6] + bytes.fromhex(LAPTOP.replace(":", "")) + lie[12:]

    told = Read(pcap([lie, bytes(dhcp(CAMERA, "c"))]))

    assert told.macs == {LAPTOP, CAMERA}
    assert told.by_mac[LAPTOP].addresses == []


@pytest.mark.parametrize(
    ("clues", "kind"),
    [
        (Clues(options="1,3,6,15,31,33,43,44,46,47,119,121,249,252", vendor_class="MSFT 5.0"), "computer"),
        (Clues(options="1,15,3,6,44,46,47,31,33,121,249,43"), "computer"),
        (Clues(options="1,121,3,6,15,108,114,119,252"), "phone"),
        (Clues(options="1,121,3,6,15,108,114,119,162,252", names=["iPad"]), "tablet"),
        (Clues(options="1,121,3,6,15,114,119,252,95,44,46", vendor="Apple, Inc."), "computer"),
        (Clues(vendor_class="android-dhcp-13", names=["Galaxy-Tab-A8"]), "tablet"),
        (Clues(vendor_class="android-dhcp-12", services=["_androidtvremote2._tcp"]), "screen"),
        (Clues(vendor_class="dhcpcd-9.4.1:Linux-5.15.84-v8+:aarch64:BCM2835"), "computer"),
        (Clues(vendor_class="dhcpcd-5.5.6:Linux-3.4:armv7l:Android"), "phone"),
        (Clues(vendor_class="udhcp 1.24.1"), "unknown"),
        (Clues(vendor_class="udhcp 1.24.1", vendor="Hangzhou Hikvision Digital Technology Co.,Ltd."), "camera"),
        (Clues(vendor_class="Mfg=Hewlett Packard;Typ=Printer;Mod=HP LaserJet 400 M401dn;"), "printer"),
        (Clues(options="6,3,1,15,66,67,13,44,12,81,252", vendor="Hewlett Packard"), "printer"),
        (Clues(services=["_pdl-datastream._tcp"], vendor="Hewlett Packard"), "printer"),
        (Clues(vendor_class="AXIS,Network Camera,P3245-LV,10.12"), "camera"),
        (Clues(vendor_class="Cisco Systems, Inc. IP Phone CP-8841"), "telephone"),
        (Clues(vendor_class="Cisco AP c1140"), "network"),
        (Clues(vendor_class="Polycom-VVX410"), "telephone"),
        (Clues(vendor_class="ArubaInstantAP"), "network"),
        (Clues(options="1,28,2,3,15,6,119,12,44,47,26,121,42"), "computer"),
        (Clues(services=["_airplay._tcp", "_companion-link._tcp"], model="MacBookPro18,3"), "computer"),
        (Clues(services=["_airplay._tcp"], model="AppleTV11,1"), "screen"),
        (Clues(services=["_companion-link._tcp"], names=["iPhone-van-Jan.local"]), "phone"),
        (Clues(services=["urn:dial-multiscreen-org:device:dial:1"], server="WebOS/4.1"), "screen"),
        (Clues(services=["urn:schemas-upnp-org:device:InternetGatewayDevice:1"]), "network"),
        (Clues(names=["BRN30055C123456.local"]), "printer"),
        (Clues(names=["SEP001122334455"]), "telephone"),
        (Clues(names=["september-2"]), "unknown"),
    ],
)
def test_devices_as_they_really_ask_are_told_apart(clues: Clues, kind: str) -> None:
    assert kind_of(clues).value == kind
