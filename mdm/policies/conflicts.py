"""Contradictions in a desired state, found before they reach a device. Pure; the rules are data in ``conflicts.toml``."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from mdm.policies.catalogue import label, mask_value, show
from mdm.policies.catalogue.keys import Texts
from mdm.policies.catalogue.load import texts
from mdm.policies.resolve import Resolved, Source
from mdm.policies.urls import blocked

MAX_NAMED = 20
CLASHES = {
    "tie": Texts(
        nl="%(label)s: beleidsregels van dezelfde rang spreken elkaar tegen; de oudste toewijzing wint (%(value)s).",
        fr="%(label)s : des politiques de même rang se contredisent ; l'affectation la plus ancienne gagne (%(value)s).",
        en="%(label)s: policies of the same rank contradict each other; the oldest assignment wins (%(value)s).",
    ),
    "nothing_left": Texts(
        nl="%(label)s: de beleidsregels hebben niets gemeen, er blijft niets over.",
        fr="%(label)s : les politiques n'ont rien en commun, il ne reste rien.",
        en="%(label)s: the policies have nothing in common, nothing is left.",
    ),
}


@dataclass(frozen=True, slots=True)
class Conflict:
    """Settings that contradict each other: ``severity`` is error or warning, ``sources`` the policies that say them.

    ``value`` is what comes out where one key contradicts itself; it never holds a secret.
    """

    code: str
    severity: str
    keys: tuple[str, ...]
    sources: tuple[Source, ...]
    items: tuple[str, ...] = ()
    value: Any = None

    def say(self, language: str) -> str:
        """What is wrong, in plain words."""
        return sentence(self.code, self.keys, self.items, self.value, language)


def sentence(code: str, keys: Sequence[str], items: Sequence[str], value: Any, language: str) -> str:
    """What is wrong, in plain words; the code itself for a contradiction that the table no longer has."""
    wording = CLASHES.get(code) or next((rule.text for rule in rules() if rule.code == code), None)
    if wording is None:
        return code
    return wording.to(language) % {
        "items": ", ".join(items[:MAX_NAMED]),
        "label": label(keys[0], language),
        "value": show(keys[0], value, language),
    }


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table of contradictions."""

    code: str
    severity: str
    find: Callable[[Mapping[str, Any]], Sequence[str] | None]
    keys: tuple[str, ...]
    text: Texts


def conflicts(resolved: Resolved) -> tuple[Conflict, ...]:
    """Every contradiction in the sum, those within one key first; empty when all goes together."""
    found = []
    for key, outcome in resolved.outcomes.items():
        if outcome.clash:
            value = mask_value(key, outcome.value)
            found.append(Conflict(outcome.clash, "error", (key,), outcome.sources, value=value))
    settings = resolved.settings
    for rule in rules():
        items_found = rule.find(settings)
        if items_found is not None:
            keys = tuple(key for key in rule.keys if key in settings)
            sources = dict.fromkeys(source for key in keys for source in resolved.outcomes[key].sources)
            found.append(Conflict(rule.code, rule.severity, keys, tuple(sources), tuple(items_found)))
    return tuple(found)


@cache
def rules() -> tuple[Rule, ...]:
    """The table, read once. Raises KeyError for a rule of a kind that does not exist."""
    document = tomllib.loads((files(__package__) / "conflicts.toml").read_text("utf-8"))
    return tuple(_rule(raw) for raw in document["rule"])


def _rule(raw: Mapping[str, Any]) -> Rule:
    keys = tuple(raw.get("keys") or [condition["key"] for condition in raw["when"]])
    return Rule(raw["code"], raw["severity"], KINDS[raw["kind"]](raw), keys, texts(raw["text"]))


def _both(raw: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Sequence[str] | None]:
    def find(settings: Mapping[str, Any]) -> Sequence[str] | None:
        return [] if all(_holds(condition, settings) for condition in raw["when"]) else None

    return find


def _holds(condition: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    value = settings.get(condition["key"])
    values = value if isinstance(value, list) else []
    if "field" in condition:
        values = [record.get(condition["field"]) for record in values]
    if "given" in condition:
        return (value is not None) is condition["given"]
    if "is" in condition:
        return bool(value == condition["is"])
    if "is_not" in condition:
        return bool(value != condition["is_not"])
    return condition["has"] in values if "has" in condition else condition["has_not"] not in values


def _overlap(raw: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Sequence[str] | None]:
    first, second = raw["keys"]

    def find(settings: Mapping[str, Any]) -> Sequence[str] | None:
        value = settings.get(first, [])
        items = [value] if isinstance(value, str) else value
        shared = [item for item in items if item in settings.get(second, [])]
        return shared or None

    return find


def _not_listed(raw: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Sequence[str] | None]:
    items_key, switch, *lists = raw["keys"]

    def find(settings: Mapping[str, Any]) -> Sequence[str] | None:
        within = [item for key in lists for item in settings.get(key, [])]
        if settings.get(switch) is not True or not within:
            return None
        return [item for item in settings.get(items_key, []) if item not in within] or None

    return find


def _blocked_url(raw: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Sequence[str] | None]:
    urls_key, block, allow = raw["keys"]

    def find(settings: Mapping[str, Any]) -> Sequence[str] | None:
        value = settings.get(urls_key, [])
        urls = [value] if isinstance(value, str) else [record["url"] for record in value]
        return [url for url in urls if blocked(url, settings.get(block, []), settings.get(allow, []))] or None

    return find


def _app_needs(raw: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Sequence[str] | None]:
    apps_key, switch = raw["keys"]

    def find(settings: Mapping[str, Any]) -> Sequence[str] | None:
        if settings.get(switch) is not False:
            return None
        return [item for item in settings.get(apps_key, []) if item in raw["apps"]] or None

    return find


def _field_listed(raw: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Sequence[str] | None]:
    records_key, list_key = raw["keys"]

    def find(settings: Mapping[str, Any]) -> Sequence[str] | None:
        # A list of applications was made one for the platform; what stands in records still says which it is for.
        named = {record[raw["field"]]: None for record in settings.get(records_key, [])}
        return [one for one in named if one.rpartition(":")[2] in settings.get(list_key, [])] or None

    return find


KINDS: Mapping[str, Callable[[Mapping[str, Any]], Callable[[Mapping[str, Any]], Sequence[str] | None]]] = {
    "app_needs": _app_needs,
    "blocked_url": _blocked_url,
    "both": _both,
    "field_listed": _field_listed,
    "not_listed": _not_listed,
    "overlap": _overlap,
}
