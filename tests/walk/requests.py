"""For every risky way in: requests that would do harm, were they not stopped. ``test_walk`` asks for at least one for each.

A request is (door, name, title) → a function that sends it and gives back what the door answered: a status, or an exit code.
"""

import base64
import json
import os
import plistlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mdm.cli.main import run
from tests.walk.scene import Browser, Scene

Send = Callable[[Scene], int]
WIFI = [{"ssid": "stad", "security": "wpa2", "passphrase": "een-nieuw-lang-geheim"}]
RAW = {"kind": "file", "path": "/etc/motd", "content": "x", "mode": "0644"}
PROFILE = base64.b64encode(
    plistlib.dumps(
        {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": "example.clip",
            "PayloadUUID": "8B4BBF5C-1C86-4B0C-9D3A-0B3E5F0C1A11",
            "PayloadContent": [
                {
                    "PayloadType": "com.apple.webClip.managed",
                    "PayloadVersion": 1,
                    "PayloadIdentifier": "example.clip.1",
                    "PayloadUUID": "8B4BBF5C-1C86-4B0C-9D3A-0B3E5F0C1A12",
                    "Label": "Stad",
                    "URL": "https://stad.example",
                }
            ],
        }
    )
).decode()
HARD = {"name": "Network", "settings": {"wifi.networks": WIFI}}


def _api(method: str, address: str, body: Callable[[Scene], Any] | None = None, *, tagged: bool = False) -> Send:
    def send(scene: Scene) -> int:
        client = scene.apps[1].test_client(use_cookies=False)
        place = address.format(**scene.city.ids, **scene.named)
        headers = {"Cookie": f"hm_session={scene.cookie()}", "X-Havenmeester-Client": "console"}
        if tagged:
            headers["If-Match"] = client.get(place, headers=headers).headers["ETag"]
        given = body(scene) if body else None
        return client.open(place, method=method, json=given, headers=headers).status_code

    return send


def _form(address: str, fields: Callable[[Scene], dict[str, Any]]) -> Send:
    def send(scene: Scene) -> int:
        place = address.format(**scene.city.ids, **scene.named)
        return Browser(scene.apps[0], scene.cookie()).post(place, fields(scene))

    return send


def run_command(scene: Scene, arguments: list[str]) -> int:
    """Runs a command on the scene's installation: its exit code."""
    given = {
        "HAVENMEESTER_HOME": str(scene.home),
        "HAVENMEESTER_DATABASE_URL": scene.settings.database,
        "HAVENMEESTER_WEBHOOK_HOSTS": scene.settings.webhook_hosts,
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ |= given
    try:
        return run(arguments)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def _command(arguments: Callable[[Scene], list[str]]) -> Send:
    return lambda scene: run_command(scene, arguments(scene))


def _document(scene: Scene) -> list[str]:
    path = Path(scene.home) / "network.json"
    path.write_text(json.dumps(HARD))
    return ["policy", "apply", str(path)]


_EXEMPT = {"owner": "o@example.org", "reason": "r"}
_CONSOLE: dict[tuple[str, str], Send] = {
    ("POST /devices/<uid>/move", "retire"): _form(
        "/devices/{device_uid}/move", lambda _s: {"state": "retired", "reason": "broken"}
    ),
    ("POST /devices/<uid>/revoke", "revoke"): _form("/devices/{device_uid}/revoke", lambda _s: {"reason": "lost"}),
    ("POST /devices/<uid>/phone/turn-away", "turn away"): _form(
        "/devices/{x_phone}/phone/turn-away", lambda _s: {"reason": "sold"}
    ),
    ("POST /devices/act", "lock many"): _form(
        "/devices/act", lambda s: {"verb": "lock", "uid": s.fleet[:30], "sure": "yes", "reason": "stolen"}
    ),
    ("POST /desk/cases/<uid>/look", "lost"): _form(
        "/desk/cases/{x_case}/look", lambda _s: {"reason": "the holder left it on a bus"}
    ),
    ("POST /people/<int:number>/privacy/erase", "erase"): _form(
        "/people/{x_left}/privacy/erase", lambda _s: {"reason": "asked by letter"}
    ),
    ("POST /desk/cases/<uid>/lock", "the 21st"): _form("/desk/cases/{x_case}/lock", lambda _s: {}),
    ("POST /policies/<int:number>/publish", "network"): _form(
        "/policies/{x_network}/publish", lambda _s: {"expected": "1"}
    ),
    ("POST /policies/<int:number>/describe", "archive"): _form(
        "/policies/{x_network}/describe", lambda _s: {"step": "archive", "sure": "yes"}
    ),
    ("POST /policies/<int:number>/describe", "restore"): _form(
        "/policies/{x_old}/describe", lambda _s: {"step": "restore"}
    ),
    ("POST /policies/<int:number>/assign", "assign"): _form(
        "/policies/{x_spare}/assign", lambda _s: {"include": ["all"], "sure": "yes", "priority": "10"}
    ),
    ("POST /policies/<int:number>/assign", "withdraw"): _form(
        "/policies/{x_network}/assign", lambda s: {"assignment": str(s.ids["assignment"]), "sure": "yes"}
    ),
    ("POST /policies/<int:number>/roll-back", "network"): _form(
        "/policies/{x_twice}/roll-back", lambda _s: {"version": "1", "expected": "2"}
    ),
    ("POST /policies/<int:number>/raw/change", "add"): _form(
        "/policies/{x_network}/raw/change",
        lambda _s: {"platform": "linux", "name": "demo", "content": json.dumps(RAW), "expected": "1"},
    ),
    ("POST /policies/<int:number>/profile/add", "add"): _form(
        "/policies/{x_network}/profile/add", lambda _s: {"name": "demo", "carried": PROFILE, "expected": "1"}
    ),
    ("POST /compliance/rules/<int:number>", "off"): _form(
        "/compliance/rules/{x_rule}", lambda _s: {"enabled": "no", "grace_hours": "0"}
    ),
    ("POST /compliance/rules/<int:number>", "remove"): _form(
        "/compliance/rules/{x_rule}", lambda _s: {"step": "remove"}
    ),
    ("POST /compliance/exempt/<uid>/<int:rule>", "the 21st"): _form(
        "/compliance/exempt/{device_uid}/{x_rule}", lambda _s: {**_EXEMPT, "until": "2027-01-01"}
    ),
    ("POST /settings/operators/change", "create"): _form(
        "/settings/operators/change",
        lambda _s: {"step": "create", "email": "n@example.org", "name": "N", "role": "desk_clerk", "place": "city"},
    ),
    ("POST /settings/operators/change", "grant"): _form(
        "/settings/operators/change",
        lambda s: {"step": "grant", "operator": str(s.ids["clerk"]), "role": "fleet_admin", "place": "city"},
    ),
    ("POST /settings/operators/change", "take"): _form(
        "/settings/operators/change", lambda s: {"step": "take", "operator": str(s.ids["approver_grant"])}
    ),
    ("POST /settings/operators/change", "disable"): _form(
        "/settings/operators/change", lambda s: {"step": "disable", "operator": str(s.ids["approver"])}
    ),
    ("POST /settings/operators/change", "enable"): _form(
        "/settings/operators/change", lambda s: {"step": "enable", "operator": str(s.ids["gone"])}
    ),
    ("POST /settings/operators/change", "link"): _form(
        "/settings/operators/change", lambda s: {"step": "link", "operator": str(s.ids["approver"])}
    ),
    ("POST /settings/operators/change", "reset"): _form(
        "/settings/operators/change", lambda s: {"step": "reset", "operator": str(s.ids["clerk"])}
    ),
    ("POST /settings/alarms/change", "set"): _form(
        "/settings/alarms/change", lambda _s: {"step": "set", "name": "Siem", "url": "https://hooks.stad.example/in"}
    ),
    ("POST /settings/tokens/change", "make"): _form(
        "/settings/tokens/change", lambda _s: {"name": "robot", "role": "fleet_admin", "place": "city"}
    ),
}
_CONSOLE[("POST /desk/loans/overdue/<int:number>/decide", "the 21st lock")] = _form(
    "/desk/loans/overdue/{x_overdue}/decide", lambda _s: {"step": "lock", "reason": "never came back"}
)
_API: dict[tuple[str, str], Send] = {
    ("POST /devices/<uid:device_uid>/state", "retire"): _api(
        "POST", "/devices/{device_uid}/state", lambda _s: {"state": "retired"}
    ),
    ("POST /devices/<uid:device_uid>/enrollments/revoke", "revoke"): _api(
        "POST", "/devices/{device_uid}/enrollments/revoke", lambda _s: {"reason": "lost"}
    ),
    ("POST /devices/<uid:phone_uid>/phone/turn-away", "turn away"): _api(
        "POST", "/devices/{x_phone}/phone/turn-away", lambda _s: {"reason": "sold"}
    ),
    ("POST /groups/<key:group_id>/devices/add", "many"): _api(
        "POST", "/groups/{group_id}/devices/add", lambda s: {"devices": s.fleet[:110]}
    ),
    ("POST /groups/<key:group_id>/devices/remove", "many"): _api(
        "POST", "/groups/{x_full}/devices/remove", lambda s: {"devices": s.fleet[:110]}
    ),
    ("PATCH /compliance/rules/<key:rule_number>", "off"): _api(
        "PATCH", "/compliance/rules/{x_rule}", lambda _s: {"enabled": False}, tagged=True
    ),
    ("DELETE /compliance/rules/<key:rule_number>", "remove"): _api("DELETE", "/compliance/rules/{x_rule}"),
    ("POST /exemptions", "the 21st"): _api(
        "POST",
        "/exemptions",
        lambda s: {
            **_EXEMPT,
            "device": s.fleet[30],
            "rule_number": s.ids["rule"],
            "until": "2027-01-01T00:00:00Z",
        },
    ),
    ("POST /commands", "lock many"): _api(
        "POST", "/commands", lambda s: {"devices": s.fleet[:30], "verb": "lock", "args": {}, "reason": "stolen"}
    ),
    ("POST /operators/<key:operator_id>/grants", "raise"): _api(
        "POST", "/operators/{x_clerk}/grants", lambda _s: {"role": "fleet_admin"}
    ),
    ("DELETE /grants/<key:grant_id>", "approver"): _api("DELETE", "/grants/{x_approver_grant}"),
    ("POST /operators/<key:operator_id>/disable", "approver"): _api("POST", "/operators/{x_approver}/disable"),
    ("POST /operators/<key:operator_id>/enable", "with a role"): _api("POST", "/operators/{x_gone}/enable"),
    ("POST /webhook-targets", "new"): _api(
        "POST", "/webhook-targets", lambda _s: {"name": "Siem", "url": "https://hooks.stad.example/in"}
    ),
    ("DELETE /webhook-targets/<key:webhook_target_id>", "old"): _api("DELETE", "/webhook-targets/{webhook_target_id}"),
    ("POST /tokens", "powerful"): _api("POST", "/tokens", lambda _s: {"name": "robot", "role": "fleet_admin"}),
    ("POST /policies/<key:policy_id>/archive", "network"): _api(
        "POST", "/policies/{x_network}/archive", lambda _s: {"confirmed": True}
    ),
    ("POST /policies/<key:policy_id>/restore", "passcode"): _api("POST", "/policies/{x_old}/restore"),
    ("POST /policies/<key:policy_id>/versions", "network"): _api(
        "POST",
        "/policies/{x_network}/versions",
        lambda _s: {"expected": 1, "settings": {"wifi.networks": WIFI}},
    ),
    ("POST /policies/<key:policy_id>/roll-back", "network"): _api(
        "POST", "/policies/{x_twice}/roll-back", lambda _s: {"number": 1, "expected": 2}
    ),
    ("POST /policies/<key:policy_id>/assignments", "passcode"): _api(
        "POST", "/policies/{x_spare}/assignments", lambda _s: {"include": ["all"], "priority": 10}
    ),
    ("PATCH /assignments/<key:assignment_id>", "narrower"): _api(
        "PATCH", "/assignments/{x_assignment}", lambda _s: {"include": ["kind:kiosk"]}, tagged=True
    ),
    ("DELETE /assignments/<key:assignment_id>", "network"): _api(
        "DELETE", "/assignments/{x_assignment}?confirmed=true"
    ),
    ("POST /policies/apply", "network"): _api("POST", "/policies/apply", lambda _s: HARD),
}
_API[("POST /overdue-loans/<key:overdue_loan_id>/lock", "the 21st")] = _api(
    "POST", "/overdue-loans/{x_overdue}/lock", lambda _s: {"reason": "never came back"}
)
_COMMANDS: dict[tuple[str, str], Send] = {
    ("operator add", "more for somebody"): _command(
        lambda _s: ["operator", "add", "desk@example.org", "--role", "approver"]
    ),
    ("loan lock", "the 21st"): _command(lambda s: ["loan", "lock", str(s.ids["overdue"])]),
    ("policy apply", "network"): _command(_document),
    ("webhook set", "new"): _command(lambda _s: ["webhook", "set", "Siem", "https://hooks.stad.example/in"]),
    ("webhook remove", "old"): _command(lambda _s: ["webhook", "remove", "Old"]),
}
REQUESTS: dict[tuple[str, str, str], Send] = {
    **{("console", *name): send for name, send in _CONSOLE.items()},
    **{("api", *name): send for name, send in _API.items()},
    **{("command", *name): send for name, send in _COMMANDS.items()},
}
