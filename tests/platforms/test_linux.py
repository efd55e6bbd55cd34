"""The interpreter for Linux: what comes out is read back by the programs that will read it, whatever the values were."""

import ast
import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from agent import wire
from mdm.platforms.linux.escape import gvariant, keyfile, systemd_argument
from mdm.policies import catalogue
from tests.platforms.linux_settings import EVERYTHING, LINUX, read_ini, rendered

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
