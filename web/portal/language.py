"""The languages of the employees' page: more than the console has, because the people are more."""

from pathlib import Path

from flask import current_app, g, request

LANGUAGES = {
    "nl": "Nederlands",
    "fr": "Français",
    "en": "English",
    "tr": "Türkçe",
    "ar": "العربية",
    "ro": "Română",
}
RIGHT_TO_LEFT = frozenset({"ar"})
COOKIE = "hm_mine_language"
TRANSLATIONS = Path(__file__).resolve().parent / "translations"


def chosen_language() -> str:
    """What was chosen on this phone, else the person's own, else the browser's, else the city's."""
    own = request.cookies.get(COOKIE) or g.get("language")
    if own in LANGUAGES:
        return str(own)
    city: str = current_app.config["LANGUAGE"]
    return request.accept_languages.best_match(list(LANGUAGES)) or city
