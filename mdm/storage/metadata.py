"""Every table of the house in one metadata: imported by migrations and by whoever needs all of them."""

import importlib
from functools import cache

from sqlalchemy import MetaData

from mdm.storage.base import Base

ROOMS = (
    "audit",
    "outbox",
    "alarms",
    "org",
    "people",
    "access",
    "inventory",
    "policies",
    "commands",
    "releases",
    "orders",
    "orders.roster",
    "enrollment",
    "compliance",
    "desk.custody",
    "desk.stock",
    "desk.repairs",
    "desk.exchange",
    "desk.cases",
    "desk.loans",
    "desk.kiosks",
    "adoption",
    "discovery",
    "kiosks",
    "guidance",
    "portal",
    "panic",
    "platforms.android",
    "privacy",
    "platforms.apple",
    "platforms.apple.automated",
    "platforms.android.amapi",
)


@cache
def all_tables() -> MetaData:
    """The metadata with the models of every room loaded."""
    for room in ROOMS:
        importlib.import_module(f"mdm.{room}.model")
    return Base.metadata
