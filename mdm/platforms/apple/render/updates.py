"""Updates of the system: by declaration only, because the commands for them are gone."""

from collections.abc import Mapping
from typing import Any

from mdm.platforms.apple.render.parts import Part, Resources, Settings, configuration
from mdm.platforms.linux.escape import slug

AT_NIGHT = "02:00"
"""When nobody says at what time of the day: people find the phone updated in the morning."""

_ACTIONS: Mapping[str, Mapping[str, Any]] = {
    "off": {"AutomaticActions": {"Download": "AlwaysOff", "InstallOSUpdates": "AlwaysOff"}},
    "security": {
        "AutomaticActions": {"Download": "AlwaysOn", "InstallOSUpdates": "Allowed"},
        "RapidSecurityResponse": {"Enable": True},
    },
    "all": {
        "AutomaticActions": {"Download": "AlwaysOn", "InstallOSUpdates": "AlwaysOn"},
        "RapidSecurityResponse": {"Enable": True},
    },
}


def _updates(settings: Settings) -> Resources:
    if settings.get("updates.auto") not in _ACTIONS:
        return []
    payload = _ACTIONS[settings["updates.auto"]]
    limits = {"supervised": True, "city": True, "from": "18.0"}
    return [
        configuration("updates", ["updates.auto"], "com.apple.configuration.softwareupdate.settings", payload, **limits)
    ]


def _versions(settings: Settings) -> Resources:
    """By a day: each version is one declaration, and a phone that has it, or a later one, is not told of it."""
    return [
        configuration(
            f"updates.{slug(one['version'])}",
            ["updates.versions"],
            "com.apple.configuration.softwareupdate.enforcement.specific",
            _by_a_day(one),
            supervised=True,
            city=True,
            fulfilled=one["version"],
            **{"from": "17.0"},
        )
        for one in settings.get("updates.versions", [])
    ]


def _by_a_day(record: Mapping[str, Any]) -> dict[str, Any]:
    payload = {
        "TargetOSVersion": record["version"],
        "TargetLocalDateTime": f"{record['day']}T{record.get('time', AT_NIGHT)}:00",
    }
    return {**payload, "DetailsURL": record["details"]} if "details" in record else payload


PARTS = (Part(("updates.auto",), _updates), Part(("updates.versions",), _versions))
