"""The draw: whoever has the published list and seed draws the same winners again. Pure.

The list of lots is sorted, one per line, and hashed before there is a seed. Lots are ordered by the SHA-256 of
``seed:lot``; the first ones win. A lot whose owner took the consent back meanwhile is passed over.
"""

import hashlib
from collections.abc import Collection, Sequence


def list_digest(tickets: Sequence[str]) -> str:
    """SHA-256 (hexadecimal) of the sorted list, one lot per line."""
    return hashlib.sha256("".join(f"{one}\n" for one in sorted(tickets)).encode()).hexdigest()


def order(seed: str, tickets: Sequence[str]) -> list[str]:
    """The lots in the order in which they are drawn."""
    return sorted(tickets, key=lambda one: (hashlib.sha256(f"{seed}:{one}".encode()).hexdigest(), one))


def draw(seed: str, tickets: Sequence[str], count: int, gone: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """The winners, and the lots that would have won but are ``gone``. All of them where there are not more than ``count``."""
    winners: list[str] = []
    skipped: list[str] = []
    for one in order(seed, tickets):
        if len(winners) == count:
            break
        (skipped if one in gone else winners).append(one)
    return winners, skipped
