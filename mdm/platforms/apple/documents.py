"""From the resources of a desired state to what one phone gets: profiles and declarations. Pure.

A resource is what the interpreter makes for a whole cohort; which of them a phone gets depends on its system, on
supervision and on the kind of its enrollment, which may differ within one cohort.

    id, keys              as for every platform
    kind                  declaration or profile
    from, before          the first system version it is for, and the first it is no longer for
    fulfilled             the system version that has done it: from it on there is nothing left to say
    supervised            only for supervised devices
    city                  not for private phones
    declares, type, payload   of a declaration
    name, payloads        of a profile; ``{"$data": BASE64}`` stands for bytes
    raw, identifier       a whole profile that was uploaded, in Base64
    items                 of the kind settings: what is set by a command
"""

import base64
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.wire import canonical, digest, short_digest
from mdm.platforms.apple import plist
from mdm.platforms.apple.declarations import PREFIX, Declaration, declaration
from mdm.platforms.apple.schema.table import Target, version

Resource = Mapping[str, Any]
PROFILE: Final = "profile"
DECLARATION: Final = "declaration"
SETTINGS: Final = "settings"
_NAMESPACE: Final = uuid.UUID("5f0a3c1e-8f0f-5a53-9a6e-2f6c1f3d7b10")


@dataclass(frozen=True, slots=True)
class Profile:
    """What one phone gets by a command: a profile, or settings. ``digest`` changes when, and only when, its content does."""

    identifier: str
    digest: str
    content: bytes
    resource: str
    items: tuple[Mapping[str, Any], ...] = ()
    """Settings in the place of a profile."""

    @property
    def command(self) -> tuple[str, dict[str, Any]]:
        """The command that brings it."""
        if self.items:
            return "Settings", {"Settings": [dict(one) for one in self.items]}
        return "InstallProfile", {"Payload": self.content}


def fits(resource: Resource, target: Target) -> bool:
    """Whether the phone gets this resource. What is not known of the phone excludes nothing but what needs supervision."""
    here = target.version
    least, most = version(resource.get("from")), version(resource.get("before"))
    if here is not None and ((least and here < least) or (most and here >= most)):
        return False
    if fulfilled(resource, target):
        return False
    if here is None and least is not None:
        return False
    if resource.get("supervised") and not target.supervised:
        return False
    return not (resource.get("city") and target.user_enrollment)


def fulfilled(resource: Resource, target: Target) -> bool:
    """Whether the phone's system has done by itself what the resource asks for."""
    done = version(resource.get("fulfilled"))
    return done is not None and target.version is not None and target.version >= done


def chosen(resources: Iterable[Resource], target: Target) -> list[Resource]:
    """The resources that this phone gets, in their order."""
    return [one for one in resources if fits(one, target)]


def declarations(resources: Iterable[Resource]) -> list[Declaration]:
    """The declarations among these resources."""
    return [
        declaration(one["declares"], PREFIX + one["id"], one["type"], one["payload"])
        for one in resources
        if one["kind"] == DECLARATION
    ]


def profiles(resources: Iterable[Resource], organisation: str) -> list[Profile]:
    """The profiles among these resources, and what is set by a command like one."""
    return [
        _settings(one) if one["kind"] == SETTINGS else _profile(one, organisation)
        for one in resources
        if one["kind"] in (PROFILE, SETTINGS)
    ]


def _settings(resource: Resource) -> Profile:
    items = tuple(resource["items"])
    return Profile(identifier_of(resource), short_digest(items), b"", resource["id"], items)


def identifier_of(resource: Resource) -> str:
    """The identifier under which a phone knows this resource, be it a profile or a declaration."""
    return PREFIX + str(resource["id"])


def _profile(resource: Resource, organisation: str) -> Profile:
    content = {key: resource[key] for key in ("name", "payloads", "raw") if key in resource}
    mark = short_digest([content, organisation])
    identifier = identifier_of(resource)
    if "raw" in resource:
        return Profile(str(resource["identifier"]), mark, base64.b64decode(resource["raw"]), resource["id"])
    payloads = [
        _payload(payload, f"{identifier}.{number}") for number, payload in enumerate(resource["payloads"], start=1)
    ]
    document = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": _uuid(identifier, [content, organisation]),
        "PayloadDisplayName": resource["name"],
        "PayloadOrganization": organisation,
        "PayloadContent": payloads,
    }
    return Profile(identifier, mark, plist.write(document), resource["id"])


def _payload(payload: Mapping[str, Any], identifier: str) -> dict[str, Any]:
    return {
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": payload.get("PayloadUUID") or payload_uuid(identifier, payload),
        **{key: _bytes(value) for key, value in payload.items() if key != "PayloadUUID"},
    }


def payload_uuid(identifier: str, payload: Mapping[str, Any]) -> str:
    """A payload's UUID: the same as long as its content is."""
    return _uuid(identifier, payload)


def _uuid(identifier: str, content: object) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{identifier} {digest(content)}")).upper()


def stable_uuid(name: str) -> str:
    """A UUID that depends on a name alone: for payloads that others refer to."""
    return str(uuid.uuid5(_NAMESPACE, name)).upper()


def _bytes(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"$data"}:
            return base64.b64decode(value["$data"])
        return {key: _bytes(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_bytes(one) for one in value]
    return value


def data(content: bytes) -> dict[str, str]:
    """Bytes as they stand in a resource."""
    return {"$data": base64.b64encode(content).decode()}


def size(resources: Iterable[Resource]) -> int:
    """Bytes of these resources as they are stored."""
    return len(canonical(list(resources)))
