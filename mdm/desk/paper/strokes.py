"""A drawn signature: strokes of points on a field of 1000 by 400, counted and bounded, and its picture as SVG. Pure.

No image is parsed: what a browser sends are numbers, and what is shown is drawn from them anew.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Final

from mdm.core.errors import N_, InvalidError

WIDTH: Final = 1000
HEIGHT: Final = 400
MAX_STROKES: Final = 100
MAX_POINTS: Final = 4000
"""Points of all strokes together."""
LEAST: Final = 60
"""How far the pen must have gone, in units of the field: a dot or a slip of the hand is no signature."""

Point = tuple[int, int]
Strokes = tuple[tuple[Point, ...], ...]


def checked(value: object) -> Strokes:
    """The strokes as they are kept; raises InvalidError (``signature_malformed``, ``signature_missing``) for anything else.

    A list of strokes, each a list of ``[x, y]`` with whole numbers 0..1000 and 0..400. Points that repeat the one before
    are dropped.
    """
    if not isinstance(value, list | tuple) or len(value) > MAX_STROKES:
        raise _malformed()
    strokes, count = [], 0
    for stroke in value:
        if not isinstance(stroke, list | tuple):
            raise _malformed()
        count += len(stroke)
        if count > MAX_POINTS:
            raise _malformed()
        strokes.append(_stroke(stroke))
    kept = tuple(stroke for stroke in strokes if stroke)
    if _length(kept) < LEAST:
        raise InvalidError(
            N_("There is no signature yet. Nothing was done; sign in the field."),
            fields={"signature": N_("Sign here.")},
            code="signature_missing",
        )
    return kept


def svg(strokes: Strokes, *, paper: bool = False) -> str:
    """A picture of the signature, 1000 by 400: in the colour of the text around it on nothing; black on white on ``paper``."""
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>' if paper else ""
    paths = "".join(f'<path d="{_path(stroke)}"/>' for stroke in strokes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f'{ground}<g fill="none" stroke="currentColor" stroke-width="5" stroke-linecap="round" stroke-linejoin="round">'
        f"{paths}</g></svg>"
    )


def _path(stroke: Sequence[Point]) -> str:
    # A stroke of one point is drawn as a point: a line to itself with round ends.
    points = stroke if len(stroke) > 1 else (stroke[0], stroke[0])
    return "M" + "L".join(f"{x} {y}" for x, y in points)


def _stroke(stroke: Sequence[object]) -> tuple[Point, ...]:
    points: list[Point] = []
    for point in stroke:
        if not isinstance(point, list | tuple) or len(point) != 2:
            raise _malformed()
        x, y = (_number(part, most) for part, most in zip(point, (WIDTH, HEIGHT), strict=True))
        if not points or points[-1] != (x, y):
            points.append((x, y))
    return tuple(points)


def _number(value: object, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise _malformed()
    return round(value)


def _length(strokes: Strokes) -> float:
    return sum(math.dist(a, b) for stroke in strokes for a, b in itertools.pairwise(stroke))


def _malformed() -> InvalidError:
    return InvalidError(
        N_("The signature did not arrive whole. Nothing was done; sign once more."),
        fields={"signature": N_("Sign once more.")},
        code="signature_malformed",
    )
