"""The hand-over paper as a PDF: what, between whom, on which terms, signed how. Pure: data in, bytes out.

One sheet for the whole kit, in the person's language, with the terms word for word, so that it stands alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from fpdf import FPDF
from fpdf.enums import WrapMode

from mdm.desk.paper.strokes import HEIGHT, WIDTH
from mdm.desk.paper.words import word
from mdm.orders.receipt_pdf import FONTS

LEFT: Final = 52
"""Width of the column of names, in millimetres."""
SIGNATURE: Final = (70.0, 28.0)
"""Field of the drawn signature, in millimetres."""
DEVICE: Final = ("tag", "serial", "imei", "holder")


@dataclass(frozen=True, slots=True)
class SignedBy:
    """A signature as it is drawn on the paper."""

    name: str
    how: str
    at: datetime
    strokes: Sequence[Sequence[Sequence[int]]] = ()
    typed: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """All that stands on the paper. Moments are in the city's own time."""

    organisation: str
    number: str
    kind: str
    at: datetime
    clerk: str
    language: str
    content: Mapping[str, Any]
    terms: tuple[str, str] | None = None
    """Title and text."""
    signed: SignedBy | None = None
    way_in: tuple[str, str] | None = None
    """Address of the employees' page and a code for it; only on a print that is given into the person's hand."""


class _Page(FPDF):
    """A page in whatever font this machine has."""

    def __init__(self, fonts: Sequence[tuple[str, str]], language: str, number: str) -> None:
        super().__init__(format="A4")
        self.language, self.number = language, number
        self.set_auto_page_break(True, 20)
        found = next((pair for pair in fonts if all(Path(one).is_file() for one in pair)), None)
        self.whole = found is not None
        self.letters = "paper" if found else "helvetica"
        if found is not None:
            self.add_font("paper", "", found[0])
            self.add_font("paper", "B", found[1])

    def footer(self) -> None:
        """The number of the paper and of the page, on every page."""
        self.set_y(-14)
        self.set_font(self.letters, "", 8)
        self.cell(0, 5, self.known(f"{self.number} · {self.page_no()}"), align="R")

    def known(self, text: str) -> str:
        """The text in letters that the font has."""
        return text if self.whole else text.encode("latin-1", "replace").decode("latin-1")

    def text_block(self, text: str, *, size: float = 9, bold: bool = False, indent: float = 0) -> None:
        """One paragraph, broken wherever it must be, also inside a word that is longer than the line."""
        self.set_font(self.letters, "B" if bold else "", size)
        self.set_x(self.l_margin + indent)
        self.multi_cell(
            0, size * 0.5, self.known(text), new_x="LMARGIN", new_y="NEXT",
            wrapmode=WrapMode.CHAR if indent else WrapMode.WORD,
        )  # fmt: skip

    def fact(self, key: str, value: object) -> None:
        """A name with its value beside it; nothing for an empty value."""
        if value in (None, ""):
            return
        if self.get_y() > self.h - 32:
            self.add_page()
        top = self.get_y()
        self.set_font(self.letters, "B", 9)
        self.cell(LEFT, 5, self.known(word(key, self.language)))
        self.set_y(top)
        self.text_block(str(value), indent=LEFT)

    def heading(self, key: str) -> None:
        """A heading that never stands alone at the foot of a page."""
        if self.get_y() > self.h - 45:
            self.add_page()
        self.ln(3)
        self.text_block(word(key, self.language), size=12, bold=True)


def pdf(receipt: Receipt, *, fonts: Sequence[tuple[str, str]] = FONTS) -> bytes:
    """The paper as a PDF."""
    content, language = receipt.content, receipt.language
    page = _Page(fonts, language, receipt.number)
    page.set_title(receipt.number)
    page.set_author(receipt.organisation)
    page.set_lang(language)
    page.set_creation_date(receipt.at)
    page.add_page()
    page.text_block(receipt.organisation, size=10)
    page.text_block(word(receipt.kind, language), size=18, bold=True)
    page.ln(2)
    _head(page, receipt)
    _devices(page, "out", content.get("devices", ()))
    _kit(page, content.get("kit", ()))
    _devices(page, "back", content.get("back", ()))
    _kit_back(page, content.get("kit_back", ()))
    if content.get("wipe"):
        page.ln(2)
        page.text_block(word("wipe", language))
    if receipt.way_in is not None:
        page.heading("way_in")
        page.fact("way_in_address", receipt.way_in[0])
        page.fact("way_in_code", receipt.way_in[1])
        page.text_block(word("way_in_once", language))
    if receipt.terms is not None:
        _terms(page, *receipt.terms)
    if receipt.kind != "box":
        _signature(page, receipt)
    if not page.whole:
        page.ln(3)
        page.text_block(word("letters", language), size=8)
    return bytes(page.output())


def _head(page: _Page, receipt: Receipt) -> None:
    content = receipt.content
    person, place = content.get("person", {}), content.get("place", {})
    page.fact("number", receipt.number)
    page.fact("date", receipt.at.strftime("%Y-%m-%d %H:%M"))
    page.fact("place", place.get("name"))
    page.fact("clerk", receipt.clerk)
    page.fact("person", person.get("name"))
    page.fact("personnel_number", person.get("number"))
    if content.get("loan"):
        page.fact("loan", str(content.get("due", ""))[:10] or "-")
    page.fact("note", content.get("note"))


def _devices(page: _Page, heading: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    page.heading(heading)
    for row in rows:
        name = str(row.get("label", ""))
        product = str(row.get("product", ""))
        page.text_block(f"{name} · {product}" if product else name, size=10, bold=True)
        for key in DEVICE:
            value = row.get(key)
            if value and value != name:
                page.fact(key, value)
        if row.get("condition"):
            told = word(str(row["condition"]), page.language)
            note = str(row.get("condition_note", ""))
            page.fact("condition", f"{told}. {note}" if note else told)
        page.ln(1)


def _kit(page: _Page, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    page.heading("kit")
    for row in rows:
        count = f"{row['quantity']} x " if int(row.get("quantity", 1)) > 1 else ""
        page.text_block(f"{count}{row['name']}  {row.get('code', '')}".rstrip(), indent=2)


def _kit_back(page: _Page, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    page.heading("kit_back")
    for row in rows:
        told = [f"{row[key]} {word(key, page.language)}" for key in ("returned", "missing") if int(row.get(key, 0)) > 0]
        page.text_block(f"{row['name']} {row.get('code', '')}".rstrip() + ": " + ", ".join(told), indent=2)


def _terms(page: _Page, title: str, text: str) -> None:
    if page.get_y() > page.h - 60:
        page.add_page()
    page.ln(3)
    page.text_block(title, size=12, bold=True)
    page.ln(1)
    for paragraph in text.splitlines():
        page.text_block(paragraph or " ", size=9)


def _signature(page: _Page, receipt: Receipt) -> None:
    width, height = SIGNATURE
    if page.get_y() > page.h - height - 50:
        page.add_page()
    page.heading("signature")
    signed = receipt.signed
    if signed is None:
        why = receipt.content.get("unsigned")
        page.text_block(
            f"{word('unsigned', page.language)}: {why}" if why else word("no_signature", page.language), size=9
        )
        return
    top = page.get_y() + 1
    page.rect(page.l_margin, top, width, height)
    if signed.typed:
        page.set_xy(page.l_margin + 4, top + height / 2 - 4)
        page.set_font(page.letters, "", 14)
        page.cell(width - 8, 8, page.known(signed.typed)[:40])
    _draw(page, signed.strokes, page.l_margin, top, width / WIDTH, height / HEIGHT)
    page.set_y(top + height + 1)
    page.text_block(signed.name, bold=True)
    page.text_block(f"{word(signed.how, page.language)}, {signed.at.strftime('%Y-%m-%d %H:%M')}")


def _draw(
    page: _Page, strokes: Sequence[Sequence[Sequence[int]]], left: float, top: float, across: float, down: float
) -> None:
    page.set_line_width(0.5)
    for stroke in strokes:
        points = [(left + point[0] * across, top + point[1] * down) for point in stroke]
        page.polyline(points if len(points) > 1 else [points[0], points[0]])
    page.set_line_width(0.2)
