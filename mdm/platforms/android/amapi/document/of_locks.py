"""Rules of the prose about passcodes, updates and what happens when a policy is not met. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

from mdm.platforms.android.amapi.document.of_applications import Fault, Policy
from mdm.platforms.android.amapi.document.table import POLICY, schema

MAX_FREEZE: Final = 90
MIN_BETWEEN_FREEZES: Final = 60
MIN_DAYS_OFF: Final = 3
BY_DEFAULT: Final = (
    "passwordPolicies",
    "encryptionPolicy",
    "keyguardDisabled",
    "permittedInputMethods",
    "permittedAccessibilityServices",
    "minimumApiLevel",
)
"""The settings for which Google wipes after ten days unless a rule says otherwise."""


def _passwords(policy: Policy) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, one in enumerate(policy.get("passwordPolicies", ())):
        yield f"passwordPolicies[{number}]", one


def separate_lock(policy: Policy) -> Iterator[Fault]:
    for place, one in _passwords(policy):
        if "unifiedLockSettings" in one and one.get("passwordScope") != "SCOPE_PROFILE":
            yield f"{place}.unifiedLockSettings", {}


def scopes(policy: Policy) -> Iterator[Fault]:
    """Twice the same scope; and for one scope a complexity band beside another kind of quality is allowed."""
    seen = set()
    for place, one in _passwords(policy):
        band = str(one.get("passwordQuality", "")).startswith("COMPLEXITY")
        key = (one.get("passwordScope", "SCOPE_UNSPECIFIED"), band)
        if key in seen:
            yield f"{place}.passwordScope", {}
        seen.add(key)


def band_needs_scope(policy: Policy) -> Iterator[Fault]:
    old = policy.get("passwordRequirements")
    if old is None:
        return
    if "requirePasswordUnlock" in old:
        yield "passwordRequirements.requirePasswordUnlock", {}
    if "unifiedLockSettings" in old:
        yield "passwordRequirements.unifiedLockSettings", {}
    if str(old.get("passwordQuality", "")).startswith("COMPLEXITY"):
        yield "passwordRequirements.passwordQuality", {}


def lengths(policy: Policy) -> Iterator[Fault]:
    enforced = ("NUMERIC", "NUMERIC_COMPLEX", "ALPHABETIC", "ALPHANUMERIC", "COMPLEX")
    for place, one in _passwords(policy):
        if one.get("passwordMinimumLength") and one.get("passwordQuality") not in enforced:
            yield f"{place}.passwordMinimumLength", {}


def negative(policy: Policy) -> Iterator[Fault]:
    names = [name for name, node in schema("PasswordRequirements").items() if node.get("f") == "int32"]
    for place, one in _passwords(policy):
        yield from ((f"{place}.{name}", {}) for name in names if one.get(name, 0) < 0)
    for name in ("minimumApiLevel",):
        if policy.get(name, 0) < 0:
            yield name, {}
    if int(policy.get("maximumTimeToLock", "0")) < 0:
        yield "maximumTimeToLock", {}


def window(policy: Policy) -> Iterator[Fault]:
    update = policy.get("systemUpdate")
    if update is None:
        return
    for name in ("startMinutes", "endMinutes"):
        if not 0 <= update.get(name, 0) <= 1439:
            yield f"systemUpdate.{name}", {}


def untimely(policy: Policy) -> Iterator[Fault]:
    update = policy.get("systemUpdate", {})
    if update.get("type") != "WINDOWED":
        yield from ((f"systemUpdate.{name}", {}) for name in ("startMinutes", "endMinutes") if name in update)


def _day(one: Mapping[str, Any]) -> date | None:
    """The day of a freeze period in a year that is none of the leap years, which Google does not count either."""
    try:
        return date(
            2025, one.get("month", 0), 28 if (one.get("month"), one.get("day")) == (2, 29) else one.get("day", 0)
        )
    except (ValueError, TypeError):
        return None


def _freezes(policy: Policy) -> list[tuple[str, date | None, date | None]]:
    found = []
    for number, one in enumerate(policy.get("systemUpdate", {}).get("freezePeriods", ())):
        first, last = _day(one.get("startDate", {})), _day(one.get("endDate", {}))
        if first is not None and last is not None and last < first:
            last = date(2026, last.month, last.day)
        found.append((f"systemUpdate.freezePeriods[{number}]", first, last))
    return found


def freeze_days(policy: Policy) -> Iterator[Fault]:
    for number, one in enumerate(policy.get("systemUpdate", {}).get("freezePeriods", ())):
        for name in ("startDate", "endDate"):
            if _day(one.get(name, {})) is None or "year" in one.get(name, {}):
                yield f"systemUpdate.freezePeriods[{number}].{name}", {}


def freeze_long(policy: Policy) -> Iterator[Fault]:
    for place, first, last in _freezes(policy):
        if first is not None and last is not None and (last - first).days > MAX_FREEZE:
            yield place, {"most": str(MAX_FREEZE)}


def freeze_apart(policy: Policy) -> Iterator[Fault]:
    known = sorted(
        (first, last, place) for place, first, last in _freezes(policy) if first is not None and last is not None
    )
    if len(known) < 2:
        return
    year = timedelta(days=365)
    following = [*known[1:], (known[0][0] + year, known[0][1] + year, known[0][2])]
    for (_first, last, _place), (start, _end, place) in zip(known, following, strict=True):
        if (start - last).days < MIN_BETWEEN_FREEZES:
            yield place, {"least": str(MIN_BETWEEN_FREEZES)}


def _rules(policy: Policy) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, one in enumerate(policy.get("policyEnforcementRules", ())):
        yield f"policyEnforcementRules[{number}]", one


def both_actions(policy: Policy) -> Iterator[Fault]:
    return ((place, {}) for place, one in _rules(policy) if not ("blockAction" in one and "wipeAction" in one))


def block_before_wipe(policy: Policy) -> Iterator[Fault]:
    for place, one in _rules(policy):
        block, wipe = one.get("blockAction", {}), one.get("wipeAction", {})
        if "blockAction" in one and "wipeAction" in one:
            before, after = block.get("blockAfterDays", 0), wipe.get("wipeAfterDays", 0)
            if not 0 <= before < after:
                yield place, {}


def rule_names(policy: Policy) -> Iterator[Fault]:
    known = schema(POLICY)
    seen = set()
    for place, one in _rules(policy):
        name = one.get("settingName", "")
        if name not in known or name in seen:
            yield f"{place}.settingName", {"name": str(name)[:128]}
        seen.add(name)


def wiped_by_default(policy: Policy) -> Iterator[Fault]:
    named = {one.get("settingName") for _place, one in _rules(policy)}
    for name in BY_DEFAULT:
        if policy.get(name) not in (None, False, [], {}, "", 0) and name not in named:
            yield name, {}


def days_off(policy: Policy) -> Iterator[Fault]:
    days = policy.get("personalUsagePolicies", {}).get("maxDaysWithWorkOff", 0)
    if days and days < MIN_DAYS_OFF:
        yield "personalUsagePolicies.maxDaysWithWorkOff", {"least": str(MIN_DAYS_OFF)}
