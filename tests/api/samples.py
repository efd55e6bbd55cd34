"""One good request for every operation that takes a body or a query, against the small city."""

from datetime import timedelta
from typing import Any

from mdm.core.clock import iso, utcnow
from tests.api.city import City

PROOF = {"person": "operator:1", "key": "0" * 32, "type": "ed25519", "signature": "A" * 86 + "=="}


def _hours(number: int) -> str:
    """A whole hour, so many from now."""
    return iso(utcnow().replace(minute=0, second=0, microsecond=0) + timedelta(hours=number))


def body_of(operation: str, city: City) -> Any:
    """A body that this operation takes, None where it takes none."""
    own, person = city.device["own"], city.person["own"]
    point = city.service_point["own"]
    if "import_" in operation:
        return FILES[operation.rpartition("import_")[2]]
    bodies: dict[str, Any] = {
        "add_grant": {"role": "auditor", "service_point_id": point},
        "add_group_devices": {"devices": [own]},
        "add_rule": {"rule": "firewall"},
        "create_round": {"numbers": ["P-404"]},
        "add_panic_duty": {
            "who": "own@example.org",
            "service_point_id": point,
            "days": ["mon"],
            "begins": "08:00",
            "ends": "18:00",
        },
        "create_app_offer": {"name": "Map", "about": {"nl": "Straten"}, "platform": "ios", "identifier": "be.map"},
        "edit_app_offer": {"about": {"nl": "Straten", "ar": "شوارع"}},
        "answer_app_request": {"state": "granted"},
        "begin_panic_exercise": {"service_point_id": point},
        "close_panic_call": {"outcome": "threat", "happened": "Somebody shouted."},
        "end_panic_exercise": {"learned": "The door was locked."},
        "apply_policy": {"name": "Base", "settings": {"passcode.min_length": 10}},
        "approve_act": {"proof": {}},
        "archive_policy": {"confirmed": True},
        "create_assignment": {"include": ["service_point:SP-OWN"]},
        "create_policy": {"name": "New", "settings": {"passcode.min_length": 8}},
        "edit_assignment": {"priority": 7},
        "edit_policy": {"description": "d"},
        "preview_new_policy": {"settings": {"passcode.min_length": 8}, "assignments": [{"include": ["all"]}]},
        "preview_policy": {"settings": {"passcode.min_length": 12}},
        "roll_back_policy": {"number": 1, "expected": 1},
        "save_policy_version": {"expected": 1, "settings": {"passcode.min_length": 12}},
        "cancel_act": {},
        "set_stock_level": {"service_point_id": point, "kind": "phone", "least": 3},
        "create_shelf": {"service_point_id": point, "name": "B7"},
        "shelve_device": {"shelf_id": city.ids["shelf"]},
        "create_transfer": {"service_point_id": point, "to": "SP-THIRD", "codes": ["STOCK-2"]},
        "send_transfer": {},
        "receive_device": {"code": "STOCK-6"},
        "finish_transfer": {"note": "all there"},
        "open_repair": {"faults": ["screen"]},
        "send_repair": {"supplier": "Repair nv", "due_on": "2027-01-01"},
        "take_repair_back": {},
        "close_repair": {"outcome": "repaired", "cost_cents": 4500},
        "cancel_loan": {},
        "collect_loan": {"device": city.device["tablet"], "unsigned": "none"},
        "create_loan": {
            "person_id": person,
            "service_point_id": point,
            "kind": "tablet",
            "begins_at": _hours(30),
            "ends_at": _hours(32),
        },
        "edit_loan_place": {"prepare_days": 2},
        "extend_loan": {"ends_at": _hours(8)},
        "lock_overdue_loan": {"reason": "never came back"},
        "open_loan_place": {"service_point_id": point, "flex": True},
        "prepare_loan": {"device": city.device["tablet"]},
        "spare_overdue_loan": {"reason": "in hospital"},
        "cancel_order": {},
        "close_service_point": {},
        "close_unit": {},
        "create_device": {"platform": "linux", "kind": "laptop", "name": "New", "service_point_id": point},
        "create_exemption": {
            "device": own,
            "rule_number": city.ids["rule_number"],
            "owner": "o@example.org",
            "reason": "r",
            "until": "2027-01-01T00:00:00Z",
        },
        "create_group": {"name": "Another"},
        "create_invitation": {"email": "new@example.org", "platform": "linux", "service_point": "SP-own"},
        "create_operator": {"email": "new@example.org"},
        "create_person": {"name": "New", "service_point_id": point},
        "create_service_point": {"code": "NEW", "name": "New"},
        "create_token": {"name": "n", "role": "auditor", "service_point_id": point},
        "create_unit": {"code": "NEW", "name": "New"},
        "edit_device": {"note": "n"},
        "edit_group": {"note": "n"},
        "edit_me": {"theme": "dark"},
        "edit_person": {"phone": "03 123 45 67"},
        "edit_rule": {"grace_hours": 5},
        "edit_service_point": {"phone": "03 123 45 67"},
        "edit_unit": {"name": "Renamed"},
        "hand_out_device": {"person_id": person},
        "hand_out_over_counter": {
            "person_id": person,
            "devices": [city.device["spare"]],
            "service_point_id": point,
            "unsigned": "r",
        },
        "swap_over_counter": {
            "broken": city.device["held"],
            "loaner": city.device["spare"],
            "service_point_id": point,
            "unsigned": "r",
        },
        "take_in_over_counter": {"device": city.device["held"], "service_point_id": point},
        "let_person_leave": {},
        "move_device": {"state": "lost"},
        "move_unit": {"parent_id": None, "from_date": "2027-01-01"},
        "preview_unit_move": {"parent_id": None, "from_date": "2027-01-01"},
        "reject_act": {"reason": "no"},
        "give_approval": {"proof": PROOF},
        "give_thaw_approval": {"proof": PROOF},
        "lift_order": {},
        "freeze_orders": {"reason": "stop"},
        "reject_order": {"reason": "no"},
        "request_hand_in": {"device": own, "reason": "returned", "presence": "12345678"},
        "request_wipes": {"devices": [own], "reason": "lost"},
        "remove_group_devices": {"devices": [own]},
        "request_wipe": {"device": own, "reason": "stolen"},
        "revoke_device_enrollments": {"reason": "lost"},
        "send_command": {"devices": [own], "verb": "message", "args": {"text": "Hello"}},
        "set_webhook_target": {"name": "Siem", "url": "https://hooks.stad.example/in"},
        "take_back_device": {},
        "bring_push_certificate": {"certificate": city.files["certificate"], "key": city.files["key"]},
        "edit_tie": {"least_version": "18.1"},
        "bring_tie_token": {"file": city.files["token"]},
        "decide_certificate_request": {"approve": True},
        "preview_profile": {"mobileconfig": city.files["profile"]},
        "ask_phone": {"request_type": "DeviceInformation", "args": {"Queries": ["DeviceName"]}},
        "reset_android_passcode": {"passcode": "Haven-2741", "reason": "forgotten"},
        "reveal_phone_secret": {"what": "bypass_code", "reason": "r"},
        "turn_phone_away": {"reason": "sold"},
    }
    return bodies.get(operation)


FILES = {
    "devices": b"serial,platform,kind,service_point\nS-1,linux,laptop,SP-OWN\n",
    "people": b"name,email,service_point\nAda,ada@example.org,SP-OWN\n",
    "service_points": b"code,name\nSP-OWN,Point own\n",
    "snipe_assets": b"Asset Tag,Category,Location\nN-1,Laptops,SP-OWN\n",
    "snipe_locations": b"Name,Code\nPoint own,SP-OWN\n",
    "snipe_users": b"First Name,Last Name,Email,Location\nAda,Lovelace,ada@example.org,SP-OWN\n",
    "units": b"code,name\nU-OWN,Unit own\n",
}
"""A CSV file of each kind."""

QUERIES = {
    "cancel_unit_move": "?from_date=2027-01-01",
    "compare_policy_versions": "?before=0&after=1",
    "find_device": "?key=SERIAL-own",
    "get_discovery": "?service_point=SP-OWN",
    "scan_code": "?code=SERIAL-own",
}
"""What must stand behind the address of an operation."""
