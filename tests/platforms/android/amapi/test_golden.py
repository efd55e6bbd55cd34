"""Three policies that Google takes, made from the catalogue: what people set is what is sent, to the last field."""

import json
from pathlib import Path
from typing import Any

import pytest

from mdm.platforms.android.amapi.able import rendered
from mdm.platforms.android.amapi.document.check import errors
from mdm.platforms.android.amapi.render import Mode
from mdm.platforms.android.interpreter import AndroidInterpreter, fault
from mdm.platforms.android.wanted import wanted
from mdm.policies import catalogue

HERE = Path(__file__).parent / "policies"
COMMON: dict[str, Any] = {
    "updates.min_os": "11",
    "encryption.required": True,
    "screen_lock.timeout": 60,
    "restrictions.unknown_sources": False,
    "restrictions.developer_mode": False,
    "apps.verified": True,
    "apps.allow_only": True,
    "support.message": [
        {"language": "all", "text": "Managed by the city."},
        {"language": "fr", "text": "Géré par la ville."},
    ],
}
OLD = {"about": "os_version", "block_after": 7, "wipe_after": 60}
PASSCODE = {"about": "passcode", "block_after": 1, "wipe_after": 30}
UNENCRYPTED = {"about": "encryption", "as_google": True}
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
FIELD = {
    **COMMON,
    "enforcement.rules": [PASSCODE, OLD, UNENCRYPTED],
    "apps.required": ["org.example.inspect", "org.strongswan.android"],
    "apps.available": ["com.android.chrome"],
    "apps.blocked": ["com.tiktok.example"],
    "apps.permissions": [{"app": "org.example.inspect", "answer": "ask"}],
    "apps.settings": [
        {"item": "org.example.inspect/server", "value": "https://inspect.city.example"},
        {"item": "org.example.inspect/district", "value": "7", "kind": "number"},
    ],
    "apps.options": [
        {
            "app": "org.example.inspect",
            "granted": ["android.permission.CAMERA"],
            "update": "at_once",
            "minimum_version": 7,
            "unmetered": True,
            "priority": 10,
        },
        {"app": "org.strongswan.android", "vpn_bound": True},
    ],
    "apps.auto_update": "wifi",
    "passcode.required": True,
    "passcode.min_length": 4,
    "passcode.history": 5,
    "passcode.max_failed": 10,
    "passcode.max_age": 90,
    "passcode.daily": True,
    "network.escape_hatch": True,
    "vpn.always_on": "org.strongswan.android",
    "vpn.lockdown": True,
    "location.mode": "user",
    "restrictions.location_sharing": True,
    "updates.window": {"days": EVERY_DAY, "from": "02:00", "to": "05:00"},
    "updates.freeze": [{"name": "Year's end", "from": "12-20", "to": "01-05"}],
    "restrictions.usb_storage": False,
    "restrictions.wifi_changes": True,
    "restrictions.tethering": False,
    "wifi.least_security": "personal",
    "cellular.two_g": False,
    "restrictions.factory_reset": False,
    "factory_reset.accounts": ["mdm@city.example"],
    "restrictions.camera": True,
    "restrictions.microphone": True,
    "restrictions.user_switching": False,
    "lock_screen.message": "Property of the City. Call 311 if found.",
}
KIOSK = {
    **COMMON,
    "enforcement.rules": [OLD, UNENCRYPTED, {"about": "lock_screen", "as_google": True}],
    "kiosk.app": "org.example.selfservice",
    "apps.permissions": [{"app": "org.example.selfservice", "answer": "grant"}],
    "apps.options": [{"app": "org.example.selfservice", "user_control": False}],
    "power.stay_on": True,
    "updates.window": {"days": EVERY_DAY, "from": "01:00", "to": "04:00"},
    "network.escape_hatch": False,
    "restrictions.volume": False,
    "restrictions.factory_reset": False,
}
BYOD = {
    **COMMON,
    "enforcement.rules": [PASSCODE, OLD, UNENCRYPTED],
    "apps.available": ["org.example.mail"],
    "apps.options": [{"app": "org.example.mail", "widgets": False}],
    "passcode.required": True,
    "passcode.min_length": 6,
    "work_profile.separate_lock": True,
    "work_profile.copy_paste": False,
    "work_profile.sharing": False,
    "work_profile.contacts": False,
    "work_profile.days_off": 7,
    "personal.blocked": ["com.malware.example"],
    "personal.camera": True,
    "personal.screenshots": True,
}


def golden(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text("utf-8"))
    return found


NETWORKS = {"kind": "amapi", "content": {"openNetworkConfiguration": golden("field")["openNetworkConfiguration"]}}


@pytest.mark.parametrize(
    ("name", "settings", "parts", "mode"),
    [
        ("field", FIELD, [NETWORKS], Mode.MANAGED),
        ("kiosk", KIOSK, [], Mode.MANAGED),
        ("byod", BYOD, [], Mode.WORK_PROFILE),
    ],
)
def test_settings_of_the_catalogue_render_to_the_policy_word_for_word(
    name: str, settings: dict[str, Any], parts: list[dict[str, Any]], mode: Mode
) -> None:
    assert catalogue.validate(settings) == {}
    assert [fault(part) for part in parts] == [""] * len(parts)
    payloads = [{"name": "city-network", "platform": "android", "content": part} for part in parts]
    made = rendered(wanted(AndroidInterpreter().render(settings, payloads)), mode)
    assert made.policy == golden(name)
    assert errors(made.findings) == []
    assert made.keys == set(settings) - ({"network.escape_hatch"} if name == "byod" else set())
