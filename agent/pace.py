"""Pure: when to come back. ``chance`` is a number from 0 to below 1, so that a fleet never comes all at once."""

from typing import Final

DEFAULT_NEXT: Final = 60
LONGEST_NEXT: Final = 86_400
FIRST_PAUSE: Final = 2
LONGEST_PAUSE: Final = 900
REFUSED_PAUSE: Final = 600
LONGEST_REFUSED: Final = 3600


def hint(value: object) -> int:
    """The gateway's hint in seconds, kept within reason; the default when it gave none."""
    if not isinstance(value, int) or isinstance(value, bool):
        return DEFAULT_NEXT
    return min(max(value, 1), LONGEST_NEXT)


def until_next(seconds: int, chance: float) -> float:
    """Around the hint, at most a tenth sooner or later."""
    return seconds * (0.9 + 0.2 * chance)


def after_failure(failures: int, retry_after: int | None, chance: float) -> float:
    """Twice as long after each failure in a row, half of it by chance; never sooner than ``Retry-After`` asks."""
    pause = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 16), LONGEST_PAUSE)
    waited = pause / 2 + pause / 2 * chance
    return max(waited, min(retry_after, LONGEST_NEXT) * (1 + chance / 4)) if retry_after else waited


def after_refusal(failures: int, chance: float) -> float:
    """Slowly: the certificate is refused, and only a person can change that."""
    pause = min(REFUSED_PAUSE * 2.0 ** min(failures - 1, 8), LONGEST_REFUSED)
    return pause * (0.75 + 0.25 * chance)


def renewal_due(not_before: int, not_after: int, now: float) -> bool:
    """Whether two thirds of a certificate's lifetime are over."""
    return now >= not_before + (not_after - not_before) * 2 / 3
