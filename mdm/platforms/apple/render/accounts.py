"""Mailboxes. A profile and not a declaration: that would fetch the password from an address of its own."""

from collections.abc import Mapping
from typing import Any

from mdm.platforms.apple.render.parts import Part, Resources, Settings, profile
from mdm.platforms.linux.escape import slug

MAIL = "com.apple.mail.managed"


def _mailboxes(settings: Settings) -> Resources:
    return [
        profile(f"mail.{slug(one['name'])}", ["mail.accounts"], f"Mail {one['name']}", [_mailbox(one)])
        for one in settings.get("mail.accounts", [])
    ]


def _mailbox(record: Mapping[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "PayloadType": MAIL,
        "EmailAccountDescription": record["name"],
        "EmailAccountType": "EmailTypeIMAP",
        "OutgoingPasswordSameAsIncomingPassword": True,
        "PreventMove": bool(record.get("keep")),
    }
    if "address" in record:
        payload["EmailAddress"] = record["address"]
    for side, field in (("Incoming", "incoming"), ("Outgoing", "outgoing")):
        host, _, port = record[field].rpartition(":")
        payload[f"{side}MailServerHostName"] = host.strip("[]")
        payload[f"{side}MailServerPortNumber"] = int(port)
        payload[f"{side}MailServerUseSSL"] = True
        payload[f"{side}MailServerAuthentication"] = "EmailAuthPassword"
        if "username" in record:
            payload[f"{side}MailServerUsername"] = record["username"]
    if "password" in record:
        payload["IncomingPassword"] = record["password"]
    return payload


PARTS = (Part(("mail.accounts",), _mailboxes),)
