"""Flushing what must be unique: the database decides, and its refusal becomes a sentence."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mdm.core.errors import HavenmeesterError


def flush_unique(session: Session, otherwise: HavenmeesterError) -> None:
    """Flushes; raises ``otherwise`` when a row of that kind is there already. The door rolls back then, as always.

    Two requests that both looked first and found nothing cannot both win: the constraint knows, looking does not.
    """
    try:
        session.flush()
    except IntegrityError as error:
        raise otherwise from error
