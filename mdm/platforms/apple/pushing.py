"""The push certificate: which topic the phones of this installation listen to, and how the next one is brought in."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.clock import iso
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.platforms.apple import push_request
from mdm.platforms.apple.model import AppleDevice, ApplePush, DeviceState
from mdm.storage.call import Call
from mdm.storage.seal import Seal

WARN_DAYS: Final = (60, 30, 7)
"""Days before its end at which people are told that the certificate must be renewed."""
_TOPIC: Final = "com.apple.mgmt."
_UID: Final = x509.ObjectIdentifier("0.9.2342.19200300.100.1.1")


def in_use(session: Session) -> ApplePush | None:
    """The push certificate in use: the newest; None where none was brought in yet."""
    return session.scalar(select(ApplePush).order_by(ApplePush.id.desc()).limit(1))


def topic(session: Session, now: datetime) -> str | None:
    """The topic for new enrollment profiles; None while there is no push certificate that still holds."""
    found = in_use(session)
    return None if found is None or found.not_after <= now else found.topic


def is_topic(session: Session, said: str) -> bool:
    """Whether this is a topic that we can push to."""
    return bool(said) and session.scalar(select(ApplePush.id).where(ApplePush.topic == said).limit(1)) is not None


def bring(call: Call, seal: Seal, certificate: str, key: str, account: str) -> ApplePush:
    """Brings in a push certificate, the first or the next one. Bringing the same again changes nothing.

    ``key`` empty: that of the request that was made here. Raises InvalidError for what is none, is over, or does not fit its
    key; ConflictError (``push_older``) for one that ends before the one in use, and (``push_topic``) for one with another
    topic while phones listen to the present one: Apple was asked to create instead of to renew, and every phone would have
    to enrol again.
    """
    require(call.actor, Permission.PHONES_MANAGE)
    found, private = _read(certificate, key or _asked(call, seal, certificate))
    said = topic_of(found)
    present = in_use(call.session)
    if present is not None and present.certificate == certificate:
        return present
    if found.not_valid_after_utc <= call.now:
        raise InvalidError(N_("This certificate is over. Nothing was changed; renew it at Apple."), code="push_over")
    if present is not None and present.topic != said and _listeners(call.session, present.topic):
        raise ConflictError(
            N_(
                "This certificate has another topic (%(new)s) than the one in use (%(old)s). Nothing was changed. Renew the one "
                "in use, with the Apple account %(account)s, instead of creating a new one: else every phone must enrol again."
            ),
            code="push_topic",
            new=said,
            old=present.topic,
            account=present.account or "?",
        )
    if present is not None and present.topic == said and found.not_valid_after_utc < present.not_after:
        raise ConflictError(
            N_(
                "This certificate ends on %(day)s, before the one in use does. Nothing was changed; upload the newest one."
            ),
            code="push_older",
            day=f"{found.not_valid_after_utc:%Y-%m-%d}",
        )
    made = ApplePush(
        topic=said,
        certificate=certificate,
        key=b"",
        account=clean(account),
        not_after=found.not_valid_after_utc,
        created_by=clean(call.actor.name),
        created_at=call.now,
    )
    call.session.add(made)
    call.session.flush()
    made.key = seal.seal(private, f"apple_push:{made.id}")
    push_request.answered(call, found)
    audit.record(
        call,
        "push_certificate.brought",
        ("push_certificate", made.id),
        details={"topic": said, "not_after": iso(made.not_after), "account": made.account},
    )
    return made


def private_key(seal: Seal, held: ApplePush) -> bytes:
    """The key of a push certificate, as PEM."""
    return seal.open(held.key, f"apple_push:{held.id}")


def topic_of(found: x509.Certificate) -> str:
    """The topic in a push certificate's subject. Raises InvalidError (``push_certificate``) where there is none."""
    values = [str(one.value) for one in found.subject.get_attributes_for_oid(_UID)]
    if len(values) != 1 or not values[0].startswith(_TOPIC):
        raise InvalidError(
            N_("This is no push certificate for device management: its subject has no topic. Nothing was changed."),
            code="push_certificate",
        )
    return values[0][:255]


def days_left(session: Session, now: datetime) -> int | None:
    """Days until the push certificate ends, below zero when it has; None where there is none."""
    found = in_use(session)
    return None if found is None else (found.not_after - now).days


class Level(StrEnum):
    """How it stands with the push certificate, for the page that shows it."""

    NONE = "none"
    GOOD = "good"
    ENDING = "ending"
    """Within 60 days of its end."""
    URGENT = "urgent"
    """Within 7 days of its end."""
    OVER = "over"
    REFUSED = "refused"
    """Apple refuses it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The push certificate in use and what hangs on it. ``days`` is below zero when it has ended, None without one."""

    level: Level
    held: ApplePush | None
    days: int | None
    listening: int
    """Phones that listen to its topic: they would all have to enrol again for another one."""
    unreached: int
    """Those of them that Apple says are not reached."""


def standing(call: Call) -> Standing:
    """How it stands with the push certificate. Raises DeniedError."""
    require(call.actor, Permission.SETTINGS_VIEW)
    session, now = call.session, call.now
    held = in_use(session)
    if held is None:
        return Standing(Level.NONE, None, None, 0, 0)
    listening, unreached = session.execute(
        select(func.count(), func.count().filter(AppleDevice.push_bad != "")).where(*_listens(held.topic))
    ).one()
    days = (held.not_after - now).days
    return Standing(_level(held, days, now), held, days, listening, unreached)


def _level(held: ApplePush, days: int, now: datetime) -> Level:
    if held.refused_at is not None:
        return Level.REFUSED
    if held.not_after <= now:
        return Level.OVER
    if days < WARN_DAYS[-1]:
        return Level.URGENT
    return Level.ENDING if days < WARN_DAYS[0] else Level.GOOD


def _listens(said: str) -> tuple[ColumnElement[bool], ...]:
    return AppleDevice.topic == said, AppleDevice.state != DeviceState.GONE.value


def _listeners(session: Session, said: str) -> bool:
    return session.scalar(select(AppleDevice.device_id).where(*_listens(said)).limit(1)) is not None


def _asked(call: Call, seal: Seal, certificate: str) -> str:
    """The key of the request that this certificate answers. Raises InvalidError (``push_key``) where there is none."""
    key = push_request.key_for(call, seal, _certificate(certificate))
    if not key:
        raise InvalidError(
            N_(
                "This certificate was not asked for with a request that was made here. Nothing was changed. Give its private"
                " key as well, or upload the certificate that Apple made from the request of this page."
            ),
            code="push_key",
        )
    return key


def _certificate(text: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except (ValueError, TypeError) as error:
        raise InvalidError(
            N_("This is no certificate in PEM. Nothing was changed; upload the file that Apple's portal gave."),
            code="push_certificate",
        ) from error


def _read(certificate: str, key: str) -> tuple[x509.Certificate, bytes]:
    found = _certificate(certificate)
    try:
        private = load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidError(
            N_("This is no private key in PEM, or it has a password. Nothing was changed."),
            code="push_certificate",
        ) from error
    formats = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*formats) != found.public_key().public_bytes(*formats):
        raise InvalidError(N_("The key is not that of the certificate. Nothing was changed."), code="push_key")
    return found, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
