"""Updates of the system: by declaration only, because the commands for them are gone."""

from collections.abc import Mapping
from typing import Any

from mdm.platforms.apple.render.parts import Part, Resources, Settings, configuration

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


PARTS = (Part(("updates.auto",), _updates),)
