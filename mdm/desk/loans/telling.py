"""Who is written to about a loan: the person, the keeper of the pool, the lead of the team."""

from datetime import datetime

from mdm.desk.loans.letters import letter
from mdm.desk.loans.model import LoanPlace, Reservation
from mdm.org.model import ServicePoint
from mdm.outbox import service as outbox
from mdm.people.model import Person
from mdm.storage.call import Call

KEEPERS_LANGUAGE = "nl"


def tell_person(call: Call, place: LoanPlace, row: Reservation, step: str) -> None:
    """Writes to whom the reservation is for; somebody without an address hears nothing."""
    person = call.session.get_one(Person, row.person_id)
    if person.email:
        subject, text = letter(step, person.language, place.zone, about(call, row))
        mail(call, person.email, subject, text)


def tell_keeper(call: Call, place: LoanPlace, row: Reservation, step: str) -> bool:
    """Writes to who looks after the pool; whether there is such an address."""
    address = keeper(call, place)
    if not address:
        return False
    person = call.session.get_one(Person, row.person_id)
    more: dict[str, str | datetime] = {**about(call, row), "person": person.name, "by": row.prepare_by}
    subject, text = letter(step, KEEPERS_LANGUAGE, place.zone, more)
    mail(call, address, subject, text)
    return True


def keeper(call: Call, place: LoanPlace) -> str:
    """The address of who looks after the pool, else that of the service point; empty where neither has one."""
    return place.keeper_email or call.session.get_one(ServicePoint, place.service_point_id).email


def about(call: Call, row: Reservation) -> dict[str, str | datetime]:
    """What a letter says of a reservation."""
    point = call.session.get_one(ServicePoint, row.service_point_id)
    return {"kind": row.kind, "place": point.name, "begins": row.begins_at, "ends": row.ends_at}


def mail(call: Call, to: str, subject: str, text: str) -> None:
    """Puts a letter in the post."""
    outbox.post(call, "mail", {"to": to, "subject": subject, "text": text})
