"""Android under Settings: what is brought in counts, what is wrong is refused; the invitation's page shows the QR code."""

import io
from collections.abc import Callable

from mdm.platforms.android.files import Store
from mdm.platforms.android.headwind.numbers import checksum
from mdm.settings import Settings
from tests.console.conftest import Visitor
from tests.console.test_phone_invitation import invited  # noqa: F401 -- the fixture
from tests.gateway.conftest import shared_signer  # noqa: F401 -- the fixture
from tests.sim.apk import Vendor

SignedIn = Callable[[str], Visitor]
MO, SARAH = "mo@stad.example", "sarah@stad.example"
VENDOR = Vendor()
FILES, SETUP = "/settings/phones/android/files", "/settings/phones/android/setup"


def _agent() -> tuple[io.BytesIO, str]:
    return io.BytesIO(VENDOR.apk("com.hmdm.launcher", "6.36", 16360)), "hmdm.apk"


def test_the_agent_is_brought_in_with_both_checksums_and_a_code_is_shown_from_then_on(
    signed_in: SignedIn,
    visitor: Visitor,
    settings: Settings,
    invited: Callable[..., str],  # noqa: F811 -- the fixture
) -> None:
    visitor.client.set_cookie("hm_language", "en")
    token = invited("android")
    assert "to your service point" in visitor.get(f"/e/{token}").text

    mo = signed_in(MO)
    mo.get("/settings/phones/android")
    assert mo.post(FILES, file=_agent()).status_code == 303
    page = mo.get("/settings/phones/android").text
    assert checksum(VENDOR.digest) in page
    assert len(list(Store(settings.home).folder.glob("*.new"))) == 0

    shown = visitor.get(f"/e/{token}").text
    assert "six times" in shown
    assert "data:image/svg" in shown


def test_what_phones_would_refuse_is_refused_with_the_reason_and_nothing_is_kept(
    signed_in: SignedIn, settings: Settings
) -> None:
    mo = signed_in(MO)
    mo.get("/settings/phones/android")
    refused = mo.post(FILES, file=(io.BytesIO(b"PK no archive"), "evil.apk"))
    assert refused.status_code == 422
    assert "no application that phones would install" in refused.text
    assert mo.post(FILES, file=_agent()).status_code == 303
    other = Vendor()
    again = mo.post(FILES, file=(io.BytesIO(other.apk("com.hmdm.launcher", "6.37", 16370)), "hmdm.apk"))
    assert "signed by somebody else" in again.text
    older = mo.post(FILES, file=(io.BytesIO(VENDOR.apk("com.hmdm.launcher", "6.30", 16300)), "hmdm.apk"))
    assert "newer" in older.text
    kept = [one for one in Store(settings.home).folder.iterdir() if len(one.name) == 64]
    assert len(kept) == 1


def test_the_network_for_new_phones_is_checked_and_its_password_is_never_shown(signed_in: SignedIn) -> None:
    mo = signed_in(MO)
    mo.get("/settings/phones/android")
    assert mo.post(SETUP, ssid="Onboarding", security="WPA", password="short").status_code == 422
    assert mo.post(SETUP, ssid="Onboarding", security="WPA", password="long enough 7").status_code == 303
    page = mo.get("/settings/phones/android").text
    assert "Onboarding" in page
    assert "long enough 7" not in page
    assert mo.post(SETUP, ssid="Onboarding", security="WPA", password="").status_code == 303


def test_only_a_fleet_admin_brings_anything_in(signed_in: SignedIn) -> None:
    sarah = signed_in(SARAH)
    sarah.get("/")
    assert sarah.post(FILES, file=_agent()).status_code in (403, 404)
    assert sarah.post(SETUP, ssid="x", security="NONE").status_code in (403, 404)
