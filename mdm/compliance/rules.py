"""Every rule that can be in force, as data: its words, its parameters, its grace. What each one checks is in
``evaluate.py`` under the same id."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mdm.core.errors import N_, InvalidError, NotFoundError
from mdm.core.text import clean
from mdm.inventory.model import DeviceKind, Platform

MAX_GRACE_HOURS = 24 * 90
PLATFORMS = tuple(platform.value for platform in Platform)
KINDS = tuple(kind.value for kind in DeviceKind)


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a rule: a whole number in a range, or a list of systems with their least versions."""

    name: str
    label: str
    type: str
    """``number``, ``versions`` ("debian 12, ubuntu 22.04") or ``kinds`` (kinds of devices; empty: all)."""
    default: Any
    low: int = 0
    high: int = 0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in plain words. ``mend`` tells the person who has the device what to do; it is filled from a finding."""

    id: str
    label: str
    help: str
    mend: str
    params: tuple[Param, ...] = ()
    grace_hours: int = 24
    platforms: tuple[str, ...] = field(default=PLATFORMS)

    def judged_on(self, chosen: str) -> tuple[str, ...]:
        """The platforms of which it says something, where it is in force for ``chosen`` alone; empty means every platform."""
        if chosen:
            return (chosen,)
        return () if self.platforms == PLATFORMS else self.platforms


_KINDS = Param("kinds", N_("Only for"), "kinds", [])


def _days(default: int) -> Param:
    return Param("days", N_("Days"), "number", default, 1, 365, N_("days"))


RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule(
            "os_minimum",
            N_("Operating system is recent enough"),
            N_("The device runs at least the version that is listed for its system."),
            N_("Update %(os)s from %(version)s to at least %(minimum)s."),
            (Param("minimum", N_("Least versions"), "versions", "debian 12, ubuntu 22.04, android 13, ios 16"), _KINDS),
            grace_hours=14 * 24,
        ),
        Rule(
            "encryption",
            N_("Storage is encrypted"),
            N_("Whoever finds the device cannot read what is on it."),
            N_(
                "Bring the device to a service point: its storage must be encrypted, and that means installing it anew."
            ),
            (_KINDS,),
            grace_hours=7 * 24,
        ),
        Rule(
            "screen_lock",
            N_("Screen locks by itself"),
            N_("The screen asks for a password after a few minutes without use."),
            N_("Switch on the screen lock, and let it lock after at most %(minutes)s minutes."),
            (
                Param("minutes", N_("Minutes"), "number", 10, 1, 120, N_("minutes")),
                Param("kinds", N_("Only for"), "kinds", ["laptop", "phone", "tablet"]),
            ),
            grace_hours=24,
        ),
        Rule(
            "apps_allowed",
            N_("Only allowed applications"),
            N_("Where a policy lists what is allowed, nothing else is installed."),
            N_("Remove these applications, or ask for them to be allowed: %(names)s."),
            (_KINDS,),
            grace_hours=3 * 24,
        ),
        Rule(
            "apps_blocked",
            N_("No blocked application"),
            N_("Nothing is installed that a policy blocks."),
            N_("Remove these applications: %(names)s."),
            (_KINDS,),
            grace_hours=24,
        ),
        Rule(
            "apps_required",
            N_("Required applications are there"),
            N_("Everything is installed that a policy requires."),
            N_("Leave the device switched on and connected until these are installed: %(names)s."),
            (_KINDS,),
            grace_hours=24,
        ),
        Rule(
            "last_seen",
            N_("Seen lately"),
            N_("The device, while somebody has it, has spoken to us within so many days."),
            N_("Switch the device on and connect it to a network; it was last seen on %(seen)s."),
            (_days(14), _KINDS),
            grace_hours=0,
        ),
        Rule(
            "agent_untouched",
            N_("Settings are untouched"),
            N_("What the agent wrote was changed by nobody else."),
            N_(
                "Somebody changed what is managed: %(names)s. Ask who did; the agent puts it right at its next check-in."
            ),
            (_KINDS,),
            grace_hours=0,
            # Phones hold to what they were given; none of them has an agent of ours that could say otherwise.
            platforms=(Platform.LINUX.value,),
        ),
        Rule(
            "desired_applied",
            N_("Settings are applied"),
            N_("The device has applied every setting that it should have."),
            N_("Leave the device switched on and connected; if it stays like this, look at: %(names)s."),
            (_KINDS,),
            grace_hours=24,
        ),
        Rule(
            "security_updates",
            N_("Security updates are installed"),
            N_("No security update waits on a device that has installed nothing for so many days."),
            N_("Install the %(pending)s security updates that wait, and restart the device."),
            (_days(14), _KINDS),
            grace_hours=3 * 24,
            # iOS tells no updates that wait: there the least version says what is recent enough.
            platforms=(Platform.LINUX.value, Platform.ANDROID.value),
        ),
        Rule(
            "firewall",
            N_("Firewall is on"),
            N_("The device answers nobody on the network without need."),
            N_("Switch the firewall on."),
            (_KINDS,),
            grace_hours=3 * 24,
            platforms=(Platform.LINUX.value,),
        ),
        Rule(
            "kiosk_browser",
            N_("Kiosk shows its page"),
            N_("The browser of a kiosk runs and answers, or is being started anew."),
            N_("Go to the kiosk: its browser was started anew several times and does not stay up (%(state)s)."),
            grace_hours=0,
            platforms=(Platform.LINUX.value,),
        ),
        Rule(
            "kiosk_paper",
            N_("Kiosk has paper"),
            N_("The printer of a kiosk does not say that its paper is gone."),
            N_("Put paper into the printer of the kiosk."),
            grace_hours=0,
            platforms=(Platform.LINUX.value,),
        ),
        Rule(
            "kiosk_printer",
            N_("Kiosk can print"),
            N_("The printer of a kiosk answers, and has not stopped."),
            N_("Look at the printer of the kiosk: %(problem)s."),
            grace_hours=0,
            platforms=(Platform.LINUX.value,),
        ),
        Rule(
            "kiosk_warmth",
            N_("Kiosk is not too hot"),
            N_("The warmest part of a kiosk stays below so many degrees."),
            N_("Look at the fan and the air around the kiosk: it is %(degrees)s °C warm inside."),
            (Param("degrees", N_("Degrees"), "number", 85, 40, 120, N_("°C")),),
            grace_hours=0,
            platforms=(Platform.LINUX.value,),
        ),
        Rule(
            "disk_room",
            N_("Room on the disk"),
            N_("Every disk has at least so much of its room free."),
            N_("Make room on the device: %(names)s is almost full."),
            (
                Param("percent", N_("Per cent"), "number", 5, 1, 50, N_("per cent")),
                Param("kinds", N_("Only for"), "kinds", ["kiosk"]),
            ),
            grace_hours=0,
            platforms=(Platform.LINUX.value,),
        ),
    )
}
"""By id. A rule that is taken out of here is ignored where it is in force."""


def rule(rule_id: str) -> Rule:
    """The rule with this id; raises NotFoundError."""
    if rule_id not in RULES:
        raise NotFoundError(N_("There is no rule with this name."))
    return RULES[rule_id]


def defaults(found: Rule) -> dict[str, Any]:
    """The parameters that a rule starts with."""
    return {param.name: param.default for param in found.params}


def checked(found: Rule, given: Mapping[str, object]) -> dict[str, Any]:
    """The parameters, every one of them, in their types; what is not given has its default.

    Raises InvalidError that names each parameter that is unknown, out of range or unreadable.
    """
    kept: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name in given.keys() - {param.name for param in found.params}:
        wrong[clean(name, 64)] = N_("This rule has no such parameter.")
    for param in found.params:
        value = given.get(param.name, param.default)
        try:
            kept[param.name] = _typed(param, value)
        except ValueError as error:
            wrong[param.name] = str(error)
    if wrong:
        raise InvalidError(N_("The rule was not saved: correct the fields that are marked."), fields=wrong)
    return kept


def _typed(param: Param, value: object) -> object:
    if param.type == "number":
        return _number(param, value)
    if param.type == "kinds":
        kinds = [value] if isinstance(value, str) else value
        if not isinstance(kinds, list | tuple) or any(kind not in KINDS for kind in kinds):
            raise ValueError(N_("Choose from phone, tablet, laptop and kiosk."))
        return [kind for kind in KINDS if kind in kinds]
    text = clean(value, 500)
    versions(text)
    return text


def _number(param: Param, value: object) -> int:
    try:
        number = int(str(value))
    except ValueError:
        raise ValueError(N_("Write a whole number.")) from None
    if not param.low <= number <= param.high:
        raise ValueError(f"From {param.low} to {param.high}.")
    return number


def versions(text: str) -> dict[str, tuple[int, ...]]:
    """``"debian 12, ubuntu 22.04"`` as least versions by system. Raises ValueError that says what cannot be read."""
    found: dict[str, tuple[int, ...]] = {}
    for entry in text.replace(";", ",").split(","):
        words = entry.split()
        if not words:
            continue
        number = version(words[-1])
        if len(words) < 2 or number is None:
            raise ValueError(N_("Write systems with their least versions, such as: debian 12, ubuntu 22.04."))
        found[" ".join(words[:-1]).casefold()] = number
    if not found:
        raise ValueError(N_("Write systems with their least versions, such as: debian 12, ubuntu 22.04."))
    return found


def version(text: str) -> tuple[int, ...] | None:
    """The leading numbers of a version, ``"22.04.3 LTS"`` as (22, 4, 3); None where it begins with no number."""
    numbers: list[int] = []
    for part in text.strip().split(".")[:6]:
        digits = ""
        for character in part:
            if not character.isascii() or not character.isdigit():
                break
            digits += character
        if not digits or len(digits) > 9:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers) or None
