"""What is done over a counter: hand out, take in, swap. The verbs of this room in one place.

Boxes are in ``box.py``, scans in ``scan.py``, signatures by a link in ``signing.py``, pictures in ``photos.py``.
"""

from mdm.desk.custody.asked import (
    HandedOut,
    HandOut,
    Invited,
    KitBack,
    Seen,
    Signed,
    Swap,
    Swapped,
    TakeIn,
    TakenIn,
)
from mdm.desk.custody.handing import hand_out
from mdm.desk.custody.kit import KitGiven
from mdm.desk.custody.returning import erased_by_hand, make_ready, take_in, take_piece
from mdm.desk.custody.swapping import swap

__all__ = [
    "HandOut",
    "HandedOut",
    "Invited",
    "KitBack",
    "KitGiven",
    "Seen",
    "Signed",
    "Swap",
    "Swapped",
    "TakeIn",
    "TakenIn",
    "erased_by_hand",
    "hand_out",
    "make_ready",
    "swap",
    "take_in",
    "take_piece",
]
