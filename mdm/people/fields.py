"""What may stand in a person, and how it is kept."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from mdm.core.errors import N_, InvalidError
from mdm.core.mail import email_address
from mdm.core.text import clean, fold
from mdm.people.model import LANGUAGES, Person, Persona

_PHONE = re.compile(r"\+?[0-9][0-9 ./()-]{3,30}")


def _refuse(field: str, sentence: str, **params: Any) -> InvalidError:
    return InvalidError(
        sentence, fields={field: sentence % params if params else sentence}, code=f"{field}_invalid", **params
    )


def _name(value: str) -> str:
    written = clean(value)
    if not written:
        raise _refuse("name", N_("A name is needed."))
    return written


def _email(value: str | None) -> str | None:
    return email_address(value) if value and value.strip() else None


def _number(value: str | None) -> str | None:
    return clean(value, 64) or None


def _phone(value: str | None) -> str:
    written = clean(value, 64)
    if written and not _PHONE.fullmatch(written):
        raise _refuse("phone", N_("A telephone number has digits and spaces, with + before the country."))
    return written


def _language(value: str) -> str:
    written = value.strip().lower()
    if written not in LANGUAGES:
        raise _refuse("language", N_("The language is one of: %(languages)s."), languages=", ".join(LANGUAGES))
    return written


def _persona(value: str) -> str:
    try:
        return Persona(value.strip().lower()).value
    except ValueError as error:
        allowed = ", ".join(Persona)
        raise _refuse("persona", N_("The persona is one of: %(personas)s."), personas=allowed) from error


def _place(value: int | None) -> int | None:
    return value


CHECKS: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "badge": _number,
    "name": _name,
    "email": _email,
    "phone": _phone,
    "language": _language,
    "persona": _persona,
    "unit_id": _place,
    "service_point_id": _place,
}
"""From each field that may be given to what makes it right or refuses it."""


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields as they are kept; raises InvalidError that names the first wrong one."""
    return {key: CHECKS[key](value) for key, value in given.items()}


def search_text(person: Person) -> str:
    """What a person is found by."""
    return fold(" ".join(filter(None, (person.name, person.email, person.number, person.badge, person.phone))))
