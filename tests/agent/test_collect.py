"""What a machine says of itself; what it cannot know is unknown."""

from pathlib import Path

import pytest

from agent import observe, wire
from agent.collect import (
    disks,
    dpkg,
    encryption,
    firewall,
    luks,
    network,
    packages,
    patch,
    screenlock,
    system,
)
from agent.roots import Root
from tests.sim.machine import plant


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    return plant(tmp_path / "root")


def test_a_machine_says_who_it_is(machine: Path) -> None:
    assert system.collect(Root(machine)) == {
        "hostname": "kiosk-werkhaven-1",
        "serial": "PF2ABC12",
        "manufacturer": "LENOVO",
        "model": "ThinkCentre M70q",
        "os_name": "Debian GNU/Linux",
        "os_version": "12.8",
        "os_codename": "bookworm",
        "kernel": "6.1.0-27-amd64",
        "arch": "amd64",
        "timezone": "Europe/Brussels",
    }


def test_an_empty_root_knows_nothing_and_guesses_nothing(tmp_path: Path) -> None:
    root = Root(tmp_path)
    assert set(system.collect(root).values()) == {None}
    assert set(patch.collect(root).values()) == {None}
    assert encryption.collect(root) == {"root_encrypted": None, "method": "unknown", "volumes": []}
    assert screenlock.collect(root) == {"enabled": None, "timeout_seconds": None, "method": None}
    assert firewall.collect(root) == {"active": None, "backend": "unknown"}
    assert network.collect(root) == {"interfaces": None}
    assert packages.collect(root) == {"manager": None, "items": None}
    assert disks.collect(root)["filesystems"][0]["type"] is None


def test_a_serial_that_nobody_filled_in_is_none_and_a_label_or_the_machine_id_stands_in(machine: Path) -> None:
    (machine / "sys/class/dmi/id/product_serial").write_text("To Be Filled By O.E.M.\n")
    derived = system.serial(Root(machine))
    assert derived is not None
    assert derived.startswith("MID-")
    assert "0123456789abcdef" not in derived.lower()
    (machine / "etc/havenmeester").mkdir()
    (machine / "etc/havenmeester/serial").write_text("KIOSK-0042\n")
    assert system.serial(Root(machine)) == "KIOSK-0042"


def test_hostile_names_become_one_harmless_line(machine: Path) -> None:
    (machine / "etc/hostname").write_text("a\x1b[31m\u202eb" + "x" * 9000)
    name = system.collect(Root(machine))["hostname"]
    assert name.startswith("a[31mbx")
    assert len(name) == 253


def test_links_are_followed_inside_the_root_only(machine: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("outside\n")
    (machine / "etc/hostname").unlink()
    (machine / "etc/hostname").symlink_to("../../../../../../secret")
    assert system.collect(Root(machine))["hostname"] is None
    (machine / "etc/hostname").unlink()
    (machine / "etc/hostname").symlink_to("/etc/timezone")
    assert system.collect(Root(machine))["hostname"] == "Europe/Brussels"
    (machine / "etc/hostname").unlink()
    (machine / "etc/hostname").symlink_to("hostname")
    assert system.collect(Root(machine))["hostname"] is None


def test_a_pipe_in_the_place_of_a_file_does_not_hold_the_agent(machine: Path) -> None:
    import os

    (machine / "etc/timezone").unlink()
    os.mkfifo(machine / "etc/timezone")
    assert system.collect(Root(machine))["timezone"] is None


def test_pending_updates_are_counted_from_the_lists(machine: Path) -> None:
    found = patch.collect(Root(machine))
    assert (found["pending_updates"], found["pending_security"]) == (2, 1)
    assert found["reboot_required"] is False
    (machine / "run/reboot-required").write_text("")
    assert patch.collect(Root(machine))["reboot_required"] is True


def test_versions_sort_as_debian_says() -> None:
    order = ["1.0~~", "1.0~rc1", "1.0", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0a", "1.0+", "1.2", "1.10", "1:0.1", "2:0"]
    backwards = order[::-1]
    assert sorted(backwards, key=dpkg.version_key) == order


def test_the_root_on_lvm_on_luks_is_encrypted(machine: Path) -> None:
    found = encryption.collect(Root(machine))
    assert found["root_encrypted"] is True
    assert found["method"] == "luks2"
    assert found["volumes"] == [{"name": "sda3_crypt", "method": "luks2"}]


def test_the_root_on_a_plain_partition_is_not(machine: Path) -> None:
    (machine / "proc/self/mounts").write_text("/dev/sda2 / ext4 rw 0 0\n")
    assert encryption.collect(Root(machine))["root_encrypted"] is None  # Nothing says that there is such a disk.
    (machine / "sys/class/block/sda2").mkdir()
    assert encryption.collect(Root(machine))["root_encrypted"] is False


def test_swap_with_a_throw_away_key_is_no_volume(machine: Path) -> None:
    (machine / "etc/crypttab").write_text(
        "# comment\nswap /dev/sda4 /dev/urandom swap\nhome UUID=../../x none luks\ndata /data.img none luks\n"
    )
    (machine / "data.img").write_bytes(luks.MAGIC + b"\x00\x01" + b"\x00" * 100)
    found = {volume.name: (volume.path, volume.method) for volume in luks.volumes(Root(machine))}
    assert found["home"] == (None, "unknown")
    assert found["data"] == (machine / "data.img", "luks1")
    assert "swap" not in found


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, {"enabled": True, "timeout_seconds": 300, "method": "dconf"}),
        (
            {"etc/dconf/db/local.d/99": "[org/gnome/desktop/screensaver]\nlock-enabled=false\n"},
            {"enabled": False, "timeout_seconds": 300, "method": "dconf"},
        ),
        (
            {"etc/dconf/db/local.d/00-lock": "", "etc/xdg/kscreenlockerrc": "[Daemon]\nAutolock=true\nTimeout=5\n"},
            {"enabled": True, "timeout_seconds": 300, "method": "kscreenlocker"},
        ),
        (
            {
                "etc/dconf/db/local.d/00-lock": "",
                "etc/systemd/logind.conf.d/x.conf": "[Login]\nIdleAction=lock\nIdleActionSec=1h 30min\n",
            },
            {"enabled": True, "timeout_seconds": 5400, "method": "logind"},
        ),
        (
            {
                "etc/dconf/db/local.d/00-lock": "",
                "etc/X11/app-defaults/XScreenSaver": "*timeout:\t0:10:00\n*lock:\tTrue\n",
            },
            {"enabled": True, "timeout_seconds": 600, "method": "xscreensaver"},
        ),
    ],
)
def test_the_screen_lock_is_what_the_desktop_in_use_says(
    tmp_path: Path, files: dict[str, str], expected: object
) -> None:
    assert screenlock.collect(Root(plant(tmp_path / "root", files))) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ("ufw", True)),
        ({"etc/ufw/ufw.conf": "ENABLED=no\n"}, ("none", False)),
        (
            {
                "etc/ufw/ufw.conf": "",
                "etc/nftables.conf": "",
                "etc/systemd/system/sysinit.target.wants/nftables.service": "",
            },
            ("nftables", True),
        ),
        (
            {"etc/ufw/ufw.conf": "", "etc/systemd/system/multi-user.target.wants/firewalld.service": ""},
            ("firewalld", True),
        ),
    ],
)
def test_the_firewall_is_what_is_enabled(tmp_path: Path, files: dict[str, str], expected: tuple[str, bool]) -> None:
    found = firewall.collect(Root(plant(tmp_path / "root", files)))
    assert (found["backend"], found["active"]) == expected


def test_interfaces_have_lasting_addresses_and_no_network_name(machine: Path) -> None:
    assert network.collect(Root(machine)) == {
        "interfaces": [
            {
                "name": "wlp2s0",
                "kind": "wifi",
                "mac": "aa:bb:cc:dd:ee:ff",
                "addresses": ["192.168.1.23", "2001:db8::5"],
            }
        ]
    }


def test_garbage_in_the_kernels_files_is_left_out(machine: Path) -> None:
    for path in ("proc/net/route", "proc/net/if_inet6", "proc/net/fib_trie", "proc/self/mounts"):
        (machine / path).write_bytes(b"\xff x\nzz zz zz zz zz zz zz zz\n  |-- 999.1.1.1\n   /32 host LOCAL\n\n")
    assert network.collect(Root(machine))["interfaces"][0]["addresses"] == []
    assert disks.collect(Root(machine))["filesystems"]


def test_every_section_of_the_wire_is_looked_at_and_the_costly_ones_only_when_their_files_change(
    machine: Path,
) -> None:
    observer = observe.Observer(Root(machine))
    own = {"agent": {"version": "x"}, "desired": {}}
    told: dict[str, str] = {}

    def lacks(name: str, digest: str) -> bool:
        return told.get(name) != digest

    assert set(observer.look(own, lacks)) == set(wire.SECTIONS) - {"kiosk"}
    told = dict(observer.digests)
    assert observer.look(own, lacks) == {}
    status = machine / "var/lib/dpkg/status"
    status.write_text(status.read_text() + "Package: new\nStatus: install ok installed\nVersion: 1\n")
    assert set(observer.look(own, lacks)) >= {"packages"}


def test_removed_packages_are_not_installed(machine: Path) -> None:
    status = machine / "var/lib/dpkg/status"
    status.write_text(status.read_text() + "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n")
    items = packages.collect(Root(machine))["items"]
    assert "gone" not in items
    assert items["chromium"] == "130.0.6723.91-1"


def test_a_folder_where_a_file_is_expected_is_nothing_to_read(tmp_path: Path) -> None:
    (tmp_path / "etc/dconf/db/local.d/locks").mkdir(parents=True)
    (tmp_path / "etc/dconf/db/local.d/90-lock").write_text("[org/gnome/desktop/screensaver]\nlock-enabled=true\n")
    root = Root(tmp_path)

    assert root.read("/etc/dconf/db/local.d/locks") is None
    assert screenlock.collect(root)["enabled"] is True
