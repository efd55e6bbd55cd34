"""Sending mail with the standard library."""

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from functools import cache
from urllib.parse import unquote, urlsplit

from mdm.core.errors import ConfigurationError
from mdm.core.text import clean
from mdm.orders.letters import ADDRESS
from mdm.worker.office import Office
from mdm.worker.post import NotNowError, Payload

TIMEOUT = 20
KEPT = 3600
"""Seconds after which a letter that waits for a configured mail server is looked at again."""


def message(office: Office, payload: Payload) -> EmailMessage:
    """The letter: plain text, one receiver, headers without line breaks. Raises ValueError for a wrong address.

    ``id``, where there is one, is its Message-ID: a letter that is handed over twice is seen to be one. ``off`` is the
    address at which its reader wants no more of its kind, by one click (RFC 2369, RFC 8058).
    """
    letter = EmailMessage()
    sender = office.settings.mail_from
    letter["From"] = Address(office.settings.organisation, addr_spec=sender)
    letter["To"] = Address(addr_spec=clean(payload["to"], 255))
    letter["Subject"] = clean(payload["subject"], 255)
    letter["Date"] = format_datetime(office.clock())
    domain = sender.rpartition("@")[2] or "localhost"
    known = clean(payload.get("id"), 64)
    letter["Message-ID"] = f"<{known}@{domain}>" if known else make_msgid(domain=domain)
    if off := clean(payload.get("off"), 500):
        letter["List-Unsubscribe"] = f"<{off}>"
        letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(clean(payload["text"], 20_000, lines=True).replace(ADDRESS, office.settings.console_base))
    return letter


def send(office: Office, payload: Payload) -> None:
    """Sends one letter. Waits uncounted while no mail server is configured; raises the server's error when it refuses."""
    require_server(office)
    require_daytime(office, payload)
    deliver(office, message(office, payload))


def require_daytime(office: Office, payload: Payload) -> None:
    """Nothing for what may leave at any hour; raises NotNowError for what is only written by day (``daytime``), at night."""
    if payload.get("daytime"):
        wait = (office.settings.quiet.open_at(office.clock()) - office.clock()).total_seconds()
        if wait > 0:
            raise NotNowError("quiet hours", min(KEPT, int(wait) + 1))


def require_server(office: Office) -> None:
    """Nothing where a mail server is configured; raises NotNowError where none is."""
    if not office.settings.smtp_url:
        raise NotNowError("no mail server is configured (smtp_url)", KEPT)


def deliver(office: Office, letter: EmailMessage) -> None:
    """Hands one letter to the configured mail server."""
    where = urlsplit(office.settings.smtp_url)
    if where.scheme not in ("smtp", "smtps") or not where.hostname:
        raise ConfigurationError(
            "The setting smtp_url is no address of a mail server.", mend="Write smtp://user:password@host:port."
        )
    if where.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(where.hostname, where.port or 465, timeout=TIMEOUT, context=_trust())
    else:
        server = smtplib.SMTP(where.hostname, where.port or 25, timeout=TIMEOUT)
    with server:
        if where.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=_trust())
        if where.username:
            server.login(unquote(where.username), unquote(where.password or ""))
        server.send_message(letter)


@cache
def _trust() -> ssl.SSLContext:
    """The authorities that this machine trusts, read once: reading them costs more than a letter."""
    return ssl.create_default_context()
