"""What a release of the agent is made of: its own modules, and the libraries that its short-lived helpers need.

The libraries come from this installation, so a device needs no package registry and no internet. They are the ones that
were locked with their hashes when this installation was made.
"""

import importlib.util
import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mdm.core.errors import ConfigurationError
from mdm.releases.archives import Entry

LIBRARIES: Final = ("cryptography", "_cffi_backend", "tuf", "securesystemslib", "urllib3")
_LEFT_OUT: Final = frozenset({"__pycache__", "tests"})
_VERSION: Final = re.compile(r'^VERSION = "([0-9]+\.[0-9]+\.[0-9]+)"$', re.MULTILINE)
ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf"}
"""From the machine's own word to Debian's."""


def agent_folder() -> Path:
    """Where the agent's modules of this installation lie."""
    return _folder_of("agent")


def _folder_of(module: str) -> Path:
    found = importlib.util.find_spec(module)
    if found is None or not found.origin:
        raise ConfigurationError(
            "The library %(name)s is not installed, so no package of the agent can be made.",
            name=module,
            mend="Install Havenmeester anew with all that it needs.",
        )
    return Path(found.origin).parent if found.submodule_search_locations else Path(found.origin)


def version_of(folder: Path) -> str:
    """The version that an agent's folder says of itself. Raises ConfigurationError when it says none."""
    try:
        found = _VERSION.search((folder / "__init__.py").read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            "There is no agent in %(folder)s.", folder=folder, mend="Name the folder that holds its modules."
        ) from error
    if found is None:
        raise ConfigurationError(
            "The agent in %(folder)s does not say its version.",
            folder=folder,
            mend='Write VERSION = "1.2.3" into its __init__.py.',
        )
    return found[1]


def architecture() -> str:
    """Debian's word for the machines that a package made here is for."""
    machine = platform.machine()
    return ARCHITECTURES.get(machine, machine)


def python() -> str:
    """The Python for which the libraries of this installation are built, such as ``3.11``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def agent_files(folder: Path) -> Iterator[Entry]:
    """The agent's modules below ``agent/``."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix in (".py", ".service"):
            yield Entry(f"agent/{path.relative_to(folder)}", path.read_bytes())


def library_files() -> Iterator[Entry]:
    """The libraries below ``vendor/``, without their tests."""
    for name in LIBRARIES:
        found = _folder_of(name)
        if found.is_file():
            yield Entry(f"vendor/{found.name}", found.read_bytes())
            continue
        for path in sorted(found.rglob("*")):
            inside = path.relative_to(found)
            if not _LEFT_OUT & set(inside.parts):
                yield from _file(path, f"vendor/{name}/{inside}")


def _file(path: Path, name: str) -> Iterator[Entry]:
    if path.is_file() and "__pycache__" not in path.parts and path.suffix in (".py", ".so", ""):
        yield Entry(name, path.read_bytes())
