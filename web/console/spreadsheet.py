"""A text as a CSV file to take away."""

from flask.wrappers import Response

CSV = "text/csv; charset=utf-8"


def file_of(content: str, name: str) -> Response:
    """The file, with the mark that tells spreadsheets that it is UTF-8."""
    response = Response(("\ufeff" + content).encode(), mimetype=CSV)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
