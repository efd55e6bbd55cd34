"""The words of the papers that people take home, in the three languages of the city. Data."""

from collections.abc import Mapping
from typing import Final

LANGUAGES: Final = ("nl", "fr", "en")

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "hand_out": {"en": "Hand-over receipt", "nl": "Ontvangstbewijs", "fr": "Reçu de remise"},
    "take_in": {"en": "Return receipt", "nl": "Bewijs van inlevering", "fr": "Reçu de retour"},
    "swap": {"en": "Swap receipt", "nl": "Bewijs van omruiling", "fr": "Reçu d'échange"},
    "box": {
        "en": "List of returned devices",
        "nl": "Lijst van ingeleverde toestellen",
        "fr": "Liste d'appareils rendus",
    },
    "number": {"en": "Number", "nl": "Nummer", "fr": "Numéro"},
    "date": {"en": "Date", "nl": "Datum", "fr": "Date"},
    "place": {"en": "Service point", "nl": "Servicepunt", "fr": "Point de service"},
    "clerk": {"en": "Clerk", "nl": "Baliemedewerker", "fr": "Agent"},
    "person": {"en": "Person", "nl": "Persoon", "fr": "Personne"},
    "personnel_number": {"en": "Personnel number", "nl": "Personeelsnummer", "fr": "Matricule"},
    "loan": {"en": "On loan, back by", "nl": "In bruikleen, terug tegen", "fr": "En prêt, à rendre le"},
    "out": {"en": "Handed out", "nl": "Uitgereikt", "fr": "Remis"},
    "back": {"en": "Taken back", "nl": "Ingeleverd", "fr": "Rendu"},
    "kit": {"en": "With it", "nl": "Erbij", "fr": "Avec"},
    "kit_back": {"en": "What came with it", "nl": "Wat erbij hoorde", "fr": "Ce qui l'accompagnait"},
    "returned": {"en": "returned", "nl": "terug", "fr": "rendu"},
    "missing": {"en": "missing", "nl": "ontbreekt", "fr": "manquant"},
    "condition": {"en": "Condition", "nl": "Toestand", "fr": "État"},
    "good": {"en": "good", "nl": "goed", "fr": "bon"},
    "worn": {"en": "worn", "nl": "versleten", "fr": "usé"},
    "damaged": {"en": "damaged", "nl": "beschadigd", "fr": "abîmé"},
    "broken": {"en": "broken", "nl": "stuk", "fr": "cassé"},
    "unseen": {"en": "not looked at", "nl": "niet bekeken", "fr": "non examiné"},
    "tag": {"en": "Tag", "nl": "Label", "fr": "Étiquette"},
    "serial": {"en": "Serial number", "nl": "Serienummer", "fr": "Numéro de série"},
    "imei": {"en": "IMEI", "nl": "IMEI", "fr": "IMEI"},
    "holder": {"en": "From", "nl": "Van", "fr": "De"},
    "note": {"en": "Note", "nl": "Opmerking", "fr": "Remarque"},
    "wipe": {
        "en": "The device is wiped: everything on it is gone.",
        "nl": "Het toestel wordt gewist: alles erop is weg.",
        "fr": "L'appareil est effacé : tout son contenu disparaît.",
    },
    "signature": {"en": "Signature", "nl": "Handtekening", "fr": "Signature"},
    "clerk_screen": {"en": "signed at the counter", "nl": "getekend aan de balie", "fr": "signé au guichet"},
    "own_phone": {
        "en": "signed on the person's own phone",
        "nl": "getekend op de eigen telefoon",
        "fr": "signé sur le téléphone de la personne",
    },
    "typed": {
        "en": "signed by typing the name",
        "nl": "getekend door de naam te typen",
        "fr": "signé en tapant le nom",
    },
    "unsigned": {"en": "Not signed, because", "nl": "Niet getekend, omdat", "fr": "Non signé, parce que"},
    "way_in": {"en": "Your own page", "nl": "Uw eigen pagina", "fr": "Votre propre page"},
    "way_in_address": {"en": "Address", "nl": "Adres", "fr": "Adresse"},
    "way_in_code": {"en": "Code", "nl": "Code", "fr": "Code"},
    "way_in_once": {
        "en": "The code lets you in once, within two weeks. Show it to nobody.",
        "nl": "De code laat u één keer binnen, binnen twee weken. Toon ze aan niemand.",
        "fr": "Le code vous laisse entrer une fois, dans les deux semaines. Ne le montrez à personne.",
    },
    "no_signature": {
        "en": "Nobody signed this paper.",
        "nl": "Niemand heeft dit blad getekend.",
        "fr": "Personne n'a signé cette feuille.",
    },
    "letters": {
        "en": "This machine has no font with every letter: what could not be written stands as '?'.",
        "nl": "Deze machine heeft geen lettertype met elke letter: wat niet kon, staat als '?'.",
        "fr": "Cette machine n'a pas de police complète : ce qui manque est remplacé par « ? ».",
    },
    "subject": {
        "en": "Your receipt {number}",
        "nl": "Uw bewijs {number}",
        "fr": "Votre reçu {number}",
    },
    "letter": {
        "en": (
            "Hello {name},\n\nAttached is the paper {number} of what you received or handed back at {place}. Keep it.\n\n"
            "Is something wrong? Tell your service point."
        ),
        "nl": (
            "Dag {name},\n\nIn bijlage vindt u blad {number} van wat u kreeg of inleverde bij {place}. Bewaar het.\n\n"
            "Klopt er iets niet? Meld het aan uw servicepunt."
        ),
        "fr": (
            "Bonjour {name},\n\nVous trouverez en annexe la feuille {number} de ce que vous avez reçu ou rendu à {place}. "
            "Gardez-la.\n\nUne erreur ? Signalez-la à votre point de service."
        ),
    },
}


def word(key: str, language: str) -> str:
    """One word or sentence; in English where the language has none, the key itself where nobody knows it."""
    found = WORDS.get(key, {})
    return found.get(language) or found.get("en", key)
