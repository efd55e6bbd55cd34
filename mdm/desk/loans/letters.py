"""What is written to people about their loans, in the three languages of the city. Data, and filling it in.

A letter to the team lead or the keeper names the device and the person; none names a reason or where a device is.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from mdm.orders.letters import language

Words = Mapping[str, str]

SUBJECTS: Final[Mapping[str, Words]] = {
    "reserved": {
        "en": "Reserved for you: {kind}, {begins}",
        "nl": "Voor u gereserveerd: {kind}, {begins}",
        "fr": "Réservé pour vous : {kind}, {begins}",
    },
    "waiting": {
        "en": "You are on the wait list: {kind}, {begins}",
        "nl": "U staat op de wachtlijst: {kind}, {begins}",
        "fr": "Vous êtes sur la liste d'attente : {kind}, {begins}",
    },
    "moved_up": {
        "en": "A place came free: {kind}, {begins}",
        "nl": "Er kwam een plaats vrij: {kind}, {begins}",
        "fr": "Une place s'est libérée : {kind}, {begins}",
    },
    "cancelled": {
        "en": "Your reservation was cancelled: {kind}, {begins}",
        "nl": "Uw reservatie is geannuleerd: {kind}, {begins}",
        "fr": "Votre réservation est annulée : {kind}, {begins}",
    },
    "expired": {
        "en": "No place came free: {kind}, {begins}",
        "nl": "Er kwam geen plaats vrij: {kind}, {begins}",
        "fr": "Aucune place ne s'est libérée : {kind}, {begins}",
    },
    "no_show": {
        "en": "Your reservation was released: {kind}, {begins}",
        "nl": "Uw reservatie is vrijgegeven: {kind}, {begins}",
        "fr": "Votre réservation a été libérée : {kind}, {begins}",
    },
    "extended": {
        "en": "Your loan was extended: {kind}",
        "nl": "Uw uitlening is verlengd: {kind}",
        "fr": "Votre prêt est prolongé : {kind}",
    },
    "prepare": {
        "en": "To prepare: {kind} for {begins}",
        "nl": "Klaar te leggen: {kind} voor {begins}",
        "fr": "À préparer : {kind} pour {begins}",
    },
    "reminded": {
        "en": "Please bring it back: {device}",
        "nl": "Breng dit terug: {device}",
        "fr": "À rapporter : {device}",
    },
    "lead": {
        "en": "Not brought back: {device}",
        "nl": "Niet teruggebracht: {device}",
        "fr": "Non rapporté : {device}",
    },
    "lock": {
        "en": "Overdue, a lock is proposed: {device}",
        "nl": "Te laat, vergrendelen voorgesteld: {device}",
        "fr": "En retard, verrouillage proposé : {device}",
    },
}
TEXTS: Final[Mapping[str, Words]] = {
    "reserved": {
        "en": "{kind} at {place}, from {begins} to {ends}. Bring your badge. Can you not come? Tell the desk, so that "
        "somebody else can have it.",
        "nl": "{kind} bij {place}, van {begins} tot {ends}. Breng uw badge mee. Kunt u niet komen? Meld het aan de balie, "
        "dan kan iemand anders het gebruiken.",
        "fr": "{kind} à {place}, du {begins} au {ends}. Apportez votre badge. Vous ne pouvez pas venir ? Prévenez le "
        "guichet : quelqu'un d'autre pourra l'utiliser.",
    },
    "waiting": {
        "en": "Everything is taken at {place} between {begins} and {ends}. You are on the wait list and hear from us as "
        "soon as a place comes free.",
        "nl": "Alles is bezet bij {place} tussen {begins} en {ends}. U staat op de wachtlijst en hoort van ons zodra er een "
        "plaats vrijkomt.",
        "fr": "Tout est pris à {place} entre {begins} et {ends}. Vous êtes sur la liste d'attente et recevrez un message "
        "dès qu'une place se libère.",
    },
    "moved_up": {
        "en": "You are off the wait list: {kind} at {place} is yours from {begins} to {ends}. Can you not come any more? "
        "Tell the desk.",
        "nl": "U staat niet meer op de wachtlijst: {kind} bij {place} is voor u van {begins} tot {ends}. Kunt u niet meer "
        "komen? Meld het aan de balie.",
        "fr": "Vous n'êtes plus en attente : {kind} à {place} est à vous du {begins} au {ends}. Vous ne pouvez plus venir ? "
        "Prévenez le guichet.",
    },
    "cancelled": {
        "en": "The reservation of {kind} at {place}, from {begins} to {ends}, was cancelled.",
        "nl": "De reservatie van {kind} bij {place}, van {begins} tot {ends}, is geannuleerd.",
        "fr": "La réservation de {kind} à {place}, du {begins} au {ends}, est annulée.",
    },
    "expired": {
        "en": "The time you waited for has come, and nothing came free at {place}. You are no longer on the wait list.",
        "nl": "Het ogenblik waarop u wachtte is er, en bij {place} kwam niets vrij. U staat niet meer op de wachtlijst.",
        "fr": "Le moment attendu est venu et rien ne s'est libéré à {place}. Vous n'êtes plus sur la liste d'attente.",
    },
    "no_show": {
        "en": "Nobody came for {kind} at {place} on {begins}, so it is free for others again. Reserve anew when you need it.",
        "nl": "Niemand kwam {kind} bij {place} halen op {begins}. Anderen kunnen het weer gebruiken. Reserveer opnieuw als u "
        "het nodig hebt.",
        "fr": "Personne n'est venu chercher {kind} à {place} le {begins} : c'est de nouveau libre. Réservez à nouveau si "
        "nécessaire.",
    },
    "extended": {
        "en": "Bring it back to {place} by {ends}.",
        "nl": "Breng het terug naar {place} tegen {ends}.",
        "fr": "Rapportez-le à {place} avant le {ends}.",
    },
    "prepare": {
        "en": "{kind} at {place} for {person}, from {begins} to {ends}. It must lie ready by {by}.",
        "nl": "{kind} bij {place} voor {person}, van {begins} tot {ends}. Het moet klaarliggen tegen {by}.",
        "fr": "{kind} à {place} pour {person}, du {begins} au {ends}. À préparer avant le {by}.",
    },
    "reminded": {
        "en": "You have {device} on loan. It should have been back at {place} by {ends}. Please bring it, or ask the desk "
        "whether you may keep it longer.",
        "nl": "U hebt {device} in bruikleen. Het moest terug zijn bij {place} tegen {ends}. Breng het terug, of vraag aan de "
        "balie of u het langer mag houden.",
        "fr": "Vous avez {device} en prêt. Il devait être de retour à {place} avant le {ends}. Rapportez-le, ou demandez au "
        "guichet si vous pouvez le garder plus longtemps.",
    },
    "lead": {
        "en": "{person} has {device} on loan. It should have been back at {place} by {ends}, and a reminder did not help. "
        "Please talk to them.",
        "nl": "{person} heeft {device} in bruikleen. Het moest terug zijn bij {place} tegen {ends}, en een herinnering hielp "
        "niet. Spreek hen daarover aan.",
        "fr": "{person} a {device} en prêt. Il devait être de retour à {place} avant le {ends} et un rappel n'a pas suffi. "
        "Merci d'en parler avec la personne.",
    },
    "lock": {
        "en": "{person} has not brought {device} back, which was due at {place} by {ends}. Locking it is proposed. Nothing "
        "happens until somebody decides:",
        "nl": "{person} heeft {device} niet teruggebracht; het moest bij {place} zijn tegen {ends}. Vergrendelen wordt "
        "voorgesteld. Er gebeurt niets tot iemand beslist:",
        "fr": "{person} n'a pas rapporté {device}, attendu à {place} avant le {ends}. Un verrouillage est proposé. Rien "
        "n'arrive avant une décision :",
    },
}
NO_LEAD: Final[Words] = {
    "en": "Nobody is recorded as the lead of this person's unit, so this comes to you.",
    "nl": "Er staat geen leidinggevende bij de dienst van deze persoon; daarom krijgt u dit bericht.",
    "fr": "Aucun responsable n'est enregistré pour le service de cette personne ; vous recevez donc ce message.",
}
KINDS: Final[Mapping[str, Words]] = {
    "kiosk": {"en": "Kiosk", "nl": "Zuil", "fr": "Borne"},
    "laptop": {"en": "Laptop", "nl": "Laptop", "fr": "Portable"},
    "phone": {"en": "Phone", "nl": "Telefoon", "fr": "Téléphone"},
    "tablet": {"en": "Tablet", "nl": "Tablet", "fr": "Tablette"},
}
Filling = Mapping[str, str | datetime]


def letter(step: str, wanted: str, zone: str, about: Filling) -> tuple[str, str]:
    """Subject and text of one step. Moments in ``about`` are told in the zone; ``kind`` is a kind of device."""
    tongue = language(wanted)
    filled = {name: _told(name, value, tongue, zone) for name, value in about.items()}
    return SUBJECTS[step][tongue].format(**filled)[:255], TEXTS[step][tongue].format(**filled) + "\n"


def _told(name: str, value: str | datetime, tongue: str, zone: str) -> str:
    if isinstance(value, datetime):
        return str(format_datetime(value, "EEE d MMM y HH:mm", tzinfo=ZoneInfo(zone), locale=tongue))
    return KINDS.get(value, {}).get(tongue, value) if name == "kind" else value
