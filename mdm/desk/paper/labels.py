"""Labels for devices and shelves, as PDF: on sheets of A4 and on rolls, with a QR code and a Code 128 that say the same code.

The QR code holds the console's address for the code, so that any phone opens it; the bars hold the bare code, for hand
scanners. Bars that would be too fine to be read are left out, and so are those of a code that Code 128 does not have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import segno
from barcode import Code128
from barcode.errors import BarcodeError
from fpdf import FPDF

from mdm.core.errors import N_, InvalidError
from mdm.desk.paper.codes import address
from mdm.orders.receipt_pdf import FONTS

MOST: Final = 500
"""Labels of one document."""
FINEST: Final = 0.17
"""Millimetres of the thinnest bar that hand scanners read from a label printer of 300 dots per inch."""
WIDEST: Final = 0.33
QUIET: Final = 10
"""Thin bars of white that Code 128 needs on each side (ISO/IEC 15417)."""
PAD: Final = 1.2
"""Millimetres between the edge of a label and what is printed on it: printers and cutters are not exact."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Where labels stand on their paper, in millimetres. A roll is a sheet of one label."""

    key: str
    name: str
    page: tuple[float, float]
    label: tuple[float, float]
    columns: int = 1
    rows: int = 1
    left: float = 0
    top: float = 0
    gap_x: float = 0
    gap_y: float = 0

    @property
    def size(self) -> int:
        """Labels of one page."""
        return self.columns * self.rows

    def corner(self, position: int) -> tuple[float, float]:
        """The upper left corner of a label, counted from 0 along the rows."""
        row, column = divmod(position, self.columns)
        return (
            self.left + column * (self.label[0] + self.gap_x),
            self.top + row * (self.label[1] + self.gap_y),
        )


A4: Final = (210.0, 297.0)
SHEETS: Final = {
    sheet.key: sheet
    for sheet in (
        Sheet("a4-3x8", "A4, 3 x 8, 70 x 37 mm", A4, (70, 37), 3, 8, top=0.5),
        Sheet("a4-3x8-margin", "A4, 3 x 8, 63.5 x 33.9 mm", A4, (63.5, 33.9), 3, 8, left=7.2, top=12.9, gap_x=2.54),
        Sheet("a4-4x10", "A4, 4 x 10, 52.5 x 29.7 mm", A4, (52.5, 29.7), 4, 10),
        Sheet("a4-5x13", "A4, 5 x 13, 38.1 x 21.2 mm", A4, (38.1, 21.2), 5, 13, left=4.67, top=10.7, gap_x=2.54),
        Sheet("roll-62x29", "Roll, 62 x 29 mm", (62, 29), (62, 29)),
        Sheet("roll-57x32", "Roll, 57 x 32 mm", (57, 32), (57, 32)),
    )
}
"""The papers that there are, by key: another one is another line."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label: its code, what people read on it, and a line below."""

    code: str
    title: str
    line: str = ""


def pdf(
    labels: Sequence[Label], sheet: Sheet, *, base: str, skip: int = 0, fonts: Sequence[tuple[str, str]] = FONTS
) -> bytes:
    """The labels as PDF. ``base`` is the console's address, ``skip`` how many places of the first sheet are used already.

    Raises InvalidError for no label, more than 500, one without a code, and a start that is not on the sheet.
    """
    if not 0 < len(labels) <= MOST or not all(label.code for label in labels):
        raise InvalidError(N_("No labels were made: choose between 1 and 500 things that have a code."))
    if not 0 <= skip < sheet.size:
        raise InvalidError(N_("No labels were made: the first label is not on the sheet."))
    page = _paper(sheet, fonts)
    for number, label in enumerate(labels):
        position = (skip + number) % sheet.size
        if number == 0 or position == 0:
            page.add_page()
        _label(page, label, sheet, sheet.corner(position), base)
    return bytes(page.output())


def bars(code: str, width: float) -> tuple[str, float] | None:
    """The pattern of a Code 128 (1 is black) and the width of its thinnest bar in millimetres.

    None where it does not fit into ``width`` with its quiet zones, or where the code has a letter that Code 128 lacks.
    """
    if not code.isascii() or not code.isprintable():
        return None
    try:
        pattern: str = Code128(code).build()[0]
    except BarcodeError:
        return None
    thin = min(WIDEST, width / (len(pattern) + 2 * QUIET))
    return (pattern, thin) if thin >= FINEST else None


def _paper(sheet: Sheet, fonts: Sequence[tuple[str, str]]) -> FPDF:
    # Given with its orientation: fpdf2 turns a page whose width is the longer side otherwise.
    width, height = sheet.page
    page = FPDF(orientation="L" if width > height else "P", unit="mm", format=(min(width, height), max(width, height)))
    page.set_auto_page_break(False)
    page.set_margin(0)
    page.set_title("Labels")
    found = next((pair for pair in fonts if all(Path(one).is_file() for one in pair)), None)
    page.set_font("helvetica", size=7)
    if found is not None:
        page.add_font("label", "", found[0])
        page.add_font("label", "B", found[1])
        page.set_font("label", size=7)
    return page


def _label(page: FPDF, label: Label, sheet: Sheet, corner: tuple[float, float], base: str) -> None:
    left, top = corner[0] + PAD, corner[1] + PAD
    width, height = sheet.label[0] - 2 * PAD, sheet.label[1] - 2 * PAD
    found = bars(label.code, width)
    tall = height * 0.27 if found else 0
    side = min(height - tall - (0.8 if found else 0), width * 0.45)
    _qr(page, address(base, label.code), left, top, side)
    text = min(3.4, side / 4.2)
    _text(page, label, left + side + 1, top, width - side - 1, text)
    if found is not None:
        pattern, thin = found
        _bars(page, pattern, thin, left + (width - thin * len(pattern)) / 2, top + height - tall, tall)


def _qr(page: FPDF, content: str, left: float, top: float, side: float) -> None:
    code = segno.make(content, error="m", micro=False)
    matrix = [list(row) for row in code.matrix]
    # Two modules of white belong to the code here; the label's own paper gives the other two.
    module = side / (len(matrix) + 4)
    for y, row in enumerate(matrix):
        x = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                page.rect(left + (x + 2) * module, top + (y + 2) * module, length * module, module, style="F")
            x += length


def _bars(page: FPDF, pattern: str, thin: float, left: float, top: float, height: float) -> None:
    x = 0
    for one, run in groupby(pattern):
        length = len(list(run))
        if one == "1":
            page.rect(left + x * thin, top, length * thin, height, style="F")
        x += length


def _text(page: FPDF, label: Label, left: float, top: float, width: float, size: float) -> None:
    y = top + 0.6
    for text, style, factor in ((label.title, "B", 1.0), (label.code, "", 0.85), (label.line, "", 0.8)):
        if not text or (text == label.code and label.title == label.code and not style):
            continue
        page.set_font(style=style, size=size * factor * 72 / 25.4)
        page.set_xy(left, y)
        page.cell(width, size * factor * 1.15, _fitting(page, text, width))
        y += size * factor * 1.25


def _fitting(page: FPDF, text: str, width: float) -> str:
    """The text in letters that the font has, cut with an ellipsis to what the label is wide."""
    known = text if page.font_family == "label" else text.encode("latin-1", "replace").decode("latin-1")
    if page.get_string_width(known) <= width:
        return known
    end = "…" if page.font_family == "label" else "."
    while known and page.get_string_width(known + end) > width:
        known = known[:-1]
    return known + end
