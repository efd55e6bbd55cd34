"""Plants what a small Debian machine shows of itself into a folder, for an agent with ``--root``."""

from pathlib import Path

FILES = {
    "etc/hostname": "kiosk-werkhaven-1\n",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "etc/os-release": 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n',
    "etc/debian_version": "12.8\n",
    "etc/timezone": "Europe/Brussels\n",
    "etc/ufw/ufw.conf": "ENABLED=yes\nLOGLEVEL=low\n",
    "etc/systemd/system/.keep": "",
    "etc/dconf/db/local.d/00-lock": (
        "[org/gnome/desktop/session]\nidle-delay=uint32 300\n[org/gnome/desktop/screensaver]\nlock-enabled=true\n"
    ),
    "run/.keep": "",
    "proc/sys/kernel/osrelease": "6.1.0-27-amd64\n",
    "proc/self/mounts": "/dev/mapper/vg-root / ext4 rw 0 0\nproc /proc proc rw 0 0\n",
    "proc/net/if_inet6": (
        "20010db8000000000000000000000005 02 40 00 80   wlp2s0\nfe800000000000000000000000000005 02 40 20 80   wlp2s0\n"
    ),
    "proc/net/route": (
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
        "wlp2s0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\n"
        "wlp2s0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\n"
    ),
    "proc/net/fib_trie": "Local:\n  |-- 127.0.0.1\n     /32 host LOCAL\n  |-- 192.168.1.23\n     /32 host LOCAL\n",
    "sys/class/dmi/id/product_serial": "PF2ABC12\n",
    "sys/class/dmi/id/sys_vendor": "LENOVO\n",
    "sys/class/dmi/id/product_name": "ThinkCentre M70q\n",
    "sys/block/dm-0/dm/uuid": "CRYPT-LUKS2-0123-sda3_crypt\n",
    "sys/block/dm-0/dm/name": "sda3_crypt\n",
    "sys/block/dm-0/slaves/sda3/uevent": "",
    "sys/block/dm-1/dm/uuid": "LVM-xyz\n",
    "sys/block/dm-1/dm/name": "vg-root\n",
    "sys/class/block/dm-1/slaves/dm-0/uevent": "",
    "sys/class/net/wlp2s0/uevent": "DEVTYPE=wlan\nINTERFACE=wlp2s0\n",
    "sys/class/net/wlp2s0/address": "aa:bb:cc:dd:ee:ff\n",
    "sys/class/net/wlp2s0/device/uevent": "",
}

_PACKAGES = (
    ("base-files", "12.4+deb12u8", "required", False),
    ("chromium", "130.0.6723.91-1", "optional", False),
    ("dpkg", "1.21.22", "required", False),
    ("libnss3", "2:3.87.1-1", "optional", True),
    ("openssl", "3.0.14-1~deb12u2", "optional", False),
    ("sl", "5.02-1+b1", "optional", False),
)


def status_of(packages: tuple[tuple[str, str, str, bool], ...]) -> str:
    """A dpkg status file."""
    return "".join(
        f"Package: {name}\nStatus: install ok installed\nPriority: {priority}\nArchitecture: amd64\n"
        f"Version: {version}\nDescription: {name}\n of some use\n\n"
        for name, version, priority, _ in packages
    )


def plant(root: Path, files: dict[str, str] | None = None) -> Path:
    """Writes the machine below a folder and returns the folder."""
    every = {
        **FILES,
        "var/lib/dpkg/status": status_of(_PACKAGES),
        "var/lib/apt/extended_states": "".join(
            f"Package: {name}\nArchitecture: amd64\nAuto-Installed: 1\n\n" for name, _, _, auto in _PACKAGES if auto
        ),
        "var/lib/apt/lists/deb.debian.org_debian-security_dists_bookworm-security_main_binary-amd64_Packages": (
            "Package: openssl\nVersion: 3.0.15-1~deb12u1\n\nPackage: notinstalled\nVersion: 9\n\n"
        ),
        "var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages": (
            "Package: openssl\nVersion: 3.0.14-1~deb12u2\n\nPackage: chromium\nVersion: 131.0.6778.69-1\n\n"
            "Package: sl\nVersion: 5.02-1\n"
        ),
        **(files or {}),
    }
    for path, content in every.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    return root
