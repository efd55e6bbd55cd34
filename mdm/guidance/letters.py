"""Letters about questions to ambassadors, in every language that employees read. Data."""

from collections.abc import Mapping
from typing import Final

ASKED: Final[Mapping[str, tuple[str, str]]] = {
    "en": (
        "A colleague asks you something",
        "Hello {name},\n\nA colleague asks you for help. You find the question on your page:\n\n{address}\n",
    ),
    "nl": (
        "Een collega vraagt u iets",
        "Dag {name},\n\nEen collega vraagt uw hulp. De vraag staat op uw pagina:\n\n{address}\n",
    ),
    "fr": (
        "Un collègue vous demande quelque chose",
        "Bonjour {name},\n\nUn collègue demande votre aide. La question est sur votre page :\n\n{address}\n",
    ),
    "tr": (
        "Bir iş arkadaşınız size soruyor",
        "Merhaba {name},\n\nBir iş arkadaşınız yardımınızı istiyor. Soru sayfanızda:\n\n{address}\n",
    ),
    "ar": ("زميل يسألك", "مرحبًا {name}،\n\nزميل يطلب مساعدتك. السؤال على صفحتك:\n\n{address}\n"),
    "ro": (
        "Un coleg vă întreabă ceva",
        "Bună ziua, {name},\n\nUn coleg vă cere ajutorul. Întrebarea este pe pagina dumneavoastră:\n\n{address}\n",
    ),
}
ANSWERED: Final[Mapping[str, tuple[str, str]]] = {
    "en": ("{helper} answered you", "Hello {name},\n\n{helper} answered:\n\n{answer}\n"),
    "nl": ("{helper} heeft u geantwoord", "Dag {name},\n\n{helper} antwoordt:\n\n{answer}\n"),
    "fr": ("{helper} vous a répondu", "Bonjour {name},\n\n{helper} répond :\n\n{answer}\n"),
    "tr": ("{helper} size yanıt verdi", "Merhaba {name},\n\n{helper} yanıtlıyor:\n\n{answer}\n"),
    "ar": ("أجابك {helper}", "مرحبًا {name}،\n\nيجيب {helper}:\n\n{answer}\n"),
    "ro": ("{helper} v-a răspuns", "Bună ziua, {name},\n\n{helper} răspunde:\n\n{answer}\n"),
}
HANDED: Final = (
    "Een vraag van {name}",
    "{name} vroeg een ambassadeur om hulp, en die geeft de vraag aan u door.\n\n{text}\n\n"
    "Telefoon: {phone}\nE-mail: {email}\nTaal: {language}\n\nNeem contact op met deze collega.\n",
)
"""For the service point, in the language of its keepers."""


def asked_letter(language: str, *, name: str, address: str) -> tuple[str, str]:
    """Subject and text for the ambassador; the question itself stays on the page."""
    subject, text = ASKED.get(language, ASKED["en"])
    return subject, text.format(name=name, address=address)


def answered_letter(language: str, *, name: str, helper: str, answer: str) -> tuple[str, str]:
    """Subject and text for whoever asked."""
    subject, text = ANSWERED.get(language, ANSWERED["en"])
    return subject.format(helper=helper), text.format(name=name, helper=helper, answer=answer)


def handed_letter(**told: str) -> tuple[str, str]:
    """Subject and text for the service point: who asked what, and how they are reached."""
    subject, text = HANDED
    return subject.format(**told), text.format(**told)
