"""Packages: what is missing, too much or forbidden; and, on a real machine, apt-get for what must be or must not be."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from agent import programs
from agent.apply.targets import PACKAGE, UnfitError, spec_of
from agent.collect import dpkg
from agent.plan import RETRY_SECONDS, ResourceRecord
from agent.roots import Root

APT_SECONDS = 900
MAX_NAMES = 5000
_APT = ["apt-get", "-q", "-y", "-o", "Dpkg::Options::=--force-confold", "-o", "DPkg::Lock::Timeout=120"]
_QUIET = {"DEBIAN_FRONTEND": "noninteractive"}


class Wish(NamedTuple):
    """What the desired state says of packages. ``allowed`` is None when there is no allow-list."""

    required: tuple[str, ...]
    allowed: frozenset[str] | None
    blocked: tuple[str, ...]


class Difference(NamedTuple):
    """How the machine differs from a wish; all empty when it does not."""

    missing: list[str]
    extra: list[str]
    blocked: list[str]


def _names(resource: dict[str, Any], field: str) -> tuple[str, ...]:
    value = resource.get(field) or []
    if not isinstance(value, list) or len(value) > MAX_NAMES:
        raise UnfitError(f"The field {field} is not a list of packages, or too long.")
    if any(not isinstance(name, str) or not PACKAGE.fullmatch(name) for name in value):
        raise UnfitError(f"In the field {field} is something that is not the name of a Debian package.")
    return tuple(sorted(set(value)))


def read_wish(resource: dict[str, Any]) -> Wish:
    """The wish of a ``packages`` resource. Raises UnfitError; names that could be taken for options are refused."""
    allowed = None if resource.get("allowed") is None else frozenset(_names(resource, "allowed"))
    wish = Wish(_names(resource, "required"), allowed, _names(resource, "blocked"))
    both = sorted(set(wish.required) & set(wish.blocked))
    if both:
        raise UnfitError(f"{both[0]} is required and blocked at once.")
    return wish


def compare(wish: Wish, installed: list[dpkg.Package], automatic: set[str]) -> Difference:
    """Pure. Too much is what somebody installed on purpose, is no part of every Debian, and is not on the allow-list."""
    have = {package.name for package in installed}
    extra = []
    if wish.allowed is not None:
        fine = wish.allowed | set(wish.required) | automatic
        extra = [package.name for package in installed if not package.base and package.name not in fine]
    return Difference(
        [name for name in wish.required if name not in have], extra, [name for name in wish.blocked if name in have]
    )


def look(root: Root, wish: Wish) -> Difference | None:
    """The difference on this machine; None where dpkg keeps no record."""
    installed = dpkg.installed(root)
    return None if installed is None else compare(wish, installed, dpkg.automatic(root))


def settle(difference: Difference) -> str:
    """Installs what is missing and removes what is blocked. Returns what went wrong; empty when nothing did.

    Only for the running machine, as root. What is too much is reported and stays: somebody may need it.
    """
    if os.geteuid() != 0:
        return "installing needs root"
    trouble = []
    for verb, names in (("install", difference.missing), ("remove", difference.blocked)):
        if names:
            # Played through first: a name that nobody has, or that breaks another package, changes nothing.
            for simulated in (["-s"], []):
                outcome = programs.run([*_APT, *simulated, verb, "--", *names], timeout=APT_SECONDS, environment=_QUIET)
                if not outcome.good:
                    trouble.append(f"apt-get {' '.join([*simulated, verb])}: {outcome.text[-300:]}")
                    break
    return "; ".join(trouble)


class Round(NamedTuple):
    """What one look at all resources of packages came to. ``states``: specification, state and detail by resource."""

    states: dict[str, tuple[str, str, str]]
    difference: Difference
    installed: bool


def bring_about(
    root: Root, resources: list[dict[str, Any]], known: Mapping[str, ResourceRecord], now: int, *, insist: bool
) -> Round:
    """Looks, and on a real machine installs and removes. What failed rests for a while, unless it is insisted on."""
    states: dict[str, tuple[str, str, str]] = {}
    total = Difference([], [], [])
    installed = False
    for resource in resources:
        spec = spec_of(resource)
        try:
            wish = read_wish(resource)
        except UnfitError as why:
            states[resource["id"]] = (spec, "unsupported", str(why))
            continue
        found = look(root, wish)
        if found is None:
            states[resource["id"]] = (spec, "unsupported", "dpkg keeps no record here.")
            continue
        record = known.get(resource["id"])
        resting = record is not None and record["spec"] == spec and now < record["at"] + RETRY_SECONDS
        trouble = ""
        if root.real and (found.missing or found.blocked) and (insist or not resting):
            trouble, before = settle(found), found.missing
            found = look(root, wish) or found
            installed = installed or found.missing != before
        elif resting and record is not None and record["state"] == "failed":
            trouble = record["detail"]
        states[resource["id"]] = (spec, *_state(found, trouble))
        for mine, theirs in zip(total, found, strict=True):
            mine.extend(name for name in theirs if name not in mine)
    return Round(states, Difference(*(sorted(names) for names in total)), installed)


def _state(found: Difference, trouble: str) -> tuple[str, str]:
    if not (found.missing or found.blocked):
        return "applied", ""
    if trouble:
        return "failed", trouble
    parts = [f"missing: {', '.join(found.missing[:20])}"] if found.missing else []
    parts += [f"to be removed: {', '.join(found.blocked[:20])}"] if found.blocked else []
    return "pending", "; ".join(parts)
