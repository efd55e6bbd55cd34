"""What those on duty are told, by SMS and by letter, in every language that employees read. Data.

A message says at its beginning whether it is only an exercise. It is short enough for two SMS in any of the languages.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Words:
    """One language's: what stands before a practised call, the call, what is said under duress, the subject of a letter."""

    exercise: str
    help: str
    duress: str
    coming: str
    nobody: str


WORDS: Final[Mapping[str, Words]] = {
    "en": Words(
        "EXERCISE, not real.", "HELP", "SILENT: the caller may be forced. Do not call back.", "I am coming:", "unknown"
    ),
    "nl": Words(
        "OEFENING, niet echt.",
        "HULP",
        "STIL: de oproeper wordt misschien gedwongen. Bel niet terug.",
        "Ik kom:",
        "onbekend",
    ),
    "fr": Words(
        "EXERCICE, pas réel.",
        "À L'AIDE",
        "SILENCE : la personne est peut-être menacée. Ne rappelez pas.",
        "J'arrive :",
        "inconnu",
    ),
    "tr": Words(
        "TATBİKAT, gerçek değil.",
        "YARDIM",
        "SESSİZ: arayan zorlanıyor olabilir. Geri aramayın.",
        "Geliyorum:",
        "bilinmiyor",
    ),
    "ar": Words("تمرين، ليس حقيقيًا.", "نجدة", "بصمت: ربما المتصل تحت التهديد. لا تتصل به.", "أنا قادم:", "غير معروف"),
    "ro": Words(
        "EXERCIȚIU, nu e real.",
        "AJUTOR",
        "TĂCERE: persoana poate fi amenințată. Nu sunați înapoi.",
        "Vin acum:",
        "necunoscut",
    ),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What one message says."""

    number: str
    who: str
    place: str
    phone: str
    link: str
    exercise: bool = False
    duress: bool = False


def message(language: str, told: Told) -> str:
    """The SMS, and the text of the letter: one line each."""
    words = WORDS.get(language, WORDS["en"])
    parts = [words.exercise] if told.exercise else []
    parts += [words.duress] if told.duress else []
    parts.append(f"{words.help} {told.number}: {told.who or words.nobody}, {told.place or words.nobody}.")
    if told.phone and not told.duress:
        parts.append(f"Tel {told.phone}.")
    return " ".join([*parts, words.coming, told.link])


def subject(language: str, told: Told) -> str:
    """The subject of the letter."""
    words = WORDS.get(language, WORDS["en"])
    before = f"{words.exercise} " if told.exercise else ""
    return f"{before}{words.help}: {told.who or words.nobody}, {told.place or words.nobody}"
