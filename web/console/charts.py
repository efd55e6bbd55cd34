"""Charts: what the script draws, the lists behind the bars, and the same figures as a file."""

import json
from collections.abc import Sequence
from datetime import date
from urllib.parse import urlencode

import tablib
from flask import url_for
from flask.wrappers import Response
from flask_babel import format_date, gettext

from mdm.compliance.queries import RuleLine
from mdm.core.errors import N_
from mdm.core.text import spreadsheet_safe
from mdm.overview.home import Chart, Series


def named(name: str) -> str:
    """What a bar is called: a week by the day that it begins, anything else in the person's language."""
    try:
        return str(format_date(date.fromisoformat(name), "d MMM"))
    except ValueError:
        return str(gettext(name))


def drawn(
    chart: Chart, *, share: bool = False, across: bool = False, line: bool = False, goal: tuple[int, str] | None = None
) -> str:
    """What the script draws, as JSON. ``line``: per cent over time; ``goal`` is drawn across it, with its words."""
    return json.dumps(
        {
            "line": line,
            "goal": {"value": goal[0], "label": goal[1]} if goal else None,
            "names": [named(name) for name in chart.names],
            "share": share,
            "across": across,
            "series": [{"name": gettext(one.name), "colour": one.colour, "values": one.values} for one in chart.series],
        }
    )


def address(parameters: tuple[tuple[str, str], ...], endpoint: str = "devices") -> str:
    """The list that shows exactly these."""
    return f"{url_for(endpoint)}?{urlencode(parameters)}" if parameters else url_for(endpoint)


def by_rule(lines: Sequence[RuleLine]) -> Chart:
    """Devices per rule in force, by how they stand with it."""
    on = [line for line in lines if line.row.enabled]
    series = (
        Series(N_("Meets it"), "good", tuple(line.met for line in on)),
        Series(N_("Overdue"), "bad", tuple(line.overdue for line in on)),
        Series(N_("In grace"), "warn", tuple(line.in_grace for line in on)),
        Series(N_("Unknown"), "calm", tuple(line.unknown for line in on)),
        Series(N_("Excused"), "main", tuple(line.exempt for line in on)),
    )
    return Chart(tuple(line.rule.label for line in on), series, tuple((("rule", str(line.row.id)),) for line in on))


def as_file(chart: Chart, name: str, *, single: str = N_("Devices")) -> Response:
    """The figures of a chart as CSV: a row per bar, a column per colour; text that looks like a formula is defused.

    ``single`` is what the one column is called where there is but one.
    """
    heads = [gettext(single)] if len(chart.series) == 1 else [gettext(one.name) for one in chart.series]
    data = tablib.Dataset(headers=[gettext("Name"), *heads])
    for row, bar in enumerate(chart.names):
        data.append([spreadsheet_safe(gettext(bar)), *(one.values[row] for one in chart.series)])
    # The mark tells spreadsheets that the file is UTF-8.
    response = Response("\ufeff" + data.export("csv"), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
