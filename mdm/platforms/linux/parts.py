"""What the parts of the Linux interpreter share: how a resource is made, and which settings a part looks at."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Settings = Mapping[str, Any]
Resources = list[dict[str, Any]]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MARK = "# Managed by Havenmeester. What is changed here by hand is put back.\n"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the interpreter: the keys it makes something of, and the pure function that does."""

    keys: tuple[str, ...]
    render: Callable[[Settings], Resources]


def given(settings: Settings, keys: Iterable[str]) -> list[str]:
    """Those of the keys for which there is a setting, in the order given."""
    return [key for key in keys if key in settings]


def file(
    id_: str,
    keys: Iterable[str],
    path: str,
    content: str,
    *,
    mode: str = "0644",
    validate: str = "none",
    after: tuple[str, ...] = (),
) -> dict[str, Any]:
    """A resource of the kind file."""
    return {
        "id": id_,
        "kind": "file",
        "keys": list(keys),
        "path": path,
        "content": content,
        "mode": mode,
        "validate": validate,
        "after": list(after),
    }


def unit(
    id_: str, keys: Iterable[str], name: str, content: str, *, enable: bool = True, stay: bool = False
) -> dict[str, Any]:
    """A resource of the kind unit. One that is to ``stay`` is started again when somebody stops it."""
    found = {"id": id_, "kind": "unit", "keys": list(keys), "name": name, "content": content, "enable": enable}
    return {**found, "stay": True} if stay else found


def masked(id_: str, keys: Iterable[str], name: str) -> dict[str, Any]:
    """A unit of the system that must not run, whoever starts it."""
    return {"id": id_, "kind": "unit", "keys": list(keys), "name": name, "mask": True}


def oneshot(id_: str, keys: Iterable[str], name: str, description: str, *commands: str) -> dict[str, Any]:
    """A unit that runs commands once at every start; a command with ``-`` before it may fail."""
    lines = "".join(f"ExecStart={command}\n" for command in commands)
    content = (
        f"{MARK}[Unit]\nDescription={description}\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\n{lines}\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )
    return unit(id_, keys, name, content)
