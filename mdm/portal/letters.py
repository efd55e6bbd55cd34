"""The letter with the link, in every language that employees read. Data."""

from collections.abc import Mapping
from typing import Final

LINK: Final[Mapping[str, tuple[str, str]]] = {
    "en": (
        "Your link to My devices",
        "Hello {name},\n\nOpen this link to see your devices. It works once, for 30 minutes:\n\n{address}\n\n"
        "You did not ask for it? Then you need do nothing. Never pass the link on.\n",
    ),
    "nl": (
        "Uw link naar Mijn toestellen",
        "Dag {name},\n\nOpen deze link om uw toestellen te zien. Hij werkt één keer, gedurende 30 minuten:\n\n{address}\n\n"
        "Hebt u dit niet gevraagd? Dan hoeft u niets te doen. Geef de link nooit door.\n",
    ),
    "fr": (
        "Votre lien vers Mes appareils",
        "Bonjour {name},\n\nOuvrez ce lien pour voir vos appareils. Il fonctionne une fois, pendant 30 minutes :\n\n{address}\n\n"
        "Vous n'avez rien demandé ? Alors vous n'avez rien à faire. Ne transmettez jamais ce lien.\n",
    ),
    "tr": (
        "Cihazlarım sayfası için bağlantınız",
        "Merhaba {name},\n\nCihazlarınızı görmek için bu bağlantıyı açın. Bir kez ve 30 dakika boyunca çalışır:\n\n{address}\n\n"
        "Siz istemediniz mi? O zaman bir şey yapmanız gerekmez. Bağlantıyı kimseye vermeyin.\n",
    ),
    "ar": (
        "رابطك إلى صفحة أجهزتي",
        "مرحبًا {name}،\n\nافتح هذا الرابط لترى أجهزتك. يعمل مرة واحدة خلال 30 دقيقة:\n\n{address}\n\n"
        "لم تطلبه أنت؟ إذن لا داعي لفعل أي شيء. لا تعطِ الرابط لأحد.\n",
    ),
    "ro": (
        "Linkul dumneavoastră către Dispozitivele mele",
        "Bună ziua, {name},\n\nDeschideți acest link ca să vă vedeți dispozitivele. Funcționează o dată, timp de 30 de minute:"
        "\n\n{address}\n\nNu l-ați cerut dumneavoastră? Atunci nu trebuie să faceți nimic. Nu dați linkul nimănui.\n",
    ),
}


def link_letter(language: str, *, name: str, address: str) -> tuple[str, str]:
    """Subject and text in this language, in English where nobody wrote it in that one."""
    subject, text = LINK.get(language, LINK["en"])
    return subject, text.format(name=name, address=address)


STUCK: Final = (
    "Iemand zit vast: {name}",
    "{name} is bezig een toestel in te stellen op de eigen pagina en zit vast.\n\n"
    "Toestel: {device}\nStap: {step}\nTelefoon: {phone}\nE-mail: {email}\nTaal: {language}\n\n"
    "Neem contact op met deze collega.\n",
)
"""For the service point, in the language of its keepers."""


def stuck_letter(**told: str) -> tuple[str, str]:
    """Subject and text for the service point: who is stuck, with what, where, and how they are reached."""
    subject, text = STUCK
    return subject.format(**told), text.format(**told)


GRANTED: Final[Mapping[str, tuple[str, str]]] = {
    "en": ("{app}: yes", "Hello {name},\n\nYou get {app}. It comes to your device by itself.\n\n{why}\n"),
    "nl": ("{app}: ja", "Dag {name},\n\nU krijgt {app}. Het komt vanzelf op uw toestel.\n\n{why}\n"),
    "fr": ("{app} : oui", "Bonjour {name},\n\nVous recevez {app}. L'application arrive d'elle-même.\n\n{why}\n"),
    "tr": ("{app}: evet", "Merhaba {name},\n\n{app} size veriliyor. Cihazınıza kendiliğinden gelir.\n\n{why}\n"),
    "ar": ("{app}: نعم", "مرحبًا {name}،\n\nستحصل على {app}. سيصل إلى جهازك تلقائيًا.\n\n{why}\n"),
    "ro": ("{app}: da", "Bună ziua, {name},\n\nPrimiți {app}. Vine singură pe dispozitiv.\n\n{why}\n"),
}
NOT_GRANTED: Final[Mapping[str, tuple[str, str]]] = {
    "en": ("{app}: no", "Hello {name},\n\nYou do not get {app}. Why:\n\n{why}\n"),
    "nl": ("{app}: nee", "Dag {name},\n\nU krijgt {app} niet. Waarom:\n\n{why}\n"),
    "fr": ("{app} : non", "Bonjour {name},\n\nVous ne recevez pas {app}. Pourquoi :\n\n{why}\n"),
    "tr": ("{app}: hayır", "Merhaba {name},\n\n{app} size verilmiyor. Nedeni:\n\n{why}\n"),
    "ar": ("{app}: لا", "مرحبًا {name}،\n\nلن تحصل على {app}. السبب:\n\n{why}\n"),
    "ro": ("{app}: nu", "Bună ziua, {name},\n\nNu primiți {app}. De ce:\n\n{why}\n"),
}
ASKED: Final[Mapping[str, str]] = {
    "en": "You asked on your own page: {asked}",
    "nl": "U vroeg op uw eigen pagina: {asked}",
    "fr": "Vous avez demandé sur votre page : {asked}",
    "tr": "Kendi sayfanızda şunu istediniz: {asked}",
    "ar": "طلبت في صفحتك: {asked}",
    "ro": "Ați cerut pe pagina dumneavoastră: {asked}",
}


def answer_letter(language: str, *, granted: bool, name: str, app: str, asked: str, why: str) -> tuple[str, str]:
    """Subject and text of the answer to a wish for an application, with what was asked, in this language, else in English."""
    letters = GRANTED if granted else NOT_GRANTED
    subject, text = letters.get(language, letters["en"])
    answer = text.format(name=name, app=app, why=why).rstrip()
    return subject.format(app=app), f"{answer}\n\n{ASKED.get(language, ASKED['en']).format(asked=asked)}\n"
