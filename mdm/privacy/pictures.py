"""Pictures that go with a person's file: of their devices at the counter, and of what they signed.

A row that has one names its file. Pictures of kiosks' screens are nobody's: a kiosk is in nobody's hands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mdm.desk.custody.photos import Files
from mdm.desk.paper import strokes

FOLDER: Final = "pictures"
FILE: Final = "file"
"""The key of a row under which its picture is named; None where the picture is gone."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the file: its name in it, and what it is made from."""

    name: str
    photo: str = ""
    """Uid of a photo that lies sealed beside the database; empty for a signature."""
    drawn: strokes.Strokes = ()

    def content(self, files: Files) -> bytes | None:
        """The picture; None when it has gone in the meantime. Raises ConfigurationError where its seal does not open."""
        return files.get(self.photo) if self.photo else strokes.svg(self.drawn, paper=True).encode()


def name_in(data: Mapping[str, Mapping[str, list[dict[str, Any]]]], files: Files) -> list[Picture]:
    """Writes the name of its picture into each row that has one, and answers all of them; their content is read later."""
    found = []
    for tables in data.values():
        for row in tables.get("desk_photo", ()):
            there = files.has(row["uid"])
            row[FILE] = f"{FOLDER}/photo-{row['id']}.jpg" if there else None
            if there:
                found.append(Picture(row[FILE], photo=row["uid"]))
        for row in tables.get("desk_signature", ()):
            if row["strokes"]:
                row[FILE] = f"{FOLDER}/signature-{row['id']}.svg"
                found.append(Picture(row[FILE], drawn=row["strokes"]))
    return found
