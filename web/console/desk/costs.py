"""What devices cost, per unit and measure: chart, table, file."""

from datetime import date

import tablib
from flask import request
from flask.wrappers import Response
from flask_babel import gettext

from mdm.audit import service as audit
from mdm.core.errors import N_, NotFoundError
from mdm.core.money import CURRENCY
from mdm.core.permissions import Permission
from mdm.core.text import spreadsheet_safe
from mdm.inventory.worth import YEARS
from mdm.overview import costs, words
from mdm.storage.call import Call
from web.common.guard import may
from web.console.charts import address, as_file, drawn, named
from web.console.desk.frame import desk_page
from web.console.lists import TYPES
from web.console.pages.helpers import GET, Route, day_field

COLUMNS = (
    N_("Unit"),
    N_("Measure"),
    N_("Currency"),
    N_("Devices"),
    N_("With a price"),
    N_("Bought for"),
    N_("Worth now"),
    N_("Repairs"),
)


@may(Permission.DESK_VIEW)
def desk_costs(call: Call) -> Response:
    """The report as it stands on a day."""
    report = costs.costs(call, _on(call))
    return desk_page(
        call,
        "desk/costs.html",
        report=report,
        chart=costs.per_unit(report),
        currency=CURRENCY,
        years=YEARS,
        drawn=drawn,
        named=named,
        address=address,
    )


@may(Permission.DESK_VIEW, write=True)
def desk_costs_file(call: Call) -> Response:
    """The report as a file (``as=csv``, ``as=xlsx``); noted in the diary."""
    kind = request.args.get("as", "csv")
    if kind not in TYPES:
        raise NotFoundError(N_("There is no such kind of export."))
    report = costs.costs(call, _on(call))
    data = tablib.Dataset(headers=[gettext(name) for name in COLUMNS])
    for line in report.lines:
        measure = gettext(words.MEASURES[line.measure]) if line.measure in words.MEASURES else line.measure
        amounts = (line.cost / 100, line.worth / 100, line.repairs / 100)
        data.append([spreadsheet_safe(line.unit), measure, line.currency, line.devices, line.priced, *amounts])
    details = {"columns": list(COLUMNS), "filters": {"on": [str(report.on)]}, "rows": len(data), "as": kind}
    audit.record(call, "list.exported", ("list", "costs"), details=details)
    content = data.export(kind)
    # The mark tells spreadsheets that the file is UTF-8.
    body = ("\ufeff" + content).encode() if isinstance(content, str) else content
    response = Response(body, mimetype=TYPES[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="costs-{report.on}.{kind}"'
    return response


@may(Permission.DESK_VIEW)
def desk_costs_chart(call: Call) -> Response:
    """The figures of the chart as CSV."""
    return as_file(costs.per_unit(costs.costs(call, _on(call))), "costs", single=N_("Amount"))


def _on(call: Call) -> date:
    return day_field("on", request.args) or call.now.date()


ROUTES: tuple[Route, ...] = (
    ("/desk/stock/costs", "desk_costs", desk_costs, GET),
    ("/desk/stock/costs/file", "desk_costs_file", desk_costs_file, GET),
    ("/desk/stock/costs/chart.csv", "desk_costs_chart", desk_costs_chart, GET),
)
