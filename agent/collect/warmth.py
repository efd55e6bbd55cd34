"""How warm the machine is: the warmest of what the kernel's thermal zones and sensors say."""

from typing import Final

from agent.roots import Root

ZONES: Final = "/sys/class/thermal"
SENSORS: Final = "/sys/class/hwmon"
STEP: Final = 5
MOST: Final = 64
COLDEST, WARMEST = -40, 150
"""What a sensor says beyond these it does not measure."""


def warmest(root: Root) -> int | None:
    """Degrees Celsius, whole; None where nothing measures."""
    paths = [f"{ZONES}/{name}/temp" for name in root.names(ZONES) or [] if name.startswith("thermal_zone")]
    for chip in root.names(SENSORS) or []:
        names = root.names(f"{SENSORS}/{chip}") or []
        paths += [f"{SENSORS}/{chip}/{name}" for name in names if name.startswith("temp") and name.endswith("_input")]
    found = [degrees for path in paths[:MOST] if (degrees := _degrees(root.line(path))) is not None]
    return max(found, default=None)


def _degrees(line: str | None) -> int | None:
    """Thousandths of a degree, as sysfs has them."""
    try:
        degrees = round(int(line or "") / 1000)
    except ValueError:
        return None
    return degrees if COLDEST < degrees < WARMEST else None


def steady(now: int | None, before: int | None) -> int | None:
    """In steps of five degrees, and not another step before it has moved by a whole one: what is told stays still."""
    if now is None or (before is not None and abs(now - before) < STEP):
        return None if now is None else before
    return round(now / STEP) * STEP
