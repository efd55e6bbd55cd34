"""Amounts of money: whole hundredths, never fractions of a machine."""

import re
from typing import Final

CURRENCY: Final = "EUR"
"""What an amount is in where nobody says so."""
MOST: Final = 2_000_000_000
"""Hundredths that one amount may have: what a column of both databases holds."""
_SIGNS: Final = {"€": "EUR", "eur": "EUR", "$": "USD", "usd": "USD", "£": "GBP", "gbp": "GBP", "chf": "CHF"}
_AMOUNT: Final = re.compile(r"[0-9]{1,3}(?:[.,' ][0-9]{3})+(?:[.,][0-9]{1,2})?|[0-9]+(?:[.,][0-9]{1,2})?")


def cents(written: str) -> int | None:
    """The hundredths of an amount as people write it: ``1234.5``, ``1.234,50``, ``1,234.50``, ``€ 12``; None when empty.

    A single separator before exactly three digits divides thousands. Raises ValueError for anything else, for an amount
    below nothing, and above twenty million.
    """
    bare = re.sub("|".join(map(re.escape, _SIGNS)), "", written.casefold()).strip().replace("\u00a0", " ")
    if not bare:
        return None
    if not _AMOUNT.fullmatch(bare):
        raise ValueError(written)
    whole, decimals = bare, ""
    tail = re.search(r"[.,]([0-9]{1,2})$", bare)
    if tail:
        whole, decimals = bare[: tail.start()], tail[1]
    found = int(re.sub(r"[^0-9]", "", whole)) * 100 + int(decimals.ljust(2, "0") or "0")
    if found > MOST:
        raise ValueError(written)
    return found


def plain(amount: int | None) -> str:
    """The amount with a point and two decimals, as files carry it; empty for None."""
    return "" if amount is None else f"{amount // 100}.{amount % 100:02d}"
