"""Writing to one person, by e-mail, by SMS, or not at all: the one interface to both."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlalchemy import ColumnElement, and_, func

from mdm.adoption.letters import lead_letter, mail_letter, sms_letter
from mdm.adoption.model import Channel, Letter, LetterKind
from mdm.core.ids import new_secret, new_uid, secret_digest
from mdm.core.telephone import mobile_number
from mdm.org.model import ServicePoint
from mdm.outbox import service as outbox
from mdm.outbox import sms
from mdm.outbox.model import OutboxMessage
from mdm.people.model import Person
from mdm.settings import Settings
from mdm.storage.call import Call

OFF_PAGE = "/off/"
"""Where on the employees' page somebody says that they want no reminders."""
MakeLink = Callable[[Call, Person, timedelta], str]
"""Gives a new link that lets this person in, once, for so long."""


@dataclass(frozen=True, slots=True)
class Writer:
    """What letters need of this installation."""

    city: str
    page: str
    """The employees' page."""
    language: str
    zone: ZoneInfo
    country: str
    mail: bool
    """Whether there is a mail server."""
    sms: bool
    """Whether there is a gateway."""
    life: timedelta
    make_link: MakeLink

    @classmethod
    def of(cls, settings: Settings, make_link: MakeLink) -> "Writer":
        """The writer of this installation."""
        return cls(
            settings.organisation,
            settings.portal_base,
            settings.language,
            ZoneInfo(settings.timezone),
            settings.sms_country,
            bool(settings.smtp_url),
            bool(settings.sms_url),
            timedelta(hours=settings.invitation_hours),
            make_link,
        )

    def channel(self, person: Person) -> Channel:
        """How this person is reached: by e-mail before SMS; PAPER for who has neither, or no mobile number.

        Without a mail server who has a mobile number too gets an SMS; all others' letters wait in the post for one.
        """
        by_sms = self.sms and bool(person.phone) and mobile_number(person.phone, self.country) is not None
        if person.email and (self.mail or not by_sms):
            return Channel.MAIL
        return Channel.SMS if by_sms else Channel.PAPER

    def by_mail(self) -> ColumnElement[bool]:
        """The people for whom ``channel`` says MAIL, as a condition; those with a number that is no mobile one aside."""
        addressed = func.coalesce(Person.email, "") != ""
        return addressed if self.mail or not self.sms else and_(addressed, func.coalesce(Person.phone, "") == "")

    def write(
        self, call: Call, person: Person, kind: LetterKind, point: ServicePoint | None, line_id: int | None = None
    ) -> Letter | None:
        """Puts one letter in the post, by day; None, and nothing written, for who cannot be reached."""
        channel = self.channel(person)
        if channel is Channel.PAPER:
            return None
        off = new_secret()
        message = self._post(call, person, kind, point, channel, self.page + OFF_PAGE + off)
        call.session.flush()
        letter = Letter(
            person_id=person.id,
            line_id=line_id,
            kind=kind.value,
            channel=channel.value,
            at=call.now,
            off_digest=secret_digest(off),
            post_id=message.id,
        )
        call.session.add(letter)
        return letter

    def write_lead(self, call: Call, email: str, language: str, names: list[str], most: int = 200) -> OutboxMessage:
        """Puts the letter to somebody who leads in the post."""
        shown = [f"- {name}" for name in names[:most]]
        if len(names) > most:
            shown.append(f"- … +{len(names) - most}")
        subject, text = lead_letter(language, people="\n".join(shown), count=len(names), page=self.page)
        payload = {"id": new_uid(), "to": email, "subject": subject, "text": text, "daytime": True}
        message = outbox.post(call, "mail", payload)
        call.session.flush()
        return message

    def _post(
        self, call: Call, person: Person, kind: LetterKind, point: ServicePoint | None, channel: Channel, off: str
    ) -> OutboxMessage:
        address = self.make_link(call, person, self.life)
        told = {"city": self.city, "address": address, "off": off, "until": self._day(call.now, person.language)}
        if channel is Channel.SMS:
            text = sms_letter(person.language, kind, **told)
            message = sms.post(call, to=person.phone, text=text, country=self.country, daytime=True)
            if message is None:
                raise ValueError("the channel said that this telephone can be written to")
            return message
        helper = ", ".join(part for part in (point.name, point.phone) if part) if point else ""
        subject, text = mail_letter(person.language, kind, point=helper, name=person.name, page=self.page, **told)
        payload: dict[str, Any] = {"id": new_uid(), "to": person.email, "subject": subject, "text": text, "off": off}
        return outbox.post(call, "mail", payload | {"daytime": True})

    def _day(self, now: datetime, language: str) -> str:
        """The last whole day on which the link works, as its reader writes days."""
        last = (now + self.life).astimezone(self.zone).date()
        return str(format_date(last, "d MMMM y", locale=language))
