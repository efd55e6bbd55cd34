"""Where a webhook may go, and every form of an address that must not be called."""

import socket
from pathlib import Path

import pytest

from mdm.alarms.address import Address, acceptable, hosts, resolve, take_apart
from mdm.core.errors import InvalidError, UnavailableError
from tests.alarms.receiver import receiver

ALLOWED = hosts("hooks.stad.example, Hooks2.stad.example:8443, *.partner.example, *.be, 203.0.113.7, [2001:db8::7]:444")

NEVER = """
http://hooks.stad.example/
HTTPS://hooks.stad.example/
https:hooks.stad.example
https:/hooks.stad.example
https:///hooks.stad.example
//hooks.stad.example/
ftp://hooks.stad.example/
file:///etc/passwd
gopher://hooks.stad.example/
javascript:alert(1)
ws://hooks.stad.example/
https://
https://?x
https://#hooks.stad.example
https://user@hooks.stad.example/
https://user:word@hooks.stad.example/
https://hooks.stad.example@evil.example/
https://evil.example#@hooks.stad.example/
https://evil.example?@hooks.stad.example/
https://evil.example\\@hooks.stad.example/
https://hooks.stad.example\\.evil.example/
https://hooks.stad.example:443@evil.example/
https://evil.example/https://hooks.stad.example/
https://hooks.stad.example.evil.example/
https://evilhooks.stad.example/
https://stad.example/
https://hooks.stad.example./
https://hooks.stad.example../
https://.hooks.stad.example/
https://hooks..stad.example/
https://Hooks.stad.example/
https://HOOKS.STAD.EXAMPLE/
https://hooks.stad.example:80/
https://hooks.stad.example:8443/
https://hooks2.stad.example/
https://hooks2.stad.example:443/
https://hooks.stad.example:0443/
https://hooks.stad.example:/
https://hooks.stad.example:0/
https://hooks.stad.example:65536/
https://hooks.stad.example:99999/
https://hooks.stad.example:-1/
https://hooks.stad.example:443:443/
https://hooks.stad.example:４４３/
https://hooks。stad。example/
https://ｈooks.stad.example/
https://hooks.stad.exаmple/
https://hooks%2estad.example/
https://hooks.stad.example%00.evil.example/
https://hooks.stad.example%0d%0aX:y@evil.example/
https://hooks.stad.example#fragment
https://hooks.stad.example/#fragment
https://hooks.stad.example/a b
https://hooks.stad.example/a\\b
https://hooks.stad.example/<script>
https://hooks.stad.example/"x"
https://hooks.stad.example/{x}
https://hooks.stad.example/é
https://partner.example/
https://a.partner.example:8443/
https://anything.be/
https://127.0.0.1/
https://127.1/
https://127.0.1/
https://0/
https://0.0.0.0/
https://2130706433/
https://0x7f000001/
https://0x7f.0.0.1/
https://0x7f.1/
https://0177.0.0.1/
https://017700000001/
https://127.0.0.1.partner.example.1/
https://10.0.0.1/
https://172.16.0.1/
https://192.168.1.1/
https://169.254.169.254/latest/meta-data/
https://100.64.0.1/
https://198.18.0.1/
https://224.0.0.1/
https://240.0.0.1/
https://255.255.255.255/
https://[::1]/
https://[::]/
https://[::ffff:127.0.0.1]/
https://[::ffff:7f00:1]/
https://[0:0:0:0:0:0:0:1]/
https://[fe80::1]/
https://[fe80::1%25eth0]/
https://[fc00::1]/
https://[ff02::1]/
https://[64:ff9b::7f00:1]/
https://[2002:7f00:1::]/
https://[2001:db8::7]/
https://::1/
https://[::1/
https://::1]/
https://203.0.113.8/
https://203.0.113.7:8443/
https://203.0.113.07/
https://localhost/
https://localhost.localdomain/
https://metadata.google.internal/
https://hooks_.stad.example/
https://-hooks.stad.example/
https://a.-b.partner.example/
"""
BASE = "https://hooks.stad.example/"
FORMS = [
    *NEVER.split("\n")[1:-1],
    *("", f" {BASE}", f"{BASE}\n", f"{BASE}\r\nX: y", f"{BASE}\t", f"{BASE}\x00", BASE + "a" * 2000),
    *("https://" + "a" * 64 + ".partner.example/", "https://" + "a." * 130 + "partner.example/"),
]


def test_there_are_enough_forms_that_must_not_be_called() -> None:
    assert len(set(FORMS)) == len(FORMS) >= 80


@pytest.mark.parametrize("url", FORMS)
def test_a_form_that_must_not_be_called_is_refused_before_any_name_is_asked(url: str) -> None:
    with pytest.raises(InvalidError) as refused:
        take_apart(url, ALLOWED)
    assert refused.value.code in ("webhook_url", "webhook_host")


@pytest.mark.parametrize(
    ("url", "host", "port", "target", "exact"),
    [
        ("https://hooks.stad.example", "hooks.stad.example", 443, "/", True),
        ("https://hooks.stad.example:443/in?a=b&c=%20", "hooks.stad.example", 443, "/in?a=b&c=%20", True),
        ("https://hooks2.stad.example:8443/x", "hooks2.stad.example", 8443, "/x", True),
        ("https://a.b.partner.example/x", "a.b.partner.example", 443, "/x", False),
        ("https://203.0.113.7/x", "203.0.113.7", 443, "/x", True),
        ("https://[2001:db8::7]:444/x", "2001:db8::7", 444, "/x", True),
    ],
)
def test_what_the_list_allows_is_taken_apart(url: str, host: str, port: int, target: str, exact: bool) -> None:
    assert take_apart(url, ALLOWED) == Address(host, port, target, exact)


def test_an_empty_list_allows_nothing() -> None:
    with pytest.raises(InvalidError, match="webhook_hosts"):
        take_apart("https://hooks.stad.example/", hosts(" , "))


INSIDE = ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.9", "172.31.0.1", "fd00::1", "::ffff:10.0.0.1"]
SPECIAL = ["169.254.169.254", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "fe80::1", "fe80::1%eth0", "240.0.0.1", "255.255.255.255",
           "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::", "::ffff:169.254.169.254", "100.64.0.1", "no address"]  # fmt: skip


@pytest.mark.parametrize("number", INSIDE)
def test_an_address_inside_is_only_for_a_host_that_the_list_names_exactly(number: str) -> None:
    assert not acceptable(number, exact=False)
    assert acceptable(number, exact=True)


@pytest.mark.parametrize("number", SPECIAL)
def test_a_special_address_is_for_nobody(number: str) -> None:
    assert not acceptable(number, exact=False)
    assert not acceptable(number, exact=True)


@pytest.mark.parametrize("number", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_for_everybody(number: str) -> None:
    assert acceptable(number, exact=False)


def test_a_name_of_the_list_that_leads_inside_is_not_called_when_only_a_wildcard_allows_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with receiver(tmp_path) as there:
        answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, there.port)) for ip in ("8.8.8.8", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: answers)
        with pytest.raises(InvalidError) as refused:
            resolve(take_apart("https://a.partner.example/", ALLOWED))
        assert refused.value.code == "webhook_private"
        assert there.connections == 0


def test_a_name_without_an_address_is_tried_later() -> None:
    with pytest.raises(UnavailableError, match="no address now"):
        resolve(Address("nowhere.invalid", 443, "/", exact=True))
