"""An iPhone that is not there: it speaks Apple's protocol as a phone does, over whatever it is given to send with."""

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from mdm.platforms.apple import cms, plist
from mdm.platforms.apple.cms import PrivateKey

Answer = tuple[int, bytes]
Send = Callable[[str, bytes, Mapping[str, str]], Answer]
"""Sends a body with PUT to a path and gives status and body."""

LOCKED: Final = frozenset(
    {"InstallProfile", "InstallApplication", "CertificateList", "SecurityInfo", "InstallProvisioningProfile"}
)
"""What a locked phone puts off."""
UPDATE: Final = "com.apple.configuration.softwareupdate.enforcement.specific"
CHECKIN_TYPE: Final = "application/x-apple-aspen-mdm-checkin"
SERVER_TYPE: Final = "application/x-apple-aspen-mdm; charset=UTF-8"
ITEMS: Final = (
    "device.identifier.serial-number",
    "device.identifier.udid",
    "device.model.family",
    "device.model.identifier",
    "device.operating-system.family",
    "device.operating-system.version",
    "device.power.battery-health",
    "management.client-capabilities",
    "management.declarations",
    "mdm.app",
    "passcode.is-compliant",
    "passcode.is-present",
    "softwareupdate.install-state",
    "softwareupdate.pending-version",
    "test.string-value",
)


@dataclass
class IPhone:
    """One phone with its identity, its behaviour, and what it was told so far."""

    send: Send
    checkin_path: str
    server_path: str
    topic: str
    key: PrivateKey | None = None
    certificate: x509.Certificate | None = None
    udid: str = field(default_factory=lambda: f"00008110-{secrets.token_hex(8).upper()}")
    serial: str = field(default_factory=lambda: secrets.token_hex(5).upper())
    name: str = "iPhone"
    product: str = "iPhone15,4"
    model: str = "iPhone 15"
    os_version: str = "18.1"
    supervised: bool = True
    user_enrollment: bool = False
    passcode: bool = True
    locked: bool = False
    awaiting: bool = False
    errors: dict[str, str] = field(default_factory=dict)
    """Request types that fail, with the reason."""
    applications: dict[str, str] = field(default_factory=lambda: {"be.antwerpen.app": "1.2", "com.apple.Pages": "14.1"})
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    declarations: dict[str, dict[str, Any]] = field(default_factory=dict)
    declarations_token: str = ""
    done: list[str] = field(default_factory=list)
    """Request types that it carried out, in order."""
    erased: bool = False
    lost: bool = False
    clock: Callable[[], datetime] | None = None
    header: bool = True
    """Whether it signs its messages; otherwise the certificate is shown by the connection."""

    @property
    def who(self) -> dict[str, Any]:
        """How it names itself in every message."""
        return {"EnrollmentID": self.udid} if self.user_enrollment else {"UDID": self.udid}

    def put(self, path: str, content: Mapping[str, Any], content_type: str) -> Answer:
        """One signed request."""
        body = plist.write(content)
        return self.send(path, body, {"Content-Type": content_type, **self.signed(body)})

    def signed(self, body: bytes) -> dict[str, str]:
        """The header with the signature over a body; none where the connection shows the certificate."""
        if not self.header or self.key is None or self.certificate is None:
            return {}
        at = self.clock() if self.clock is not None else None
        message = cms.sign(body, self.key, self.certificate, attached=False, at=at)
        return {"Mdm-Signature": base64.b64encode(message).decode()}

    def check_in(self, message_type: str, **more: Any) -> Answer:
        """One message of the check-in."""
        return self.put(self.checkin_path, {"MessageType": message_type, **self.who, **more}, CHECKIN_TYPE)

    def authenticate(self, **more: Any) -> Answer:
        """Says who it is."""
        known: dict[str, Any] = {
            "Topic": self.topic,
            "OSVersion": self.os_version,
            "BuildVersion": "22B83",
            "ProductName": self.product,
        }
        if not self.user_enrollment:
            known["SerialNumber"] = self.serial
        return self.check_in("Authenticate", **{**known, **more})

    def token_update(self, **more: Any) -> Answer:
        """Says how it is reached."""
        told: dict[str, Any] = {
            "Topic": self.topic,
            "Token": secrets.token_bytes(32),
            "PushMagic": secrets.token_hex(18).upper(),
            "AwaitingConfiguration": self.awaiting,
        }
        return self.check_in("TokenUpdate", **{**told, **more})

    def enroll(self) -> None:
        """Authenticate and the first TokenUpdate. Raises RuntimeError when one is refused."""
        for answer in (self.authenticate(), self.token_update()):
            if answer[0] != 200:
                raise RuntimeError(f"the enrollment was refused with {answer[0]}")

    def idle(self) -> Answer:
        """Asks for a command."""
        return self.put(self.server_path, {**self.who, "Status": "Idle"}, SERVER_TYPE)

    def report(self, uuid: str, status: str, **more: Any) -> Answer:
        """Answers a command; what comes back is the next one."""
        return self.put(self.server_path, {**self.who, "Status": status, "CommandUUID": uuid, **more}, SERVER_TYPE)

    def run(self, most: int = 100) -> int:
        """One whole connection: from idle to empty; how many commands it was given. Raises RuntimeError for a refusal."""
        status, body = self.idle()
        count = 0
        while status == 200 and body and count < most:
            count += 1
            given = plist.read(body)
            said, more = self.carry_out(given["Command"])
            status, body = self.report(str(given["CommandUUID"]), said, **more)
        if status != 200:
            raise RuntimeError(f"the connection was refused with {status}")
        return count

    def carry_out(self, command: Any) -> tuple[str, dict[str, Any]]:
        """Does what a command asks: the status and what is answered with it."""
        kind = str(command["RequestType"])
        if self.locked and kind in LOCKED:
            return "NotNow", {}
        if kind in self.errors:
            return "Error", {"ErrorChain": [_error(self.errors[kind])]}
        act = getattr(self, f"_do_{kind.lower()}", None)
        if act is None:
            return "Error", {"ErrorChain": [_error(f"{kind} is not known", 12021)]}
        found: dict[str, Any] = act(command) or {}
        self.done.append(kind)
        return "Acknowledged", found

    def _do_deviceinformation(self, command: Mapping[str, Any]) -> dict[str, Any]:
        known = {
            "UDID": self.udid,
            "DeviceName": self.name,
            "OSVersion": self.os_version,
            "BuildVersion": "22B83",
            "ModelName": self.model,
            "Model": "MTP43",
            "ProductName": self.product,
            "SerialNumber": self.serial,
            "DeviceCapacity": 128.0,
            "AvailableDeviceCapacity": 64.3,
            "BatteryLevel": 0.83,
            "IsSupervised": self.supervised,
            "TimeZone": "Europe/Brussels",
            "WiFiMAC": "aa:bb:cc:dd:ee:01",
            "IsMDMLostModeEnabled": self.lost,
            "AwaitingConfiguration": self.awaiting,
        }
        return {"QueryResponses": {name: known[name] for name in command["Queries"] if name in known}}

    def _do_securityinfo(self, _command: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "SecurityInfo": {
                "HardwareEncryptionCaps": 3,
                "PasscodePresent": self.passcode,
                "PasscodeCompliant": self.passcode,
                "PasscodeCompliantWithProfiles": self.passcode,
            }
        }

    def _do_installedapplicationlist(self, _command: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "InstalledApplicationList": [
                {"Identifier": name, "Name": name.rpartition(".")[2], "ShortVersion": version, "Version": version}
                for name, version in self.applications.items()
            ]
        }

    def _do_managedapplicationlist(self, _command: Mapping[str, Any]) -> dict[str, Any]:
        return {"ManagedApplicationList": {name: {"Status": "Managed"} for name in self.applications}}

    def _do_profilelist(self, _command: Mapping[str, Any]) -> dict[str, Any]:
        return {"ProfileList": list(self.profiles.values())}

    def _do_certificatelist(self, _command: Mapping[str, Any]) -> dict[str, Any]:
        if self.certificate is None:
            return {"CertificateList": []}
        data = self.certificate.public_bytes(Encoding.DER)
        return {"CertificateList": [{"CommonName": "Havenmeester", "IsIdentity": True, "Data": data}]}

    def _do_restrictions(self, _command: Mapping[str, Any]) -> dict[str, Any]:
        return {"GlobalRestrictions": {}, "ProfileRestrictions": {}}

    def _do_installprofile(self, command: Mapping[str, Any]) -> None:
        given: bytes = command["Payload"]
        signed = not given.lstrip().startswith(b"<")
        profile = plist.read(cms.verify(given).content or b"" if signed else given, plist.RESULT)
        identifier = str(profile["PayloadIdentifier"])
        self.profiles[identifier] = {
            "PayloadIdentifier": identifier,
            "PayloadUUID": profile["PayloadUUID"],
            "PayloadVersion": 1,
            "IsManaged": True,
            "PayloadContent": profile["PayloadContent"],
        }

    def _do_removeprofile(self, command: Mapping[str, Any]) -> None:
        self.profiles.pop(str(command["Identifier"]), None)

    def _do_installapplication(self, command: Mapping[str, Any]) -> dict[str, Any]:
        name = str(command.get("Identifier") or command.get("iTunesStoreID"))
        self.applications[name] = "1.0"
        return {"Identifier": name, "State": "Installing"}

    def _do_removeapplication(self, command: Mapping[str, Any]) -> None:
        self.applications.pop(str(command["Identifier"]), None)

    def _do_settings(self, command: Mapping[str, Any]) -> dict[str, Any]:
        for one in command["Settings"]:
            if one.get("Item") == "DeviceName":
                self.name = one["DeviceName"]
        return {"Settings": [{"Status": "Acknowledged"} for _ in command["Settings"]]}

    def _do_declarativemanagement(self, command: Mapping[str, Any]) -> None:
        told = json.loads(command["Data"])["SyncTokens"]["DeclarationsToken"] if "Data" in command else None
        if told is None or told != self.declarations_token:
            self.sync()

    def _do_devicelock(self, _command: Mapping[str, Any]) -> dict[str, Any]:
        self.locked = True
        return {"MessageResult": "Success"}

    def _do_clearpasscode(self, _command: Mapping[str, Any]) -> None:
        self.passcode = False

    def _do_enablelostmode(self, _command: Mapping[str, Any]) -> None:
        self.lost = True

    def _do_disablelostmode(self, _command: Mapping[str, Any]) -> None:
        self.lost = False

    def _do_playlostmodesound(self, _command: Mapping[str, Any]) -> None:
        return None

    def _do_devicelocation(self, _command: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "Latitude": 51.2194,
            "Longitude": 4.4025,
            "HorizontalAccuracy": 12.0,
            "Timestamp": "2026-11-22T00:00:00Z",
        }

    def _do_restartdevice(self, _command: Mapping[str, Any]) -> None:
        return None

    def _do_shutdowndevice(self, _command: Mapping[str, Any]) -> None:
        return None

    def _do_deviceconfigured(self, _command: Mapping[str, Any]) -> None:
        self.awaiting = False

    def _do_activationlockbypasscode(self, _command: Mapping[str, Any]) -> dict[str, Any]:
        return {"ActivationLockBypassCode": "AAAAA-BBBBB-CCCC-DDDD-EEEE-FFFF"}

    def _do_erasedevice(self, _command: Mapping[str, Any]) -> None:
        self.erased = True

    # Declarative management -----------------------------------------------------------------------------------------

    def declarative(self, endpoint: str, data: bytes | None = None) -> Answer:
        """One message of declarative management."""
        more = {} if data is None else {"Data": data}
        return self.check_in("DeclarativeManagement", Endpoint=endpoint, **more)

    def sync(self) -> None:
        """Fetches what changed and says what became of it. Raises RuntimeError when something is refused."""
        listed = self._asked("declaration-items")
        there = {}
        for kind, name in (
            ("configuration", "Configurations"),
            ("asset", "Assets"),
            ("management", "Management"),
            ("activation", "Activations"),
        ):
            for one in listed["Declarations"][name]:
                known = self.declarations.get(one["Identifier"])
                if known is None or known["ServerToken"] != one["ServerToken"]:
                    known = {**self._asked(f"declaration/{kind}/{one['Identifier']}"), "kind": kind}
                there[one["Identifier"]] = known
        self.declarations = there
        self.declarations_token = listed["DeclarationsToken"]
        self.tell()

    def _asked(self, endpoint: str) -> Any:
        status, body = self.declarative(endpoint)
        if status != 200:
            raise RuntimeError(f"{endpoint} was refused with {status}")
        return json.loads(body)

    def tell(self, **more: Any) -> Answer:
        """A status report: everything it was asked to report."""
        switched = {
            name
            for one in self.declarations.values()
            if one["kind"] == "activation"
            for name in one["Payload"]["StandardConfigurations"]
        }
        lists: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("activations", "assets", "configurations", "management")
        }
        for identifier, one in self.declarations.items():
            failed = self.errors.get(one["Type"])
            lists[one["kind"] + ("" if one["kind"] == "management" else "s")].append(
                {
                    "identifier": identifier,
                    "server-token": one["ServerToken"],
                    "active": failed is None and (one["kind"] != "configuration" or identifier in switched),
                    "valid": "invalid" if failed else "valid",
                    "reasons": [{"code": "Error.ConfigurationCannotBeApplied", "description": failed}]
                    if failed
                    else [],
                }
            )
        items = {
            "device": {
                "operating-system": {"family": "iOS", "version": self.os_version},
                "model": {"family": "iPhone", "identifier": self.product},
            },
            "passcode": {"is-present": self.passcode, "is-compliant": self.passcode},
            "management": {
                "client-capabilities": {"supported-payloads": {"status-items": list(ITEMS)}},
                "declarations": lists,
            },
        }
        target = self._update_asked()
        items["softwareupdate"] = {
            "install-state": "prepared" if target else "none",
            "pending-version": {"os-version": target, "build-version": "22E240" if target else ""},
        }
        report = {"StatusItems": items, "Errors": [], **more}
        return self.declarative("status", json.dumps(report).encode())

    def _update_asked(self) -> str:
        """The version that it was told to have by some day and has not; "" where there is none."""
        for one in self.declarations.values():
            if one["Type"] == UPDATE and one["Payload"]["TargetOSVersion"] != self.os_version:
                return str(one["Payload"]["TargetOSVersion"])
        return ""

    def install_update(self) -> None:
        """The day has come: it installs what it was told to, and says so."""
        self.os_version = self._update_asked() or self.os_version
        self.tell()


def _error(text: str, code: int = 12000) -> dict[str, Any]:
    return {
        "ErrorCode": code,
        "ErrorDomain": "MCMDMErrorDomain",
        "LocalizedDescription": text,
        "USEnglishDescription": text,
    }
