"""The papers of a case as PDF: the declaration of loss for police and insurer, the receipt of what somebody brought back. Pure.

Names are written with a font of this machine that has their letters, as on the receipts of orders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.enums import WrapMode

from mdm.orders.letters import language
from mdm.orders.receipt_pdf import FONTS

LEFT: Final = 55
"""Width of the column of names, in millimetres."""
Words = Mapping[str, str]

WORDS: Final[Mapping[str, Words]] = {
    "declaration": {"en": "Declaration of loss", "nl": "Verklaring van verlies", "fr": "Déclaration de perte"},
    "theft": {"en": "Declaration of theft", "nl": "Verklaring van diefstal", "fr": "Déclaration de vol"},
    "declares": {
        "en": "The undersigned declares that the device below, property of {owner}, is no longer in their possession.",
        "nl": "Ondergetekende verklaart dat het onderstaande toestel, eigendom van {owner}, niet meer in zijn of haar bezit is.",
        "fr": "Le ou la soussigné(e) déclare que l'appareil ci-dessous, propriété de {owner}, n'est plus en sa possession.",
    },
    "receipt": {
        "en": "Receipt of what was returned",
        "nl": "Ontvangstbewijs van wat terug is",
        "fr": "Reçu de ce qui a été rendu",
    },
    "received": {
        "en": "{owner} confirms that {name} brought back the things below.",
        "nl": "{owner} bevestigt dat {name} de onderstaande dingen terugbracht.",
        "fr": "{owner} confirme que {name} a rendu les objets ci-dessous.",
    },
    "not_all": {
        "en": "Not everything is back: what is missing is named.",
        "nl": "Niet alles is terug: wat ontbreekt staat vermeld.",
        "fr": "Tout n'est pas rendu : ce qui manque est mentionné.",
    },
    "number": {"en": "Case", "nl": "Dossier", "fr": "Dossier"},
    "device": {"en": "Device", "nl": "Toestel", "fr": "Appareil"},
    "product": {"en": "Make and model", "nl": "Merk en model", "fr": "Marque et modèle"},
    "serial": {"en": "Serial number", "nl": "Serienummer", "fr": "Numéro de série"},
    "imei": {"en": "IMEI", "nl": "IMEI", "fr": "IMEI"},
    "tag": {"en": "Asset tag", "nl": "Inventarisnummer", "fr": "Numéro d'inventaire"},
    "phone": {"en": "Phone number", "nl": "Telefoonnummer", "fr": "Numéro de téléphone"},
    "holder": {"en": "Holder", "nl": "Houder", "fr": "Détenteur"},
    "seen_on": {"en": "Last seen on", "nl": "Laatst gezien op", "fr": "Vu pour la dernière fois le"},
    "seen_where": {"en": "Last seen at", "nl": "Laatst gezien in", "fr": "Vu pour la dernière fois à"},
    "account": {"en": "What happened", "nl": "Wat er gebeurde", "fr": "Ce qui s'est passé"},
    "police": {"en": "Police report", "nl": "Nummer van het proces-verbaal", "fr": "Numéro du procès-verbal"},
    "police_on": {"en": "Reported on", "nl": "Aangifte op", "fr": "Plainte du"},
    "reported": {"en": "Reported to us", "nl": "Bij ons gemeld", "fr": "Signalé chez nous"},
    "locked": {"en": "Locked", "nl": "Vergrendeld", "fr": "Verrouillé"},
    "value": {"en": "Bought on", "nl": "Gekocht op", "fr": "Acheté le"},
    "place": {"en": "Service point", "nl": "Servicepunt", "fr": "Guichet"},
    "left": {"en": "Last day", "nl": "Laatste dag", "fr": "Dernier jour"},
    "returned": {"en": "returned", "nl": "terug op", "fr": "rendu le"},
    "open": {"en": "not returned", "nl": "niet terug", "fr": "non rendu"},
    "missing": {"en": "will not come back", "nl": "komt niet terug", "fr": "ne reviendra pas"},
    "sign_holder": {
        "en": "Signature of the holder",
        "nl": "Handtekening van de houder",
        "fr": "Signature du détenteur",
    },
    "sign_desk": {"en": "For the service point", "nl": "Voor het servicepunt", "fr": "Pour le guichet"},
    "made": {"en": "Made on", "nl": "Opgemaakt op", "fr": "Fait le"},
    "letters": {
        "en": "This machine has no font with every letter: what could not be written stands as '?'.",
        "nl": "Deze machine heeft geen lettertype met alle letters: wat niet geschreven kon worden, staat er als '?'.",
        "fr": "Cette machine n'a pas de police complète : ce qui n'a pu être écrit figure comme « ? ».",
    },
}


@dataclass(frozen=True, slots=True)
class Declaration:
    """What stands on a declaration of loss or theft; empty fields are left out."""

    number: str
    owner: str
    theft: bool
    facts: Mapping[str, str]
    """By key of ``WORDS``."""
    made_at: datetime
    language: str = "nl"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on a receipt: ``returned`` is the day it came back, empty while it is out."""

    label: str
    code: str
    returned: str
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Returned:
    """What stands on a receipt of what somebody brought back."""

    number: str
    owner: str
    name: str
    facts: Mapping[str, str]
    items: Sequence[Item]
    made_at: datetime
    language: str = "nl"


class _Page(FPDF):
    def __init__(self, title: str, made_at: datetime, tongue: str) -> None:
        super().__init__(format="A4")
        self.tongue = tongue
        self.set_auto_page_break(True, 20)
        found = next((pair for pair in FONTS if all(Path(one).is_file() for one in pair)), None)
        self.whole = found is not None
        self.letters = "case" if found else "helvetica"
        if found is not None:
            self.add_font("case", "", found[0])
            self.add_font("case", "B", found[1])
        self.set_title(title)
        self.set_creation_date(made_at)
        self.set_lang(tongue)
        self.add_page()
        self.text_line(title, 17, bold=True)

    def say(self, key: str) -> str:
        """A word of the table in the language of the paper."""
        return WORDS[key][self.tongue]

    def text_line(self, text: str, size: float, *, bold: bool = False, indent: float = 0) -> None:
        """One paragraph; a word that is longer than the line is broken."""
        self.set_font(self.letters, "B" if bold else "", size)
        self.set_x(self.l_margin + indent)
        known = text if self.whole else text.encode("latin-1", "replace").decode("latin-1")
        wrap = WrapMode.CHAR if indent else WrapMode.WORD
        self.multi_cell(0, size * 0.5, known, new_x="LMARGIN", new_y="NEXT", wrapmode=wrap)

    def pair(self, name: str, value: str) -> None:
        """A name with its value beside it; nothing for an empty value."""
        if not value:
            return
        if self.get_y() > self.h - 32:
            self.add_page()
        top = self.get_y()
        self.text_line(name, 9.5, bold=True)
        self.set_y(top)
        self.text_line(value, 9.5, indent=LEFT)
        self.ln(0.8)

    def signatures(self, made_at: datetime) -> None:
        """Two fields to sign by hand, side by side, and the day."""
        if self.get_y() > self.h - 70:
            self.add_page()
        self.ln(6)
        self.text_line(f"{self.say('made')} {made_at.date().isoformat()}", 9.5)
        self.ln(3)
        top, half = self.get_y(), (self.w - self.l_margin - self.r_margin - 10) / 2
        for place, key in enumerate(("sign_holder", "sign_desk")):
            left = self.l_margin + place * (half + 10)
            self.rect(left, top + 6, half, 28)
            self.set_xy(left, top)
            self.set_font(self.letters, "B", 9)
            self.cell(half, 5, self.say(key))
        self.set_y(top + 38)
        if not self.whole:
            self.text_line(self.say("letters"), 8)


def declaration(told: Declaration) -> bytes:
    """The declaration as a PDF with room for two signatures."""
    tongue = language(told.language)
    title = WORDS["theft" if told.theft else "declaration"][tongue]
    page = _Page(title, told.made_at, tongue)
    page.ln(2)
    page.text_line(page.say("declares").format(owner=told.owner), 10.5)
    page.ln(3)
    page.pair(page.say("number"), told.number)
    for key, value in told.facts.items():
        page.pair(page.say(key), value)
    page.signatures(told.made_at)
    return bytes(page.output())


def receipt(told: Returned) -> bytes:
    """The receipt as a PDF: each thing with the day it came back, or that it did not."""
    tongue = language(told.language)
    page = _Page(WORDS["receipt"][tongue], told.made_at, tongue)
    page.ln(2)
    page.text_line(page.say("received").format(owner=told.owner, name=told.name), 10.5)
    if any(not item.returned for item in told.items):
        page.text_line(page.say("not_all"), 10.5, bold=True)
    page.ln(3)
    page.pair(page.say("number"), told.number)
    for key, value in told.facts.items():
        page.pair(page.say(key), value)
    page.ln(2)
    for item in told.items:
        state = page.say("missing" if item.missing else "open")
        if item.returned:
            state = f"{page.say('returned')} {item.returned}"
        page.pair(" ".join(part for part in (item.label[:40],) if part), "  ·  ".join(filter(None, (item.code, state))))
    page.signatures(told.made_at)
    return bytes(page.output())
