"""The interpreter for Linux: what comes out is read back by the programs that will read it, whatever the values were."""

import ast
import configparser
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import wire
from agent.apply import software, targets, usb
from agent.apply.engine import Engine
from agent.collect import screenlock
from agent.roots import Root
from agent.state import State
from mdm.platforms.linux.escape import gvariant, keyfile, systemd_argument
from mdm.platforms.linux.render import LinuxInterpreter
from mdm.policies import catalogue

LINUX = LinuxInterpreter()
WG = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
EVERYTHING: dict[str, Any] = {
    "passcode.min_length": 10,
    "passcode.complexity": "mixed",
    "screen_lock.enabled": True,
    "screen_lock.timeout": 300,
    "screen_lock.grace": 5,
    "lock_screen.message": "Stad 'Antwerpen'\nBel 03 22 11 333",
    "lock_screen.notifications": False,
    "firewall.enabled": True,
    "firewall.allow_in": [
        {"name": "ssh", "protocol": "tcp", "port": 22, "source": "10.1.2.3/8"},
        {"name": "mdns", "protocol": "udp", "port": 5353, "source": "fd00::/8"},
        {"name": 'x" ; flush', "protocol": "tcp", "port": 80},
    ],
    "ssh.enabled": False,
    "ssh.password_login": False,
    "ssh.allow_users": ["ann"],
    "certificates.authorities": [{"name": "Stad CA", "certificate": "-----BEGIN CERTIFICATE-----\n"}],
    "logs.keep_days": 30,
    "wifi.networks": [
        {"ssid": "stad", "security": "wpa2", "passphrase": "geheim-geheim"},
        {"ssid": "65;66;", "security": "wpa3", "passphrase": " leading\\backslash", "hidden": True},
        {"ssid": "gast", "security": "open", "autoconnect": False},
        {"ssid": "werk", "security": "peap", "identity": "kiosk", "passphrase": "x;y#z=1", "domain": "radius.stad.be"},
    ],
    "vpn.connections": [
        {
            "name": "Stad",
            "address": "10.9.0.2/32",
            "private_key": WG,
            "peer_key": WG,
            "endpoint": "vpn.stad.be:51820",
            "allowed": ["10.0.0.0/8", "fd00::/8"],
            "dns": ["10.0.0.53"],
            "keepalive": 25,
        }
    ],
    "dns.servers": ["10.0.0.53", "fd00::53"],
    "dns.search": ["stad.be"],
    "proxy.mode": "manual",
    "proxy.server": "proxy.stad.be:8080",
    "proxy.bypass": ["*.stad.be"],
    "proxy.pac_url": "https://proxy.stad.be/p.pac",
    "browser.home_page": "https://stad.be/?a=%20b",
    "browser.url_allow": ["stad.be"],
    "browser.url_block": ["*"],
    "browser.bookmarks": [{"name": "Mia", "url": "https://mia.be/"}],
    "browser.incognito": False,
    "browser.password_manager": False,
    "browser.downloads": "safe",
    "browser.popups": False,
    "browser.extensions": ["a" * 32],
    "web_links.links": [{"name": "A-stad", "url": "https://a.be/?q=%24x", "comment": "Intranet"}],
    "restrictions.camera": False,
    "restrictions.microphone": False,
    "restrictions.usb_storage": False,
    "restrictions.bluetooth": False,
    "restrictions.developer_mode": False,
    "restrictions.unknown_sources": False,
    "restrictions.screenshots": False,
    "restrictions.printing": True,
    "restrictions.command_line": False,
    "restrictions.user_switching": False,
    "apps.required": ["chromium", "cage"],
    "apps.available": ["gimp"],
    "apps.allow_only": True,
    "apps.allowed": ["vlc", "com.Foo.Bar"],
    "apps.blocked": ["steam", "vlc"],
    "kiosk.url": "https://zuil.stad.be/?x=%d$HOME",
    "kiosk.app": "chromium",
    "kiosk.idle_reset": 90,
    "kiosk.done_button": "bottom",
    "kiosk.restart_at": "04:30",
    "kiosk.site_only": True,
    "kiosk.idle_page": "touch",
    "kiosk.idle_text": "Raak mij aan\nTouchez-moi",
    "kiosk.screen_hours": {"days": ["fri", "sun"], "from": "08:00", "to": "01:30"},
    "updates.auto": "all",
    "updates.window": {"days": ["mon", "sun"], "from": "22:00", "to": "05:00"},
    "updates.reboot": True,
    "time.zone": "Europe/Brussels",
    "time.ntp_servers": ["ntp.stad.be"],
    "system.message_of_the_day": "Welkom",
    "system.language": "nl_BE",
    "power.sleep_after": 900,
    "power.lid": "lock",
    "power.sleep": False,
    "printing.printers": [
        {"name": 'Balie "1" %n', "uri": "ipp://printer.stad.be/ipp/print", "location": "$(reboot)", "default": True},
    ],
    "usb.only_allowed": True,
    "usb.allowed": [
        {"name": "toetsenbord", "kind": "input"},
        {"name": "scanner", "id": "04b8:0202"},
        {"name": "lezer", "kind": "smartcard", "id": "076B:*"},
    ],
    "usb.attached": "judge",
    "dot1x.networks": [
        {
            "name": "kabel",
            "method": "tls",
            "identity": "kiosk-7",
            "domain": "radius.stad.be",
            "certificate": "-",
            "private_key": "-",
        },
        {
            "name": "zaal",
            "ssid": "stad",
            "method": "peap",
            "identity": "k",
            "domain": "radius.stad.be",
            "password": "x;y",
        },
    ],
    "wallpaper.picture": "file:///usr/share/backgrounds/stad.png",
    "wallpaper.color": "#1a5fb4",
}
HOSTILE = st.text(min_size=1, max_size=40).filter(str.strip)
ALSO_HOSTILE = st.sampled_from(
    [
        "a\n[connection]\nautoconnect=true",
        "x'] #",
        "%n %H",
        "$(reboot) `id` ${HOME}",
        '"; ExecStart=/bin/sh',
        "\\",
        "\\n",
        "'",
        "a\r\nb",
        "[x]",
        "=;#",
        " s ",
        "\u2028x",
        "é" * 10,
    ]
)


def rendered(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in LINUX.render(values, [])}


def read_ini(text: str) -> configparser.RawConfigParser:
    """Read as the programs do: one line one value, nothing inherited, nothing interpolated."""
    parser = configparser.RawConfigParser(
        delimiters=("=",), comment_prefixes=("#", ";"), strict=True, default_section="\0", empty_lines_in_values=False
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def test_every_setting_of_linux_is_rendered_or_declared_as_only_checked() -> None:
    for key, setting in catalogue.known().items():
        support = setting.platforms.get("linux")
        if support is not None and not support.checked:
            assert LINUX.supports(key), key
        else:
            assert not LINUX.supports(key), key


def test_everything_at_once_is_valid_for_the_catalogue_and_for_the_wire() -> None:
    values = {**EVERYTHING}
    del values["certificates.authorities"]
    values["dot1x.networks"] = values["dot1x.networks"][1:]
    values["firewall.allow_in"] = values["firewall.allow_in"][:2]
    assert catalogue.validate(values) == {}

    resources = LINUX.render(EVERYTHING, [])

    ids = [one["id"] for one in resources]
    assert len(ids) == len(set(ids))
    assert {key for one in resources for key in one["keys"]} == set(EVERYTHING)
    for one in resources:
        assert set(one.get("after", [])) <= set(wire.AFTER)
        assert one.get("validate", "none") in wire.VALIDATORS
        assert json.loads(wire.canonical(one)) == one


def test_the_same_settings_give_the_same_digest_in_whatever_order_they_come() -> None:
    backwards = dict(reversed(EVERYTHING.items()))

    assert wire.digest(LINUX.render(EVERYTHING, [])) == wire.digest(LINUX.render(backwards, []))


def test_no_setting_gives_no_resource() -> None:
    assert LINUX.render({}, []) == []


def test_a_setting_for_another_platform_gives_no_resource() -> None:
    assert LINUX.render({"restrictions.factory_reset": False, "passcode.history": 3}, []) == []


def test_what_is_blocked_wins_and_names_of_other_platforms_are_left_out() -> None:
    packages = rendered(EVERYTHING)["apps.packages"]

    needed = [
        "cage",
        "chromium",
        "cups",
        "cups-client",
        "foot",
        "grim",
        "python3-tk",
        "swayidle",
        "usbguard",
        "xwayland",
    ]
    assert packages["required"] == needed
    assert packages["allowed"] == sorted([*needed, "gimp"])
    assert packages["blocked"] == ["steam", "vlc"]
    assert rendered({"apps.allowed": ["vlc"]})["apps.packages"]["allowed"] is None


def test_half_a_proxy_is_no_proxy() -> None:
    assert rendered({"proxy.mode": "manual"}) == {}
    policy = rendered({"proxy.mode": "pac", "proxy.pac_url": "https://x.be/p"})["browser.policy"]
    assert policy["content"] == {"ProxySettings": {"ProxyMode": "pac_script", "ProxyPacUrl": "https://x.be/p"}}


def test_nobody_left_in_a_list_of_people_is_nobody_let_in() -> None:
    assert "DenyUsers *" in rendered({"ssh.allow_users": []})["ssh.settings"]["content"]


def test_payloads_are_passed_on_and_the_catalogue_wins_over_a_browser_payload() -> None:
    payloads = [
        {
            "platform": "linux",
            "name": "p",
            "content": {"kind": "chromium", "content": {"PrintingEnabled": True, "A": 1}},
        },
        {
            "platform": "linux",
            "name": "f",
            "content": {"kind": "file", "path": "/etc/sysctl.d/x.conf", "content": "a=1"},
        },
    ]

    policy, file = LINUX.render({}, payloads)
    both = {
        one["kind"]: one for one in LINUX.render({"browser.popups": False, "restrictions.printing": False}, payloads)
    }

    assert policy["content"] == {"PrintingEnabled": True, "A": 1}
    assert file["path"] == "/etc/sysctl.d/x.conf"
    assert both["chromium"]["content"] == {"PrintingEnabled": False, "A": 1, "DefaultPopupsSetting": 2}


@given(name=HOSTILE | ALSO_HOSTILE, secret=HOSTILE | ALSO_HOSTILE)
def test_no_wireless_network_can_become_anything_but_itself(name: str, secret: str) -> None:
    record = {"ssid": name, "security": "peap", "identity": name, "passphrase": secret, "domain": name}

    [network] = LINUX.render({"wifi.networks": [record]}, [])

    parser = read_ini(network["content"])
    assert parser.sections() == ["connection", "wifi", "wifi-security", "802-1x", "ipv4", "ipv6"]
    assert bytes(int(byte) for byte in parser["wifi"]["ssid"].split(";") if byte).decode() == name
    assert set(parser["802-1x"]) == {
        "eap",
        "phase2-auth",
        "identity",
        "password",
        "domain-suffix-match",
        "system-ca-certs",
    }
    assert re.fullmatch(r"havenmeester-wifi-[a-z0-9-]+", network["name"])


def unkeyfile(text: str) -> str:
    """GKeyFile's own reading of a string, written from its description."""
    plain = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    return re.sub(r"\\(.)", lambda match: plain[match[1]], text)


@given(HOSTILE | ALSO_HOSTILE)
def test_a_keyfile_string_comes_back_as_it_was(text: str) -> None:
    written = keyfile(text)

    assert "\n" not in written
    assert written == written.strip(" ")
    assert unkeyfile(written) == re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text)


@given(HOSTILE | ALSO_HOSTILE)
def test_a_gvariant_string_comes_back_as_it_was(text: str) -> None:
    written = gvariant(text)

    assert "\n" not in written
    assert ast.literal_eval(written) == re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", "", text)


@given(HOSTILE | ALSO_HOSTILE)
def test_no_text_on_the_desktop_can_become_another_key(text: str) -> None:
    values = {"lock_screen.message": text, "wallpaper.picture": text, "wallpaper.color": text}

    found = rendered(values)

    greeter = read_ini(found["message.greeter"]["content"])
    assert {name: list(greeter[name]) for name in greeter.sections()} == {
        "org/gnome/login-screen": ["banner-message-enable", "banner-message-text"]
    }
    desktop = read_ini(found["desktop.settings"]["content"])
    assert sorted(desktop.sections()) == ["org/gnome/desktop/background", "org/gnome/desktop/screensaver"]


def split_command(line: str) -> list[str]:
    """systemd's own reading of quoted arguments, written from systemd.service(5)."""
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
    return [re.sub(r"\\(.)", r"\1", word).replace("%%", "%").replace("$$", "$") for word in words]


@given(HOSTILE | ALSO_HOSTILE)
def test_no_kiosk_page_can_become_a_command(text: str) -> None:
    found = rendered({"kiosk.url": text, "kiosk.app": "chromium"})

    unit = read_unit(found["kiosk.session"]["content"])
    assert len(unit["ExecStart"]) == 1
    assert split_command(unit["ExecStart"][0])[-1] == re.sub(r"[\x00-\x1f\x7f]", "", text)
    assert "%" not in unit["ExecStart"][0].replace("%%", "")
    assert "$" not in unit["ExecStart"][0].replace("$$", "")


def read_unit(text: str) -> dict[str, list[str]]:
    """The assignments of a unit by name; lines that systemd would not take as one fail the test."""
    found: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if not line or line.startswith("#") or re.fullmatch(r"\[[A-Za-z]+\]", line):
            continue
        name, equals, value = line.partition("=")
        assert equals
        assert re.fullmatch(r"[A-Za-z]+", name), line
        assert not value.endswith("\\")
        found.setdefault(name, []).append(value)
    return found


@given(HOSTILE | ALSO_HOSTILE)
def test_no_web_link_can_become_another_entry(text: str) -> None:
    [link] = LINUX.render({"web_links.links": [{"name": text, "url": text, "comment": text}]}, [])

    entry = read_ini(link["content"])
    assert entry.sections() == ["Desktop Entry"]
    assert set(entry["Desktop Entry"]) == {
        "Type", "Version", "Name", "Comment", "Exec", "Icon", "Terminal", "Categories",
    }  # fmt: skip
    assert re.fullmatch(r"/usr/local/share/applications/havenmeester-[a-z0-9-]+\.desktop", link["path"])
    quoted = unkeyfile(entry["Desktop Entry"]["Exec"]).removeprefix("xdg-open ")
    assert re.fullmatch(r'"(?:[^"`$\\]|\\["`$\\])*"', quoted)
    assert "%" not in quoted.replace("%%", "")


@given(HOSTILE | ALSO_HOSTILE)
@settings(max_examples=50)
def test_texts_stay_texts_in_firewall_motd_and_time(text: str) -> None:
    found = rendered(
        {
            "firewall.enabled": True,
            "firewall.allow_in": [{"name": text, "protocol": "tcp", "port": 80}],
            "system.message_of_the_day": text,
            "time.ntp_servers": [text],
            "ssh.allow_users": [text],
        }
    )

    rules = found["firewall.rules"]["content"]
    assert rules.count("{") == rules.count("}") == 4
    assert re.search(r'tcp dport 80 accept( comment "[A-Za-z0-9 ._-]+")?\n', rules)
    servers = [line for line in found["time.servers"]["content"].split("\n") if line and not line.startswith("#")]
    assert servers[0] == "[Time]"
    assert servers[1].startswith("NTP=")
    assert len(servers) == 2
    assert "\x1b" not in found["system.motd"]["content"]
    assert re.search(r"^(AllowUsers [a-z0-9_ -]+|DenyUsers \*)$", found["ssh.settings"]["content"], re.MULTILINE)


def test_a_percent_sign_is_no_specifier() -> None:
    assert systemd_argument('a%b$c"d\\e') == '"a%%b$$c\\"d\\\\e"'


Ask = Callable[[dict[str, Any], Path], subprocess.CompletedProcess[bytes]]


def nmcli(resource: dict[str, Any], _folder: Path) -> subprocess.CompletedProcess[bytes]:
    command = ["nmcli", "--offline", "connection", "modify", "connection.autoconnect-retries", "-1"]
    return subprocess.run(command, input=resource["content"].encode(), capture_output=True, check=False)


def systemd(resource: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[bytes]:
    path = folder / resource["name"]
    path.write_text(resource["content"])
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(path)]
    return subprocess.run(command, capture_output=True, check=False)


def nft(resource: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[bytes]:
    path = folder / "nftables.conf"
    path.write_text(resource["content"])
    return subprocess.run(["nft", "-c", "-f", str(path)], capture_output=True, check=False)


def apt(resource: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[bytes]:
    path = folder / "90apt"
    path.write_text(resource["content"])
    return subprocess.run(["apt-config", "-c", str(path), "dump"], capture_output=True, check=False)


def usbguard(resource: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[bytes]:
    path = folder / "rules.conf"
    path.write_text(usb.content(resource))
    return subprocess.run(["usbguard-rule-parser", "-f", str(path)], capture_output=True, check=False)


def shell(resource: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[bytes]:
    path = folder / "script"
    path.write_text(resource["content"])
    return subprocess.run(["bash", "-n", str(path)], capture_output=True, check=False)


@pytest.mark.parametrize(
    ("program", "kind", "ask"),
    [
        ("nmcli", "network", nmcli),
        ("systemd-analyze", "unit", systemd),
        ("nft", "nft", nft),
        ("apt-config", "apt", apt),
        ("usbguard-rule-parser", "usb", usbguard),
        ("bash", "shell", shell),
    ],
)
def test_the_real_programs_can_read_what_is_rendered(tmp_path: Path, program: str, kind: str, ask: Ask) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: what is rendered for it was only read back by this test's own reader")
    resources = [
        one for one in LINUX.render(EVERYTHING, []) if kind in (one["kind"], one.get("validate")) and "mask" not in one
    ]

    assert resources
    for one in resources:
        answer = ask(one, tmp_path)
        assert answer.returncode == 0, (one["id"], answer.stderr.decode())


def test_networkmanager_reads_the_network_that_was_meant(tmp_path: Path) -> None:
    if shutil.which("nmcli") is None:
        pytest.skip("nmcli is not installed")
    values = {"wifi.networks": [EVERYTHING["wifi.networks"][1]]}
    [network] = LINUX.render(values, [])

    told = nmcli(network, tmp_path).stdout.decode()

    parser = read_ini(told)
    assert parser["wifi-security"]["psk"] in ("\\sleading\\\\backslash", " leading\\\\backslash")
    assert parser["wifi"]["ssid"].replace("\\", "") in ("65;66;", "54;53;59;54;54;59;")


def test_a_broken_unit_is_refused_by_the_same_program(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")

    answer = systemd({"name": "x.service", "content": "[Service]\nExecStart=relative/path\n"}, tmp_path)

    assert answer.returncode != 0


def test_our_own_agent_can_take_apart_every_resource() -> None:
    for one in LINUX.render(EVERYTHING, []):
        if one["kind"] == "packages":
            assert software.read_wish(one).blocked == ("steam", "vlc")
        else:
            assert targets.take_apart(one).targets


def test_our_own_agent_puts_everything_in_place_sees_it_and_takes_it_all_back(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "state").mkdir()
    root = Root(tmp_path / "root")
    engine = Engine(State(tmp_path / "state"), root)
    resources = [one for one in LINUX.render(EVERYTHING, []) if one["kind"] != "packages"]

    engine.settle({"digest": wire.short_digest(resources), "resources": resources})
    states = {name: one["state"] for name, one in engine.section()["resources"].items()}
    lock = screenlock.collect(root)
    engine.settle({"digest": wire.short_digest([]), "resources": []})

    assert states == {one["id"]: "staged" for one in resources}
    assert (lock["enabled"], lock["timeout_seconds"]) == (True, 305)
    assert [path for path in (tmp_path / "root").rglob("*") if path.is_file()] == []
