"""What people agree to when they get a device: the city's own texts, versioned, per language; ours until there are some."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, ConflictError, InvalidError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.desk.custody.model import Terms
from mdm.desk.custody.once import insert_once
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique

FALLBACK: Final = ("nl", "en")
"""Languages that are tried, in order, where there is no text in the person's own."""
MAX_TEXT: Final = 20_000
_SHIPPED = Path(__file__).with_name("terms.toml")


@dataclass(frozen=True, slots=True)
class Text:
    """A title and a text in one language, not kept yet."""

    language: str
    title: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of both, hexadecimal."""
        return hashlib.sha256(f"{self.title}\n\n{self.text}".encode()).hexdigest()


@cache
def shipped() -> Mapping[str, Text]:
    """The texts that come with the product, by language: nl, fr and en."""
    read = tomllib.loads(_SHIPPED.read_text(encoding="utf-8"))
    return {
        language: Text(language, str(value["title"]), str(value["text"]).strip()) for language, value in read.items()
    }


def now(call: Call, language: str) -> Text:
    """What a person with this language agrees to now; in another language where there is no text in that one."""
    for one in dict.fromkeys((language, *FALLBACK)):
        kept = latest(call, one)
        if kept is not None:
            return Text(kept.language, kept.title, kept.text)
        if one in shipped():
            return shipped()[one]
    raise LookupError("no terms were shipped")


def kept(call: Call, text: Text) -> Terms:
    """The row of this text, by which a paper names it for ever; the shipped text becomes one when it is first needed."""
    query = select(Terms).where(Terms.language == text.language, Terms.digest == text.digest)
    found = call.session.scalar(query.limit(1))
    if found is None:
        insert_once(call, Terms, ("language", "version"), [_row(call, text, 1, "")])
        found = call.session.scalars(query.limit(1)).one()
    return found


def latest(call: Call, language: str) -> Terms | None:
    """The newest kept version in one language; None where only the shipped text stands."""
    return call.session.scalar(select(Terms).where(Terms.language == language).order_by(Terms.version.desc()).limit(1))


def shown(call: Call) -> dict[str, Text]:
    """What stands now in every language that has a text, for the page on which it is edited."""
    require(call.actor, Permission.SETTINGS_VIEW)
    found = dict(shipped())
    for row in call.session.scalars(select(Terms).order_by(Terms.version)):
        found[row.language] = Text(row.language, row.title, row.text)
    return found


def versions(call: Call, language: str) -> list[Terms]:
    """Every kept version in one language, newest first."""
    require(call.actor, Permission.SETTINGS_VIEW)
    return list(call.session.scalars(select(Terms).where(Terms.language == language).order_by(Terms.version.desc())))


def save(call: Call, language: str, title: str, text: str) -> Terms:
    """Puts a new version in force from now on; what was signed before stays as it was. The same text again changes nothing.

    For whoever manages the organisation of the whole city. Raises InvalidError for an empty title or text or an unknown
    language, ConflictError when somebody else saved at this moment.
    """
    require(call.actor, Permission.ORG_MANAGE)
    written = Text(clean(language, 8).lower(), clean(title, 255), clean(text, MAX_TEXT, lines=True))
    wrong = {
        name: N_("This is needed.") for name, value in (("title", written.title), ("text", written.text)) if not value
    }
    if written.language not in shipped():
        wrong["language"] = N_("The language is one of: %s.") % ", ".join(sorted(shipped()))
    if wrong:
        raise InvalidError(N_("The terms were not saved: correct the fields that are marked."), fields=wrong)
    before = latest(call, written.language)
    if before is None:
        before = kept(call, shipped()[written.language])
    if before.digest == written.digest:
        return before
    made = _keep(call, written, before.version + 1, call.actor.name)
    audit.record(
        call,
        "terms.saved",
        ("terms", made.id),
        name=f"{made.title} ({made.language})",
        details={"language": made.language, "version": made.version, "digest": made.digest},
    )
    return made


def _keep(call: Call, text: Text, version: int, by: str) -> Terms:
    made = Terms(**_row(call, text, version, by))
    call.session.add(made)
    flush_unique(
        call.session,
        ConflictError(
            N_("Somebody else saved these terms at this moment. Nothing was done; do it once more."), code="stale"
        ),
    )
    return made


def _row(call: Call, text: Text, version: int, by: str) -> dict[str, Any]:
    return {
        "language": text.language,
        "version": version,
        "title": text.title,
        "text": text.text,
        "digest": text.digest,
        "created_by": by,
        "created_at": call.now,
    }
