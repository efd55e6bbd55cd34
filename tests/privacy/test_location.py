"""Where somebody is, is known only while a device is lost or they call for help; when they work, is known to nobody."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import UniqueConstraint

from mdm.commands.model import Verb
from mdm.commands.verbs import BY_CASE, checked_args
from mdm.core.errors import InvalidError
from mdm.discovery.model import KEPT, DiscoveryRun, NetworkDevice
from mdm.platforms.apple.model import ScopedSecret
from mdm.platforms.apple.secrets import PERMISSIONS
from mdm.privacy import fields
from mdm.privacy.fields import NOBODY
from mdm.storage.metadata import all_tables

HOUSE = Path(__file__).parents[2]
ENDED_OR_OPERATORS = {
    "api_token.last_used_at",
    "enrollment.first_used_at",
    "network_device.first_seen_at",
    "network_device.last_seen_at",
    "passkey.last_used_at",
    "portal_session.last_used_at",
    "web_session.last_used_at",
}
"""The last use of a way in, overwritten each time and deleted with it; the first of a certificate, once in its life; and the
first and the last time that something was seen on the network of one place, forgotten after a week."""
PLACES = {"desk_case_fix.sealed", "apple_device.location", "panic_place.sealed"}
"""Every column that can hold where a device was. All of them are sealed."""
WORDS = re.compile(r"latitude|longitude|geo|coordinates|(^|_)gps|location", re.IGNORECASE)
OPENERS = {
    "mdm/desk/cases/location.py": "the place of a lost device: an open case, a reason, somebody else who agrees, one hour",
    "mdm/panic/location.py": "the place of a call for help: only while it is open, only to who answers it",
    "mdm/platforms/apple/loop.py": "keeps what a lost phone answers, sealed, until the next moment",
    "mdm/platforms/apple/post.py": "takes what a lost phone says to the case",
    "mdm/simulate/iphone.py": "a simulated phone has a place to say",
}
"""The only files that may speak of a longitude, each with its reason."""


def test_a_place_can_stand_in_three_sealed_columns_and_nowhere_else() -> None:
    named = {
        f"{table.name}.{column.name}"
        for table in all_tables().sorted_tables
        for column in table.columns
        if WORDS.search(column.name)
    }
    assert named <= PLACES
    for name in PLACES:
        table, _dot, column = name.partition(".")
        found = fields.field(table, column)
        assert found is not None, name
        assert found.purpose in ("loss", "safety"), name
        assert found.seen != NOBODY, name
        assert str(all_tables().tables[table].columns[column].type) in ("BLOB", "BYTEA"), name


def test_no_other_file_of_the_product_reads_a_longitude() -> None:
    found = {
        str(path.relative_to(HOUSE))
        for folder in ("mdm", "web", "agent")
        for path in (HOUSE / folder).rglob("*.py")
        if "schema" not in path.parts and re.search(r"longitude", path.read_text(encoding="utf-8"), re.IGNORECASE)
    }

    assert found <= set(OPENERS), found - set(OPENERS)


def test_no_page_list_or_report_gets_a_place_but_by_the_two_verbs_that_ask_why() -> None:
    """Over all doors: who calls what opens a place, read from the source."""
    callers: dict[str, set[str]] = {}
    for folder in ("mdm", "web"):
        for path in (HOUSE / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and any(
                    one.name in ("CaseFix", "PanicPlace") for one in node.names
                ):
                    callers.setdefault(str(path.relative_to(HOUSE)), set()).update(one.name for one in node.names)

    assert {name for name in callers if not name.endswith("/location.py")} <= {
        "mdm/overview/cases.py", "mdm/desk/cases/queries.py",
    }, callers  # fmt: skip


def test_the_command_that_asks_where_a_device_is_can_only_be_sent_by_a_case() -> None:
    assert Verb.LOCATE in BY_CASE
    assert ScopedSecret.LOCATION not in PERMISSIONS
    with pytest.raises(InvalidError) as refused:
        checked_args(Verb.LOCATE, {})
    assert refused.value.code == "only_by_case"


def test_there_is_no_history_of_contacts_from_which_hours_of_work_could_be_told() -> None:
    """A contact overwrites the one before; what is kept of time is what somebody did, not that a device was awake."""
    moments = re.compile(r"(last|first)_(seen|used|report)(_|$)|heard|checkin")
    repeated = {
        f"{table.name}.{column.name}"
        for table in all_tables().sorted_tables
        for column in table.columns
        # A table with one row for each device or person holds one moment; one with many rows would hold a history.
        if moments.search(column.name) and table.name not in ("device", "android_device")
    }

    assert repeated <= ENDED_OR_OPERATORS, repeated


def test_what_is_on_a_network_has_two_moments_at_each_place_and_no_more_of_them() -> None:
    """A second run overwrites the row of the first, so hours of presence cannot be told from it; a run names no device."""
    unique = {
        tuple(column.name for column in constraint.columns)
        for constraint in NetworkDevice.__table__.constraints
        if isinstance(constraint, UniqueConstraint)
    }

    assert ("service_point_id", "mac") in unique
    assert timedelta(days=7) >= KEPT
    assert not [
        column.name for column in DiscoveryRun.__table__.columns if re.search(r"mac|address|device_id", column.name)
    ]


def test_nothing_counts_by_the_hour_of_the_day() -> None:
    """No aggregation per person and hour, in SQL or in Python. The calendar of loans draws opening hours of places."""
    by_hour = re.compile(
        r"strftime\(\s*[\"']%H[\"']|date_trunc|func\.extract|extract\(\s*[\"']hour|\.hour\b|weekday\(\)"
    )
    found = {
        str(path.relative_to(HOUSE)): by_hour.findall(path.read_text(encoding="utf-8"))
        for folder in ("mdm/overview", "mdm/compliance", "mdm/inventory", "mdm/portal", "mdm/people", "web")
        for path in (HOUSE / folder).rglob("*.py")
    }

    assert found.pop("mdm/inventory/contact.py") == ["date_trunc"], "to the day, so that nobody sees the hour"
    assert {name for name, hits in found.items() if hits} <= {
        "mdm/overview/home.py",
        "web/console/desk/loan_calendar.py",
        "web/console/desk/loan_places.py",
    }
