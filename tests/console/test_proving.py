"""Before what cannot be undone the console asks again who sits there, and leaves nobody without a way to show it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyotp
from sqlalchemy import create_engine, text

from mdm.settings import Settings
from tests.console.conftest import Visitor
from tests.console.house import PASSWORD

SignedIn = Callable[[str], Visitor]


def an_hour_passes(settings: Settings) -> None:
    """Every proof of who somebody is becomes old."""
    old = (datetime.now(UTC) - timedelta(minutes=16)).strftime("%Y-%m-%d %H:%M:%S.%f")
    with create_engine(settings.database).begin() as connection:
        connection.execute(text("UPDATE web_session SET fresh_at = :old"), {"old": old})


def laptop(settings: Settings) -> tuple[str, str]:
    """The id and the tag of an enrolled laptop of the city."""
    with create_engine(settings.database).connect() as connection:
        row = connection.execute(
            text("SELECT uid, tag FROM device WHERE enrolled_at IS NOT NULL AND ownership = 'city' ORDER BY id LIMIT 1")
        ).one()
    return row.uid, row.tag


def test_who_came_by_link_long_ago_cannot_give_themselves_a_password_and_asks_for_a_new_link(
    signed_in: SignedIn, settings: Settings
) -> None:
    mo = signed_in("mo@stad.example")
    uid, _tag = laptop(settings)
    assert mo.get(f"/devices/{uid}/wipe").status_code == 200
    an_hour_passes(settings)

    sent = mo.get(f"/devices/{uid}/wipe")
    asked = mo.get(sent.location)
    chosen = mo.post("/account/password", password=PASSWORD)

    assert sent.location == f"/prove?next=/devices/{uid}/wipe"
    assert "Ask a fleet admin for a new link" in asked.text
    assert 'name="password"' not in asked.text
    assert chosen.location == "/prove?next=/account"
    with create_engine(settings.database).connect() as connection:
        query = text("SELECT password_hash FROM operator WHERE email = 'mo@stad.example'")
        assert connection.execute(query).scalar() is None


def test_who_chose_a_password_in_time_proves_with_it(signed_in: SignedIn, settings: Settings) -> None:
    mo = signed_in("mo@stad.example")
    uid, _tag = laptop(settings)
    assert mo.post("/account/password", password=PASSWORD).location == "/account"
    an_hour_passes(settings)

    asked = mo.get(f"/prove?next=/devices/{uid}/wipe")
    wrong = mo.post("/prove", password="not it", next=f"/devices/{uid}/wipe")
    proved = mo.post("/prove", password=PASSWORD, next=f"/devices/{uid}/wipe")

    assert 'autocomplete="current-password"' in asked.text
    assert (wrong.status_code, proved.status_code) == (422, 303)
    assert mo.get(proved.location).status_code == 200


def test_who_has_a_second_factor_shows_its_code(signed_in: SignedIn, settings: Settings) -> None:
    mo = signed_in("mo@stad.example")
    uid, _tag = laptop(settings)
    secret = mo.post("/account/second-factor", step="begin").text.split('<span class="hm-code">')[1].split("<")[0]
    code = pyotp.TOTP(secret)
    now = datetime.now(UTC)
    confirmed = mo.post("/account/second-factor", step="confirm", code=code.at(now - timedelta(seconds=30)))
    an_hour_passes(settings)

    asked = mo.get(f"/prove?next=/devices/{uid}/wipe")
    used = mo.post("/prove", code=code.at(now - timedelta(seconds=30)), next="/")
    proved = mo.post("/prove", code=code.at(now), next=f"/devices/{uid}/wipe")

    assert confirmed.location == "/account"
    assert 'autocomplete="one-time-code"' in asked.text
    assert used.status_code == 422
    assert proved.location == f"/devices/{uid}/wipe"
