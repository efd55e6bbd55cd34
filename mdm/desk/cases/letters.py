"""What is written to people about a case, in the three languages of the city, and what a lost phone shows. Data.

A letter names the device and nothing else: no serial number, no place, no reason.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from mdm.inventory.model import Device
from mdm.orders.letters import language
from mdm.outbox import service as outbox
from mdm.people.model import Person
from mdm.storage.call import Call

Words = Mapping[str, str]

LETTERS: Final[Mapping[str, tuple[Words, Words]]] = {
    "lost": (
        {
            "en": "{device} is reported lost",
            "nl": "{device} is als verloren gemeld",
            "fr": "{device} est signalé perdu",
        },
        {
            "en": "{device}, which is in your name, was reported lost or stolen. It is locked as soon as it is reached. "
            "If that is wrong, or if you have found it, tell your service point.",
            "nl": "{device}, dat op uw naam staat, is als verloren of gestolen gemeld. Het wordt vergrendeld zodra het bereikt "
            "wordt. Klopt dat niet, of hebt u het gevonden? Laat het weten aan uw servicepunt.",
            "fr": "{device}, qui est à votre nom, est signalé perdu ou volé. Il est verrouillé dès qu'il est joint. Si c'est une "
            "erreur, ou si vous l'avez retrouvé, dites-le à votre guichet.",
        },
    ),
    "found": (
        {"en": "{device} was found", "nl": "{device} is gevonden", "fr": "{device} est retrouvé"},
        {
            "en": "{device} was found. The lock is lifted, and what was kept of where it was is forgotten soon.",
            "nl": "{device} is gevonden. De vergrendeling wordt opgeheven, en wat bewaard werd over waar het was, wordt "
            "binnenkort vergeten.",
            "fr": "{device} est retrouvé. Le verrouillage est levé, et ce qui était gardé de sa position sera bientôt oublié.",
        },
    ),
    "looked": (
        {
            "en": "Somebody looked where {device} is",
            "nl": "Iemand heeft bekeken waar {device} is",
            "fr": "Quelqu'un a regardé où se trouve {device}",
        },
        {
            "en": "{device}, which is in your name, is reported lost. {by} looked today where it is. The reason given: {reason}. "
            "Each look is written down. Is that wrong? Ask your service point, or the data protection officer.",
            "nl": "{device}, dat op uw naam staat, is als verloren gemeld. {by} heeft vandaag bekeken waar het is. De opgegeven "
            "reden: {reason}. Elke blik wordt genoteerd. Klopt dat niet? Vraag het aan uw servicepunt of aan de functionaris "
            "voor gegevensbescherming.",
            "fr": "{device}, qui est à votre nom, est signalé perdu. {by} a regardé aujourd'hui où il se trouve. Raison donnée : "
            "{reason}. Chaque consultation est notée. Une erreur ? Adressez-vous à votre guichet ou au délégué à la protection "
            "des données.",
        },
    ),
    "leaver": (
        {
            "en": "What to bring back before you leave",
            "nl": "Wat u terugbrengt voor u vertrekt",
            "fr": "Ce que vous rapportez avant de partir",
        },
        {
            "en": "Your last day is {day}. These things are in your name:\n\n{things}\n\nBring them to a service point by then. "
            "First sign out of your private accounts on the phone. You get a receipt.",
            "nl": "Uw laatste dag is {day}. Deze dingen staan op uw naam:\n\n{things}\n\nBreng ze dan naar een servicepunt. "
            "Meld u eerst af van uw privéaccounts op de telefoon. U krijgt een ontvangstbewijs.",
            "fr": "Votre dernier jour est le {day}. Ces objets sont à votre nom :\n\n{things}\n\nRapportez-les d'ici là à un "
            "guichet. Déconnectez d'abord vos comptes privés du téléphone. Vous recevez un reçu.",
        },
    ),
    "chase": (
        {
            "en": "Not back yet: please bring it to a service point",
            "nl": "Nog niet terug: breng het naar een servicepunt",
            "fr": "Pas encore rendu : rapportez-le à un guichet",
        },
        {
            "en": "Your last day was {day}. These things are still in your name:\n\n{things}\n\nBring them to a service point. "
            "From {lock} on they may be locked.",
            "nl": "Uw laatste dag was {day}. Deze dingen staan nog op uw naam:\n\n{things}\n\nBreng ze naar een servicepunt. "
            "Vanaf {lock} kunnen ze vergrendeld worden.",
            "fr": "Votre dernier jour était le {day}. Ces objets sont encore à votre nom :\n\n{things}\n\nRapportez-les à un "
            "guichet. À partir du {lock}, ils peuvent être verrouillés.",
        },
    ),
    "desk": (
        {
            "en": "{name} has left and has not brought everything back",
            "nl": "{name} is vertrokken en bracht niet alles terug",
            "fr": "{name} est parti et n'a pas tout rendu",
        },
        {
            "en": "{name} left on {day}. Still out:\n\n{things}\n\nCase: {{console}}/desk/cases/{case}\n",
            "nl": "{name} vertrok op {day}. Nog niet terug:\n\n{things}\n\nDossier: {{console}}/desk/cases/{case}\n",
            "fr": "{name} est parti le {day}. Encore dehors :\n\n{things}\n\nDossier : {{console}}/desk/cases/{case}\n",
        },
    ),
}
"""By letter: subject and text."""

SCREEN: Final[Words] = {
    "en": "This device is lost. Please bring it to {place}{phone}.",
    "nl": "Dit toestel is verloren. Breng het a.u.b. naar {place}{phone}.",
    "fr": "Cet appareil est perdu. Merci de le rapporter à {place}{phone}.",
}
"""What a lost phone shows on its screen."""


def write(call: Call, letter: str, to: str | None, wanted: str, values: Mapping[str, str]) -> bool:
    """Puts a letter into the post in the reader's language; False where there is no address."""
    if not to:
        return False
    tongue = language(wanted)
    subject, text = (words[tongue].format(**values) for words in LETTERS[letter])
    outbox.post(call, "mail", {"to": to, "subject": subject, "text": text + "\n"})
    return True


def to_holder(call: Call, letter: str, person_id: int | None, device: Device | None, **values: str) -> bool:
    """A letter to the one who holds the device of a case; False where nobody does, or where no address is known."""
    person = call.session.get(Person, person_id) if person_id is not None else None
    if person is None or device is None:
        return False
    return write(call, letter, person.email, person.language, {"device": device.label, **values})


def screen(place: str, phone: str, wanted: str) -> str:
    """The sentence that a lost phone shows: where to bring it, and which number to call where there is one."""
    return SCREEN[language(wanted)].format(place=place, phone=f" ({phone})" if phone else "")[:500]


def listed(things: Sequence[str]) -> str:
    """Things as lines of a letter."""
    return "\n".join(f"- {thing}" for thing in things)
