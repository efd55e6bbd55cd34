"""Words from a closed list, as people write them: ``desk-clerk``, ``Desk_Clerk`` and ``desk_clerk`` are the same word."""

from typing import Any

import rich_click as click

NUMBER = click.IntRange(1, 2**31 - 1)
"""The number of a row, as every database can hold it."""


def plain(word: str) -> str:
    """The word without the differences that mean nothing."""
    return word.strip().casefold().replace("-", "_").replace(" ", "_")


class Words(click.Choice[str]):
    """A closed list of words; the value is always the word as the list has it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word of the list; fails, naming the list, for a word that is not on it."""
        known = {plain(str(choice)): str(choice) for choice in self.choices}
        return super().convert(known.get(plain(str(value)), value), param, ctx)
