"""The printer of a kiosk, asked by a short-lived process: whatever answers there, the agent goes on after ``SECONDS``."""

import json
import sys
from pathlib import Path
from typing import Any, Final

from agent import programs

SECONDS: Final = 15
_SCRIPT: Final = Path(__file__).resolve().parent.parent / "ipp.py"


def ask(uri: str, seconds: float = SECONDS) -> dict[str, Any]:
    """What the printer at this address says, as ``ipp.summary`` has it; never raises, never takes longer."""
    outcome = programs.run([sys.executable, "-I", "-S", str(_SCRIPT), uri], timeout=seconds)
    if outcome.code is None:
        return unreachable("The printer took too long to answer.")
    return read(outcome.text if outcome.good else "")


def read(text: str) -> dict[str, Any]:
    """The last line of what the process wrote; everything else is no answer."""
    try:
        said = json.loads(text.rsplit("\n", 1)[-1])
    except (ValueError, RecursionError):
        said = None
    return said if isinstance(said, dict) and "state" in said else unreachable("The printer could not be asked.")


def unreachable(problem: str) -> dict[str, Any]:
    """A printer of which nothing could be learned. The same words as in ``ipp.py``, which this process does not load."""
    return {"state": "unreachable", "reasons": [], "paper": "unknown", "supplies": [], "problem": problem}
