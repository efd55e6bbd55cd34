"""From a folder of modules to a release in the repository."""

from datetime import datetime
from pathlib import Path

from mdm.releases import contents
from mdm.releases.archives import tar_gz
from mdm.releases.repository import Published, of_home


def file_name(version: str) -> str:
    """The name under which devices look for a version; the agent makes the same (``agent/update.py``)."""
    return f"havenmeester-agent-{version}.tar.gz"


def archive(agent: Path, *, libraries: bool = False) -> bytes:
    """The file that devices fetch: the modules, and where asked the libraries. Without them a device uses those that it has."""
    entries = [*contents.agent_files(agent), *(contents.library_files() if libraries else ())]
    return tar_gz(entries)


def publish(
    home: Path, agent: Path | None, offline: Path, passphrase: str, now: datetime, *, libraries: bool = False
) -> Published:
    """Signs and adds the release. Raises ConflictError when its version is published already and was another one."""
    source = agent or contents.agent_folder()
    version = contents.version_of(source)
    custom = {"version": version, "architecture": contents.architecture(), "python": contents.python()}
    data = archive(source, libraries=libraries)
    return of_home(home).add(file_name(version), data, custom, offline, passphrase, now)


def take_away(home: Path, version: str, offline: Path, passphrase: str, now: datetime) -> None:
    """Takes a release off the list."""
    of_home(home).take_away(file_name(version), offline, passphrase, now)
