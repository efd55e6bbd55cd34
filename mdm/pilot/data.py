"""Reads what the pilot's files tell."""

import tomllib
from importlib.resources import files
from typing import Any


def table(name: str) -> dict[str, Any]:
    """One file of ``mdm/pilot/data`` by its name without ending."""
    return tomllib.loads((files("mdm.pilot") / "data" / f"{name}.toml").read_text("utf-8"))
