"""The receipt as a PDF, for the file of a case. Names are written with a font of this machine that has their letters.

Without such a font (DejaVu, Noto Sans or FreeSans, all under free licences) the PDF uses its built-in one, writes what that
does not have as "?", and says so at the end: the JSON receipt holds every letter.
"""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

from fpdf import FPDF
from fpdf.enums import WrapMode

from mdm.orders.receipt import Receipt

FONTS: Final = (
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"),
    ("/usr/share/fonts/TTF/DejaVuSans.ttf", "/usr/share/fonts/TTF/DejaVuSans-Bold.ttf"),
    (
        "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
        "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans-Bold.ttf",
    ),
    ("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf", "/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf"),
    ("/usr/share/fonts/truetype/freefont/FreeSans.ttf", "/usr/share/fonts/truetype/freefont/FreeSansBold.ttf"),
)
"""Where Debian, Ubuntu, Arch and Fedora keep them: regular and bold."""
LEFT: Final = 45
"""Width of the column of names, in millimetres."""
STATES: Final = {
    "done": "The device says that it wiped itself.",
    "failed": "The device could not wipe itself.",
    "refused": "The order was refused and not carried out.",
    "rejected": "An approver said no. Nothing happened to the device.",
    "cancelled": "The order was taken back. Nothing happened to the device.",
    "expired": "The time of the order passed. Nothing happened to the device.",
    "unanswered": "The device fetched the order and never answered: nobody knows whether it was carried out.",
}
OPEN: Final = "The order is not finished. This is how it stood when this page was made."


class _Page(FPDF):
    """A page with our two styles, in whatever font there is."""

    def __init__(self, fonts: tuple[tuple[str, str], ...]) -> None:
        super().__init__(format="A4")
        self.set_auto_page_break(True, 18)
        found = next((pair for pair in fonts if all(Path(one).is_file() for one in pair)), None)
        self.whole = found is not None
        self.letters = "receipt" if found else "helvetica"
        if found is not None:
            self.add_font("receipt", "", found[0])
            self.add_font("receipt", "B", found[1])

    def write_text(self, text: str, *, size: float, bold: bool = False, indent: float = 0) -> None:
        """One paragraph, broken wherever it must be, also inside a word that is longer than the line."""
        self.set_font(self.letters, "B" if bold else "", size)
        self.set_x(self.l_margin + indent)
        self.multi_cell(
            0,
            size * 0.5,
            self.known(text),
            new_x="LMARGIN",
            new_y="NEXT",
            wrapmode=WrapMode.CHAR if indent else WrapMode.WORD,
        )

    def known(self, text: str) -> str:
        """The text in letters that the font has."""
        return text if self.whole else text.encode("latin-1", "replace").decode("latin-1")

    def line(self, name: str, value: object) -> None:  # type: ignore[override]
        """A name with its value beside it."""
        if value in (None, ""):
            return
        top = self.get_y()
        if top > self.h - 30:
            self.add_page()
            top = self.get_y()
        self.set_font(self.letters, "B", 9)
        self.cell(LEFT, 5, self.known(name))
        self.set_y(top)
        self.write_text(str(value), size=9, indent=LEFT)


def pdf(receipt: Receipt, *, fonts: tuple[tuple[str, str], ...] = FONTS) -> bytes:
    """The receipt as a PDF: who asked, who approved with which key, when, what the device answered, by which method."""
    told = receipt.as_dict()
    page = _Page(fonts)
    page.set_title(f"Receipt {told['id']}")
    page.set_creation_date(_moment(told["finished_at"] or told["requested_by"]["at"]))
    page.add_page()
    page.write_text(f"Receipt: {told['verb']} of {told['device']['name']}", size=16, bold=True)
    page.write_text(STATES.get(told["state"], OPEN), size=11)
    _facts(page, told)
    _decisions(page, told["decisions"])
    _answer(page, told)
    _signed(page, told)
    if not page.whole:
        page.ln(4)
        page.write_text(
            "This machine has no font with every letter: what could not be written stands as '?'. "
            "The receipt in JSON holds every letter.",
            size=8,
        )
    return bytes(page.output())


def _facts(page: _Page, told: dict[str, Any]) -> None:
    page.ln(3)
    for name, value in (
        ("Order", told["id"]),
        ("Batch", told["batch"]),
        ("Lane", told["lane"]),
        ("State", told["state"]),
        ("Device", f"{told['device']['name']} ({told['device']['id']})"),
        ("Serial number", told["device"]["serial"]),
        ("Ownership", told["ownership"]),
        ("Place", told["place"]),
        ("Person", told["person"]),
        ("Reason", told["reason"]),
        ("Asked by", f"{told['requested_by']['name']} ({told['requested_by']['id']})"),
        ("Asked at", told["requested_by"]["at"]),
        ("Expires", told["expires_at"]),
        ("Finished", told["finished_at"]),
        ("Held", told["held_why"]),
    ):
        page.line(name, value)


def _decisions(page: _Page, decisions: list[dict[str, Any]]) -> None:
    page.ln(3)
    page.write_text("Decisions", size=12, bold=True)
    if not decisions:
        page.write_text("Nobody has decided about it.", size=9)
    for one in decisions:
        page.line("Yes" if one["approved"] else "No", f"{one['name']} ({one['id']}), {one['at']}")
        page.line("Key", f"{one['key']} ({one['kind']})" if one["key"] else "")
        page.line("Reason", one["reason"])


def _answer(page: _Page, told: dict[str, Any]) -> None:
    answer = told["answer"]
    page.ln(3)
    page.write_text("What the device answered", size=12, bold=True)
    if answer is None:
        page.write_text("Nothing.", size=9)
        return
    page.line("Answer", answer.get("state"))
    page.line("At", answer.get("at"))
    page.line("Method", told["method"])
    page.line("Detail", answer.get("detail"))
    data = answer.get("data")
    for name, value in data.items() if isinstance(data, dict) else ():
        if name != "method":
            page.line(str(name), value)


def _signed(page: _Page, told: dict[str, Any]) -> None:
    if told["signed"] is None:
        return
    page.ln(3)
    page.write_text("What was signed", size=12, bold=True)
    page.line("At", told["signed"]["at"])
    page.line("Text", told["signed"]["order"])
    page.line("Signature", told["signed"]["signature"])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
