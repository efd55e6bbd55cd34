"""What a kiosk's policy makes of the machine: networks, printers, sleep, updates, firewall; refused when it is wrong."""

import configparser
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent import programs
from agent.apply.engine import Engine
from agent.roots import Root
from agent.state import State
from mdm.platforms.linux.render import LinuxInterpreter
from mdm.policies import catalogue
from tests.sim.machine import plant

URL = "https://loket.stad.example/zuil"
WINDOW = {"days": ["mon", "sat"], "from": "22:00", "to": "06:00"}


def rendered(settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in LinuxInterpreter().render(settings, [])}


def identity(secret: bytes = b"") -> tuple[str, str]:
    """A certificate and its key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kiosk-7")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    how = serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode(), text.decode()


def cable(**more: Any) -> dict[str, Any]:
    certificate, key = identity()
    base = {"name": "kabel", "method": "tls", "identity": "kiosk-7", "domain": "radius.stad.example"}
    return {**base, "certificate": certificate, "private_key": key, **more}


@pytest.mark.parametrize("secret", ["", "geheim geheim"])
def test_a_cable_with_a_certificate_of_the_devices_own_is_read_by_networkmanager(secret: str) -> None:
    if shutil.which("nmcli") is None:
        pytest.skip("nmcli is not installed")
    certificate, key = identity(secret.encode())
    record = cable(certificate=certificate, private_key=key, **({"password": secret} if secret else {}))
    assert catalogue.validate({"dot1x.networks": [record]}) == {}
    checked = catalogue.check({"dot1x.networks": [record]}).settings

    [found] = rendered(checked).values()
    command = ["nmcli", "--offline", "connection", "modify", "connection.autoconnect-retries", "-1"]
    answer = subprocess.run(command, input=found["content"].encode(), capture_output=True, check=False)

    assert answer.returncode == 0, answer.stderr
    parser = configparser.RawConfigParser(delimiters=("=",), strict=True)
    parser.read_string(answer.stdout.decode())
    assert parser["connection"]["type"] == "ethernet"
    assert (parser["802-1x"]["eap"], parser["802-1x"]["identity"]) == ("tls;", "kiosk-7")
    assert parser["802-1x"]["domain-suffix-match"] == "radius.stad.example"
    assert parser["802-1x"]["private-key"].startswith("data:;base64,")


def test_a_wireless_network_with_a_password_inside_tls() -> None:
    record = {"name": "zaal", "ssid": "stad", "method": "peap", "identity": "k", "domain": "r.be", "password": "p;q"}
    [found] = rendered({"dot1x.networks": [record]}).values()
    assert "[wifi]\nmode=infrastructure\nssid=115;116;97;100;\n" in found["content"]
    assert "eap=peap;\n" in found["content"]


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"private_key": ""}, "private_key"),
        ({"private_key": identity()[1]}, "private_key"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "private_key"),
        ({"private_key": "geheim"}, "private_key"),
        ({"certificate": ""}, "certificate"),
        ({"method": "peap"}, "password"),
        ({"domain": ""}, "domain"),
    ],
)
def test_a_network_that_could_not_sign_in_is_refused_before_it_is_saved(more: dict[str, Any], place: str) -> None:
    assert list(catalogue.validate({"dot1x.networks": [cable(**more)]})) == [f"dot1x.networks[0].{place}"]


def test_key_and_password_of_a_network_are_never_shown() -> None:
    shown = json.dumps(catalogue.mask({"dot1x.networks": [cable(password="geheim")]}))
    assert "PRIVATE KEY" not in shown
    assert "geheim" not in shown


def test_a_printer_is_a_queue_without_a_driver_that_goes_with_the_policy() -> None:
    printers = [{"name": "Balie", "uri": "ipps://p.stad.example/ipp/print", "default": True}]
    found = rendered({"printing.printers": printers})
    [queue] = [one for one in found.values() if one["kind"] == "unit"]
    name = queue["name"].removesuffix(".service")
    assert f'lpadmin -p {name} -E -v "ipps://p.stad.example/ipp/print" -m everywhere -D "Balie"\n' in queue["content"]
    assert f"lpadmin -d {name}\n" in queue["content"]
    assert f"ExecStop=-/usr/bin/env lpadmin -x {name}\n" in queue["content"]
    assert {"cups", "cups-client"} <= set(found["apps.packages"]["required"])


def test_where_printing_is_forbidden_there_is_no_queue_and_nothing_that_prints() -> None:
    printers = [{"name": "Balie", "uri": "ipp://p.stad.example/ipp/print"}]
    found = rendered({"printing.printers": printers, "restrictions.printing": False, "kiosk.url": URL})
    masked = {one["name"] for one in found.values() if one.get("mask")}
    assert {"cups.service", "cups.socket", "cups.path", "cups-browsed.service"} <= masked
    assert not any("lpadmin" in one.get("content", "") for one in found.values() if one["kind"] == "unit")
    assert found["browser.policy"]["content"]["PrintingEnabled"] is False
    assert "cups" not in found["apps.packages"]["required"]


def test_a_kiosk_never_sleeps_unless_a_policy_says_when() -> None:
    assert "AllowSuspend=no" in rendered({"kiosk.url": URL})["power.sleep"]["content"]
    assert "power.sleep" not in rendered({"kiosk.url": URL, "power.sleep_after": 600})
    assert "power.sleep" not in rendered({"kiosk.url": URL, "power.sleep": True})
    assert "power.sleep" in rendered({"power.sleep": False})
    desk = rendered({"power.sleep": False, "power.sleep_after": 600})["desktop.settings"]["content"]
    assert "sleep-inactive-ac-type='nothing'" in desk


def test_updates_are_fetched_installed_and_restarted_inside_the_window() -> None:
    found = rendered({"updates.window": WINDOW, "updates.auto": "all", "updates.reboot": True, "kiosk.url": URL})
    assert "OnCalendar=Mon,Sat *-*-* 22:00:00\nRandomizedDelaySec=120min" in found["updates.fetch"]["content"]
    # Two hours on it is midnight: the days after.
    assert "OnCalendar=Tue,Sun *-*-* 00:00:00\nRandomizedDelaySec=120min" in found["updates.timer"]["content"]
    assert 'Automatic-Reboot-Time "04:00";' in found["updates.apt"]["content"]
    # The session of a kiosk counts as somebody signed in; waiting for it would be waiting for ever.
    assert 'Automatic-Reboot-WithUsers "true";' in found["updates.apt"]["content"]
    assert 'Automatic-Reboot-WithUsers "false";' in rendered({"updates.reboot": True})["updates.apt"]["content"]


def test_the_firewall_of_a_policy_that_goes_takes_its_table_with_it() -> None:
    unit = rendered({"firewall.enabled": True})["firewall.unit"]
    assert "ExecStop=-/usr/bin/env nft delete table inet havenmeester\n" in unit["content"]
    assert "systemctl enable" not in unit["content"]


def test_the_kernel_takes_the_firewall_twice_and_lets_it_go(tmp_path: Path) -> None:
    if (
        shutil.which("nft") is None
        or subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("nft is not installed, or no network namespaces here")
    found = rendered({"firewall.enabled": True, "firewall.allow_in": [{"name": "ssh", "protocol": "tcp", "port": 22}]})
    rules = tmp_path / "rules"
    rules.write_text(found["firewall.rules"]["content"])
    stop = re.search(r"ExecStop=-/usr/bin/env (.+)", found["firewall.unit"]["content"])
    assert stop is not None
    script = f"set -e; nft -f {rules}; nft -f {rules}; nft list ruleset; {stop[1]}; echo --; nft list ruleset"
    answer = subprocess.run(["unshare", "-n", "sh", "-c", script], capture_output=True, check=True, text=True)
    loaded, _line, left = answer.stdout.partition("--")
    assert loaded.count("policy drop") == 1
    assert 'tcp dport 22 accept comment "ssh"' in loaded
    assert left.strip() == ""


def test_a_device_that_is_storage_as_well_belongs_to_no_kind() -> None:
    rules = rendered({"usb.only_allowed": True, "usb.allowed": [{"name": "t", "kind": "input"}]})["usb.rules"]["rules"]
    assert rules[-1] == "allow with-interface match-all { 03:*:* }"
    assert not any("08:" in rule for rule in rules)
    assert catalogue.validate({"usb.allowed": [{"name": "x"}]}) == {
        "usb.allowed[0].kind": "Choose a kind or give an identifier."
    }
    assert list(catalogue.validate({"usb.allowed": [{"name": "x", "id": "04b8-0202"}]})) == ["usb.allowed[0].id"]


def test_the_watch_over_the_kiosk_is_told_what_it_must_know() -> None:
    printers = [{"name": "A", "uri": "ipp://a.be/p"}, {"name": "B", "uri": "ipp://b.be/p", "default": True}]
    found = rendered({"kiosk.url": URL, "printing.printers": printers, "kiosk.screen_hours": WINDOW})
    said = json.loads(found["kiosk.health"]["content"])
    assert (said["printer"], said["screen_hours"]) == ("ipp://b.be/p", WINDOW)
    assert "printer" not in json.loads(rendered({"kiosk.url": URL})["kiosk.health"]["content"])


class Machine:
    """A root, settled by the real agent with real validators."""

    def __init__(self, folder: Path) -> None:
        self.root, self.state = plant(folder / "root"), State(folder / "state")
        self.state.folder.mkdir()

    def want(self, *resources: dict[str, Any]) -> dict[str, tuple[str, str]]:
        self.engine = Engine(self.state, Root(self.root))
        self.engine.settle({"digest": "d", "resources": list(resources)})
        return {name: (record["state"], record["detail"]) for name, record in self.engine.resources.items()}


KIOSK: dict[str, Any] = {
    "kiosk.url": URL,
    "kiosk.idle_page": "touch",
    "kiosk.restart_at": "04:30",
    "kiosk.screen_hours": {"days": ["mon"], "from": "08:00", "to": "18:00"},
    "updates.auto": "all",
    "updates.window": WINDOW,
    "updates.reboot": True,
    "firewall.enabled": True,
    "usb.only_allowed": True,
    "printing.printers": [{"name": "Balie", "uri": "ipp://p.stad.example/ipp/print"}],
    "wifi.networks": [{"ssid": "stad", "security": "wpa2", "passphrase": "geheim-geheim"}],
}


def breaks(one: dict[str, Any]) -> dict[str, Any]:
    """The resource with something in it that its own program cannot read."""
    if one["kind"] == "usb":
        return {**one, "rules": ["allow with-interface nonsense"]}
    content = one["content"]
    return {**one, "content": {
        "nmcli": content.replace("key-mgmt=wpa-psk", "key-mgmt=magic"),
        "systemd": re.sub(r"(?m)^(ExecSt(?:art|op)=|OnCalendar=99:).*$", r"\1", content.replace("OnCalendar=", "OnCalendar=99:")),
        "apt": content + 'Broken "\n',
        "nft": content + "table nonsense {\n",
        "shell": content + "if true; then\n",
        "json": content + "{",
    }[{"network": "nmcli", "unit": "systemd"}.get(one["kind"], one.get("validate", ""))]}  # fmt: skip


NEEDS = {
    "network": "nmcli",
    "unit": "systemd-analyze",
    "usb": "usbguard-rule-parser",
    "nft": "nft",
    "apt": "apt-config",
}


@pytest.mark.parametrize(
    ("id_", "key"),
    [
        ("kiosk.session", "kiosk.url"),
        ("kiosk.restart-timer", "kiosk.restart_at"),
        ("kiosk.script", "kiosk.url"),
        ("kiosk.health", "kiosk.screen_hours"),
        ("updates.apt", "updates.auto"),
        ("updates.timer", "updates.window"),
        ("firewall.rules", "firewall.enabled"),
        ("usb.rules", "usb.only_allowed"),
        ("printer.", "printing.printers"),
        ("wifi.", "wifi.networks"),
    ],
)
def test_what_its_own_program_refuses_is_not_written_and_the_old_state_stays(
    tmp_path: Path, id_: str, key: str
) -> None:
    good = next(one for name, one in rendered(KIOSK).items() if name.startswith(id_))
    program = NEEDS.get(good["kind"]) or NEEDS.get(good.get("validate", ""))
    if program is not None and programs.find(program) is None:
        pytest.skip(f"{program} is not installed")
    machine = Machine(tmp_path)
    assert machine.want(good)[good["id"]][0] == "staged"
    before = {path: path.read_bytes() for path in machine.root.rglob("*") if path.is_file()}

    state, detail = machine.want(breaks(good))[good["id"]]

    assert (state, detail[:17]) == ("failed", "Not switched on: ")
    assert len(detail) > 25
    assert key in good["keys"]
    assert {path: path.read_bytes() for path in machine.root.rglob("*") if path.is_file()} == before


def test_a_kiosks_policy_that_goes_leaves_the_machine_as_it_was(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    display = machine.root / "etc/systemd/system/display-manager.service"
    display.parent.mkdir(parents=True, exist_ok=True)
    display.symlink_to("/lib/systemd/system/gdm.service")
    files = sorted(path for path in machine.root.rglob("*") if not path.is_dir() or path.is_symlink())
    resources = [one for one in rendered(KIOSK).values() if one["kind"] != "packages"]

    states = machine.want(*resources)

    assert {state for state, _detail in states.values()} == {"staged"}, states
    assert str(display.readlink()) == "/dev/null"
    display.unlink()
    machine.want(*resources)
    assert machine.engine.tampered() == ["/etc/systemd/system/display-manager.service"]
    assert str(display.readlink()) == "/dev/null"
    machine.want()
    assert str(display.readlink()) == "/lib/systemd/system/gdm.service"
    assert sorted(path for path in machine.root.rglob("*") if not path.is_dir() or path.is_symlink()) == files
