"""A list as a file: the rows and columns of the console's list, with the values as programs want them."""

from datetime import date, datetime
from typing import Any

import tablib
from flask import Response

from mdm.audit import service as audit
from mdm.core.clock import iso
from mdm.core.text import spreadsheet_safe
from mdm.overview.listing import Listing, Query, check_codes, every
from mdm.storage.call import Call

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def exported(call: Call, listing: Listing, query: Query, kind: str) -> Response:
    """All rows that match as a file of ``kind``; noted in the diary. Raises InvalidError when there are too many,
    or for a code that is not known.
    """
    check_codes(call, listing, query)
    keys = [column.key for column in listing.columns if column.key in query.columns]
    data = tablib.Dataset(headers=keys)
    for row in every(call, listing, query):
        data.append([_cell(row[key]) for key in keys])
    details = {
        "columns": keys,
        "filters": {key: list(values) for key, values in query.filters.items()},
        "rows": len(data),
        "as": kind,
    }
    audit.record(call, "list.exported", ("list", listing.name), details=details)
    content = data.export(kind)
    response = Response(content.encode() if isinstance(content, str) else content, content_type=MEDIA[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="{listing.name}-{call.now:%Y-%m-%d}.{kind}"'
    return response


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    return spreadsheet_safe(value)
