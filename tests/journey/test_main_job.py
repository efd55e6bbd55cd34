"""The main job, once from end to end, as people do it: from an empty folder to a device that was wiped by two."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.journey.house import House, Machine, Visitor, until

PLACES = "code;naam;adres\nWERKHAVEN;Werkhaven;Kempenstraat 65\nNOVA;Buurthuis Één;Schijnpoortweg 2\n"
UNITS = "code;name;parent\nSB;Stadsbeheer;-\nSB-VEEG;Veegdienst;SB\n"
PEOPLE = "number,name,email,unit,service_point\n0042,Zoë Öztürk,zoe@stad.example,SB-VEEG,WERKHAVEN\n"
POLICY = """
name = "Balies"
[settings]
browser.home_page = "https://balie.stad.example/"
system.message_of_the_day = "Van de stad"
[[assignments]]
include = ["service_point:WERKHAVEN"]
"""
CRYPTSETUP = shutil.which("cryptsetup") or shutil.which("cryptsetup", path="/usr/sbin:/sbin")
PASSPHRASE = b"een anker van blauw staal"
KEY_PASSPHRASE = "een haven voor ieder schip"


def test_from_an_empty_folder_to_a_device_that_two_people_wiped(house: House, tmp_path: Path) -> None:
    house.run("init")
    house.start()
    enter_the_organisation(house, tmp_path)
    admin = house.visitor(house.run("operator", "add", "mo@stad.example", "--role", "fleet-admin"))
    clerk = house.visitor(clerk_at(house, "sarah@stad.example", "WERKHAVEN"))
    other = house.visitor(clerk_at(house, "els@stad.example", "NOVA"))
    second = house.visitor(house.run("operator", "add", "marijke@stad.example", "--role", "approver"))
    keys = found_the_roster(house, tmp_path)

    url = house.run("invite", "zoe@stad.example", "--platform", "linux", "--service-point", "WERKHAVEN")
    machine = Machine(tmp_path / "laptop", "PF-0042")
    volume = encrypted_volume(machine)
    assert machine.enroll(url).returncode == 0
    a_used_invitation_is_refused(house, url, tmp_path)
    device = configure(house, machine, tmp_path)

    break_and_mend(house, machine, clerk, device)
    lock(machine, clerk, device)
    order = wipe(house, machine, admin, second, device, keys)
    assert not opens(volume)
    sees_nothing(other, device, order)
    look_after(house, tmp_path, order)
    assert house.processes() == []


def enter_the_organisation(house: House, folder: Path) -> None:
    files = {"service-points": PLACES.encode("cp1252"), "units": UNITS.encode(), "people": PEOPLE.encode("utf-8-sig")}
    for kind, content in files.items():
        file = folder / f"{kind}.csv"
        file.write_bytes(content)
        assert house.asked("import", kind, file)["counts"]["created"] == len(content.splitlines()) - 1


def clerk_at(house: House, email: str, code: str) -> str:
    return house.run("operator", "add", email, "--role", "desk-clerk", "--service-point", code)


def encrypted_volume(machine: Machine) -> Path:
    """The container that the machine's crypttab and kernel name; a real one where cryptsetup is installed."""
    volume = machine.root / "dev" / "sda3"
    volume.parent.mkdir()
    volume.write_bytes(b"LUKS\xba\xbe\x00\x02" + bytes(4 * 1024 * 1024))
    if CRYPTSETUP:
        small = ["--luks2-metadata-size", "16k", "--luks2-keyslots-size", "512k"]
        quick = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--key-file", "-"]
        subprocess.run(
            [CRYPTSETUP, "luksFormat", "-q", "--type", "luks2", *small, *quick, volume],
            input=PASSPHRASE,
            capture_output=True,
            check=True,
        )
        assert opens(volume)
    return volume


def opens(volume: Path) -> bool:
    if not CRYPTSETUP:
        return volume.read_bytes().startswith(b"LUKS")
    argv = [CRYPTSETUP, "open", "--test-passphrase", "--key-file", "-", volume]
    return subprocess.run(argv, input=PASSPHRASE, capture_output=True, check=False).returncode == 0


def a_used_invitation_is_refused(house: House, url: str, folder: Path) -> None:
    thief = Machine(folder / "thief", "THIEF-1")
    refused = thief.enroll(url)
    assert refused.returncode == 5
    assert "Nothing was changed" in refused.stderr
    assert [one["serial"] for one in house.asked("devices")] == ["PF-0042"]


def configure(house: House, machine: Machine, folder: Path) -> str:
    file = folder / "balies.toml"
    file.write_text(POLICY)
    assert house.asked("policy", "apply", file)["version"] == 1

    def applied() -> bool:
        machine.once()
        return "Van de stad" in machine.read("etc/motd")

    until(applied, 30)
    assert "https://balie.stad.example/" in machine.read("etc/chromium/policies/managed/havenmeester.json")
    until(lambda: house.asked("device", "PF-0042")["verdict"] == "compliant")
    shown = house.asked("device", "PF-0042")
    assert shown["facts"]["system"]["hostname"] == "kiosk-werkhaven-1"
    assert (shown["holder"], shown["service_point"]) == ("Zoë Öztürk", "Werkhaven")
    return str(shown["uid"])


def break_and_mend(house: House, machine: Machine, clerk: Visitor, device: str) -> None:
    firewall = machine.root / "etc/ufw/ufw.conf"
    for state, verdict, rules in (("no", "in_grace", ["firewall"]), ("yes", "compliant", [])):
        firewall.write_text(f"ENABLED={state}\n")
        machine.once()
        until(lambda verdict=verdict: clerk.get(f"/devices/{device}")["verdict"] == verdict)
        findings = house.asked("device", "PF-0042")["findings"]
        assert [one["rule"] for one in findings if one["standing"] != "closed"] == rules


def lock(machine: Machine, clerk: Visitor, device: str) -> None:
    sent = clerk.post("/commands", {"devices": [device], "verb": "lock", "reason": "Left on the tram."}, 201)
    machine.once()
    assert clerk.get(f"/commands/{sent['commands'][0]}")["state"] == "done"


def found_the_roster(house: House, folder: Path) -> list[Path]:
    """Three approvers with a key file each; the first two sign later."""
    keys, people = [], []
    for name in ("marijke", "ann", "bart"):
        if name != "marijke":
            house.run("operator", "add", f"{name}@stad.example", "--role", "approver")
        key = folder / f"{name}.key"
        house.run("key", "new", key, HAVENMEESTER_KEY_PASSPHRASE=KEY_PASSPHRASE)
        keys.append(key)
        people += ["--approver", f"{name}@stad.example={key}.pub"]
    told = house.run("roster", "found", *people, HAVENMEESTER_KEY_PASSPHRASE=KEY_PASSPHRASE)
    assert "Roster 1 is in force" in told
    (folder / "roster.json").write_text(house.run("roster", "show", "--json"))
    return keys


def wipe(house: House, machine: Machine, admin: Visitor, second: Visitor, device: str, keys: list[Path]) -> str:
    order = admin.post("/orders", {"device": device, "reason": "Stolen from the tram."}, 201)
    path = f"/orders/{order['id']}"
    machine.once()
    assert machine.state.joinpath("identity.json").exists()
    paper, roster = keys[0].with_name("order.json"), keys[0].with_name("roster.json")
    for lacking, key in ((1, keys[0]), (0, keys[1])):
        # The approver sees the order as a file and signs it with a key of their own; anybody may hand that in.
        paper.write_text(house.run("order", order["id"], "--json"))
        signing = ("approve", paper, "--key", key, "--roster", roster, "--yes")
        said = house.run(*signing, HAVENMEESTER_KEY_PASSPHRASE=KEY_PASSPHRASE)
        assert admin.post(f"{path}/approvals", {"proof": json.loads(said)}, 201)["lacking"] == lacking
        assert admin.post(f"{path}/approvals", {"proof": json.loads(said)}, 409)["code"] in ("decided", "order_state")
    until(lambda: admin.get(path)["state"] == "released")
    paper.write_text(house.run("order", order["id"], "--json"))
    assert "accepted" in machine.call("verify-order", paper).stdout
    paper.write_text(paper.read_text().replace("Stolen", "Sto1en"))
    assert machine.call("verify-order", paper).returncode != 0
    (machine.root / "home/zoe").mkdir(parents=True)
    (machine.root / "home/zoe/letter.txt").write_text("private")
    done = machine.call("run", "--once")
    assert "wiped" in done.stdout, done.stderr
    assert not (machine.root / "home/zoe/letter.txt").exists()
    assert not machine.state.joinpath("identity.json").exists()
    receipt: dict[str, Any] = second.get(f"{path}/receipt")
    assert receipt["state"] == "done"
    assert "sda3" in str(receipt)
    assert [one["name"] for one in receipt["decisions"]] == ["marijke", "ann"]
    assert second.http.get(f"/api/v1{path}/receipt/pdf").content.startswith(b"%PDF-")
    return str(order["id"])


def sees_nothing(other: Visitor, device: str, order: str) -> None:
    for path in (f"/devices/{device}", f"/devices/{device}/facts", f"/devices/{device}/applications"):
        assert other.get(path, 404)["status"] == 404
    for path in ("/devices", "/commands", "/people", "/invitations"):
        assert other.get(path)["items"] == [], path
    assert other.post("/commands", {"devices": [device], "verb": "lock"}, 404)["status"] == 404
    assert other.get("/orders")["items"] == []
    for path in (
        f"/orders/{order}",
        f"/orders/{order}/receipt",
        f"/orders/{order}/envelope",
        f"/orders/{order}/dossier",
    ):
        assert other.get(path, 404)["status"] == 404


def look_after(house: House, folder: Path, order: str) -> None:
    house.run("audit", "verify")
    house.run("doctor")
    house.run("backup", folder / "all.tar")
    assert house.stop() == 0
    new = str(folder / "new")
    house.run("restore", folder / "all.tar", HAVENMEESTER_HOME=new)
    house.home = Path(new)
    house.env["HAVENMEESTER_HOME"] = new
    house.start()
    assert house.asked("order", order, "--receipt")["state"] == "done"
    house.run("audit", "verify")
    house.run("doctor")
    assert house.stop() == 0
