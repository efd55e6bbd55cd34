"""A resolved desired state as it is stored with its cohort: plain data, secrets masked, told in words when it is read."""

from collections.abc import Iterable, Mapping
from typing import Any

from mdm.policies import catalogue
from mdm.policies.conflicts import Conflict, sentence
from mdm.policies.resolve import Other, Resolved, Source, Unsupported
from mdm.policies.wording import say


def stored(resolved: Resolved, found: Iterable[Conflict]) -> dict[str, Any]:
    """The explanation as JSON."""
    return {
        "keys": {
            key: {
                "winner": _source(outcome.winner),
                "also": [_other(key, other) for other in outcome.also],
                "losers": [_other(key, other) for other in outcome.losers],
            }
            for key, outcome in resolved.outcomes.items()
        },
        "unsupported": [
            {"key": one.key, "reason": one.reason, "min": one.min, **_source(one.source)}
            for one in resolved.unsupported
        ],
        "conflicts": [
            {
                "code": one.code,
                "severity": one.severity,
                "keys": list(one.keys),
                "items": list(one.items),
                "value": one.value,
                "sources": [_source(source) for source in one.sources],
            }
            for one in found
        ],
    }


def _source(source: Source) -> dict[str, Any]:
    return {
        "assignment": source.assignment_id,
        "policy": source.policy_id,
        "name": source.policy,
        "version": source.version,
        "priority": source.priority,
    }


def _other(key: str, other: Other) -> dict[str, Any]:
    return {
        **_source(other.source),
        "value": catalogue.mask_value(key, other.value),
        "reason": other.why.reason,
        "items": list(other.why.items),
    }


def reason(other: Mapping[str, Any], language: str) -> str:
    """Why a policy is not the winner, in words."""
    return say("reason", other["reason"], language, items=", ".join(other.get("items", ())), min=other.get("min", ""))


def conflict(stored_conflict: Mapping[str, Any], language: str) -> str:
    """A contradiction in words."""
    one = stored_conflict
    return sentence(one["code"], one["keys"], one["items"], one["value"], language)


def without_interpreter(resolved: Resolved) -> Resolved:
    """The same for a platform that no interpreter speaks yet: every setting is "not for this platform"."""
    refused = tuple(Unsupported(key, outcome.winner, "platform") for key, outcome in resolved.outcomes.items())
    return Resolved({}, (*resolved.unsupported, *refused), ())


def versions(explanation: Mapping[str, Any]) -> dict[int, tuple[str, int]]:
    """The policies that say something in it: name and version by id."""
    sources = [
        source
        for key in explanation.get("keys", {}).values()
        for source in (key["winner"], *key["also"], *key["losers"])
    ]
    sources += explanation.get("unsupported", [])
    return {source["policy"]: (source["name"], source["version"]) for source in sources}


def cause(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Which policies came, went or changed between two explanations, in one line of at most 255 characters."""
    was, now = versions(before), versions(after)
    parts = [f"+ {now[id_][0]} {now[id_][1]}" for id_ in sorted(now.keys() - was.keys())]
    parts += [f"- {was[id_][0]}" for id_ in sorted(was.keys() - now.keys())]
    parts += [
        f"{now[id_][0]} {was[id_][1]} > {now[id_][1]}"
        for id_ in sorted(now.keys() & was.keys())
        if now[id_] != was[id_]
    ]
    return "; ".join(parts)[:255]
