"""The package on a whole Debian root, which is this machine's own under an overlay: installed, upgraded, purged."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mdm.releases import contents, package

SCRIPT = r"""
set -e
mount -t tmpfs none "$1"
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mkdir -p "$1/root/havenmeester-test"
cp "$2" "$1/root/havenmeester-test/old.deb"
cp "$3" "$1/root/havenmeester-test/new.deb"
run() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }
root="$1/root"
run dpkg -i /havenmeester-test/old.deb > /dev/null
echo "installed $(run dpkg-query -W -f='${db:Status-Status} ${Version}' havenmeester-agent)"
run dpkg --verify havenmeester-agent
echo "agent $(run havenmeester-agent version 2>/dev/null || run havenmeester-agent --version)"
run systemd-analyze verify --man=no havenmeester-agent.service 2>&1 | grep havenmeester || true
mkdir -p "$root/var/lib/havenmeester-agent"
echo kept > "$root/var/lib/havenmeester-agent/identity.json"
run dpkg -i /havenmeester-test/new.deb > /dev/null
echo "upgraded $(run dpkg-query -W -f='${db:Status-Status} ${Version}' havenmeester-agent)"
echo "state $(cat "$root/var/lib/havenmeester-agent/identity.json")"
run dpkg --purge havenmeester-agent > /dev/null
echo "left $(find "$1/up" -path "*havenmeester*" ! -path "*/havenmeester-test*" ! -type c | wc -l)"
"""


def test_the_package_installs_upgrades_and_leaves_nothing_on_a_real_root(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("dpkg") or not shutil.which("unshare"):
        pytest.skip("a root of its own: only for root on a Debian system")
    ground = tmp_path / "ground"
    ground.mkdir()
    probe = (
        'mount -t tmpfs none "$1" && mkdir "$1/u" "$1/w" "$1/m" && '
        'mount -t overlay o -o lowerdir=/,upperdir="$1/u",workdir="$1/w" "$1/m"'
    )
    if subprocess.run(["unshare", "-m", "sh", "-c", probe, "sh", ground], capture_output=True, check=False).returncode:
        pytest.skip("a root of its own: overlays cannot be mounted here")
    if not Path("/usr/bin/python3").exists():
        pytest.skip("a root of its own: Debian's python3 is not installed")
    old, newer = contents.agent_folder(), tmp_path / "agent"
    shutil.copytree(old, newer, ignore=shutil.ignore_patterns("__pycache__"))
    version = contents.version_of(old)
    later = f"{int(version.split('.')[0]) + 1}.0.0"
    start = newer / "__init__.py"
    start.write_text(start.read_text().replace(f'VERSION = "{version}"', f'VERSION = "{later}"'))
    packages = [package.make(tmp_path / "house", agent).path for agent in (old, newer)]

    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", SCRIPT, "sh", ground, *packages], capture_output=True, text=True, check=False
    )

    said = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"installed installed {version}" in said
    assert any(line.startswith("agent ") and version in line for line in said), said
    assert f"upgraded installed {later}" in said
    assert "state kept" in said
    # Nothing but what dpkg notes in its own books.
    assert "left 0" in said
    assert len(said) == 5, said
