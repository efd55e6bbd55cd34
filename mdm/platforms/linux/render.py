"""The interpreter for Linux: from settings to the resources of the wire protocol. Pure; the agent does the rest."""

from collections.abc import Mapping, Sequence
from typing import Any

from mdm.platforms.linux import (
    browser,
    desktop,
    dot1x,
    kiosk,
    kiosk_health,
    network,
    packages,
    panic,
    printing,
    system,
    updates,
    usb,
)
from mdm.platforms.linux.escape import slug
from mdm.platforms.linux.parts import Part
from mdm.platforms.port import Foreseen

PARTS: tuple[Part, ...] = (
    *system.PARTS,
    *updates.PARTS,
    *packages.PARTS,
    *network.PARTS,
    *dot1x.PARTS,
    *desktop.PARTS,
    *printing.PARTS,
    *usb.PARTS,
    *browser.PARTS,
    *kiosk.PARTS,
    *kiosk_health.PARTS,
    *panic.PARTS,
)
SUPPORTED = frozenset(key for part in PARTS for key in part.keys)


class LinuxInterpreter:
    """The interpreter for devices that run our own agent."""

    platform = "linux"

    def supports(self, key: str) -> bool:
        """Whether some part makes something of the key."""
        return key in SUPPORTED

    def render(self, settings: Mapping[str, Any], payloads: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The resources in a fixed order, payloads last.

        The browser has one policy file: what payloads say for it is added, and the catalogue's settings win.
        """
        resources = [resource for part in PARTS for resource in part.render(settings)]
        for payload in payloads:
            content = payload["content"]
            if content["kind"] == "chromium":
                _add_browser_policy(resources, content["content"])
            else:
                resources.append({**content, "id": f"payload.{slug(payload['name'])}", "keys": []})
        return resources

    def foresee(self, resources: Sequence[Mapping[str, Any]]) -> list[Foreseen]:  # noqa: ARG002 -- as the port has it
        """Nothing: an agent tries every file before it counts, and goes back by itself."""
        return []


def _add_browser_policy(resources: list[dict[str, Any]], more: Mapping[str, Any]) -> None:
    found = next((one for one in resources if one["kind"] == "chromium"), None)
    if found is None:
        resources.append({"id": "browser.policy", "kind": "chromium", "keys": [], "content": dict(more)})
    else:
        found["content"] = {**more, **found["content"]}
