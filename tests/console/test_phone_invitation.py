"""The invitation page for a phone: plain steps, a link that ends as phones expect it, and a profile behind it."""

import plistlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from mdm.core.actor import system
from mdm.enrollment import service
from mdm.enrollment.links import Links
from mdm.org.queries import service_points
from mdm.platforms.apple import cms
from mdm.platforms.apple.model import ApplePush
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import FLEET_ADMIN
from tests.console.conftest import Visitor
from tests.signer.conftest import shared_signer
from tests.signer.neighbour import RunningSigner

__all__ = ["shared_signer"]


@pytest.fixture
def invited(settings: Settings, shared_signer: RunningSigner) -> Callable[..., str]:
    """The token of an invitation; with a signer beside the console, and a push certificate unless told otherwise."""
    (settings.home / "run").mkdir()
    (settings.home / "run" / "signer.sock").symlink_to(shared_signer.socket)

    def one(platform: str = "ios", *, push: bool = True) -> str:
        engine = make_engine(settings.database)
        now = datetime.now(UTC)
        with transaction(engine, write=True) as session:
            if push:
                session.add(
                    ApplePush(
                        topic="com.apple.mgmt.External.test", certificate="", key=b"", created_by="x", created_at=now,
                        not_after=now + timedelta(days=300),
                    )
                )  # fmt: skip
            code = service_points(Call(FLEET_ADMIN, session, now))[0].code
            _, url = service.invite(
                Call(system("tests"), session, now),
                Links("http://console", "https://gateway", "0" * 64, 168),
                email="new@stad.example",
                platform=platform,
                service_point_code=code,
            )
        engine.dispose()
        return url.split("/e/")[1].split("#")[0]

    return one


def test_the_page_has_a_plain_link_to_a_signed_profile(
    console: Flask, visitor: Visitor, invited: Callable[..., str]
) -> None:
    visitor.client.set_cookie("hm_language", "en")
    token = invited()
    page = visitor.get(f"/e/{token}")
    assert page.status_code == 200
    link = re.search(r'href="([^"]+\.mobileconfig)"', page.text)
    assert link is not None
    assert link[1] == f"http://localhost:8080/e/{token}/havenmeester.mobileconfig"
    assert "Profile Downloaded" in page.text
    assert "havenmeester-agent" not in page.text

    answer = visitor.get(link[1].removeprefix("http://localhost:8080"))
    assert (answer.status_code, answer.mimetype) == (200, "application/x-apple-aspen-config")
    assert answer.headers["Cache-Control"] == "no-store"
    content = cms.verify(answer.data).content
    assert content is not None
    assert plistlib.loads(content)["ConsentText"].keys() >= {"default", "en", "nl", "fr"}


def test_check_11_a_forged_host_does_not_reach_the_profile(visitor: Visitor, invited: Callable[..., str]) -> None:
    """Check 11 of the black-box list."""
    token = invited()
    answer = visitor.get(
        f"/e/{token}/havenmeester.mobileconfig", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    )
    assert b"evil.example" not in answer.data
    assert b"evil.example" not in visitor.get(f"/e/{token}", headers={"X-Forwarded-Host": "evil.example"}).data


def test_without_a_push_certificate_the_page_says_that_it_is_not_their_fault(
    visitor: Visitor, invited: Callable[..., str]
) -> None:
    visitor.client.set_cookie("hm_language", "en")
    token = invited(push=False)
    page = visitor.get(f"/e/{token}")
    assert "cannot be enrolled just now" in page.text
    assert "href" in page.text
    assert f"/e/{token}/havenmeester.mobileconfig" not in page.text
    refused = visitor.get(f"/e/{token}/havenmeester.mobileconfig")
    assert refused.status_code == 409
    assert refused.mimetype == "text/html"


@pytest.mark.parametrize("platform", ["linux", "android"])
def test_an_invitation_for_something_else_has_no_profile(
    visitor: Visitor, invited: Callable[..., str], platform: str
) -> None:
    token = invited(platform)
    assert "mobileconfig" not in visitor.get(f"/e/{token}").text
    assert visitor.get(f"/e/{token}/havenmeester.mobileconfig").status_code == 404
    assert visitor.get("/e/guessed/havenmeester.mobileconfig").status_code == 404
