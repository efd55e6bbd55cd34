"""What the pilot's city lets its employees ask for, as data. Entered where nothing is offered yet."""

from typing import Final

from sqlalchemy import select

from mdm.portal import app_answers
from mdm.portal.model import AppOffer
from mdm.storage.call import Call

OFFERS: Final = (
    ("Scanner voor documenten", "Maakt van een foto een document.", "linux", "simple-scan"),
    ("LibreOffice", "Teksten en tabellen openen en schrijven.", "linux", "libreoffice"),
    ("Stadsplan", "Straten en gebouwen vinden, ook zonder internet.", "ios", "be.stad.plan"),
    ("Stadsplan", "Straten en gebouwen vinden, ook zonder internet.", "android", "be.stad.plan"),
)


def load(call: Call) -> int:
    """Offers these applications to everybody; how many. Nothing where something is offered already."""
    if call.session.scalar(select(AppOffer.id).limit(1)) is not None:
        return 0
    for name, about, platform, identifier in OFFERS:
        app_answers.offer(call, name=name, about=about, platform=platform, identifier=identifier)
    return len(OFFERS)
