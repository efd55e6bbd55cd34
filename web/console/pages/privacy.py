"""The register of processing, and what a data-protection officer does for one person: taking out, and erasing."""

from collections import defaultdict
from typing import Any
from zoneinfo import ZoneInfo

import tablib
from flask import current_app, request, url_for
from flask.wrappers import Response
from flask_babel import format_date, gettext, ngettext

from mdm.audit import service as audit
from mdm.core.errors import N_, InvalidError, NotFoundError
from mdm.core.permissions import Permission
from mdm.core.text import fold
from mdm.desk.custody.photos import Files
from mdm.people import queries as people
from mdm.privacy import leaving, own, register, service
from mdm.privacy.fields import words
from mdm.privacy.holding import reasons
from mdm.privacy.own import Time
from mdm.storage.call import Call
from web.common.guard import may
from web.common.person_export import as_zip
from web.common.sealed import SEAL
from web.console.frame import word
from web.console.identity import settings
from web.console.pages.helpers import GET, POST, Route, done, page, refused, text
from web.console.spreadsheet import file_of

ENTRIES = (
    "controller", "contact", "activity", "purpose", "basis", "whose data", "categories of data", "recipients",
    "outside the European Union", "kept", "seen by", "measures", "not erased",
)  # fmt: skip
"""Of article 30(1) of the GDPR."""
MENDS: dict[str, tuple[str, Permission, dict[str, Any]]] = {
    "cases": ("cases", Permission.CASE_VIEW, {}),
    "panic": ("panic", Permission.PANIC_VIEW, {}),
    "duty": ("panic_duty", Permission.PANIC_MANAGE, {}),
    "loans": ("desk_loans", Permission.DESK_VIEW, {"when": "open"}),
    "repairs": ("desk_repairs", Permission.DESK_VIEW, {}),
    "orders": ("approvals", Permission.ORDER_VIEW, {}),
    "account": ("operators", Permission.OPERATOR_MANAGE, {}),
}
"""Where each kind of thing that is open is ended."""
COLUMNS = ("column", "purpose", "basis", "kept", "leads to", "erasing", "seen with", "roles")


@may(Permission.PRIVACY_VIEW)
def privacy(call: Call) -> Response:
    """The register: a table of the purposes, each with its entry to unfold; found by any of its words."""
    found = register.overview(call, settings())
    asked = request.args.get("q", "").strip()[:100]
    shown = [entry for entry in found.entries if not asked or fold(asked) in fold(" ".join(_line(entry)))]
    return page(
        "privacy/register.html", found=found, asked=asked, shown=shown, span=span, person_days=settings().person_days
    )


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


@may(Permission.PRIVACY_VIEW, write=True)
def privacy_register(call: Call, kind: str) -> Response:
    """The register of processing as a file, for an authority that asks for it: a page that needs nothing else, or CSV."""
    if kind not in ("html", "csv"):
        raise NotFoundError(N_("There is no such kind of export."))
    found = register.overview(call, settings())
    name = f"register-of-processing-{call.now.date()}.{kind}"
    audit.record(call, "list.exported", ("list", "register"), details={"rows": len(found.entries), "as": kind})
    if kind == "csv":
        return file_of(_entries(found).export("csv"), name)
    response = page("privacy/register_file.html", found=found, span=span, settings=settings(), made=call.now.date())
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _entries(found: register.Overview) -> tablib.Dataset:
    """A line for each purpose, and one for each place outside the database."""
    controller, contact = settings().organisation, settings().privacy_contact
    data = tablib.Dataset(headers=ENTRIES)
    for entry in found.entries:
        data.append([controller, contact, *_line(entry)])
    for place, time in found.places:
        title = gettext(words().purposes[place.purpose].title)
        data.append(
            [
                controller, contact, title, "", "", "", f"{gettext(place.where)}: {gettext(place.what)}", "", "", span(time),
                gettext(place.seen), "", "",
            ]
        )  # fmt: skip
    return data


def _line(entry: register.Entry) -> list[str]:
    """One purpose in the words of the reader, in the order of ``ENTRIES``."""
    told = entry.purpose
    return [
        gettext(told.title), gettext(told.why), gettext(told.basis), gettext(told.whose), ", ".join(entry.categories),
        gettext(told.recipients), gettext(told.transfers) if told.transfers else gettext("To nobody"),
        "; ".join(span(time) for time in entry.times), ", ".join(word("ROLES", role) for role in entry.roles),
        " ".join(gettext(one) for one in told.measures), " ".join(gettext(one) for one in entry.kept),
    ]  # fmt: skip


@may(Permission.PRIVACY_VIEW)
def person_privacy(call: Call, number: int) -> Response:
    """What can be done for one person, and what stands in the way."""
    return _person(call, number)


def _person(call: Call, number: int, **more: Any) -> Response:
    found = people.person(call, number)
    return page(
        "privacy/person.html",
        person=found,
        reasons=reasons(call, found),
        mends=_mends(call, found.id),
        erasure=service.of(call, number),
        leaver=leaving.of(call, found),
        person_days=settings().person_days,
        archived=_archived(),
        **more,
    )


def _archived() -> str:
    """What the database server may still keep, and how long; empty for SQLite."""
    if settings().database.startswith("sqlite"):
        return ""
    days = settings().wal_archive_days
    if not days:
        said = gettext(
            "Where PostgreSQL archives its log, it stays there until that archive ends. Whoever runs it says when."
        )
    else:
        said = ngettext(
            "It stays in the archive of PostgreSQL's log for %(num)s day more.",
            "It stays in the archive of PostgreSQL's log for %(num)s days more.",
            days,
        )
    return str(said)


def _mends(call: Call, number: int) -> defaultdict[str, str]:
    """Where what is open can be ended, for whoever may go there; empty for everything else."""
    found = {
        code: url_for(endpoint, **values)
        for code, (endpoint, permission, values) in MENDS.items()
        if call.actor.may_somewhere(permission)
    }
    found |= {code: url_for("person", number=number) for code in ("still_here", "devices", "kit")}
    return defaultdict(str, found)


@may(Permission.PRIVACY_MANAGE, write=True)
def person_take(call: Call, number: int) -> Response:
    """Everything that is kept of a person, as a file, for their request."""
    taken = own.export(call, number, Files(settings().home, current_app.extensions[SEAL]))
    return as_zip(taken, ZoneInfo(settings().timezone))


@may(Permission.PRIVACY_MANAGE)
def person_erase(call: Call, number: int) -> Response:
    """Asks for a record to be erased; somebody else must agree."""
    try:
        erasure = service.erase(call, number, text("reason"))
    except service.Refusals as error:
        failure = refused(call, error)
        return failure.stamp(_person(call, number, failure=failure, said=request.form.get("reason", "")))
    return done(
        gettext("The record is being erased. It will be called %(name)s.", name=erasure.pseudonym),
        url_for("person_privacy", number=number),
    )


@may(Permission.PRIVACY_MANAGE, write=True)
def person_keep(call: Call, number: int) -> Response:
    """Has a record kept until a day: nobody can erase it before."""
    try:
        kept = leaving.keep_longer(call, number, text("until"), text("why"))
    except InvalidError as error:
        failure = refused(call, error)
        said = {"said_until": request.form.get("until", ""), "said_why": request.form.get("why", "")}
        return failure.stamp(_person(call, number, failure=failure, **said))
    return done(
        gettext("The record is kept until %(day)s.", day=format_date(kept.kept_until, "d MMM y")),
        url_for("person_privacy", number=number),
    )


@may(Permission.PRIVACY_MANAGE, write=True)
def person_keep_no_longer(call: Call, number: int) -> Response:
    """Takes that back."""
    leaving.keep_no_longer(call, number)
    return done(gettext("The record is no longer kept longer."), url_for("person_privacy", number=number))


def span(time: Time) -> str:
    """How long something is kept, in words."""
    if time.days is None:
        return str(gettext(time.sentence))
    return str(ngettext("%(num)s day", "%(num)s days", time.days)) if time.days else str(gettext("until it ends"))


ROUTES: tuple[Route, ...] = (
    ("/privacy", "privacy", privacy, GET),
    ("/privacy/register.csv", "privacy_file", privacy_file, GET),
    ("/privacy/register-of-processing.<kind>", "privacy_register", privacy_register, GET),
    ("/people/<int:number>/privacy", "person_privacy", person_privacy, GET),
    ("/people/<int:number>/privacy/keep", "person_keep", person_keep, POST),
    ("/people/<int:number>/privacy/keep-no-longer", "person_keep_no_longer", person_keep_no_longer, POST),
    ("/people/<int:number>/privacy/take", "person_take", person_take, POST),
    ("/people/<int:number>/privacy/erase", "person_erase", person_erase, POST),
)
