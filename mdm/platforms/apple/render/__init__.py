"""The interpreter for iPhones and iPads: from settings to declarations, profiles and settings commands. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from mdm.platforms.apple import upload
from mdm.platforms.apple.foresee import foresee
from mdm.platforms.apple.render import accounts, home, network, passcode, reach, restrictions, screen, updates
from mdm.platforms.apple.render.parts import Part
from mdm.platforms.linux.escape import slug
from mdm.platforms.port import Foreseen

PARTS: tuple[Part, ...] = (
    *network.PARTS,
    *reach.PARTS,
    *passcode.PARTS,
    *screen.PARTS,
    *accounts.PARTS,
    *restrictions.PARTS,
    *home.PARTS,
    *updates.PARTS,
)
"""Networks first: whatever forbids may need them. The home screen after what it shows."""
SUPPORTED = frozenset(key for part in PARTS for key in part.keys)


class AppleInterpreter:
    """The interpreter for phones and tablets of Apple."""

    platform = "ios"

    def supports(self, key: str) -> bool:
        """Whether some part makes something of the key."""
        return key in SUPPORTED

    def render(self, settings: Mapping[str, Any], payloads: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The resources in a fixed order, uploaded profiles last."""
        resources = [resource for part in PARTS for resource in part.render(settings)]
        for payload in payloads:
            content = payload["content"]
            resources.append(
                {
                    "id": f"payload.{slug(payload['name'])}",
                    "kind": "profile",
                    "keys": [],
                    "name": payload["name"],
                    "identifier": upload.identifier(upload.raw(content)),
                    "raw": content[upload.FIELD],
                }
            )
        return resources

    def foresee(self, resources: Sequence[Mapping[str, Any]]) -> list[Foreseen]:
        """What Apple's facts say of them, and what locks people out."""
        return foresee(resources)
