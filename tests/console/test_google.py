"""Google's management on the console: from the key file to the code on an invitation, by pages alone."""

import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from mdm.enrollment import service as enrollments
from mdm.enrollment.links import Links
from mdm.org.queries import service_points
from mdm.platforms.android.amapi import account
from mdm.settings import Settings
from mdm.simulate.google import SUBSCRIPTION, TOPIC, GoogleServer
from mdm.storage.call import Call
from mdm.storage.engine import make_engine
from mdm.storage.seal import load_seal
from mdm.worker import google
from mdm.worker.office import Office
from tests.conftest import FLEET_ADMIN
from tests.console.conftest import Visitor

MO, SARAH = "mo@stad.example", "sarah@stad.example"
SignedIn = Callable[[str], Visitor]


@pytest.fixture
def server() -> Iterator[GoogleServer]:
    with GoogleServer() as made:
        yield made


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    engine = make_engine(settings.database)
    yield Office(engine, settings)
    google.close()
    engine.dispose()


def tied(office: Office, server: GoogleServer) -> None:
    with office.call("tests") as call:
        seal = load_seal(office.settings.home / "keys")
        admin = call.by(FLEET_ADMIN)
        account.bring(admin, seal, server.key_file(), api=server.address, token_address=server.token_address)


def invited(office: Office, ownership: str = "city") -> str:
    with office.call("tests") as call:
        admin = Call(FLEET_ADMIN, call.session, datetime.now(UTC))
        point = service_points(admin)[0]
        links = Links("https://city.example", "https://gw.city.example", "f" * 64, 48)
        made, _url = enrollments.invite(
            admin,
            links,
            email="p@city.example",
            name="P",
            platform="android",
            service_point_code=point.code,
            ownership=ownership,
        )
        return made.uid


def test_the_whole_way_to_a_code_is_walked_on_pages(signed_in: SignedIn, office: Office, server: GoogleServer) -> None:
    mo = signed_in(MO)
    assert "Nothing is tied" in mo.get("/settings/google").text
    wrong = mo.post("/settings/google/change", step="key", file=(io.BytesIO(b"{}"), "key.json"))
    assert "not the key file" in wrong.text
    assert (
        mo.post("/settings/google/change", step="key", file=(io.BytesIO(server.key_file()), "key.json")).status_code
        == 303
    )
    # The page's own key is Google's; a simulated Google is chosen behind its back.
    tied(office, server)
    mo.get("/settings/google")
    assert (
        "Write the whole name" in mo.post("/settings/google/change", step="listen", topics="x", subscriptions="").text
    )
    mo.get("/settings/google")
    assert (
        mo.post("/settings/google/change", step="listen", topics=TOPIC, subscriptions=SUBSCRIPTION).status_code == 303
    )
    mo.get("/settings/google")
    assert mo.post("/settings/google/change", step="sign-up").status_code == 303
    google.turn(office, simulated=True)
    shown = mo.get("/settings/google").text
    assert "https://play.google.com/adminsignup" in shown
    assert "PRIVATE KEY" not in shown
    (back,) = server.api.signups.values()
    state = parse_qs(urlsplit(back).query)["state"][0]
    page = mo.get(f"/settings/google/return?state={state}&enterpriseToken=abc")
    assert "Make the enterprise" in page.text
    assert not server.api.enterprises
    assert mo.post("/settings/google/return", state=state, enterprise_token="abc").status_code == 303
    google.turn(office, simulated=True)
    assert "not ready yet" not in mo.get("/settings/google").text

    uid = invited(office)
    address = f"/enrollment/{uid}/google"
    assert address in mo.get(f"/enrollment/{uid}").text
    assert "Make the code" in mo.get(address).text
    assert mo.post(address, kiosk="yes").status_code == 303
    google.turn(office, simulated=True)
    shown = mo.get(address).text
    assert re.search(r'<img class="hm-qr" src="data:image/svg', shown)
    (token,) = server.api.enrollment_tokens.values()
    assert token["value"] in shown
    assert token["allowPersonalUsage"] == "PERSONAL_USAGE_DISALLOWED_USERLESS"


def test_a_return_that_nobody_asked_for_is_refused_on_the_page(
    signed_in: SignedIn, office: Office, server: GoogleServer
) -> None:
    tied(office, server)
    mo = signed_in(MO)
    mo.get("/settings/google/return?state=x&enterpriseToken=y")
    assert "Nobody here asked Google" in mo.post("/settings/google/return", state="x", enterprise_token="y").text
    with office.call("tests", write=False) as call:
        assert account.present(call).enterprise == ""  # type: ignore[union-attr]


def test_whoever_may_not_manage_phones_changes_nothing(
    signed_in: SignedIn, office: Office, server: GoogleServer
) -> None:
    tied(office, server)
    sarah = signed_in(SARAH)
    assert sarah.post("/settings/google/change", step="remove").status_code in (403, 404)
    with office.call("tests", write=False) as call:
        assert account.present(call) is not None


def test_without_a_tie_a_code_says_who_makes_one(signed_in: SignedIn, office: Office) -> None:
    uid = invited(office, "private")
    assert "An administrator makes one" in signed_in(MO).get(f"/enrollment/{uid}/google").text
