"""Adoption: how many of the invited are active, who is missing, inviting many at once, papers for who has no address."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, Final
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import segno
from flask import request, url_for
from flask.wrappers import Response
from flask_babel import gettext, ngettext

from mdm.adoption import due, queries, rates, service
from mdm.adoption.letters import paper_letter
from mdm.adoption.listings import LINES, MISSING
from mdm.adoption.model import InvitationRun, RunLine
from mdm.adoption.rates import By, Line, Narrowed
from mdm.core.errors import N_, HavenmeesterError, InvalidError
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.imports.columns import PEOPLE as NAMES
from mdm.imports.table import read
from mdm.overview import people_words, words
from mdm.overview.devices import places, point_of, unit_of, units_offered
from mdm.overview.home import Chart, Series
from mdm.overview.listing import Listing, matching_ids, place_ids, read_query, total
from mdm.overview.people import PEOPLE
from mdm.portal import keys
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.console.charts import as_file, drawn, named
from web.console.identity import settings
from web.console.lists import Shown, export, show
from web.console.pages.helpers import BOTH, GET, Route, day_field, done, page, refused, text

VIEW, INVITE = Permission.PEOPLE_VIEW, Permission.ENROLLMENT_INVITE
CHOSEN_FROM: Final[dict[str, Listing]] = {"people": PEOPLE, "missing": MISSING}
"""The lists from which people can be invited."""
TABLES: Final = {By.UNIT: N_("Unit"), By.PERSONA: N_("Group"), By.SERVICE_POINT: N_("Service point")}


@may(VIEW)
def adoption(call: Call) -> Response:
    """The figures, the line over time, the rows by unit, group or service point."""
    on, what, narrowed = _asked(call)
    zone = ZoneInfo(settings().timezone)
    return page(
        "adoption/adoption.html",
        overall=rates.overall(call, zone, narrowed, on),
        line=_line(call, zone, narrowed, on),
        rows=[(one, _name(what, one), _missing_url(what, one)) for one in rates.by(call, zone, what, narrowed, on)],
        what=what.value,
        tabs_=[
            {"label": gettext(label), "url": _url(by=None if by is By.UNIT else by.value), "current": by is what}
            for by, label in TABLES.items()
        ],
        goal=due.GOAL,
        on=on,
        today=_today(call),
        units=units_offered(call),
        points=places(call),
        personas=[(key, gettext(word)) for key, word in words.PERSONAS.items()],
        given=request.args,
        files={"line": _url("adoption_file", what="line"), "rows": _url("adoption_file", what="rows")},
        missing=url_for("adoption_missing", **_narrowing()),
        runs=queries.runs(call, 5),
        papers=queries.papers_count(call),
        drawn=_drawn,
        named=named,
    )


@may(VIEW)
def adoption_file(call: Call, what: str) -> Response:
    """The line, or the rows, as CSV."""
    on, by, narrowed = _asked(call)
    zone = ZoneInfo(settings().timezone)
    if what == "line":
        return as_file(_line(call, zone, narrowed, on), "adoption-line", single=N_("Active, per cent"))
    lines = rates.by(call, zone, by, narrowed, on)
    made = Chart(
        tuple(_name(by, one) for one in lines),
        (
            Series(N_("People"), "calm", tuple(one.rate.people for one in lines)),
            Series(N_("Invited"), "main", tuple(one.rate.invited for one in lines)),
            Series(N_("Active"), "good", tuple(one.rate.active for one in lines)),
            Series(N_("Active, per cent"), "main", tuple(one.rate.percent for one in lines)),
        ),
        tuple(() for _ in lines),
    )
    return as_file(made, f"adoption-{by.value}")


@may(VIEW)
def adoption_missing(call: Call) -> Response:
    """Who is not active."""
    return page("adoption/missing.html", list=show(call, MISSING, "adoption_missing"))


@may(VIEW, write=True)
def adoption_missing_file(call: Call) -> Response:
    """The same as a file."""
    return export(call, MISSING)


@may(INVITE)
def adoption_invite(call: Call) -> Response:
    """Invites everybody of a list as it is filtered, or of a file with personnel numbers."""
    if request.method == "GET":
        return _form(call, request.args.get("list", "missing"), request.args.get("query", ""))
    try:
        run = _begin(call)
    except HavenmeesterError as error:
        return _form(call, text("list"), request.form.get("query", ""), refused(call, error))
    sentence = ngettext("%(num)s person is being invited.", "%(num)s people are being invited.", run.total)
    return done(sentence, url_for("adoption_round", uid=run.uid))


def _begin(call: Call) -> InvitationRun:
    file = request.files.get("file")
    if text("from") == "file":
        if file is None or not file.filename:
            sentence = N_("Choose a file.")
            raise InvalidError(N_("Nobody was invited: there is no file."), fields={"file": sentence})
        table = read(file.read(), {"number": NAMES["number"]}, ("number",))
        numbers = [row.cells.get("number", "") for row in table.rows]
        return service.invite_numbers(call, numbers, key=text("key"), chosen={"file": clean(file.filename, 100)})
    listing, query = _listing(text("list")), request.form.get("query", "")
    ids = matching_ids(call, listing, read_query(listing, parse_qs(query)), service.MOST)
    return service.invite_people(call, ids, key=text("key"), chosen={"list": text("list"), "query": query[:2000]})


def _form(call: Call, name: str, query: str, failure: Failure | None = None) -> Response:
    listing = _listing(name)
    asked = read_query(listing, parse_qs(query))
    chips = []
    for key, values in asked.filters.items():
        one = listing.filter(key)
        if one is not None:
            known = {value: gettext(word) for value, word in one.words.items()} or dict(
                one.choices(call) if one.choices else ()
            )
            chips += [(gettext(one.label), known.get(value, value).strip()) for value in values]
    opens = settings().quiet.open_at(call.now)
    response = page(
        "adoption/invite.html",
        failure=failure,
        name=name if name in CHOSEN_FROM else "missing",
        query=query,
        count=total(call, listing, asked),
        papers=queries.without_address(call, matching_ids(call, listing, asked, service.MOST)),
        chips=chips,
        key=text("key") or new_uid(),
        mail=bool(settings().smtp_url),
        sms=bool(settings().sms_url),
        opens=opens if opens > call.now else None,
        back=url_for("people" if name == "people" else "adoption_missing") + (f"?{query}" if query else ""),
    )
    return failure.stamp(response) if failure else response


@may(VIEW)
def adoption_round(call: Call, uid: str) -> Response:
    """One round: how far it is, and what became of each."""
    view = queries.run(call, uid)
    return page("adoption/round.html", list=_lines(call, view.run.id, uid), **_progress(call, view))


@may(VIEW)
def adoption_round_state(call: Call, uid: str) -> Response:
    """The part of that page which changes while the letters are written, for the script that looks again."""
    return page("adoption/_round_state.html", **_progress(call, queries.run(call, uid)))


def _progress(call: Call, view: queries.RunView) -> dict[str, Any]:
    opens = settings().quiet.open_at(call.now)
    return {
        "view": view,
        "opens": opens if opens > call.now else None,
        "papers": sum(view.states.get(state, 0) for state in queries.FOR_PAPER),
        "states": [
            (state, gettext(word), view.states.get(state, 0)) for state, word in people_words.ADOPTION_LINES.items()
        ],
    }


@may(VIEW, write=True)
def adoption_round_file(call: Call, uid: str) -> Response:
    """The people of a round as a file."""
    return export(call, _of_run(queries.run(call, uid).run.id))


def _of_run(number: int) -> Listing:
    return replace(LINES, base=lambda call: LINES.base(call).where(RunLine.run_id == number))


def _lines(call: Call, number: int, uid: str) -> Shown:
    return show(call, _of_run(number), "adoption_round", uid=uid)


@may(Permission.DESK_WORK)
def adoption_papers(call: Call) -> Response:
    """People who cannot be written to: a paper with a code for each, to be given into their hand."""
    if request.method == "GET":
        return _papers(call)
    wanted = [int(one) for one in request.form.getlist("line") if one.isascii() and one.isdigit() and len(one) < 15]
    try:
        people = service.printed(call, wanted)
        made = [(one, keys.make_paper(call, one.id)) for one in people]
    except HavenmeesterError as error:
        return _papers(call, refused(call, error))
    base = settings().portal_base
    response = page(
        "adoption/printed.html",
        papers=[(one, code, paper_letter(one.language, one.name, call.now + keys.PAPER_LIFE)) for one, code in made],
        address=base,
        qr=segno.make(base, error="m").svg_data_uri(border=2, scale=3, dark="#000", light="#fff"),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _papers(call: Call, failure: Failure | None = None) -> Response:
    response = page(
        "adoption/papers.html",
        failure=failure,
        lines=queries.papers(call, service.PAPERS),
        count=queries.papers_count(call),
        most=service.PAPERS,
    )
    return failure.stamp(response) if failure else response


def _listing(name: str) -> Listing:
    return CHOSEN_FROM.get(name, MISSING)


def _asked(call: Call) -> tuple[date, By, Narrowed]:
    """The day, the rows and whose figures the address asks for; InvalidError for a day that is none."""
    by = request.args.get("by", "")
    narrowed = Narrowed(
        units=_ids(call, "unit", unit_of),
        service_points=_ids(call, "service_point", point_of),
        personas=[one for one in request.args.getlist("persona") if one in words.PERSONAS],
    )
    what = By(by) if by in set(By) else By.UNIT
    return day_field("on", request.args) or _today(call), what, narrowed


def _ids(call: Call, key: str, by_code: Callable[[Call, str], int]) -> list[int]:
    given = [one for one in request.args.getlist(key) if one.strip()][:50]
    # What is asked for and not there gives nothing, never everything.
    return place_ids(call, given, by_code) or ([0] if given else [])


def _today(call: Call) -> date:
    return call.now.astimezone(ZoneInfo(settings().timezone)).date()


def _narrowing() -> dict[str, Any]:
    return {key: values for key in ("unit", "service_point", "persona") if (values := request.args.getlist(key))}


def _url(endpoint: str = "adoption", **changes: Any) -> str:
    """An address with the same filters, and something else."""
    kept = {key: request.args.getlist(key) for key in ("unit", "service_point", "persona", "on", "by")}
    return url_for(endpoint, **{key: value for key, value in (kept | changes).items() if value})


def _line(call: Call, zone: ZoneInfo, narrowed: Narrowed, on: date) -> Chart:
    points = rates.over_time(call, zone, narrowed, on)
    # Before anybody was invited there is no rate: the line begins with the first one.
    first = next((place for place, (_, rate) in enumerate(points) if rate.invited), len(points))
    points = points[first:]
    return Chart(
        tuple(day.isoformat() for day, _ in points),
        (Series(N_("Active, per cent"), "main", tuple(rate.percent for _, rate in points)),),
        tuple(() for _ in points),
    )


def _drawn(chart: Chart, **_wanted: bool) -> str:
    """The line with the goal in it."""
    return drawn(chart, line=True, goal=(due.GOAL, gettext("Goal: above %(goal)s %%", goal=due.GOAL)))


def _name(what: By, line: Line) -> str:
    if what is By.PERSONA:
        return str(gettext(words.PERSONAS[line.key]))
    return line.name or str(gettext("Without unit") if what is By.UNIT else gettext("Without service point"))


def _missing_url(what: By, line: Line) -> str:
    """Who is missing of this row; empty for people without a place, by which no list can be narrowed."""
    return url_for("adoption_missing", **(_narrowing() | {what.value: line.key})) if line.key else ""


ROUTES: tuple[Route, ...] = (
    ("/adoption", "adoption", adoption, GET),
    ("/adoption/<what>.csv", "adoption_file", adoption_file, GET),
    ("/adoption/missing", "adoption_missing", adoption_missing, GET),
    ("/adoption/missing/file", "adoption_missing_file", adoption_missing_file, GET),
    ("/adoption/invite", "adoption_invite", adoption_invite, BOTH),
    ("/adoption/rounds/<uid>", "adoption_round", adoption_round, GET),
    ("/adoption/rounds/<uid>/state", "adoption_round_state", adoption_round_state, GET),
    ("/adoption/rounds/<uid>/file", "adoption_round_file", adoption_round_file, GET),
    ("/adoption/papers", "adoption_papers", adoption_papers, BOTH),
)
