"""Phones that Google manages and that are not there: they enrol, take their policy, carry out commands, and report."""

import random
import secrets
from dataclasses import dataclass
from typing import Any, Final

from mdm.simulate.google_api import ApiError, GoogleApi, Json

MODELS: Final = (("Google", "Pixel 8a", "15"), ("Samsung", "SM-A566B", "16"), ("Fairphone", "FP5", "14"))
APPS: Final = {"com.android.chrome": "143.0.1", "com.android.vending": "47.2"}


@dataclass(slots=True)
class GooglePhone:
    """One phone. ``name`` is its name at Google; empty until it enrolled."""

    api: GoogleApi
    serial: str
    private: bool = False
    ownership: str = ""
    """What Google says of it in place of what fits."""
    passcode: bool = True
    name: str = ""

    @property
    def device(self) -> Json:
        """The resource at Google."""
        return self.api.devices[self.name]

    def enroll(self, value: str) -> str:
        """Scans a code; its name at Google. Raises ApiError for a token that is unknown, used or over."""
        api = self.api
        with api.lock:
            token = next((one for one in api.enrollment_tokens.values() if one["value"] == value), None)
            if token is None or token.get("used"):
                raise ApiError(400, "INVALID_ARGUMENT", "The enrolment token is not good.")
            if token["expirationTimestamp"] < api.stamp():
                raise ApiError(400, "INVALID_ARGUMENT", "The enrolment token is over.")
            enterprise = "/".join(token["name"].split("/")[:2])
            self.name = f"{enterprise}/devices/{secrets.token_hex(8)}"
            maker, model, android = random.Random(self.serial).choice(MODELS)  # noqa: S311 -- which phone it is
            hardware: Json = {"brand": maker, "manufacturer": maker, "model": model}
            hardware |= {"enterpriseSpecificId": self.serial} if self.private else {"serialNumber": self.serial}
            api.devices[self.name] = {
                "name": self.name,
                "managementMode": "PROFILE_OWNER" if self.private else "DEVICE_OWNER",
                "ownership": self.ownership or ("PERSONALLY_OWNED" if self.private else "COMPANY_OWNED"),
                "state": "ACTIVE",
                "appliedState": "ACTIVE",
                "enrollmentTime": api.stamp(),
                "enrollmentTokenName": token["name"],
                "enrollmentTokenData": token.get("additionalData", ""),
                "policyName": token["policyName"],
                "hardwareInfo": hardware,
                "softwareInfo": {"androidVersion": android, "securityPatchLevel": "2026-11-05"},
            }
            if token.get("oneTimeOnly"):
                token["used"] = True
            api.note("ENROLLMENT", self.device)
        self.report()
        return self.name

    def report(self) -> None:
        """Takes the policy that it has at Google now, and reports what that lets it report."""
        api = self.api
        with api.lock:
            device = self.device
            policy = api.policies[device["policyName"]]
            device |= {
                "appliedPolicyName": policy["name"],
                "appliedPolicyVersion": policy["version"],
                "lastStatusReportTime": api.stamp(),
                "lastPolicySyncTime": api.stamp(),
                "deviceSettings": {
                    "isDeviceSecure": self.passcode,
                    "encryptionStatus": "ACTIVE_PER_USER",
                    "adbEnabled": False,
                    "verifyAppsEnabled": True,
                },
                "securityPosture": {"devicePosture": "SECURE"},
                "memoryInfo": {"totalRam": "8000000000", "totalInternalStorage": "128000000000"},
                "applicationReports": _reports(policy),
                "nonComplianceDetails": self._failures(policy),
            }
            device["policyCompliant"] = not device["nonComplianceDetails"]
            api.note("STATUS_REPORT", device)

    def _failures(self, policy: Json) -> list[Json]:
        if "passwordPolicies" in policy and not self.passcode:
            return [{"settingName": "passwordPolicies", "nonComplianceReason": "USER_ACTION"}]
        return []

    def obey(self, error: str = "") -> list[str]:
        """Carries out every command that waits, or says why not; the types of those it did."""
        api = self.api
        done = []
        with api.lock:
            waiting = [
                one for name, one in api.operations.items() if name.startswith(f"{self.name}/") and not one["done"]
            ]
            for operation in waiting:
                operation["done"] = True
                if error:
                    operation["metadata"]["errorCode"] = error
                else:
                    operation["response"] = {}
                done.append(operation["metadata"]["type"])
                api.note("COMMAND", operation)
            if "WIPE" in done and not error:
                self.device.update(state="DELETED", appliedState="DELETED")
                api.note("STATUS_REPORT", self.device)
        return done

    def leave(self) -> None:
        """Its owner takes the work profile away."""
        with self.api.lock:
            self.device.update(state="DELETED", appliedState="DELETED")
            self.api.note("STATUS_REPORT", self.device)


def _reports(policy: Json) -> list[dict[str, Any]]:
    wanted = [
        one["packageName"]
        for one in policy.get("applications", ())
        if one.get("installType") in ("FORCE_INSTALLED", "REQUIRED_FOR_SETUP")
    ]
    return [
        {"packageName": name, "versionName": APPS.get(name, "1.0"), "versionCode": 1, "state": "INSTALLED"}
        for name in dict.fromkeys([*APPS, *wanted])
    ]
