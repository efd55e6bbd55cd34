"""The agent as a Debian package of our own, and our signature over it.

The package holds the agent, the libraries that its helpers need, the unit and a launcher; it needs Python and nothing else,
and fetches nothing. The signature is one of OpenSSH (``ssh-keygen -Y verify``), because every machine that is reached over
SSH has the program that proves it: a package that was changed on its way is not installed.
"""

import base64
import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
)

from mdm.releases import contents
from mdm.releases.archives import Entry, ar, tar_gz
from mdm.storage.own_key import own_key

NAME: Final = "havenmeester-agent"
NAMESPACE: Final = "havenmeester-package"
"""What the signature is for: one over anything else is never one over a package."""
SIGNER: Final = "havenmeester"
KEY: Final = "package.key"
FOLDER: Final = "packages"
_HOUSE: Final = "usr/lib/havenmeester-agent"

_PROGRAM: Final = b"""#!/usr/bin/python3 -I
import os
import sys

sys.dont_write_bytecode = True
usr = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(usr, "lib", "havenmeester-agent"))
import launcher

sys.exit(launcher.main())
"""
_POSTINST: Final = b"""#!/bin/sh
set -e
if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
  if [ -n "$2" ]; then systemctl try-restart havenmeester-agent.service || true; fi
fi
"""
_PRERM: Final = b"""#!/bin/sh
set -e
if [ "$1" = remove ] && [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
  systemctl disable --now havenmeester-agent.service || true
fi
"""
_POSTRM: Final = b"""#!/bin/sh
set -e
if [ "$1" = purge ]; then
  rm -rf "$DPKG_ROOT/var/lib/havenmeester-agent" "$DPKG_ROOT/var/lib/havenmeester-agent.orders"
  rm -f "$DPKG_ROOT/etc/systemd/system/multi-user.target.wants/havenmeester-agent.service"
fi
if [ "$1" = remove ]; then rm -rf "$DPKG_ROOT/usr/lib/havenmeester-agent"; fi
if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
"""


@dataclass(frozen=True, slots=True)
class Package:
    """One package as it lies on the disk, with our signature over it."""

    path: Path
    version: str
    sha256: str
    size: int
    signature: str
    """Armoured, as ``ssh-keygen -Y sign`` writes it."""
    signers: str
    """The line of an allowed-signers file that goes with it."""


def control(version: str, size: int) -> bytes:
    """The package's control file."""
    python = contents.python()
    major, minor = python.split(".")
    return (
        f"Package: {NAME}\nVersion: {version}\nArchitecture: {contents.architecture()}\n"
        "Maintainer: Havenmeester <havenmeester@localhost>\nSection: admin\nPriority: optional\n"
        f"Installed-Size: {size // 1024 + 1}\nDepends: python3 (>= {python}), python3 (<< {major}.{int(minor) + 1})\n"
        "Description: Havenmeester agent\n Keeps this device as its organisation wants it.\n"
    ).encode()


def build(agent: Path, trusted_root: bytes | None = None) -> bytes:
    """The package of one agent. ``trusted_root`` is the root document by which it will judge later releases."""
    version = contents.version_of(agent)
    entries = [
        Entry("usr/bin/havenmeester-agent", _PROGRAM, 0o755),
        Entry(f"{_HOUSE}/launcher.py", (agent / "launcher.py").read_bytes()),
        Entry(f"{_HOUSE}/version", f"{version}\n".encode()),
        Entry("usr/lib/systemd/system/havenmeester-agent.service", (agent / "havenmeester-agent.service").read_bytes()),
    ]
    for one in (*contents.agent_files(agent), *contents.library_files()):
        entries.append(Entry(f"{_HOUSE}/base/{one.path}", one.content, one.mode))
    if trusted_root is not None:
        entries.append(Entry(f"{_HOUSE}/root.json", trusted_root))
    sums = "".join(
        f"{hashlib.md5(entry.content, usedforsecurity=False).hexdigest()}  {entry.path}\n" for entry in entries
    )
    inside = [
        Entry("control", control(version, sum(len(entry.content) for entry in entries))),
        Entry("md5sums", sums.encode()),
        Entry("postinst", _POSTINST, 0o755),
        Entry("postrm", _POSTRM, 0o755),
        Entry("prerm", _PRERM, 0o755),
    ]
    return ar(
        [
            ("debian-binary", b"2.0\n"),
            ("control.tar.gz", tar_gz(inside, prefix="./")),
            ("data.tar.gz", tar_gz(entries, prefix="./")),
        ]
    )


def make(home: Path, agent: Path | None = None, trusted_root: bytes | None = None) -> Package:
    """The signed package of this installation's agent; the one that is there when nothing of it has changed."""
    folder = home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    source = agent or contents.agent_folder()
    version = contents.version_of(source)
    mark = _mark(source, trusted_root)
    path = folder / f"{NAME}_{version}_{contents.architecture()}.{mark}.deb"
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}.new")
        fresh.write_bytes(build(source, trusted_root))
        fresh.replace(path)
    data = path.read_bytes()
    key = package_key(home)
    return Package(
        path,
        version,
        hashlib.sha256(data).hexdigest(),
        len(data),
        sign(key, data),
        f'{SIGNER} namespaces="{NAMESPACE}" {public_line(key)}',
    )


def _mark(source: Path, trusted_root: bytes | None) -> str:
    whole = hashlib.sha256((trusted_root or b"") + _PROGRAM + _POSTINST + _PRERM + _POSTRM)
    for entry in contents.agent_files(source):
        whole.update(entry.path.encode() + b"\x00" + hashlib.sha256(entry.content).digest())
    return whole.hexdigest()[:12]


def package_key(home: Path) -> Ed25519PrivateKey:
    """The key that signs packages, made at the first need; readable by its owner only."""
    return own_key(home, KEY)


def public_line(key: Ed25519PrivateKey) -> str:
    """The public key as OpenSSH writes it."""
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def sign(key: Ed25519PrivateKey, data: bytes) -> str:
    """An armoured signature after PROTOCOL.sshsig of OpenSSH."""
    public = base64.b64decode(public_line(key).split()[1])
    space, how = _string(NAMESPACE.encode()), _string(b"sha512")
    signed = b"SSHSIG" + space + _string(b"") + how + _string(hashlib.sha512(data).digest())
    signature = _string(b"ssh-ed25519") + _string(key.sign(signed))
    blob = b"SSHSIG" + struct.pack(">I", 1) + _string(public) + space + _string(b"") + how + _string(signature)
    written = base64.b64encode(blob).decode()
    lines = "\n".join(written[start : start + 70] for start in range(0, len(written), 70))
    return f"-----BEGIN SSH SIGNATURE-----\n{lines}\n-----END SSH SIGNATURE-----\n"


def _string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value
