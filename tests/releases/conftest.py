"""A repository with keys of its own, a gateway that serves it, and a device whose agent was installed as our package."""

import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent import VERSION, wire
from mdm.releases import contents, package, publishing, trusted
from mdm.releases.repository import Repository, of_home
from tests.sim import gateway as sim
from tests.sim.machine import plant

PASSPHRASE = "a long enough passphrase"


def now() -> datetime:
    return datetime.now(UTC)


class Shop:
    """Who publishes: the home with the repository and the online keys, and the folder with the offline ones."""

    def __init__(self, folder: Path) -> None:
        self.home, self.keys, self.work = folder / "home", folder / "stick", folder / "work"
        self.work.mkdir(parents=True)

    @property
    def repository(self) -> Repository:
        return of_home(self.home)

    @property
    def folder(self) -> Path:
        return self.home / "releases" / "repository"

    def agent(self, version: str, **changes: str) -> Path:
        """The agent's modules as another version; ``changes`` are lines put at the end of a module."""
        place = self.work / version
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(contents.agent_folder(), place, ignore=shutil.ignore_patterns("__pycache__"))
        first = place / "__init__.py"
        first.write_text(first.read_text().replace(f'VERSION = "{VERSION}"', f'VERSION = "{version}"'))
        for module, lines in changes.items():
            with (place / f"{module}.py").open("a") as file:
                file.write("\n" + lines + "\n")
        return place

    def publish(self, version: str, **changes: str) -> None:
        publishing.publish(self.home, self.agent(version, **changes), self.keys, PASSPHRASE, now())

    def age(self, days: float) -> None:
        """Signs the two online documents as if it were so many days ago."""
        self.repository._list(self.repository._newest("targets"), now() - timedelta(days=days), whole=True)

    def copy(self, name: str) -> "Shop":
        """The same shop as it is now, to go on with apart."""
        place = self.work.parent.parent / name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.work.parent, place)
        made = Shop.__new__(Shop)
        made.home, made.keys, made.work = place / "home", place / "stick", place / "work"
        return made


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop with one release, 9.1.0. Tests work on copies of it."""
    shop = Shop(tmp_path_factory.mktemp("shop") / "first")
    shop.repository.found(shop.keys, PASSPHRASE, now())
    shop.publish("9.1.0")
    return shop


@pytest.fixture
def shop(founded: Shop, tmp_path: Path) -> Shop:
    """A shop of the test's own."""
    place = tmp_path / "shops" / "own"
    shutil.copytree(founded.work.parent, place)
    made = Shop.__new__(Shop)
    made.home, made.keys, made.work = place / "home", place / "stick", place / "work"
    return made


@pytest.fixture(scope="session")
def installed(founded: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of our package, as dpkg would write them."""
    root = tmp_path_factory.mktemp("installed")
    made = package.make(founded.home, trusted_root=trusted.root(founded.home))
    data = made.path.read_bytes()
    at = data.index(b"data.tar.gz")
    size = int(data[at + 48 : at + 58])
    with tarfile.open(fileobj=io.BytesIO(data[at + 60 : at + 60 + size])) as tar:
        tar.extractall(root, filter="data")
    return root


class Device:
    """A device with the package; every call is a process of its own, started by the launcher."""

    def __init__(self, folder: Path, installed: Path) -> None:
        self.state, self.root = folder / "state", plant(folder / "root")
        self.launcher = installed / "usr/lib/havenmeester-agent/launcher.py"
        self.vendor = installed / "usr/lib/havenmeester-agent/base/vendor"

    def argv(self, verb: str, *words: str) -> list[str]:
        return [sys.executable, "-I", str(self.launcher), verb, "--state", str(self.state), *words]

    def call(self, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.argv(verb, *words), capture_output=True, text=True, timeout=120, check=False)

    def once(self) -> subprocess.CompletedProcess[str]:
        return self.call("run", "--once")

    def version(self) -> str:
        """The release that the launcher starts."""
        return self.call("--version").stdout.strip().rpartition(" ")[2]

    @property
    def note(self) -> dict[str, Any]:
        path = self.state / "releases" / "current.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def fetch(self, version: str) -> dict[str, Any]:
        """What the child process that fetches says of a release; what it trusts is kept, as always."""
        identity = json.loads((self.state / "identity.json").read_text())
        keys = self.state / "keys" / identity["current"]
        request = {
            "gateway": identity["gateway"],
            "ca": (self.state / "ca.pem").read_text(),
            "chain": str(keys / "chain.pem"),
            "key": str(keys / "key.pem"),
            "bootstrap": str(self.launcher.with_name("root.json")),
            "folder": str(self.state / "releases"),
            "name": f"havenmeester-agent-{version}.tar.gz",
            "version": version,
            "address": wire.RELEASES,
            "vendor": str(self.vendor),
        }
        (self.state / "releases").mkdir(exist_ok=True)
        base = self.launcher.parent / "base"
        argv = [sys.executable, "-I", str(base / "agent" / "update_child.py"), str(base), str(self.vendor)]
        done = subprocess.run(argv, input=json.dumps(request).encode(), capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return dict(json.loads(done.stdout))


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sim.Gateway]:
    """A gateway that serves a repository."""
    with sim.running(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture(scope="session")
def enrolled_state(gateway: sim.Gateway, installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a device that has enrolled."""
    folder = tmp_path_factory.mktemp("device")
    device = Device(folder, installed)
    done = device.call("enroll", gateway.invitation(), "--root", str(device.root))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def device(enrolled_state: Path, installed: Path, gateway: sim.Gateway, shop: Shop, tmp_path: Path) -> Device:
    """An enrolled device of the test's own, whose gateway serves the test's shop."""
    made = Device(tmp_path / "device", installed)
    shutil.copytree(enrolled_state / "state", made.state)
    identity = json.loads((made.state / "identity.json").read_text())
    identity["root"] = str(made.root)
    (made.state / "identity.json").write_text(json.dumps(identity))
    gateway.commands, gateway.results, gateway.reports = [], [], []
    gateway.releases = shop.folder
    return made
