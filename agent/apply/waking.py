"""Units that have to run, and do not: somebody stopped them. They are started again, and it is told."""

from agent import programs
from agent.apply import after


def asleep(units: list[str]) -> list[str]:
    """Those of the units that are not active now; empty where systemd does not answer."""
    if not units:
        return []
    # One line per unit in their order; the exit code only says that not all of them are.
    states = programs.run(["systemctl", "is-active", "--", *units], timeout=30).text.splitlines()
    if len(states) != len(units):
        return []
    return [unit for unit, state in zip(units, states, strict=True) if state in ("inactive", "failed")]


def wake(units: list[str]) -> dict[str, str]:
    """Starts them. Returns what went wrong, by unit; empty text where nothing did."""
    return {unit: after.start(unit) for unit in units}
