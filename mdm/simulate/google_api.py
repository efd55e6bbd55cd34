"""Google's management of phones that is not there: resources in memory, each call checked beside Google's own document."""

import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mdm.platforms.android.amapi.document.check import check, check_value, errors
from mdm.platforms.android.amapi.document.table import Method, method, methods

Json = dict[str, Any]
_PLACE: Final = re.compile(r"\\\{\w+\\\}")
LIVING: Final = "ACTIVE"


class ApiError(Exception):
    """An answer that is an error, as Google writes it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(message)


@dataclass(slots=True)
class Fault:
    """Makes calls of a method (empty: of any) fail so many times. ``lost``: Google did it, and only the answer is lost."""

    status: int
    times: int = 1
    method: str = ""
    retry_after: int | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """One call, as it came in."""

    method: Method
    parts: tuple[str, ...]
    query: Mapping[str, str]
    body: Json


@dataclass(slots=True)
class GoogleApi:
    """The whole state. ``clock`` gives the hour; ``calls`` counts what was asked, by the names of methods."""

    clock: Callable[[], datetime]
    faults: list[Fault] = field(default_factory=list)
    quota: int | None = None
    """Calls that are left; None: as many as one likes."""
    calls: list[str] = field(default_factory=list)
    signups: dict[str, str] = field(default_factory=dict)
    """Name of a sign-up, and the address to which the administrator is sent back."""
    tokens_used: set[str] = field(default_factory=set)
    enterprises: dict[str, Json] = field(default_factory=dict)
    policies: dict[str, Json] = field(default_factory=dict)
    devices: dict[str, Json] = field(default_factory=dict)
    operations: dict[str, Json] = field(default_factory=dict)
    enrollment_tokens: dict[str, Json] = field(default_factory=dict)
    messages: list[Json] = field(default_factory=list)
    """Notifications that are not acknowledged yet, in the order in which they are given."""
    wiped: list[str] = field(default_factory=list)
    """Names of devices that were wiped by the way, by deleting them."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def count(self, name: str) -> int:
        """How often a method was called."""
        return self.calls.count(name)

    def answer(self, http: str, path: str, query: Mapping[str, str], raw: bytes) -> Json:
        """The answer to one call. Raises ApiError."""
        with self.lock:
            asked = self._question(http, path, query, raw)
            self.calls.append(asked.method.name)
            lost = self._fail(asked.method.name)
            made = _DO[asked.method.name](self, asked)
            wrong = errors(check(asked.method.answer, made)) if asked.method.answer else []
            if wrong:
                raise ApiError(500, "INTERNAL", wrong[0].text)
            if lost is not None:
                raise ApiError(lost.status, "UNAVAILABLE", "The answer was lost.")
            return made

    def _question(self, http: str, path: str, query: Mapping[str, str], raw: bytes) -> Question:
        for name, pattern in _ROUTES:
            found = pattern.fullmatch(path.lstrip("/"))
            known = method(name)
            if found is None or known.http != http:
                continue
            if name not in _DO:
                raise ApiError(501, "UNIMPLEMENTED", f"{name} is not simulated.")
            for key, value in query.items():
                if key not in known.query:
                    raise ApiError(400, "INVALID_ARGUMENT", f"Unknown name {key!r}.")
                self._refuse(check_value(known.query[key], _typed(known.query[key], value), key))
            body = _read(raw)
            if known.body:
                self._refuse(check(known.body, body))
            elif body:
                raise ApiError(400, "INVALID_ARGUMENT", "This method takes no body.")
            return Question(known, found.groups(), query, body)
        raise ApiError(404, "NOT_FOUND", "There is no such path.")

    @staticmethod
    def _refuse(findings: list[Any]) -> None:
        wrong = errors(findings)
        if wrong:
            raise ApiError(400, "INVALID_ARGUMENT", wrong[0].text)

    def _fail(self, name: str) -> Fault | None:
        """Raises what was asked for; gives back one that fails after the work is done."""
        if self.quota is not None:
            if self.quota <= 0:
                raise ApiError(429, "RESOURCE_EXHAUSTED", "Quota exceeded.")
            self.quota -= 1
        for fault in self.faults:
            if fault.times > 0 and fault.method in ("", name):
                fault.times -= 1
                if fault.lost:
                    return fault
                raise ApiError(fault.status, "FAULT", "This was asked for.")
        return None

    def note(self, kind: str, resource: Mapping[str, Any] | None) -> None:
        """Tells of a resource, where an enterprise listens to this kind."""
        for one in self.enterprises.values():
            if kind in one.get("enabledNotificationTypes", ()) and one.get("pubsubTopic"):
                self.messages.append(
                    {"id": secrets.token_hex(8), "kind": kind, "content": json.loads(json.dumps(resource))}
                )

    def stamp(self) -> str:
        """The hour, as Google writes it."""
        return self.clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read(raw: bytes) -> Json:
    try:
        found = json.loads(raw) if raw else {}
    except ValueError as error:
        raise ApiError(400, "INVALID_ARGUMENT", "Invalid JSON payload received.") from error
    if not isinstance(found, dict):
        raise ApiError(400, "INVALID_ARGUMENT", "Invalid JSON payload received.")
    return found


def _typed(node: Mapping[str, Any], text: str) -> object:
    if node.get("t") == "i" and text.removeprefix("-").isdigit():
        return int(text)
    if node.get("t") == "b":
        return {"true": True, "false": False}.get(text, text)
    return text


def _found(table: Mapping[str, Json], name: str) -> Json:
    if name not in table:
        raise ApiError(404, "NOT_FOUND", f"{name} was not found.")
    return table[name]


def _signup(api: GoogleApi, asked: Question) -> Json:
    if not asked.query.get("projectId") or not asked.query.get("callbackUrl", "").startswith("http"):
        raise ApiError(400, "INVALID_ARGUMENT", "projectId and callbackUrl are required.")
    name = f"signupUrls/{secrets.token_hex(8)}"
    api.signups[name] = asked.query["callbackUrl"]
    return {"name": name, "url": f"https://play.google.com/adminsignup?token={secrets.token_hex(8)}"}


def _enterprise(api: GoogleApi, asked: Question) -> Json:
    token = asked.query.get("enterpriseToken", "")
    if asked.query.get("signupUrlName") not in api.signups or not token:
        raise ApiError(400, "INVALID_ARGUMENT", "The sign-up is not known.")
    if token in api.tokens_used:
        raise ApiError(409, "ALREADY_EXISTS", "This token was used already.")
    api.tokens_used.add(token)
    name = f"enterprises/LC{secrets.token_hex(4)}"
    api.enterprises[name] = {**asked.body, "name": name}
    return api.enterprises[name]


def _enterprise_get(api: GoogleApi, asked: Question) -> Json:
    return _found(api.enterprises, f"enterprises/{asked.parts[0]}")


def _masked(before: Json, asked: Question) -> Json:
    mask = asked.query.get("updateMask")
    names = [one.split(".")[0] for one in mask.split(",")] if mask else list(asked.body)
    return {**before, **{name: asked.body[name] for name in names if name in asked.body}}


def _enterprise_patch(api: GoogleApi, asked: Question) -> Json:
    name = f"enterprises/{asked.parts[0]}"
    api.enterprises[name] = _masked(_found(api.enterprises, name), asked)
    return api.enterprises[name]


def _policy_patch(api: GoogleApi, asked: Question) -> Json:
    _found(api.enterprises, f"enterprises/{asked.parts[0]}")
    name = f"enterprises/{asked.parts[0]}/policies/{asked.parts[1]}"
    before = api.policies.get(name, {})
    version = str(int(before.get("version", "0")) + 1)
    body = _masked(before, asked) if asked.query.get("updateMask") else dict(asked.body)
    api.policies[name] = {**body, "name": name, "version": version}
    return api.policies[name]


def _policy_get(api: GoogleApi, asked: Question) -> Json:
    return _found(api.policies, f"enterprises/{asked.parts[0]}/policies/{asked.parts[1]}")


def _token(api: GoogleApi, asked: Question) -> Json:
    policy = asked.body.get("policyName")
    if policy is not None and policy not in api.policies:
        raise ApiError(400, "INVALID_ARGUMENT", f"{policy} was not found.")
    value = secrets.token_urlsafe(15)
    name = f"enterprises/{asked.parts[0]}/enrollmentTokens/{secrets.token_hex(6)}"
    extra = "android.app.extra.PROVISIONING_"
    qr = {
        f"{extra}DEVICE_ADMIN_COMPONENT_NAME": "com.google.android.apps.work.clouddpc/.receivers.CloudDeviceAdminReceiver",
        f"{extra}DEVICE_ADMIN_SIGNATURE_CHECKSUM": secrets.token_urlsafe(32),
        f"{extra}DEVICE_ADMIN_PACKAGE_DOWNLOAD_LOCATION": "https://play.google.com/managed/downloadManagingApp?identifier=setup",
        f"{extra}ADMIN_EXTRAS_BUNDLE": {"com.google.android.apps.work.clouddpc.EXTRA_ENROLLMENT_TOKEN": value},
    }
    seconds = float(asked.body.get("duration", "3600s").rstrip("s"))
    until = api.clock() + timedelta(seconds=seconds)
    api.enrollment_tokens[name] = {
        **asked.body,
        "name": name,
        "value": value,
        "qrCode": json.dumps(qr),
        "expirationTimestamp": until.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    return api.enrollment_tokens[name]


def _token_delete(api: GoogleApi, asked: Question) -> Json:
    name = f"enterprises/{asked.parts[0]}/enrollmentTokens/{asked.parts[1]}"
    _found(api.enrollment_tokens, name)
    del api.enrollment_tokens[name]
    return {}


def _device(api: GoogleApi, asked: Question) -> Json:
    return _found(api.devices, f"enterprises/{asked.parts[0]}/devices/{asked.parts[1]}")


def _device_list(api: GoogleApi, asked: Question) -> Json:
    start, size = int(asked.query.get("pageToken") or 0), min(int(asked.query.get("pageSize") or 100), 100)
    every = [one for one in api.devices.values() if one["name"].startswith(f"enterprises/{asked.parts[0]}/")]
    page: Json = {"devices": every[start : start + size]}
    return page | ({"nextPageToken": str(start + size)} if start + size < len(every) else {})


def _device_patch(api: GoogleApi, asked: Question) -> Json:
    device = _device(api, asked)
    policy = asked.body.get("policyName")
    if policy is not None and policy not in api.policies:
        raise ApiError(400, "INVALID_ARGUMENT", f"{policy} was not found.")
    device.update(_masked(device, asked))
    return device


def _device_delete(api: GoogleApi, asked: Question) -> Json:
    api.wiped.append(_device(api, asked)["name"])
    del api.devices[api.wiped[-1]]
    return {}


def _command(api: GoogleApi, asked: Question) -> Json:
    device = _device(api, asked)
    if asked.body.get("type") in (None, "COMMAND_TYPE_UNSPECIFIED"):
        raise ApiError(400, "INVALID_ARGUMENT", "A command has a type.")
    name = f"{device['name']}/operations/{int(api.clock().timestamp() * 1000)}{secrets.randbelow(1000):03}"
    api.operations[name] = {"name": name, "done": False, "metadata": {**asked.body, "createTime": api.stamp()}}
    return api.operations[name]


def _operation(api: GoogleApi, asked: Question) -> Json:
    return _found(api.operations, "enterprises/{}/devices/{}/operations/{}".format(*asked.parts))


def _operation_list(api: GoogleApi, asked: Question) -> Json:
    prefix = "enterprises/{}/devices/{}/".format(*asked.parts)
    return {"operations": [one for name, one in api.operations.items() if name.startswith(prefix)]}


def _operation_cancel(api: GoogleApi, asked: Question) -> Json:
    operation = _operation(api, asked)
    if not operation["done"]:
        operation.update(done=True, error={"code": 1, "message": "cancelled"})
        api.note("COMMAND", operation)
    return {}


_DO: Final[Mapping[str, Callable[[GoogleApi, Question], Json]]] = {
    "signupUrls.create": _signup,
    "enterprises.create": _enterprise,
    "enterprises.get": _enterprise_get,
    "enterprises.patch": _enterprise_patch,
    "enterprises.policies.patch": _policy_patch,
    "enterprises.policies.get": _policy_get,
    "enterprises.enrollmentTokens.create": _token,
    "enterprises.enrollmentTokens.delete": _token_delete,
    "enterprises.devices.get": _device,
    "enterprises.devices.list": _device_list,
    "enterprises.devices.patch": _device_patch,
    "enterprises.devices.delete": _device_delete,
    "enterprises.devices.issueCommand": _command,
    "enterprises.devices.operations.get": _operation,
    "enterprises.devices.operations.list": _operation_list,
    "enterprises.devices.operations.cancel": _operation_cancel,
}
_ROUTES: Final = tuple((name, re.compile(_PLACE.sub("([^/:]+)", re.escape(method(name).path)))) for name in methods())
