"""From settings of the catalogue to one policy in Google's words, checked before anybody sends it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mdm.core.errors import N_
from mdm.platforms.android.amapi.document.check import Finding
from mdm.platforms.android.amapi.document.rules import check_policy
from mdm.platforms.android.amapi.render import applications, device, locks, network
from mdm.platforms.android.amapi.render.draft import Draft, Mode

__all__ = ["SUPPORTED", "Mode", "Rendered", "fault", "render"]

PARTS: Final = (locks, applications, network, device)
SUPPORTED: Final = frozenset(key for part in PARTS for key in part.KEYS)
"""The keys of the catalogue that this way makes something of, on some kind of phone."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A policy, the settings that each of its fields comes from, and everything that is to be said about it."""

    policy: Mapping[str, Any]
    sources: Mapping[str, Sequence[str]]
    findings: Sequence[Finding]

    @property
    def keys(self) -> frozenset[str]:
        """The settings that the policy realises."""
        return frozenset(key for keys in self.sources.values() for key in keys)


def render(settings: Mapping[str, Any], raw: Iterable[Mapping[str, Any]], mode: Mode) -> Rendered:
    """The policy of these settings and of parts that somebody wrote in Google's own words, for one kind of phone.

    The same settings give the same policy. Where a part says something that the settings say too, the part wins.
    """
    draft = Draft(mode)
    for part in PARTS:
        part.render(draft, settings)
    for content in raw:
        _merge(draft.policy, content)
    locks.enforcement(draft, settings)
    return Rendered(draft.policy, draft.sources, check_policy(draft.policy))


def fault(content: object) -> str:
    """What is wrong with a part of a policy that somebody wrote, "" when nothing is."""
    if not isinstance(content, Mapping) or not content:
        return N_(
            "A part of an Android policy is an object in the words of Google's API, such as its field applications."
        )
    mine = {"name", "version", "statusReportingSettings"} & set(content)
    if mine:
        return N_("The field %(field)s is set by Havenmeester itself.") % {"field": min(mine)}
    wrong = [one for one in check_policy(content) if one.severity == "error" and one.code not in _ONLY_WHOLE]
    return wrong[0].text if wrong else ""


_ONLY_WHOLE: Final = frozenset({"vpn_missing", "setup_app"})
"""What can be told of a whole policy only: a part may count on what the settings say."""


def _merge(policy: dict[str, Any], content: Mapping[str, Any]) -> None:
    """Puts a part into the policy: objects field by field, applications by package, rules by setting, networks together."""
    for key, value in content.items():
        before = policy.get(key)
        name = _NAMED.get(key)
        if name is not None and isinstance(before, list):
            policy[key] = _by_name(before, value, name)
        elif key in _TOGETHER and isinstance(before, list):
            policy[key] = [*before, *value]
        elif isinstance(before, dict) and isinstance(value, Mapping):
            inner = dict(before)
            _merge(inner, value)
            policy[key] = inner
        else:
            policy[key] = value


_NAMED: Final = {"applications": "packageName", "policyEnforcementRules": "settingName"}
_TOGETHER: Final = frozenset({"NetworkConfigurations", "Certificates"})


def _by_name(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], name: str
) -> list[dict[str, Any]]:
    found = {one.get(name): dict(one) for one in before}
    for one in after:
        found.setdefault(one.get(name), {}).update(one)
    return list(found.values())
