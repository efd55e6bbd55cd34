"""What the pilot's city lets its employees ask for, as data. Entered where nothing is offered yet."""

from typing import Final

from sqlalchemy import select

from mdm.portal import app_answers
from mdm.portal.model import AppOffer
from mdm.storage.call import Call

SCAN: Final = {
    "nl": "Maakt van een foto een document.",
    "fr": "Fait d'une photo un document.",
    "en": "Makes a document of a photo.",
    "tr": "Fotoğraftan belge yapar.",
    "ar": "يحوّل الصورة إلى مستند.",
    "ro": "Face dintr-o fotografie un document.",
}
OFFICE: Final = {
    "nl": "Teksten en tabellen openen en schrijven.",
    "fr": "Ouvrir et écrire des textes et des tableaux.",
    "en": "Open and write texts and tables.",
    "tr": "Metin ve tabloları açar ve yazar.",
    "ar": "لفتح النصوص والجداول وكتابتها.",
    "ro": "Deschide și scrie texte și tabele.",
}
MAP: Final = {
    "nl": "Straten en gebouwen vinden, ook zonder internet.",
    "fr": "Trouver des rues et des bâtiments, même sans internet.",
    "en": "Find streets and buildings, also without internet.",
    "tr": "İnternet olmadan da sokak ve bina bulur.",
    "ar": "للعثور على الشوارع والمباني، حتى بدون إنترنت.",
    "ro": "Găsește străzi și clădiri, și fără internet.",
}
OFFERS: Final = (
    ("Scanner voor documenten", SCAN, "linux", "simple-scan"),
    ("LibreOffice", OFFICE, "linux", "libreoffice"),
    ("Stadsplan", MAP, "ios", "be.stad.plan"),
    ("Stadsplan", MAP, "android", "be.stad.plan"),
)


def load(call: Call) -> int:
    """Offers these applications to everybody; how many. Nothing where something is offered already."""
    if call.session.scalar(select(AppOffer.id).limit(1)) is not None:
        return 0
    for name, about, platform, identifier in OFFERS:
        app_answers.offer(call, name=name, about=about, platform=platform, identifier=identifier)
    return len(OFFERS)
