"""What has become of the desired state on a phone: put together from what it said of profiles and declarations."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from mdm.inventory.model import Device
from mdm.platforms.apple import asking, documents, facts
from mdm.platforms.apple.model import AppleDevice, AppleProfile
from mdm.platforms.apple.schema.table import Target
from mdm.policies.model import Cohort
from mdm.storage.call import Call


def tell(call: Call, apple: AppleDevice) -> None:
    """Writes the section ``desired`` of the phone's facts, so that settings and verdicts show what was applied."""
    device = call.session.get_one(Device, apple.device_id)
    cohort = call.session.get(Cohort, device.cohort_id) if device.cohort_id is not None else None
    if cohort is None or apple.reconciled != cohort.desired_digest:
        return
    rows = call.session.scalars(select(AppleProfile).where(AppleProfile.device_id == apple.device_id))
    known = {row.resource: row for row in rows}
    target = asking.target(device, apple)
    resources = {}
    for resource in cohort.desired.get("resources", []):
        if documents.fulfilled(resource, target):
            resources[resource["id"]] = {"state": "applied", "detail": ""}
        elif not documents.fits(resource, target):
            resources[resource["id"]] = not_for_it(resource, target)
        elif resource["kind"] in (documents.PROFILE, documents.SETTINGS):
            resources[resource["id"]] = profile_state(known.get(resource["id"]))
        else:
            resources[resource["id"]] = declaration_state(apple, resource)
    alike = _without_alternatives(cohort.desired.get("resources", []), resources)
    facts.take(call, device, {"desired": {"digest": cohort.desired_digest, "resources": alike}})


def _without_alternatives(
    wanted: list[dict[str, Any]], states: Mapping[str, dict[str, str]]
) -> dict[str, dict[str, str]]:
    """Of several ways to say the same to different systems, only the one that the phone got counts."""
    said = {key for one in wanted if states[one["id"]]["state"] != "unsupported" for key in one["keys"]}
    return {
        one["id"]: {"state": "applied", "detail": ""}
        if states[one["id"]]["state"] == "unsupported" and one["keys"] and set(one["keys"]) <= said
        else states[one["id"]]
        for one in wanted
    }


def not_for_it(resource: Mapping[str, Any], target: Target) -> dict[str, str]:
    """State and detail of what a phone does not get: not possible there, or not known yet whether it is."""
    unsaid = target.supervised is None and resource.get("supervised") and not target.user_enrollment
    if unsaid and documents.fits(resource, replace(target, supervised=True)):
        return {"state": "pending", "detail": ""}
    return {"state": "unsupported", "detail": reason(resource, target.supervised)}


def reason(resource: Mapping[str, Any], supervised: bool | None) -> str:
    """Why a phone does not get a resource, in words."""
    if resource.get("supervised") and not supervised:
        return "only on supervised devices"
    if resource.get("city"):
        return "not on private devices"
    return "not for this version of the system"


def profile_state(row: AppleProfile | None) -> dict[str, str]:
    """State and detail of a profile."""
    if row is not None and row.wanted is not None and row.wanted == row.installed:
        return {"state": "applied", "detail": ""}
    if row is not None and row.wanted is not None and row.wanted == row.failed:
        return {"state": "failed", "detail": row.detail[:300]}
    return {"state": "pending", "detail": ""}


def declaration_state(apple: AppleDevice, resource: Mapping[str, Any]) -> dict[str, str]:
    """State and detail of a declaration: what the phone said of exactly this content."""
    (wanted,) = documents.declarations([resource])
    said = apple.declared.get(wanted["identifier"])
    if not isinstance(said, dict) or said.get("token") != wanted["token"]:
        return {"state": "pending", "detail": ""}
    if said.get("valid") == "invalid":
        return {"state": "failed", "detail": "; ".join(said.get("reasons", []))[:300]}
    if said.get("valid") == "valid" and (said.get("active") or resource["declares"] == "asset"):
        return {"state": "applied", "detail": ""}
    return {"state": "pending", "detail": ""}
