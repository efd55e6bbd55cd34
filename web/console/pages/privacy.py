"""The register of processing, and what a data-protection officer does for one person: taking out, and erasing."""

import tablib
from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext, ngettext

from mdm.audit import service as audit
from mdm.core.permissions import Permission
from mdm.people import queries as people
from mdm.privacy import own, register, service
from mdm.privacy.fields import words
from mdm.privacy.holding import reasons
from mdm.privacy.own import Time
from mdm.storage.call import Call
from web.common.guard import may
from web.common.person_export import as_zip
from web.console.identity import settings
from web.console.pages.helpers import GET, POST, Route, done, page, refused, text
from web.console.spreadsheet import file_of

COLUMNS = ("column", "purpose", "basis", "kept", "leads to", "erasing", "seen with", "roles")


@may(Permission.PRIVACY_VIEW)
def privacy(call: Call) -> Response:
    """The register, printable."""
    return page("privacy/register.html", found=register.overview(call, settings()), span=span)


@may(Permission.PRIVACY_VIEW, write=True)
def privacy_file(call: Call) -> Response:
    """Every column of the database with what holds for it, as CSV; noted in the diary."""
    data = tablib.Dataset(headers=COLUMNS)
    for one in register.every_field():
        purpose = words().purposes[one.purpose]
        data.append(
            [
                f"{one.table}.{one.column}",
                purpose.title,
                purpose.basis,
                span(own.time_of(one.keep, settings())),
                " ".join(filter(None, (one.person.way, one.person.column, one.person.at))),
                " ".join(filter(None, (one.erase, one.because))),
                one.seen,
                ", ".join(one.roles),
            ]
        )
    audit.record(call, "list.exported", ("list", "privacy"), details={"rows": len(data), "as": "csv"})
    return file_of(data.export("csv"), f"register-{call.now.date()}.csv")


@may(Permission.PRIVACY_VIEW)
def person_privacy(call: Call, number: int) -> Response:
    """What can be done for one person, and what stands in the way."""
    found = people.person(call, number)
    return page("privacy/person.html", person=found, reasons=reasons(call, found), erasure=service.of(call, number))


@may(Permission.PRIVACY_MANAGE, write=True)
def person_take(call: Call, number: int) -> Response:
    """Everything that is kept of a person, as a file, for their request."""
    return as_zip(own.export(call, number))


@may(Permission.PRIVACY_MANAGE)
def person_erase(call: Call, number: int) -> Response:
    """Asks for a record to be erased; somebody else must agree."""
    try:
        erasure = service.erase(call, number, text("reason"))
    except service.Refusals as error:
        failure = refused(call, error)
        found = people.person(call, number)
        response = page(
            "privacy/person.html", person=found, reasons=reasons(call, found), erasure=service.of(call, number),
            failure=failure, said=request.form.get("reason", ""),
        )  # fmt: skip
        return failure.stamp(response)
    return done(
        gettext("The record is being erased. It will be called %(name)s.", name=erasure.pseudonym),
        url_for("person_privacy", number=number),
    )


def span(time: Time) -> str:
    """How long something is kept, in words."""
    if time.days is None:
        return str(gettext(time.sentence))
    return str(ngettext("%(num)s day", "%(num)s days", time.days)) if time.days else str(gettext("until it ends"))


ROUTES: tuple[Route, ...] = (
    ("/privacy", "privacy", privacy, GET),
    ("/privacy/register.csv", "privacy_file", privacy_file, GET),
    ("/people/<int:number>/privacy", "person_privacy", person_privacy, GET),
    ("/people/<int:number>/privacy/take", "person_take", person_take, POST),
    ("/people/<int:number>/privacy/erase", "person_erase", person_erase, POST),
)
