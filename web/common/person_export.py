"""What is kept of a person, as a ZIP file: JSON for programs, a page in the person's own language for themselves, pictures."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, tzinfo
from functools import cache
from typing import Any, Final, NamedTuple

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
NOTHING: Final[tuple[Any, ...]] = (None, "", {}, [])
MACHINES: Final = frozenset({"digest", "id", "language", "uid"})
"""Keys within a value that tell people nothing; the JSON has them."""
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
LOG: Final = structlog.get_logger("person_export")


def as_zip(taken: Taken, zone: tzinfo) -> Response:
    """The file to take away. It is kept nowhere: it is made while it is sent, and one picture at a time is in memory."""
    texts = {
        "data.json": json.dumps(taken.said, indent=2, ensure_ascii=False, sort_keys=True),
        "data.html": readable(taken.said, zone),
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


def readable(found: Mapping[str, Any], zone: tzinfo) -> str:
    """The page, in the language that stands in the person's record. It shows the pictures beside it, and runs no script."""
    language = str(found["person"]["language"])
    environment = _environment(language)
    said = _Said(language, zone, _texts(language).gettext)
    return environment.get_template("portal/taken.html").render(
        found=found,
        language=language,
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        rows={
            key: [(_row(row, said), row.get(FILE)) for rows in tables.values() for row in rows]
            for key, tables in found["data"].items()
        },
        made=format_datetime(datetime.fromisoformat(found["made_at"]), "d MMMM y", locale=language),
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
    environment.install_gettext_translations(_texts(language), newstyle=True)  # type: ignore[attr-defined]
    return environment


@cache
def _texts(language: str) -> NullTranslations:
    return Translations.load(str(WEB / "portal" / "translations"), [language])


class _Said(NamedTuple):
    """How values are written for this person."""

    language: str
    zone: tzinfo
    word: Callable[[str], str]

    def value(self, value: Any) -> str:
        """A value as a sentence has it: moments as people write them, and of what is nested no numbers of machines."""
        if isinstance(value, dict):
            parts = [
                f"{self.word(LABELS[key])}: {text}" if key in LABELS else text
                for key, one in value.items()
                if key not in MACHINES
                and one not in NOTHING
                and not isinstance(one, bool)
                and (text := self.value(one))
            ]
            return " · ".join(parts)
        if isinstance(value, list):
            return ", ".join(filter(None, map(self.value, value)))
        if isinstance(value, bool):
            return "✓" if value else "✗"
        if isinstance(value, str) and MOMENT.fullmatch(value):
            return str(format_datetime(datetime.fromisoformat(value), "medium", tzinfo=self.zone, locale=self.language))
        return str(value)


def _row(row: Mapping[str, Any], said: _Said) -> list[tuple[str, str]]:
    """What of a row has a word that people understand, and a value."""
    return [(LABELS[key], said.value(value)) for key, value in row.items() if key in LABELS and value not in NOTHING]
