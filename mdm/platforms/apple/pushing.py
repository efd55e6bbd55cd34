"""Which topic the phones of this installation listen to."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mdm.platforms.apple.model import ApplePush


def certificate(session: Session) -> ApplePush | None:
    """The push certificate in use: the newest; None where none was brought in yet."""
    return session.scalar(select(ApplePush).order_by(ApplePush.id.desc()).limit(1))


def topic(session: Session, now: datetime) -> str | None:
    """The topic for new enrollment profiles; None while there is no push certificate that still holds."""
    found = certificate(session)
    return None if found is None or found.not_after <= now else found.topic


def is_topic(session: Session, said: str) -> bool:
    """Whether this is a topic that we can push to."""
    return bool(said) and session.scalar(select(ApplePush.id).where(ApplePush.topic == said).limit(1)) is not None
