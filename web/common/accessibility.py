"""What the accessibility statement says that changes: the day of the last test, from a file beside this one."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files


@cache
def tested_on() -> date:
    """The day on which the pages were last tested."""
    day: date = tomllib.loads((files(__package__) / "accessibility.toml").read_text("utf-8"))["tested_on"]
    return day
