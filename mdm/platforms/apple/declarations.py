"""Sets of declarations and their tokens, as pure functions: the same content always has the same token, nothing else counts."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from agent.wire import canonical
from mdm.core.clock import iso
from mdm.platforms.apple.model import AppleSet

ACTIVATION: Final = "activation"
ASSET: Final = "asset"
CONFIGURATION: Final = "configuration"
MANAGEMENT: Final = "management"
MANIFEST: Final = {
    ACTIVATION: "Activations",
    ASSET: "Assets",
    CONFIGURATION: "Configurations",
    MANAGEMENT: "Management",
}
PREFIX: Final = "havenmeester."
SUBSCRIPTIONS: Final = "com.apple.configuration.management.status-subscriptions"
FIRST_ITEMS: Final = (
    "device.identifier.serial-number",
    "device.identifier.udid",
    "device.model.family",
    "device.model.identifier",
    "device.model.marketing-name",
    "device.operating-system.build-version",
    "device.operating-system.family",
    "device.operating-system.marketing-name",
    "device.operating-system.version",
    "management.client-capabilities",
    "management.declarations",
)
"""What is asked for before the phone has said what it can tell."""
Declaration = dict[str, Any]


def declaration(kind: str, identifier: str, type_: str, payload: Mapping[str, Any]) -> Declaration:
    """One declaration with its token, which is made of its whole content and of nothing else."""
    whole = {"Type": type_, "Identifier": identifier, "Payload": dict(payload)}
    token = hashlib.sha256(canonical(whole)).hexdigest()
    return {"kind": kind, "identifier": identifier, "type": type_, "payload": dict(payload), "token": token}


def compose(
    wanted: Sequence[Declaration], organisation: str, capabilities: Iterable[str] | None, *, user_enrollment: bool
) -> list[Declaration]:
    """Everything that one phone is told: what it shall have, what it shall report, and what switches it on."""
    items = sorted({one for one in capabilities if not one.startswith("test.")}) if capabilities else FIRST_ITEMS
    if user_enrollment:
        items = [one for one in items if not one.startswith("device.identifier.")]
    status = declaration(
        CONFIGURATION, PREFIX + "status", SUBSCRIPTIONS, {"StatusItems": [{"Name": name} for name in items]}
    )
    about = declaration(
        MANAGEMENT,
        PREFIX + "organisation",
        "com.apple.management.organization-info",
        {"Name": organisation},
    )
    found = [*wanted, status, about]
    configurations = sorted(one["identifier"] for one in found if one["kind"] == CONFIGURATION)
    switch = declaration(
        ACTIVATION, PREFIX + "activation", "com.apple.activation.simple", {"StandardConfigurations": configurations}
    )
    return sorted([*found, switch], key=lambda one: (one["kind"], one["identifier"]))


def set_token(declarations: Sequence[Declaration]) -> str:
    """The token of a whole set: 64 hexadecimal characters over its parts, sorted, each told apart from the next."""
    digest = hashlib.sha256()
    for one in sorted(declarations, key=lambda one: (one["kind"], one["identifier"])):
        for part in (one["kind"], one["identifier"], one["token"]):
            digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


def tokens(held: AppleSet) -> bytes:
    """What ``tokens`` answers."""
    return canonical({"SyncTokens": {"DeclarationsToken": held.token, "Timestamp": iso(held.created_at)}})


def items(held: AppleSet) -> bytes:
    """What ``declaration-items`` answers: every list is there, also an empty one."""
    lists: dict[str, list[dict[str, str]]] = {name: [] for name in MANIFEST.values()}
    for one in held.content:
        lists[MANIFEST[one["kind"]]].append({"Identifier": one["identifier"], "ServerToken": one["token"]})
    return canonical({"Declarations": lists, "DeclarationsToken": held.token})


def whole(held: AppleSet, kind: str, identifier: str) -> bytes | None:
    """One declaration of a set as it is served; None where the set has no such."""
    for one in held.content:
        if (one["kind"], one["identifier"]) == (kind, identifier):
            return canonical(
                {
                    "Type": one["type"],
                    "Identifier": one["identifier"],
                    "ServerToken": one["token"],
                    "Payload": one["payload"],
                }
            )
    return None
