"""Forgetting by the clock. How long is said in the map of privacy and nowhere else; each room has its own verb for it, and what
no room forgets by itself is deleted by the map alone."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from mdm.access import service as access
from mdm.commands import delivery as commands
from mdm.compliance import service as compliance
from mdm.desk.custody import photos
from mdm.desk.custody.photos import Folder
from mdm.desk.exchange import kept as exchange
from mdm.desk.loans import sweeping
from mdm.discovery import service as discovery
from mdm.inventory import service as inventory
from mdm.kiosks import pictures
from mdm.operation import log_files
from mdm.outbox import service as outbox
from mdm.panic import queries as panics
from mdm.portal import keys
from mdm.privacy import retention
from mdm.worker import inviting
from mdm.worker.office import Office

RETENTION: tuple[tuple[str, Callable[[Session, datetime], int]], ...] = (
    ("command.data", commands.forget_answers),
    ("device_event.*", inventory.forget_events),
    ("verdict_change.*", compliance.forget_changes),
    ("discovery_run.*", discovery.forget_runs),
    ("kiosk_picture.*", pictures.forget),
    ("loan_reservation.*", sweeping.forget),
    ("network_device.*", discovery.forget),
    ("panic_alarm.*", panics.forget),
    ("adoption_run.*", inviting.forget),
    ("portal_key.*", keys.forget),
)
"""What is forgotten by which room's verb; after how long, the map says. The diary is not among it: it is kept for ever."""
TIDIED = frozenset(
    {
        "bell",
        "desk_exchange_file",
        "idempotency_key",
        "one_time_link",
        "outbox_message",
        "passkey_challenge",
        "sign_in_attempt",
        "web_session",
    }
)
"""Tables that ``tidy`` looks after, whose rooms also use the time for something else."""
WITH_MORE = frozenset(
    {
        "adoption_lead_letter",
        "adoption_letter",
        "adoption_line",
        "desk_photo",
        "loan_overdue",
        "panic_call",
        "panic_line",
        "panic_report",
    }
)
"""Tables that go together with another one by its verb, or with a file."""
OWN = TIDIED | WITH_MORE | {name.partition(".")[0] for name, _few in RETENTION if name.endswith(".*")}


def tidy(office: Office) -> None:
    """Forgets what has done its work: delivered messages, rings, sessions, tries to sign in, old lines of logs."""
    with office.call("tidy") as call:
        outbox.tidy(call.session, call.now)
    with office.call("tidy") as call:
        access.tidy(call.session, call.now)
        exchange.tidy(call.session, call.now)
    # Also where nobody started ``havenmeester up``: the process that sets up kiosks writes its log here.
    log_files.tend(office.settings.home / "log", office.settings.log_days, office.clock())


def forget(office: Office) -> None:
    """Forgets what is older than the map says, in short transactions."""
    for name, few in RETENTION:
        more = True
        while more:
            with office.call("retention") as call:
                more = few(call.session, call.now - retention.span(name)) > 0
    for table, start, span in retention.left_over(OWN):
        more = True
        while more:
            with office.call("retention") as call:
                more = retention.forget(call.session, table, start, call.now - span) > 0


def forget_photos(office: Office) -> None:
    """Forgets pictures whose time has passed, with their files."""
    with office.call("custody") as call:
        photos.forget(call, Folder(office.settings.home), call.now - retention.span("desk_photo.*"))


def forget_pictures(office: Office) -> None:
    """Deletes pictures of kiosks' screens when their day is over, and not only when the daily round of forgetting comes."""
    more = True
    while more:
        with office.call("retention") as call:
            more = pictures.forget(call.session, call.now - retention.span("kiosk_picture.*")) > 0
