"""The verbs of the stock, in one place for the rooms above."""

from mdm.desk.stock.levels import set_minimum, warn
from mdm.desk.stock.shelves import close_shelf, create_shelf, edit_shelf, reopen_shelf, shelve, unshelve
from mdm.desk.stock.takes import cancel_take, close_take, open_take, scan, undo
from mdm.desk.stock.transfers import (
    add_device,
    arrive,
    cancel_transfer,
    drop_device,
    finish,
    found,
    open_transfer,
    send,
)

__all__ = [
    "add_device",
    "arrive",
    "cancel_take",
    "cancel_transfer",
    "close_shelf",
    "close_take",
    "create_shelf",
    "drop_device",
    "edit_shelf",
    "finish",
    "found",
    "open_take",
    "open_transfer",
    "reopen_shelf",
    "scan",
    "send",
    "set_minimum",
    "shelve",
    "undo",
    "unshelve",
    "warn",
]
