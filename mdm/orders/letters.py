"""What is written to people at each step of an order, in the three languages of the city. Data, and filling it in.

A letter names the device and nothing else: no person, no serial number, no reason. Who wants to know more signs in.
"""

from collections.abc import Mapping
from typing import Final

LANGUAGES: Final = ("nl", "fr", "en")

Words = Mapping[str, str]

STAFF: Final[Mapping[str, Words]] = {
    "requested": {
        "en": "Somebody has asked to wipe {device}. It waits for approvers. Look at it, and sign or refuse it:",
        "nl": "Iemand heeft gevraagd om {device} te wissen. De opdracht wacht op goedkeuring. Bekijk, teken of weiger ze:",
        "fr": "Quelqu'un a demandé d'effacer {device}. L'ordre attend des approbateurs. Examinez-le, signez ou refusez :",
    },
    "cooling": {
        "en": "Enough people have approved the wipe of {device}. It rests now, and can still be taken back here:",
        "nl": "Genoeg mensen hebben het wissen van {device} goedgekeurd. De wachttijd loopt; intrekken kan nog hier:",
        "fr": "L'effacement de {device} a reçu assez d'approbations. Le délai court ; on peut encore l'annuler ici :",
    },
    "held": {
        "en": "The wipe of {device} is held back. Nothing is lost; the page says why and until when:",
        "nl": "Het wissen van {device} wordt tegengehouden. Er gaat niets verloren; de pagina zegt waarom en tot wanneer:",
        "fr": "L'effacement de {device} est retenu. Rien n'est perdu ; la page dit pourquoi et jusqu'à quand :",
    },
    "paused": {
        "en": "Whoever holds {device} has stopped its wipe. An approver must look at it and let it go on, or take it back:",
        "nl": "Wie {device} in handen heeft, heeft het wissen gestopt. Een goedkeurder moet dit bekijken en beslissen:",
        "fr": "La personne qui détient {device} a arrêté son effacement. Un approbateur doit examiner et décider :",
    },
    "lifted": {
        "en": "The pause of the wipe of {device} was lifted. It goes on:",
        "nl": "De pauze voor het wissen van {device} is opgeheven. De opdracht loopt verder:",
        "fr": "La pause de l'effacement de {device} a été levée. L'ordre continue :",
    },
    "released": {
        "en": "The wipe of {device} is signed. The device gets it as soon as it asks. Until then it can be taken back:",
        "nl": "Het wissen van {device} is ondertekend. Het toestel krijgt de opdracht zodra het zich meldt. Tot dan:",
        "fr": "L'effacement de {device} est signé. L'appareil le reçoit dès qu'il se présente. D'ici là :",
    },
    "refused": {
        "en": "The wipe of {device} was refused and is not carried out. The page says by whom and why:",
        "nl": "Het wissen van {device} is geweigerd en gebeurt niet. De pagina zegt door wie en waarom:",
        "fr": "L'effacement de {device} a été refusé et n'a pas lieu. La page dit par qui et pourquoi :",
    },
    "rejected": {
        "en": "An approver said no to the wipe of {device}. Nothing happens to the device:",
        "nl": "Een goedkeurder heeft nee gezegd tegen het wissen van {device}. Er gebeurt niets met het toestel:",
        "fr": "Un approbateur a refusé l'effacement de {device}. Rien n'arrive à l'appareil :",
    },
    "cancelled": {
        "en": "The wipe of {device} was taken back. Nothing happens to the device:",
        "nl": "De opdracht om {device} te wissen is ingetrokken. Er gebeurt niets met het toestel:",
        "fr": "L'ordre d'effacer {device} a été retiré. Rien n'arrive à l'appareil :",
    },
    "expired": {
        "en": "The time of the wipe of {device} has passed without it. Nothing happened to the device:",
        "nl": "De tijd om {device} te wissen is voorbij. Er is niets met het toestel gebeurd:",
        "fr": "Le délai pour effacer {device} est passé. Rien n'est arrivé à l'appareil :",
    },
    "unanswered": {
        "en": "{device} has fetched its wipe and never answered. Nobody knows whether it was done:",
        "nl": "{device} heeft de opdracht opgehaald en nooit geantwoord. Niemand weet of het wissen gebeurd is:",
        "fr": "{device} a reçu l'ordre et n'a jamais répondu. Nul ne sait si l'effacement a eu lieu :",
    },
    "done": {
        "en": "{device} says that it wiped itself. The receipt is here:",
        "nl": "{device} meldt dat het zichzelf gewist heeft. Het ontvangstbewijs staat hier:",
        "fr": "{device} annonce s'être effacé. Le reçu se trouve ici :",
    },
    "failed": {
        "en": "{device} could not carry out its wipe. What it answered is here:",
        "nl": "{device} kon zichzelf niet wissen. Wat het antwoordde staat hier:",
        "fr": "{device} n'a pas pu s'effacer. Sa réponse se trouve ici :",
    },
}
"""To the requester and the approvers; the address of the order's page follows."""

HOLDER: Final[Mapping[str, Words]] = {
    "requested": {
        "en": "Somebody has asked to wipe {device}, which is in your name. Everything on it would be gone for good.",
        "nl": "Iemand heeft gevraagd om {device} te wissen. Dat toestel staat op uw naam. Alles erop zou voorgoed weg zijn.",
        "fr": "Quelqu'un a demandé d'effacer {device}, qui est à votre nom. Tout son contenu serait perdu pour de bon.",
    },
    "cooling": {
        "en": "The wipe of {device} was approved. It begins after a cooling time, and can still be stopped until then.",
        "nl": "Het wissen van {device} is goedgekeurd. Het begint na een wachttijd en kan tot dan nog gestopt worden.",
        "fr": "L'effacement de {device} est approuvé. Il commence après un délai et peut être arrêté d'ici là.",
    },
    "held": {
        "en": "The wipe of {device} is held back for now.",
        "nl": "Het wissen van {device} wordt voorlopig tegengehouden.",
        "fr": "L'effacement de {device} est retenu pour le moment.",
    },
    "paused": {
        "en": "You have stopped the wipe of {device}. Nothing happens until an approver has looked at it.",
        "nl": "U hebt het wissen van {device} gestopt. Er gebeurt niets tot een goedkeurder het bekeken heeft.",
        "fr": "Vous avez arrêté l'effacement de {device}. Rien n'arrive avant qu'un approbateur l'ait examiné.",
    },
    "lifted": {
        "en": "An approver has looked at your pause: the wipe of {device} goes on. Ask at your service point if it is wrong.",
        "nl": "Een goedkeurder bekeek uw pauze: het wissen van {device} gaat verder. Klopt dat niet? Vraag het aan de balie.",
        "fr": "Un approbateur a examiné votre pause : l'effacement de {device} continue. Une erreur ? Voyez votre guichet.",
    },
    "released": {
        "en": "{device} will wipe itself as soon as it is connected.",
        "nl": "{device} wist zichzelf zodra het verbonden is.",
        "fr": "{device} s'effacera dès qu'il sera connecté.",
    },
    "refused": {
        "en": "The wipe of {device} was refused. Nothing happens to the device.",
        "nl": "Het wissen van {device} is geweigerd. Er gebeurt niets met het toestel.",
        "fr": "L'effacement de {device} a été refusé. Rien n'arrive à l'appareil.",
    },
    "unanswered": {
        "en": "{device} has fetched its wipe and has not answered.",
        "nl": "{device} heeft de opdracht om te wissen opgehaald en niet geantwoord.",
        "fr": "{device} a reçu l'ordre d'effacement et n'a pas répondu.",
    },
    "done": {
        "en": "{device} has wiped itself.",
        "nl": "{device} heeft zichzelf gewist.",
        "fr": "{device} s'est effacé.",
    },
    "failed": {
        "en": "{device} could not wipe itself. Your service point knows about it.",
        "nl": "{device} kon zichzelf niet wissen. De balie weet ervan.",
        "fr": "{device} n'a pas pu s'effacer. Votre guichet est au courant.",
    },
    **{
        step: {
            "en": "The request to wipe {device} has ended. Nothing happens to the device.",
            "nl": "De vraag om {device} te wissen is vervallen. Er gebeurt niets met het toestel.",
            "fr": "La demande d'effacer {device} a pris fin. Rien n'arrive à l'appareil.",
        }
        for step in ("rejected", "cancelled", "expired")
    },
}
"""To whoever holds the device."""

STOP: Final[Words] = {
    "en": "Is that wrong? Stop it here. An approver will then look at it:",
    "nl": "Klopt dat niet? Stop het hier. Een goedkeurder bekijkt het dan:",
    "fr": "C'est une erreur ? Arrêtez-la ici. Un approbateur l'examinera :",
}
SUBJECT: Final[Words] = {
    "en": "Wipe of {device}: {word}",
    "nl": "Wissen van {device}: {word}",
    "fr": "Effacement de {device} : {word}",
}
STEP_WORDS: Final[Mapping[str, Words]] = {
    "requested": {"en": "requested", "nl": "gevraagd", "fr": "demandé"},
    "cooling": {"en": "approved, cooling time", "nl": "goedgekeurd, wachttijd loopt", "fr": "approuvé, délai en cours"},
    "held": {"en": "held", "nl": "tegengehouden", "fr": "retenu"},
    "paused": {"en": "paused", "nl": "gepauzeerd", "fr": "en pause"},
    "lifted": {"en": "goes on", "nl": "gaat verder", "fr": "continue"},
    "released": {"en": "signed", "nl": "ondertekend", "fr": "signé"},
    "refused": {"en": "refused", "nl": "geweigerd", "fr": "refusé"},
    "rejected": {"en": "rejected", "nl": "afgewezen", "fr": "rejeté"},
    "cancelled": {"en": "taken back", "nl": "ingetrokken", "fr": "retiré"},
    "expired": {"en": "expired", "nl": "verlopen", "fr": "expiré"},
    "unanswered": {"en": "unanswered", "nl": "zonder antwoord", "fr": "sans réponse"},
    "done": {"en": "done", "nl": "uitgevoerd", "fr": "fait"},
    "failed": {"en": "failed", "nl": "mislukt", "fr": "échoué"},
}
MANY: Final[Words] = {"en": "{count} devices", "nl": "{count} toestellen", "fr": "{count} appareils"}
ADDRESS: Final = "{console}"
"""Stands in a letter where the address of the console goes: only whoever sends it knows that."""


def language(wanted: str) -> str:
    """The language in which somebody is written to: their own where we have it, else English."""
    return wanted if wanted in LANGUAGES else "en"


def staff(step: str, device: str, path: str, wanted: str) -> tuple[str, str]:
    """Subject and text for requester and approvers. ``path`` is that of the order's page."""
    tongue = language(wanted)
    return _subject(step, device, tongue), f"{STAFF[step][tongue].format(device=device)}\n\n{ADDRESS}{path}\n"


def holder(step: str, device: str, secret: str | None, wanted: str) -> tuple[str, str]:
    """Subject and text for the holder; ``secret`` is that of the link by which it can be stopped."""
    tongue = language(wanted)
    text = HOLDER[step][tongue].format(device=device) + "\n"
    if secret:
        text += f"\n{STOP[tongue]}\n{ADDRESS}/pause/{secret}\n"
    return _subject(step, device, tongue), text


def many(count: int, wanted: str) -> str:
    """What stands for the device's name where there are many."""
    return MANY[language(wanted)].format(count=count)


def _subject(step: str, device: str, tongue: str) -> str:
    return SUBJECT[tongue].format(device=device, word=STEP_WORDS[step][tongue])
