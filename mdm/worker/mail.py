"""Sending mail with the standard library."""

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
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
    """The letter: plain text, one receiver, headers without line breaks. Raises ValueError for a wrong address."""
    letter = EmailMessage()
    sender = office.settings.mail_from
    letter["From"] = Address(office.settings.organisation, addr_spec=sender)
    letter["To"] = Address(addr_spec=clean(payload["to"], 255))
    letter["Subject"] = clean(payload["subject"], 255)
    letter["Date"] = format_datetime(office.clock())
    letter["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or "localhost")
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(clean(payload["text"], 20_000, lines=True).replace(ADDRESS, office.settings.console_base))
    return letter


def send(office: Office, payload: Payload) -> None:
    """Sends one letter. Waits uncounted while no mail server is configured; raises the server's error when it refuses."""
    require_server(office)
    deliver(office, message(office, payload))


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
    context = ssl.create_default_context()
    if where.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(where.hostname, where.port or 465, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(where.hostname, where.port or 25, timeout=TIMEOUT)
    with server:
        if where.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=context)
        if where.username:
            server.login(unquote(where.username), unquote(where.password or ""))
        server.send_message(letter)
