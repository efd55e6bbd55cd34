"""What is kept of a person, as a ZIP file: JSON for programs, and a page in the person's own language for themselves."""

import io
import json
import zipfile
from collections.abc import Mapping
from functools import cache
from typing import Any

from babel.dates import format_datetime
from babel.support import NullTranslations, Translations
from flask import make_response
from flask.wrappers import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mdm.privacy.labels import LABELS
from web.common.places import WEB

RIGHT_TO_LEFT = frozenset({"ar"})
TYPE = "application/zip"


def as_zip(found: Mapping[str, Any]) -> Response:
    """The file to take away. It is made in memory and kept nowhere."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(found, indent=2, ensure_ascii=False, sort_keys=True))
        archive.writestr("data.html", readable(found))
    response = make_response(held.getvalue())
    response.headers["Content-Type"] = TYPE
    response.headers["Content-Disposition"] = f'attachment; filename="my-data-{found["made_at"][:10]}.zip"'
    response.headers["Cache-Control"] = "no-store"
    return response


def readable(found: Mapping[str, Any]) -> str:
    """The page, in the language that stands in the person's record. It needs no other file, and runs no script."""
    language = str(found["person"]["language"])
    environment = _environment(language)
    return environment.get_template("portal/taken.html").render(
        found=found,
        language=language,
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        rows={key: [_row(row) for rows in tables.values() for row in rows] for key, tables in found["data"].items()},
        made=format_datetime(_moment(found["made_at"]), "d MMMM y", locale=language),
    )


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(WEB / "portal" / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
    )
    environment.policies["ext.i18n.trimmed"] = True
    folder = WEB / "portal" / "translations"
    texts: NullTranslations = Translations.load(str(folder), [language])
    environment.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]
    return environment


def _row(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What of a row has a word that people understand, and a value."""
    return [
        (LABELS[key], _written(value))
        for key, value in row.items()
        if key in LABELS and value not in (None, "", {}, [])
    ]


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return " · ".join(f"{key}: {_written(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(_written(one) for one in value)
    return str(value)


def _moment(text: str) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(text)
