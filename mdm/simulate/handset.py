"""A simulated Android phone with the free agent, by its wire: it knows the agent's addresses and signatures, and nothing of ours.

It does what the agent does: first start, report, configuration, doorbell, files; and it wipes itself when it is told to and
the server confirms. What the agent must never be told makes it stop with an error.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

SECRET = "changeme-C3z9vi54"  # noqa: S105 -- public: built into the vendor's agent
EXTRA = "android.app.extra.PROVISIONING_"
FORBIDDEN = ("runCommand", "newServerUrl", "newNumber", '"intent"', "mqtt")
Answer = tuple[int, Mapping[str, str], bytes]
Ask = Callable[[str, str, bytes, Mapping[str, str]], Answer]
"""Method, path, body and headers; status, headers by small letters, and body."""


class RefusedError(RuntimeError):
    """The server said that something is an error; the argument is its word for it."""


def signature(text: str, secret: str = SECRET) -> str:
    """As the agent signs."""
    return hashlib.sha1((secret + text).encode()).hexdigest().upper()  # noqa: S324 -- the agent's own word


@dataclass
class Handset:
    """One phone. ``code`` is the content of the QR code that sets it up."""

    ask: Ask
    code: str
    serial: str = ""
    imei: str = ""
    model: str = "Pixel 9"
    android: str = "16"
    number: str = ""
    configuration: dict[str, Any] = field(default_factory=dict)
    installed: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    preinstalled: tuple[str, ...] = ("com.android.settings",)
    passcode: str = ""
    restarts: int = 0
    wiped: bool = False
    kept: bool = False
    """A phone that says that it wipes itself and does not."""

    def __post_init__(self) -> None:
        extras = json.loads(self.code)
        bundle = extras[f"{EXTRA}ADMIN_EXTRAS_BUNDLE"]
        self.number = self.number or bundle["com.hmdm.DEVICE_ID"]
        self.location = extras.get(f"{EXTRA}DEVICE_ADMIN_PACKAGE_DOWNLOAD_LOCATION", "")
        self.checksum = extras.get(f"{EXTRA}DEVICE_ADMIN_SIGNATURE_CHECKSUM", "")

    def set_up(self) -> bytes:
        """What the set-up of a phone does: the agent is fetched. Its bytes."""
        status, _, content = self.ask("GET", urlsplit(self.location).path, b"", {})
        if status != 200:
            raise RefusedError(f"agent {status}")
        self.installed["com.hmdm.launcher"] = "6.36"
        return content

    def enroll(self) -> None:
        """The first start of the agent: configuration, report, and the configuration once more."""
        self.fetch(first=True)
        self.report()
        self.fetch()
        self.report()

    def fetch(self, *, first: bool = False) -> dict[str, Any]:
        """Fetches the configuration and does what it says."""
        path = f"/rest/public/sync/configuration/{quote(self.number, safe='')}"
        headers = {"X-Request-Signature": signature(self.number), "X-CPU-Arch": "arm64-v8a"}
        body = json.dumps({"customer": None, "configuration": None, "groups": [], "groupSet": []}).encode()
        data = self._data(self.ask("POST" if first else "GET", path, body if first else b"", headers))
        if not isinstance(data, dict) or data.get("pushOptions") != "polling":
            raise RefusedError("no configuration")
        self.configuration = data
        self._apply(data)
        return data

    def report(self) -> None:
        """Tells what the phone is."""
        self._data(self.ask("POST", "/rest/public/sync/info", json.dumps(self.info()).encode(), {}))

    def info(self) -> dict[str, Any]:
        """The report."""
        return {
            "deviceId": self.number,
            "model": self.model,
            "permissions": [1, 1, 1, 1],
            "applications": [{"name": pkg, "pkg": pkg, "version": one} for pkg, one in sorted(self.installed.items())],
            "files": [],
            "phone": "+32470000000",
            "imei": self.imei,
            "iccid": "8932000000000000000",
            "serial": self.serial,
            "cpu": "arm64-v8a",
            "mdmMode": True,
            "kioskMode": False,
            "batteryLevel": 71,
            "androidVersion": self.android,
            "location": {"ts": 1, "lat": 51.2, "lon": 4.4},
            "factoryReset": False,
        }

    def poll(self) -> list[str]:
        """One poll at the doorbell, held by the server; the kinds of what it said."""
        text = f"/rest/notification/polling/{quote(self.number, safe='')}"
        data = self._data(self.ask("GET", text, b"", {"X-Request-Signature": signature(text)}))
        return [one["messageType"] for one in data]

    def visit(self) -> None:
        """Fetches and reports, as after the doorbell."""
        self.fetch()
        if not self.wiped:
            self.report()

    def log(self, *lines: str) -> None:
        """Sends lines of the agent's log, where the server wants them."""
        rules = self._data(self.ask("GET", f"/rest/plugins/devicelog/log/rules/{self.number}", b"", {}))
        if rules:
            said = [
                {"timestamp": 1_790_000_000_000 + n, "logLevel": 1, "packageId": "com.hmdm.launcher", "message": line}
                for n, line in enumerate(lines)
            ]
            self._data(
                self.ask("POST", f"/rest/plugins/devicelog/log/list/{self.number}", json.dumps(said).encode(), {})
            )

    def _data(self, answer: Answer) -> Any:
        status, headers, body = answer
        if status != 200:
            raise RefusedError(f"status {status}")
        text = body.decode()
        content = json.loads(text)
        if content["status"] != "OK":
            raise RefusedError(str(content["message"]))
        # As the agent does it: the data is cut out of the text, so the order of the keys counts.
        data = text[text.index('"data":') + 7 : text.rindex("}")]
        if headers.get("x-response-signature") != signature(re.sub(r"[ \t\n\x0b\f\r]", "", data)):
            raise RefusedError("the answer is not signed")
        for word in FORBIDDEN:
            if word in text:
                raise AssertionError(f"the server said {word}")
        return content["data"]

    def _apply(self, data: Mapping[str, Any]) -> None:
        for one in data["applications"]:
            if one["type"] == "app" and one.get("remove"):
                self.installed.pop(one["pkg"], None)
            elif one["type"] == "app" and one.get("url") and self.installed.get(one["pkg"]) != one["version"]:
                self._file(one["url"])
                self.installed[one["pkg"]] = one["version"]
        for one in data["files"]:
            if one["remove"]:
                self.files.pop(one["path"], None)
            else:
                content = self._file(one["url"])
                if hashlib.md5(content, usedforsecurity=False).hexdigest() == one["checksum"]:
                    self.files[one["path"]] = content
        self._once(data)

    def _file(self, url: str) -> bytes:
        path = urlsplit(url).path
        status, _, content = self.ask(
            "GET", path, b"", {"X-Request-Signature": signature(path.removeprefix("/files/"))}
        )
        if status != 200:
            raise RefusedError(f"file {status}")
        return content

    def _once(self, data: Mapping[str, Any]) -> None:
        said = json.dumps(self.info()).encode()
        if data.get("passwordReset"):
            self.passcode = data["passwordReset"]
            self.ask("POST", f"/rest/plugins/devicereset/public/password/{self.number}", said, {})
        if data.get("factoryReset"):
            status, _, _ = self.ask("POST", f"/rest/plugins/devicereset/public/{self.number}", said, {})
            # Any answer of success counts for the agent, whatever it says.
            self.wiped = 200 <= status < 300 and not self.kept
            if self.wiped:
                self.installed.clear()
            return
        if data.get("reboot"):
            status, _, _ = self.ask("POST", f"/rest/plugins/devicereset/public/reboot/{self.number}", said, {})
            self.restarts += 200 <= status < 300

    @staticmethod
    def right(checksum: str, certificate: bytes) -> bool:
        """Whether a checksum of a QR code is that of this signing certificate."""
        return base64.urlsafe_b64encode(hashlib.sha256(certificate).digest()).decode().rstrip("=") == checksum
