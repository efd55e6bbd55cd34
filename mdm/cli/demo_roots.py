"""The machines that the demonstration's agents look after: folders with the files of a real Debian, some of them in a
bad way on purpose. The agents are the real program; they believe what they read here, as on any machine."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: what it is, and what is wrong with it."""

    name: str
    kind: str
    serial: str
    vendor: str
    model: str
    release: tuple[str, str, str] = ("Debian GNU/Linux", "12", "bookworm")
    point: str = "12.12"
    encrypted: bool = True
    lock_seconds: int | None = 300
    """Seconds until the screen locks; 0: never; None: nothing is configured."""
    firewall: bool = True
    packages: Mapping[str, str] = field(default_factory=dict)
    behind: int = 0
    """Security updates that wait."""
    updated_days_ago: int = 2


OFFICE = {"firefox-esr": "140.4.0esr-1~deb12u1", "libreoffice-writer": "4:7.4.7-1+deb12u9", "evince": "43.1-2+b1"}
KIOSK = {
    "cage": "0.1.4-4",
    "chromium": "142.0.7444.59-1~deb12u1",
    "foot": "1.13.1-2",
    "grim": "1.4.0+ds-2",
    "swayidle": "1.8.0-1",
    "xwayland": "2:22.1.9-1",
}

MACHINES = (
    Machine("veeg-balie-01", "laptop", "HM-DEMO-0001", "LENOVO", "ThinkPad L14 Gen 4", packages=OFFICE),
    Machine("werkhaven-atelier", "laptop", "HM-DEMO-0002", "LENOVO", "ThinkPad L14 Gen 4", packages=OFFICE, behind=3,
            updated_days_ago=41),
    Machine("erfgoed-veldwerk", "laptop", "HM-DEMO-0003", "Dell Inc.", "Latitude 5440", packages=OFFICE, encrypted=False),
    Machine("mvdb-onthaal", "laptop", "HM-DEMO-0004", "Dell Inc.", "Latitude 5440", packages=OFFICE, lock_seconds=3600),
    Machine("zuil-werkhaven", "kiosk", "HM-DEMO-0005", "Advantech", "UTC-315", packages=KIOSK, lock_seconds=None),
    Machine("zuil-nova", "kiosk", "HM-DEMO-0006", "Advantech", "UTC-315", packages=KIOSK, lock_seconds=None,
            firewall=False),
    Machine("arena-kassa", "laptop", "HM-DEMO-0007", "HP", "ProBook 440 G10",
            release=("Debian GNU/Linux", "11", "bullseye"), point="11.9", packages=OFFICE, lock_seconds=0),
    Machine("sociaal-werk", "laptop", "HM-DEMO-0008", "HP", "ProBook 440 G10",
            packages=OFFICE | {"steam-installer": "1:1.0.0.78~ds-2", "telegram-desktop": "4.6.5+ds-2+b1"}),
)  # fmt: skip

BASE = {
    "base-files": "12.4+deb12u12", "bash": "5.2.15-2+b9", "coreutils": "9.1-1", "dpkg": "1.21.22", "libc6": "2.36-9+deb12u13",
    "openssl": "3.0.17-1~deb12u3", "systemd": "252.39-1~deb12u1", "tzdata": "2025b-0+deb12u2",
}  # fmt: skip


def plant(root: Path, machine: Machine, now: datetime | None = None) -> None:
    """Makes the machine's files below ``root`` once; an agent that has worked there since is not disturbed."""
    if (root / "etc" / "os-release").exists():
        return
    name, version, codename = machine.release
    files = {
        "etc/debian_version": f"{machine.point}\n",
        "etc/hostname": f"{machine.name}\n",
        "etc/timezone": "Europe/Brussels\n",
        "etc/fstab": "/dev/mapper/root / ext4 defaults 0 1\n",
        "proc/sys/kernel/osrelease": "6.1.0-40-amd64\n",
        "sys/class/dmi/id/sys_vendor": f"{machine.vendor}\n",
        "sys/class/dmi/id/product_name": f"{machine.model}\n",
        "sys/class/dmi/id/product_serial": f"{machine.serial}\n",
        "etc/ufw/ufw.conf": f"ENABLED={'yes' if machine.firewall else 'no'}\nLOGLEVEL=low\n",
        "var/lib/dpkg/status": _status(BASE, base=True) + _status(machine.packages, base=False),
        **_storage(machine),
        **_screen(machine),
        **_updates(machine),
        **_kiosk(machine),
    }
    for folder in ("run", "etc/systemd/system", "etc/NetworkManager/system-connections", "tmp"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for inside, text in files.items():
        path = root / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if machine.encrypted:
        _container(root / "dev/nvme0n1p3")
    changed = (now or datetime.now(UTC)) - timedelta(days=machine.updated_days_ago)
    os.utime(root / "var/lib/dpkg/status", (changed.timestamp(), changed.timestamp()))
    # Written last: a machine that was interrupted half-way is planted again.
    (root / "etc/os-release").write_text(
        f'NAME="{name}"\nID=debian\nVERSION_ID="{version}"\nVERSION_CODENAME={codename}\n', encoding="utf-8"
    )


def _status(packages: Mapping[str, str], *, base: bool) -> str:
    priority = "required" if base else "optional"
    return "".join(
        f"Package: {name}\nStatus: install ok installed\nPriority: {priority}\nArchitecture: amd64\nVersion: {version}\n\n"
        for name, version in packages.items()
    )


def _storage(machine: Machine) -> dict[str, str]:
    if not machine.encrypted:
        return {
            "proc/self/mounts": "/dev/nvme0n1p2 / ext4 rw,relatime 0 0\n",
            "sys/class/block/nvme0n1p2/size": "500118192\n",
        }
    return {
        "proc/self/mounts": "/dev/mapper/root / ext4 rw,relatime 0 0\n",
        "etc/crypttab": "root /dev/nvme0n1p3 none luks,discard\n",
        "sys/block/dm-0/dm/name": "root\n",
        "sys/block/dm-0/dm/uuid": "CRYPT-LUKS2-8c3f7a1e5b2d4f60a9c7e1d2b3f4a5c6-root\n",
        "sys/block/dm-0/slaves/nvme0n1p3/size": "498000000\n",
        "sys/class/block/dm-0/slaves/nvme0n1p3/size": "498000000\n",
    }


def _container(path: Path) -> None:
    """An encrypted volume whose keys a wipe can truly destroy: a real one where cryptsetup is installed, else a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"LUKS\xba\xbe\x00\x02" + (16384).to_bytes(8, "big") + os.urandom(512 * 1024))
    program = shutil.which("cryptsetup", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        return
    with path.open("r+b") as file:
        file.truncate(4 * 1024 * 1024)
    small = ["--luks2-metadata-size", "16k", "--luks2-keyslots-size", "512k", "--pbkdf", "pbkdf2"]
    quick = ["--pbkdf-force-iterations", "1000", "--key-file", "-"]
    argv = [program, "luksFormat", "-q", "--type", "luks2", *small, *quick, str(path)]
    subprocess.run(argv, input=os.urandom(32), capture_output=True, check=False, timeout=60)


def _kiosk(machine: Machine) -> dict[str, str]:
    """What a kiosk's agent looks at: how warm it is, and when a citizen was there (the time of the empty file)."""
    if machine.kind != "kiosk":
        return {}
    return {"sys/class/thermal/thermal_zone0/temp": "52000\n", "run/havenmeester-kiosk/used": ""}


def _screen(machine: Machine) -> dict[str, str]:
    if machine.lock_seconds is None:
        return {}
    return {
        "etc/dconf/db/local.d/00-screen": (
            f"[org/gnome/desktop/session]\nidle-delay=uint32 {machine.lock_seconds}\n\n"
            "[org/gnome/desktop/screensaver]\nlock-enabled=true\nlock-delay=uint32 0\n"
        )
    }


def _updates(machine: Machine) -> dict[str, str]:
    newer = "".join(
        f"Package: {name}\nVersion: 99:{number}\nArchitecture: amd64\n\n"
        for number, name in enumerate(list(BASE)[: machine.behind], start=1)
    )
    lists = "var/lib/apt/lists"
    return {
        f"{lists}/deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages": _status(BASE, base=True),
        f"{lists}/security.debian.org_debian-security_dists_bookworm-security_main_binary-amd64_Packages": newer,
    }
