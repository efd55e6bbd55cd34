"""What every page of the console has around it: navigation, words, time, the person's language and theme."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from flask import Flask, Response, g, request, url_for
from flask_babel import format_currency, format_date, format_datetime, format_timedelta, get_locale, gettext

from mdm.core.actor import Actor
from mdm.core.clock import iso, utcnow
from mdm.core.errors import N_
from mdm.core.money import CURRENCY, plain
from mdm.core.permissions import Permission
from mdm.overview import desk_words, diary_words, network_words, people_words, phone_words, words
from mdm.policies import catalogue, explanation
from mdm.settings import Settings
from web.common.app import uses_tls
from web.common.hours import open_hours, same_hours
from web.common.language import COOKIE as LANGUAGE_COOKIE
from web.common.language import LANGUAGES
from web.common.manifest import built
from web.common.units import gigabytes, lasting
from web.console.told import details_of, listed, told

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "hm_theme"
YEAR = 31_536_000


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the navigation, shown to those who hold the permission somewhere."""

    endpoint: str
    label: str
    icon: str
    permission: Permission | None = None


GROUPS: tuple[tuple[str, tuple[Item, ...]], ...] = (
    (
        "",
        (
            Item("home", N_("Home"), icon="home"),
            Item("devices", N_("Devices"), icon="devices", permission=Permission.DEVICE_VIEW),
            Item("desk", N_("Desk"), icon="building-store", permission=Permission.DESK_VIEW),
            Item("enrollment", N_("Enrollment"), icon="qrcode", permission=Permission.ENROLLMENT_VIEW),
            Item("applications", N_("Applications"), icon="apps", permission=Permission.APPLICATION_VIEW),
        ),
    ),
    (
        N_("Control"),
        (
            Item("policies", N_("Policies"), icon="adjustments", permission=Permission.POLICY_VIEW),
            Item("compliance", N_("Compliance"), icon="shield-check", permission=Permission.COMPLIANCE_VIEW),
            Item("approvals", N_("Approvals"), icon="users-group", permission=Permission.ORDER_VIEW),
            Item("panic", N_("Calls for help"), icon="urgent", permission=Permission.PANIC_VIEW),
        ),
    ),
    (
        N_("Organisation"),
        (
            Item("people", N_("People"), icon="users", permission=Permission.PEOPLE_VIEW),
            Item("adoption", N_("Adoption"), icon="user-check", permission=Permission.PEOPLE_VIEW),
            Item("units", N_("Units"), icon="sitemap", permission=Permission.ORG_VIEW),
            Item("service_points", N_("Service points"), icon="building-community", permission=Permission.ORG_VIEW),
            Item("guidance", N_("Guidance"), icon="school", permission=Permission.GUIDANCE_VIEW),
        ),
    ),
    (
        N_("Oversight"),
        (
            Item("audit", N_("Audit"), icon="list-search", permission=Permission.AUDIT_VIEW),
            Item("discovery", N_("Discovery"), icon="radar", permission=Permission.DISCOVERY_VIEW),
            Item("privacy", N_("Privacy"), icon="eye-off", permission=Permission.PRIVACY_VIEW),
            Item("settings", N_("Settings"), icon="settings", permission=Permission.SETTINGS_VIEW),
        ),
    ),
)


UNDER = {"acts": "approvals", "roster": "approvals"}
"""Addresses that lie under another entry of the navigation than their own first word."""

VOCABULARY = {
    "adoption_line": "ADOPTION_LINES",
    "adoption_standing": "ADOPTION_STANDINGS",
    "channel": "CHANNELS",
    "state": "STATES",
    "verdict": "STANDINGS",
    "ownership": "OWNERSHIPS",
    "kind": "KINDS",
    "network_kind": "NETWORK_KINDS",
    "platform": "PLATFORMS",
    "persona": "PERSONAS",
    "case_outcome": "CASE_OUTCOMES",
    "case_state": "CASE_STATES",
    "order_state": "ORDER_STATES",
    "command_state": "COMMAND_STATES",
    "verb": "VERBS",
    "invitation": "INVITATION_STATES",
    "loan_state": "LOAN_STATES",
    "loan_step": "LOAN_STEPS",
    "loan_decision": "LOAN_DECISIONS",
    "kiosk_session": "KIOSK_SESSIONS",
    "kiosk_browser": "KIOSK_BROWSERS",
    "printer_paper": "PRINTER_PAPER",
    "paper": "KIOSK_PAPER",
    "actor_kind": "ACTORS",
    "spoken": "LANGUAGES",
    "action": "ACTIONS",
    "measure": "MEASURES",
    "repair_state": "REPAIR_STATES",
    "repair_outcome": "REPAIR_OUTCOMES",
}
"""Which vocabulary of ``overview`` the cells of a kind of column come from."""
WORDS = (words, desk_words, people_words, network_words, phone_words, diary_words)
"""Where the vocabularies stand."""


def asset(name: str) -> str:
    """The address of a file of the front end, by the name that it had before it was built."""
    return url_for("static", filename=f"dist/{built(name)}")


def word(vocabulary: str, value: str) -> str:
    """What people call a value of a vocabulary of ``overview``; the value itself where it has no word."""
    known: dict[str, str] = next(getattr(page, vocabulary) for page in WORDS if hasattr(page, vocabulary))
    return str(gettext(known[value])) if value in known else value


def event(kind: str) -> str:
    """A line of a device's own time line in words."""
    found = word("EVENTS", kind)
    return found if found != kind else kind.replace(".", " ").replace("_", " ")


def anchor(place: str) -> str:
    """A place in a form as the id of an element: ``wifi.networks[1].ssid`` is ``wifi-networks-1-ssid``."""
    return re.sub(r"[^a-z0-9]+", "-", place.lower()).strip("-")


def shown_value(key: str, value: object) -> str:
    """A value of a setting in words, secrets masked."""
    return catalogue.show(key, value, str(get_locale() or "en")[:2])


def reason_of(other: Mapping[str, Any]) -> str:
    """Why a policy did not win, in words."""
    return explanation.reason(other, str(get_locale() or "en")[:2])


def fill(sentence: str, params: Mapping[str, Any]) -> str:
    """A sentence of a room in the person's language, filled."""
    return str(gettext(sentence)) % params


def translated(vocabulary: Mapping[str, str]) -> list[tuple[str, str]]:
    """The values of a vocabulary with what people call them."""
    return [(value, str(gettext(label))) for value, label in vocabulary.items()]


def act(action: str) -> str:
    """An action of the diary in words; one that has none, readable all the same."""
    found = word("ACTIONS", action)
    return found if found != action else action.replace(".", " ").replace("_", " ")


def truth(value: object) -> str:
    """Yes, no, or that it is not known: what a device could not find out is never a no."""
    words_of = {"true": N_("Yes"), "1": N_("Yes"), "false": N_("No"), "0": N_("No")}
    return str(gettext(words_of.get(str(value).lower(), N_("Unknown"))))


def ago(moment: datetime) -> str:
    """How long ago, or in how long: "3 hours ago"."""
    distance = moment - utcnow()
    if abs(distance) < timedelta(seconds=45):
        return str(gettext("just now"))
    return str(format_timedelta(distance, add_direction=True, threshold=1))


def money(cents: int | None, currency: str = "") -> str:
    """An amount as people write it in their language: ``€ 1.234,50``; empty where nobody knows it."""
    return "" if cents is None else str(format_currency(cents / 100, currency or CURRENCY))


def moment(value: datetime) -> str:
    """Date and time in the city's time zone, with the zone named."""
    zone = str(format_datetime(value, "z"))
    # Where a language has no name for the zone, its distance to UTC is written as people read it.
    return f"{format_datetime(value, 'd MMM y HH:mm')} {format_datetime(value, 'OOOO') if zone[0] in '+-' else zone}"


def day(value: date) -> str:
    """A date as people write it."""
    return str(format_date(value, "d MMM y"))


def days_ago(value: datetime) -> str:
    """The day of a moment that is told to the day alone, by the days of UTC: "today", "yesterday", else the date."""
    days = (utcnow().date() - value.date()).days
    return gettext("today") if days <= 0 else gettext("yesterday") if days == 1 else day(value.date())


def weekday(value: date) -> str:
    """A day as a calendar heads it: "Mon 23 Nov"."""
    return str(format_date(value, "EEE d MMM"))


def is_old(value: datetime | None) -> bool:
    """Whether a moment lies more than a week back."""
    return value is not None and value < utcnow() - timedelta(days=7)


def navigation(actor: Actor) -> list[dict[str, Any]]:
    """The entries that this actor may open, by group."""
    groups = []
    for name, items in GROUPS:
        shown = [
            {
                "endpoint": item.endpoint,
                "label": gettext(item.label),
                "icon": item.icon,
                "current": _current() == item.endpoint,
                "count": _waiting(item.endpoint),
            }
            for item in items
            if item.permission is None or actor.may_somewhere(item.permission)
        ]
        if shown:
            groups.append({"name": gettext(name) if name else "", "entries": shown})
    return groups


def _waiting(endpoint: str) -> int:
    """How much waits for this person behind an entry."""
    counted: dict[str, int] = {"approvals": g.get("approvals_waiting", 0), "panic": len(g.get("panic", ()))}
    return counted.get(endpoint, 0)


def _current() -> str:
    """The entry of the navigation that the current address lies under."""
    first = request.path.strip("/").partition("/")[0].replace("-", "_")
    return UNDER.get(first, first) or "home"


def theme() -> str:
    """The person's theme: their own choice, else the cookie's, else the system's."""
    chosen = g.get("theme") or request.cookies.get(THEME_COOKIE)
    return chosen if chosen in THEMES else "auto"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "ago": ago,
    "moment": moment,
    "day": day,
    "days_ago": days_ago,
    "weekday": weekday,
    "isotime": iso,
    "is_old": is_old,
    "money": money,
    "plain_amount": plain,
    "gigabytes": gigabytes,
    "lasting": lasting,
}
HELPERS: tuple[Callable[..., Any], ...] = (
    asset,
    word,
    truth,
    act,
    translated,
    anchor,
    fill,
    shown_value,
    reason_of,
    event,
    told,
    listed,
    details_of,
    open_hours,
    same_hours,
)


def furnish_pages(app: Flask, settings: Settings) -> None:
    """Gives templates their filters, their helpers and what every page shows."""
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals.update({helper.__name__: helper for helper in HELPERS}, vocabulary=VOCABULARY)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.after_request(partial(_keep_language, settings))
    app.context_processor(partial(_shown_everywhere, settings))


def _keep_language(settings: Settings, response: Response) -> Response:
    # A page for which nobody is looked up, as that of an unknown address, still speaks the person's language.
    language = g.get("language")
    if language and request.cookies.get(LANGUAGE_COOKIE) != language and LANGUAGE_COOKIE not in str(response.headers):
        response.set_cookie(
            LANGUAGE_COOKIE, language, max_age=YEAR, samesite="Lax", httponly=True, secure=uses_tls(settings)
        )
    return response


def _shown_everywhere(settings: Settings) -> dict[str, Any]:
    actor: Actor | None = g.get("actor")
    return {
        "actor": actor,
        "may": (lambda permission: actor is not None and actor.may_somewhere(Permission(permission))),
        "navigation": navigation(actor) if actor else [],
        "organisation": settings.organisation,
        "language": str(get_locale() or "en")[:2],
        "languages": LANGUAGES,
        "theme": theme(),
        "red_button": g.get("red_button", ""),
        "stopped": g.get("stopped"),
        "here": request.full_path.rstrip("?"),
    }
