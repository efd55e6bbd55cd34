"""Ways through the API as a program goes them."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, select, text, update

from mdm.access import service as access
from mdm.access.model import ApiToken, WebSession
from mdm.core.clock import utcnow
from mdm.core.permissions import Role
from mdm.inventory.model import Device
from mdm.orders import kernel
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.api.city import LINKS, City, boss, settle
from tests.api.conftest import Api, close
from tests.conftest import Calling
from tests.sim.approvers import Person, roster, text_of
from web.api.app import make_api
from web.api.links import LINKS_KEY


def test_a_device_goes_into_hands_and_comes_back(api: Api, city: City) -> None:
    made = api.post("/devices", {"platform": "linux", "kind": "laptop", "serial": "NEW-1"}).json
    path = f"/devices/{made['uid']}"

    given = api.post(f"{path}/hand-out", {"person_id": city.person["own"]})
    again = api.post(f"{path}/hand-out", {"person_id": city.person["own"]})
    stock = api.post(f"{path}/state", {"state": "in_stock"})
    back = api.post(f"{path}/take-back", {"service_point_id": city.service_point["own"]})

    assert (given.json["state"], given.json["person_id"]) == ("handed_out", city.person["own"])
    assert again.json["version"] == given.json["version"]
    assert (stock.status_code, stock.json["code"]) == (409, "life_cycle")
    assert (back.json["state"], back.json["person_id"]) == ("returned", None)
    kinds = [item["kind"] for item in api.get(f"{path}/events").json["items"]]
    assert kinds == ["moved", "handed_out", "recorded"]


def test_nobody_sets_what_only_the_machinery_sets(api: Api, city: City) -> None:
    path = f"/devices/{city.device['own']}"
    before = api.get(path)

    for field in ("state", "verdict", "person_id", "uid", "enrolled_at", "version", "waiting", "cohort_id", "unit_id"):
        answer = api.patch(path, {field: before.json.get(field)})
        assert (answer.status_code, list(answer.json["fields"])) == (422, [field])

    assert api.get(path).json == before.json


def test_a_dry_run_tells_every_row_and_changes_nothing_and_a_wrong_row_stops_all(api: Api, city: City) -> None:
    good = "name;email;service_point\nZoë;zoe@example.org;SP-OWN\n".encode("cp1252")
    bad = good + b"Nobody;no address;NOWHERE\n"

    dry = api.post("/imports/people/dry-run", good, Content_Type="text/csv")
    refused = api.post("/imports/people", bad, Content_Type="text/csv")
    before = api.get("/people?search=zoe").json["total"]
    done = api.post("/imports/people", good, Content_Type="text/csv")
    again = api.post("/imports/people", good, Content_Type="text/csv")

    assert (dry.json["applied"], dry.json["encoding"], dry.json["counts"]["created"]) == (False, "cp1252", 1)
    assert (refused.json["applied"], [row["outcome"] for row in refused.json["rows"]]) == (False, ["created", "error"])
    assert refused.json["rows"][1]["message"]
    assert before == 0
    assert (done.json["applied"], api.get("/people?search=zoe").json["items"][0]["name"]) == (True, "Zoë")
    assert again.json["counts"]["unchanged"] == 1


def test_what_a_program_does_is_in_the_diary_in_its_name(api: Api, city: City) -> None:
    made = api.post("/groups", {"name": "Vans"}, X_Request_Id="stock-count-17")

    line = api.get("/audit?action=device_group.&limit=1").json["items"][0]

    assert (line["actor_kind"], line["actor_name"], line["request_id"]) == ("token", "admin", "stock-count-17")
    assert (line["action"], line["subject_id"]) == ("device_group.created", str(made.json["id"]))


def test_a_changed_line_of_the_diary_is_named(api: Api, city: City, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit_entry SET actor_name = 'somebody else' WHERE id = 3"))

    proof = api.get("/audit/proof").json

    assert (proof["whole"], proof["broken_at"], proof["lines"]) == (False, 3, 2)


def test_the_secret_of_a_new_token_is_shown_once_and_kept_nowhere(
    api: Api, city: City, calling: Calling, engine: Engine
) -> None:
    with calling(boss(), now=utcnow()) as call:
        settle(call, city)
    person = api.by(cookie=city.cookies[Role.FLEET_ADMIN, "city"])
    body = {"name": "count", "role": "auditor", "expires_at": (utcnow() + timedelta(days=1)).isoformat()}

    made = person.post("/tokens", body, Idempotency_Key="t-1")
    again = person.post("/tokens", body, Idempotency_Key="t-1")
    secret = made.json["secret"]

    assert (made.status_code, again.json["secret"]) == (201, secret)
    assert api.by(secret).get("/me").json["roles"] == ["auditor"]
    assert "secret" not in person.get("/tokens").json["items"][0]
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT secret_digest FROM api_token")).scalars().all()
        kept = connection.execute(text("SELECT body FROM idempotency_key")).scalars().all()
    assert secret not in "".join([*tables, *kept])


def test_the_last_use_of_a_token_is_noted(api: Api, city: City, engine: Engine) -> None:
    api.get("/me")

    with transaction(engine, write=False) as session:
        assert session.scalar(select(ApiToken.last_used_at).where(ApiToken.name == "admin")) is not None


def test_an_order_is_asked_by_a_program_and_signed_by_two_people(api: Api, city: City, calling: Calling) -> None:
    people = [Person("operator:901"), Person("operator:902")]
    with calling(boss(), now=utcnow()) as call:
        settle(call, city)
        row = kernel.locked(call)
        row.roster_version, row.roster_text = 1, text_of(roster(people))
    asked = api.post("/orders", {"device": city.device["other"], "reason": "stolen"})
    path = f"/orders/{asked.json['id']}"
    dossier = api.get(f"{path}/dossier").json
    proofs = [{"proof": one.proof(dossier["text"])} for one in people]

    elsewhere = api.by(cookie=city.cookies[Role.APPROVER, "own"]).post(f"{path}/approvals", proofs[0])
    forged = api.post(f"{path}/approvals", {"proof": people[0].proof(dossier["text"] + " ")})
    first = api.post(f"{path}/approvals", proofs[0])
    again = api.post(f"{path}/approvals", proofs[0])
    second = api.post(f"{path}/approvals", proofs[1])

    assert (dossier["lacking"], dossier["why_not"], len(dossier["devices"])) == (2, "not_a_person", 1)
    assert (elsewhere.status_code, forged.status_code, forged.json["code"]) == (404, 403, "proof_signature")
    assert (first.status_code, first.json["lacking"]) == (201, 1)
    assert (again.status_code, again.json["code"]) == (409, "decided")
    assert (second.json["lacking"], api.get(path).json["state"]) == (0, "approved")
    receipt = api.get(f"{path}/receipt").json
    assert [one["id"] for one in receipt["decisions"]] == ["operator:901", "operator:902"]
    assert api.get(f"{path}/envelope").json["signature"] == ""
    assert api.get(f"{path}/receipt/pdf").data.startswith(b"%PDF-")


def test_only_a_person_who_proved_it_lately_says_no(api: Api, city: City, calling: Calling) -> None:
    with calling(boss(), now=utcnow()) as call:
        settle(call, city)
    asked = api.post("/orders", {"device": city.device["other"], "reason": "stolen"})
    path = f"/orders/{asked.json['id']}"

    by_program = api.post(f"{path}/reject", {"reason": "no"})
    approver = api.by(cookie=city.cookies[Role.APPROVER, "city"])
    with calling(boss(), now=utcnow()) as call:
        call.session.execute(update(WebSession).values(fresh_at=call.now - timedelta(minutes=16)))
    stale = approver.post(f"{path}/reject", {"reason": "no"})
    with calling(boss(), now=utcnow()) as call:
        call.session.execute(update(WebSession).values(fresh_at=call.now))
    no = approver.post(f"{path}/reject", {"reason": "no"})
    late = approver.post(f"{path}/reject", {"reason": "no"})

    assert by_program.status_code == 403
    assert (stale.status_code, stale.json["code"]) == (403, "proof_needed")
    assert (no.status_code, late.status_code) == (204, 409)
    assert api.get(path).json["state"] == "rejected"


def test_a_policy_shows_its_effect_is_published_compared_and_rolled_back(api: Api, city: City) -> None:
    path = f"/policies/{city.ids['policy_id']}"
    new = {"passcode.min_length": 12}

    effect = api.post(f"{path}/effect", {"settings": new}).json
    tunnel = {"name": "City", "server": "vpn.example", "method": "shared_secret", "secret": "s"}
    limits = api.post(f"{path}/effect", {"settings": {"vpn.ikev2": [tunnel]}}).json["limits"]
    saved = api.post(f"{path}/versions", {"expected": 1, "settings": new, "note": "longer"})
    late = api.post(f"{path}/versions", {"expected": 1, "settings": {}})
    wrong = api.post(f"{path}/versions", {"expected": 2, "settings": {"passcode.min_length": 1000}})
    difference = api.get(f"{path}/difference?before=1&after=2").json["items"]
    back = api.post(f"{path}/roll-back", {"number": 1, "expected": 2})

    assert effect["devices"] == effect["reached_after"] >= 3
    assert ("linux", "vpn.ikev2", "platform") in {(one["platform"], one["key"], one["code"]) for one in limits}
    assert (saved.status_code, saved.json["number"]) == (201, 2)
    assert (late.status_code, late.json["code"]) == (409, "version_conflict")
    assert (wrong.status_code, list(wrong.json["fields"])) == (422, ["passcode.min_length"])
    assert [(one["key"], one["before"], one["after"]) for one in difference] == [
        ("passcode.min_length", "8 characters", "12 characters")
    ]
    assert (back.json["number"], back.json["settings"]) == (3, {"passcode.min_length": 8})
    assert api.get(f"{path}/versions/2").json["note"] == "longer"


def test_a_document_says_what_a_policy_shall_be_and_twice_is_like_once(api: Api, city: City) -> None:
    document = api.get(f"/policies/{city.ids['policy_id']}/document").json
    document["settings"]["screen_lock.timeout_minutes"] = 5
    known = {one["key"] for category in api.get("/catalogue").json["items"] for one in category["settings"]}
    document["settings"] = {key: value for key, value in document["settings"].items() if key in known}

    first = api.post("/policies/apply", document | {"name": "From a document"})
    second = api.post("/policies/apply", document | {"name": "From a document"})

    assert len(known) >= 40
    assert (first.json["done"][0], second.json["done"]) == ("created", [])


def test_an_invitation_is_made_followed_and_withdrawn(api: Api, city: City) -> None:
    api.app.extensions[LINKS_KEY] = LINKS
    made = api.post(
        "/invitations", {"email": "new@example.org", "name": "New", "platform": "linux", "service_point": "SP-OWN"}
    )
    path = f"/invitations/{made.json['uid']}"

    assert made.json["url"].startswith(f"{LINKS.console_base}/e/")
    assert "url" not in api.get(path).json
    assert api.get(f"{path}/progress").json["next"] == "opened"
    assert [api.post(f"{path}/withdraw").json["standing"] for _ in range(2)] == ["withdrawn", "withdrawn"]


def test_without_the_signer_nobody_is_invited_and_told_when_to_come_back(api: Api, city: City) -> None:
    total = api.get("/people").json["total"]

    answer = api.post("/invitations", {"email": "new@example.org", "platform": "linux", "service_point": "SP-OWN"})

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert api.get("/people").json["total"] == total


def test_many_devices_are_asked_at_once_or_none(api: Api, city: City) -> None:
    both = [city.device["own"], city.device["other"]]

    sent = api.post("/commands", {"devices": both, "verb": "lock"})
    one_wrong = api.post("/commands", {"devices": [*both, "0" * 32], "verb": "restart"})

    batch = api.get(f"/batches/{sent.json['batch']}").json
    assert (batch["total"], batch["counts"]) == (2, {"queued": 2})
    assert one_wrong.status_code == 404
    assert api.get("/commands?verb=restart").json["total"] == 0
    assert api.post(f"/batches/{sent.json['batch']}/cancel").json["changed"] == 2
    assert api.post(f"/commands/{sent.json['commands'][0]}/cancel").json["state"] == "cancelled"


def test_a_database_that_is_away_is_told_as_such(tmp_path: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"
    app = make_api(Settings(home=tmp_path, database_url=url))
    api = Api(app, app.test_client(use_cookies=False), "hvm_whatever")

    for answer in (api.get("/devices/lookup?key=1"), api.post("/groups", {"name": "x"})):
        assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    close(app)


def test_a_token_that_ended_or_was_revoked_speaks_for_nobody(api: Api, city: City, calling: Calling) -> None:
    with calling(boss(), now=utcnow() - timedelta(days=2)) as call:
        _, old = access.create_token(call, name="o", role=Role.AUDITOR, expires_at=call.now + timedelta(days=1))
        token, revoked = access.create_token(call, name="r", role=Role.AUDITOR)
    assert api.by(revoked).get("/me").status_code == 200

    assert api.post(f"/tokens/{token.id}/revoke").status_code == 204

    assert [api.by(secret).get("/me").status_code for secret in (old, revoked)] == [401, 401]


def named(call: Call, *service_points: int) -> list[str]:
    """The names of the devices at these service points in their order, read beside the API; none named: of all."""
    wanted = select(Device.name)
    if service_points:
        wanted = wanted.where(Device.service_point_id.in_(service_points))
    return sorted(call.session.scalars(wanted))


def test_the_list_of_devices_has_the_filters_orders_and_scope_of_the_console(
    api: Api, city: City, calling: Calling
) -> None:
    with calling(boss(), now=utcnow()) as call:
        settle(call, city)
        names, at_own = named(call), named(call, city.service_point["own"])
    laptops = [one for one in names if one.startswith("Laptop")]

    def listed(query: str, who: Api = api) -> list[str]:
        return [item["name"] for item in who.get(f"/devices?{query}").json["items"]]

    assert len(names) > len(at_own) > 2
    assert listed("") == names
    assert listed("sort=-name") == names[::-1]
    assert listed("kind=laptop&q=own") == ["Laptop own", "held"], "the other one is in the hands of Person own"
    assert listed("kind=laptop&kind=kiosk&limit=3") == ["Kiosk", *laptops]
    assert listed(f"service_point={city.service_point['other']}") == ["Laptop other"]
    assert listed("", api.by(city.tokens[Role.DESK_CLERK, "own"])) == at_own
    pages, address = [], "/devices?limit=1&sort=-name"
    while address:
        answer = api.get(address)
        pages += [item["name"] for item in answer.json["items"]]
        assert answer.json["total"] == len(names)
        address = answer.headers.get("Link", "").split(">")[0][1:]
    assert pages == names[::-1]


def test_an_export_holds_what_the_list_holds_and_no_formula_and_is_noted(api: Api, city: City) -> None:
    api.post("/devices", {"platform": "linux", "kind": "laptop", "name": "=1+1", "serial": "F-1"})

    file = api.get("/devices/export?columns=name&columns=serial&sort=name&q=F-1")
    sheet = api.get("/devices/export?format=xlsx")

    assert file.mimetype == "text/csv"
    assert file.text.splitlines() == ["name,serial", "'=1+1,F-1"]
    assert sheet.data[:2] == b"PK"
    line = api.get("/audit?action=list.exported").json["items"][0]
    assert (line["details"]["rows"], line["details"]["as"]) == (api.get("/devices").json["total"], "xlsx")


def test_the_figures_are_of_the_devices_at_ones_places(api: Api, city: City, calling: Calling) -> None:
    with calling(boss(), now=utcnow()) as call:
        settle(call, city)
        every, at_own = len(named(call)), len(named(call, city.service_point["own"]))
        managed = select(Device.id).where(Device.enrolled_at.is_not(None))
        at_work = len(call.session.scalars(managed.where(Device.service_point_id == city.service_point["own"])).all())

    everywhere = api.get("/overview").json
    here = api.by(city.tokens[Role.DESK_CLERK, "own"]).get("/overview").json

    assert every > at_own > 0
    assert (everywhere["counts"]["all"], here["counts"]["all"]) == (every, at_own)
    assert sum(here["compliance_by_place"]["series"][3]["values"]) == at_work > 0
    assert api.get("/health").json["tone"] == "bad", "no signer runs here"


def test_places_are_named_by_code_as_well_as_by_id_and_an_unknown_code_is_named(
    api: Api, city: City, calling: Calling
) -> None:
    with calling(boss(), now=utcnow()) as call:
        settle(call, city)
        at_both = named(call, city.service_point["own"], city.service_point["other"])

    def listed(query: str, who: Api = api) -> list[str]:
        return [item["name"] for item in who.get(f"/devices?{query}").json["items"]]

    clerk = api.by(city.tokens[Role.DESK_CLERK, "own"])
    unknown = api.get("/devices?service_point=SP-own&service_point=NOWHERE")
    foreign = clerk.get("/devices?service_point=SP-other")

    assert listed("service_point=SP-OTHER") == listed("service_point=sp-other") == ["Laptop other"]
    assert listed("unit=U-other") == listed(f"unit={city.unit['other']}") == ["Laptop other"]
    assert listed(f"service_point=SP-own&service_point={city.service_point['other']}") == at_both != listed("")
    assert "Laptop own" in listed("service_point=SP-own", clerk)
    assert (unknown.status_code, unknown.json["code"]) == (422, "code_unknown")
    assert "NOWHERE" in unknown.json["detail"]
    assert list(unknown.json["fields"]) == ["service_point"]
    assert (foreign.status_code, "SP-other" in foreign.json["detail"]) == (422, True)
    assert api.get("/devices?unit=NOWHERE").status_code == 422
    assert api.get("/devices/export?unit=NOWHERE").status_code == 422
    assert api.get("/devices/export?columns=name&unit=U-other").text.splitlines() == ["name", "Laptop other"]
