"""How the installation does: signer, post, worker's leftovers, database."""

from dataclasses import dataclass

from sqlalchemy import func, select

from mdm.core.actor import require
from mdm.core.errors import N_, HavenmeesterError
from mdm.core.permissions import Permission
from mdm.outbox.model import OutboxMessage
from mdm.settings import Settings
from mdm.signing.client import SignerClient
from mdm.storage.call import Call

LATE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at: ``tone`` is good, warn or bad; ``params`` fill the sentence."""

    name: str
    tone: str
    sentence: str
    params: dict[str, object]


def health(call: Call, settings: Settings) -> list[Check]:
    """Every check, in the order in which a person would look. Raises DeniedError without the right."""
    require(call.actor, Permission.SETTINGS_VIEW)
    return [_signer(settings), *_post(call), _database(call)]


def _signer(settings: Settings) -> Check:
    try:
        found = SignerClient(settings.signer_socket, timeout=1.0).health()
    except HavenmeesterError as error:
        return Check(N_("Signer"), "bad", N_("It does not answer: %(why)s"), {"why": str(error)})
    params: dict[str, object] = {"fleet": found.fleet, "until": f"{found.ca_not_after:%Y-%m-%d}"}
    return Check(
        N_("Signer"),
        "good",
        N_("It answers. Devices that hold a certificate: %(fleet)s. Our certificate authority lasts until %(until)s."),
        params,
    )


def _post(call: Call) -> list[Check]:
    waiting, oldest, dead = call.session.execute(
        select(
            func.count(OutboxMessage.id).filter(OutboxMessage.done_at.is_(None), OutboxMessage.dead_at.is_(None)),
            func.min(OutboxMessage.due_at).filter(OutboxMessage.done_at.is_(None), OutboxMessage.dead_at.is_(None)),
            func.count(OutboxMessage.id).filter(OutboxMessage.dead_at.is_not(None)),
        )
    ).one()
    late = int((call.now - oldest).total_seconds()) if oldest else 0
    post = Check(
        N_("Worker"),
        "bad" if late > LATE_SECONDS else "good",
        N_("Messages that wait: %(waiting)s; the oldest is due for %(late)s s."),
        {"waiting": waiting, "late": max(0, late)},
    )
    if not dead:
        return [post]
    sentence = N_("Messages that could not be delivered and were given up: %(dead)s. See the log of the worker.")
    return [post, Check(N_("Post"), "warn", sentence, {"dead": dead})]


def _database(call: Call) -> Check:
    name = call.session.get_bind().dialect.name
    return Check(N_("Database"), "good", N_("It answers (%(name)s)."), {"name": name})
