"""What people do with orders: ask, sign, refuse, take back, pause, stop everything. The verbs of this room in one place.

What the signer, the worker and the device do with orders is in ``delivery.py``.
"""

from mdm.orders.asking import ORDER_HOURS, request_wipe, request_wipes
from mdm.orders.deciding import cancel, reject, take_proof
from mdm.orders.stopping import begin_thaw, freeze, lift, pause, paused_order, take_thaw_proof, thawed

__all__ = [
    "ORDER_HOURS",
    "begin_thaw",
    "cancel",
    "freeze",
    "lift",
    "pause",
    "paused_order",
    "reject",
    "request_wipe",
    "request_wipes",
    "take_proof",
    "take_thaw_proof",
    "thawed",
]
