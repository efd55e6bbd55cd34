"""A document that goes with things: facts, a table of lines, room for two signatures. Words come from the door."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from mdm.orders.receipt_pdf import FONTS

LINES_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Paper:
    """What the document says, in the language of whoever prints it."""

    title: str
    organisation: str
    facts: Sequence[tuple[str, str]]
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    signatures: tuple[str, str]
    moment: datetime
    """When what it tells of happened: the same document printed twice is the same file."""
    code: str = ""


class _Page(FPDF):
    """A4 with the title and the page's number below each page."""

    def __init__(self, paper: Paper, fonts: Sequence[tuple[str, str]]) -> None:
        super().__init__(format="A4")
        self.paper = paper
        self.set_auto_page_break(True, 18)
        self.set_margin(16)
        self.set_title(paper.title)
        self.set_creation_date(paper.moment)
        found = next((pair for pair in fonts if all(Path(one).is_file() for one in pair)), None)
        self.letters = "paper" if found else "helvetica"
        if found is not None:
            self.add_font("paper", "", found[0])
            self.add_font("paper", "B", found[1])
        self.set_font(self.letters, size=9)

    def known(self, text: str) -> str:
        """The text in letters that the font has."""
        return text if self.letters == "paper" else text.encode("latin-1", "replace").decode("latin-1")

    def footer(self) -> None:
        """Title and number of the page, on each."""
        self.set_y(-12)
        self.set_font(self.letters, size=7)
        self.cell(
            0, 5, self.known(f"{self.paper.organisation} · {self.paper.title} · {self.page_no()} / {{nb}}"), align="C"
        )


def pdf(paper: Paper, *, fonts: Sequence[tuple[str, str]] = FONTS) -> bytes:
    """The document; beyond a thousand lines it says how many are left out."""
    page = _Page(paper, fonts)
    page.add_page()
    page.set_font(page.letters, "B", 15)
    page.cell(0, 9, page.known(paper.title), new_x="LMARGIN", new_y="NEXT")
    page.ln(2)
    for name, value in paper.facts:
        top = page.get_y()
        page.set_font(page.letters, "B", 9)
        page.cell(34, 5, page.known(name))
        page.set_font(page.letters, "", 9)
        page.set_xy(page.l_margin + 34, top)
        page.multi_cell(0, 5, page.known(value), new_x="LMARGIN", new_y="NEXT")
    page.ln(4)
    _table(page, paper)
    _signatures(page, paper)
    return bytes(page.output())


def _table(page: _Page, paper: Paper) -> None:
    page.set_font(page.letters, "", 8)
    shown = paper.rows[:LINES_MOST]
    style = FontFace(emphasis="BOLD", fill_color=235)
    with page.table(
        borders_layout=TableBordersLayout.HORIZONTAL_LINES, headings_style=style, line_height=5, padding=1
    ) as table:
        for cells in (paper.heads, *shown):
            row = table.row()
            for cell in cells:
                row.cell(page.known(str(cell)))
    if len(paper.rows) > len(shown):
        page.cell(0, 6, f"+ {len(paper.rows) - len(shown)}", new_x="LMARGIN", new_y="NEXT")


def _signatures(page: _Page, paper: Paper) -> None:
    if page.get_y() > page.h - 60:
        page.add_page()
    page.ln(10)
    top, half = page.get_y(), page.epw / 2
    for place, name in enumerate(paper.signatures):
        left = page.l_margin + place * half
        page.set_xy(left, top)
        page.set_font(page.letters, "B", 9)
        page.cell(half - 8, 5, page.known(name))
        page.line(left, top + 26, left + half - 8, top + 26)
