"""Before settings are saved: what each platform of the fleet cannot do, does otherwise, or would do to people. Nothing is dropped
in silence: what a platform makes nothing of is here with the reason."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from mdm.inventory.model import Device
from mdm.platforms.port import Foreseen
from mdm.platforms.service import INTERPRETERS
from mdm.policies import catalogue
from mdm.policies.catalogue.editor import PLATFORM_NAMES
from mdm.policies.catalogue.keys import Setting, Version, version_of
from mdm.policies.merge import for_platform
from mdm.policies.placing import in_use
from mdm.policies.wording import say
from mdm.storage.call import Call

Fleet = Mapping[str, Mapping[Version, int]]
"""By platform: how many devices have which version of the system; () where it is not known."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One thing to know about a setting on a platform. ``code`` is stable: platform, version, supervised, city, checked, silent,
    none. ``note`` says what to use in its place, where there is something. ``devices``: how many of the fleet it is about."""

    platform: str
    name: str
    key: str
    label: str
    code: str
    text: str
    note: str = ""
    devices: int = 0

    @property
    def lost(self) -> bool:
        """Whether some device gets nothing of the setting, however it is kept."""
        return self.code in ("none", "platform", "silent", "version")


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to know. ``foreseen`` holds the platform beside each thing; its sentences are not yet translated."""

    limits: tuple[Limit, ...] = ()
    foreseen: tuple[tuple[str, Foreseen], ...] = ()


def before_saving(call: Call, settings: Mapping[str, Any], platforms: Iterable[str] = ()) -> Told:
    """What to know of these settings, as they are (secrets may be masked), on the platforms of devices in use.

    ``platforms`` names others in their place; without a device at all every platform is told of.
    """
    fleet = _fleet(call)
    chosen = tuple(platforms) or tuple(name for name in PLATFORM_NAMES if name in fleet) or tuple(PLATFORM_NAMES)
    known = {key: value for key, value in settings.items() if catalogue.find(key) is not None}
    limits: list[Limit] = []
    foreseen: list[tuple[str, Foreseen]] = []
    for platform in chosen:
        here = _here(known, platform)
        interpreter = INTERPRETERS.get(platform)
        resources = interpreter.render(here, ()) if interpreter else []
        if interpreter is not None:
            foreseen += [(PLATFORM_NAMES[platform], one) for one in interpreter.foresee(resources)]
        realised = {key for resource in resources for key in resource["keys"]}
        for key in catalogue.known():
            if key in known:
                versions = fleet.get(platform, {})
                limits += _limits(key, here, platform, realised, resources, versions, call.actor.language)
    return Told(tuple(limits), tuple(foreseen))


def _fleet(call: Call) -> dict[str, dict[Version, int]]:
    rows = call.session.execute(
        select(Device.platform, Device.os_version, func.count())
        .where(in_use())
        .group_by(Device.platform, Device.os_version)
    )
    found: dict[str, dict[Version, int]] = {}
    for platform, version, count in rows:
        versions = found.setdefault(platform, {})
        versions[version_of(version)] = versions.get(version_of(version), 0) + count
    return found


def _here(settings: Mapping[str, Any], platform: str) -> dict[str, Any]:
    """The settings that are for this platform, as its interpreter is given them."""
    found = {}
    for key, value in settings.items():
        setting = catalogue.known()[key]
        mine = for_platform(setting, value, platform)
        if platform in setting.platforms and mine != []:
            found[key] = mine
    return found


def _limits(
    key: str,
    here: Mapping[str, Any],
    platform: str,
    realised: set[str],
    resources: Iterable[Mapping[str, Any]],
    versions: Mapping[Version, int],
    language: str,
) -> Iterator[Limit]:
    setting = catalogue.known()[key]
    support, interpreter = setting.platforms.get(platform), INTERPRETERS.get(platform)
    name, everybody = PLATFORM_NAMES[platform], sum(versions.values())
    note = setting.notes[platform].to(language) if platform in setting.notes else ""

    def limit(code: str, devices: int = everybody, **params: str) -> Limit:
        text = say("limit", code, language, platform=name, **params)
        return Limit(platform, name, key, setting.label.to(language), code, text, note, devices)

    if support is None:
        yield limit("platform")
        return
    if key not in here:
        # A list that names applications of other platforms only.
        return
    if support.checked and not (interpreter and interpreter.supports(key)):
        yield limit("checked")
        return
    if interpreter is None or not interpreter.supports(key):
        yield limit("none")
        return
    old = sum(count for version, count in versions.items() if version and version < support.min)
    if old:
        yield limit("version", old, min=".".join(map(str, support.min)))
    mine = [one for one in resources if key in one["keys"]]
    if key not in realised and _says_something(setting, here[key]):
        yield limit("silent")
    elif support.supervised or (mine and all(one.get("supervised") for one in mine)):
        yield limit("supervised")
    elif mine and all(one.get("city") for one in mine):
        yield limit("city")


def _says_something(setting: Setting, value: Any) -> bool:
    """Whether a value asks for something. A switch or a choice may ask for what is so anyway."""
    return not isinstance(value, bool) and not setting.spec.choices
