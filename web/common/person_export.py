"""What is kept of a person, as a ZIP file: JSON for programs, a page in the person's own language for themselves, pictures."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import structlog
from babel.dates import format_datetime
from babel.support import NullTranslations, Translations
from flask.wrappers import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mdm.core.errors import ConfigurationError
from mdm.privacy.labels import LABELS
from mdm.privacy.own import Taken
from mdm.privacy.pictures import FILE, Picture
from web.common.places import WEB

RIGHT_TO_LEFT = frozenset({"ar"})
TYPE = "application/zip"
LOG: Final = structlog.get_logger("person_export")


def as_zip(taken: Taken) -> Response:
    """The file to take away. It is kept nowhere: it is made while it is sent, and one picture at a time is in memory."""
    texts = {
        "data.json": json.dumps(taken.said, indent=2, ensure_ascii=False, sort_keys=True),
        "data.html": readable(taken.said),
    }
    response = Response(_parts(texts, taken))
    response.headers["Content-Type"] = TYPE
    response.headers["Content-Disposition"] = f'attachment; filename="my-data-{taken.said["made_at"][:10]}.zip"'
    response.headers["Cache-Control"] = "no-store"
    return response


class _Sent(io.RawIOBase):
    """What the archive has written and nobody has sent yet. It cannot go back, and the archive knows."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """Holds what is written."""
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        """What was held, which is then held no more."""
        held, self._held = bytes(self._held), bytearray()
        return held


def _parts(texts: Mapping[str, str], taken: Taken) -> Iterator[bytes]:
    sent, missing = _Sent(), []
    with zipfile.ZipFile(sent, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
            yield sent.taken()
        for picture in taken.pictures:
            content = _content(picture, taken)
            if content is None:
                missing.append(picture.name)
                continue
            # Deflated, though it gains little: a stored file whose length comes after it stops some programs.
            archive.writestr(picture.name, content, compresslevel=1)
            yield sent.taken()
        if missing:
            archive.writestr("missing.txt", "\n".join(missing))
    yield sent.taken()


def _content(picture: Picture, taken: Taken) -> bytes | None:
    """The picture; None where it cannot be read any more: the file is on its way already, and says which are missing."""
    try:
        return picture.content(taken.files)
    except (OSError, ConfigurationError):
        LOG.warning("picture_unreadable", picture=picture.name)
        return None


def readable(found: Mapping[str, Any]) -> str:
    """The page, in the language that stands in the person's record. It shows the pictures beside it, and runs no script."""
    language = str(found["person"]["language"])
    environment = _environment(language)
    return environment.get_template("portal/taken.html").render(
        found=found,
        language=language,
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        rows={
            key: [(_row(row), row.get(FILE)) for rows in tables.values() for row in rows]
            for key, tables in found["data"].items()
        },
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
