"""Checks 122 and 123: a private phone enrols by its owner's account, and nobody else's."""

import plistlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy import select
from werkzeug.test import Client

from mdm.core.actor import system
from mdm.core.clock import utcnow
from mdm.core.errors import NotSignedInError
from mdm.enrollment.model import Invitation
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.people.model import Person
from mdm.platforms.apple import account, addresses, cms, plist
from mdm.platforms.apple.model import AppleSession
from mdm.simulate.iphone import IPhone
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.platforms.apple.city import City
from tests.platforms.apple.papers import holder
from tests.platforms.apple.test_checks_j_renewal import identity
from tests.signer.neighbour import RunningSigner
from web.gateway.app import make_gateway

SARAH, TOM = "sarah@stad.example", "tom@stad.example"
ENROLL = f"/apple/v1/account?user-identifier={SARAH}"


@pytest.fixture
def staffed(city: City, shared_signer: RunningSigner) -> City:
    """The city with a signer, an identity provider, and two people."""
    (city.home / "run").mkdir()
    (city.home / "run" / "signer.sock").symlink_to(shared_signer.socket)
    city.settings = city.settings.model_copy(update={"oidc_issuer": "https://login.stad.example"})
    city.gateway = make_gateway(city.settings)
    with transaction(city.engine, write=True) as session:
        session.add(ServicePoint(code="WERKHAVEN", name="Werkhaven", created_at=utcnow()))
        for email in (SARAH, TOM):
            session.add(Person(name=email, email=email, language="nl", created_at=utcnow()))
    return city


def get(city: City, **query: str) -> Any:
    return Client(city.gateway).get("/.well-known/com.apple.remotemanagement", query_string=query)


def machine() -> bytes:
    """What a private phone says of itself: neither UDID nor serial number."""
    papers = holder("machine")
    return cms.sign(plist.write({"PRODUCT": "iPhone15,4", "VERSION": "22B83"}), papers.key, papers.certificate)


def post(city: City, token: str | None, body: bytes | None = None, path: str = ENROLL) -> Any:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return Client(city.gateway).post(path, data=machine() if body is None else body, headers=headers)


def admitted(city: City, email: str = SARAH, user: str = SARAH) -> str:
    """What the phone is given once the identity provider has proved its owner."""
    with transaction(city.engine, write=True) as session:
        return account.admit(Call(system("tests"), session, utcnow()), email, user)


def test_122_an_account_of_ours_is_told_where_to_enrol_and_others_get_apples_own_word(staffed: City) -> None:
    found = get(staffed, **{"user-identifier": SARAH.upper(), "model-family": "iPhone"})
    assert (found.status_code, found.mimetype) == (200, "application/json")
    (server,) = found.json["Servers"]
    assert server["Version"] == "mdm-byod"
    assert server["BaseURL"].startswith(f"{staffed.settings.gateway_base}/apple/v1/account?user-identifier=sarah%40")
    for query in (
        {"user-identifier": "nobody@stad.example", "model-family": "iPhone"},
        {"user-identifier": SARAH, "model-family": "Toaster"},
        {"user-identifier": '"><script>', "model-family": "iPhone"},
        {"model-family": "iPhone"},
        {},
    ):
        refused = get(staffed, **query)
        assert (refused.status_code, refused.json) == (403, {"code": "com.apple.well-known.failed"})
        assert refused.mimetype == "application/json"


def test_122_who_has_left_has_no_account_here(staffed: City) -> None:
    with transaction(staffed.engine, write=True) as session:
        person = session.scalars(select(Person).where(Person.email == SARAH)).one()
        person.left_on = utcnow().date() - timedelta(days=1)
    assert get(staffed, **{"user-identifier": SARAH, "model-family": "iPhone"}).status_code == 403


def test_123_without_or_with_a_wrong_token_the_phone_is_sent_to_sign_in(staffed: City) -> None:
    for token in (None, "", "guessed"):
        refused = post(staffed, token)
        assert refused.status_code == 401
        told = refused.headers["WWW-Authenticate"]
        assert told.startswith('Bearer method="apple-as-web", url="http://localhost:8080/sign-in/oidc/phone?')
        assert refused.data == b""
    quoted = post(staffed, None, path='/apple/v1/account?user-identifier="evil').headers["WWW-Authenticate"]
    assert '"evil' not in quoted


def test_123_a_token_of_another_user_an_old_one_and_one_for_something_else_give_no_profile(staffed: City) -> None:
    assert post(staffed, admitted(staffed, TOM, TOM)).status_code == 401
    old = admitted(staffed)
    with transaction(staffed.engine, write=True) as session:
        session.scalars(select(Invitation).order_by(Invitation.id.desc())).first().expires_at = utcnow()  # type: ignore[union-attr]
    assert post(staffed, old).status_code == 401
    other = admitted(staffed)
    with transaction(staffed.engine, write=True) as session:
        session.scalars(select(Invitation).order_by(Invitation.id.desc())).first().created_by = "Mo"  # type: ignore[union-attr]
    assert post(staffed, other).status_code == 401
    with transaction(staffed.engine, write=False) as session:
        assert session.scalars(select(AppleSession)).all() == []


def test_123_who_signs_in_as_somebody_else_is_not_admitted(staffed: City) -> None:
    for email in (TOM, "nobody@stad.example", "", None):
        with pytest.raises(NotSignedInError):
            admitted(staffed, email, SARAH)  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [b"", b"garbage", b"<?xml version='1.0'?><plist><dict/></plist>"])
def test_a_phone_that_does_not_say_signed_what_it_is_gets_no_profile(staffed: City, body: bytes) -> None:
    assert post(staffed, admitted(staffed), body).status_code == 400


def test_123_a_private_phone_enrols_without_serial_and_without_the_right_to_wipe_it(
    staffed: City, shared_signer: RunningSigner
) -> None:
    token = admitted(staffed)
    answer = post(staffed, token)
    assert (answer.status_code, answer.mimetype) == (200, "application/x-apple-aspen-config")
    content = plistlib.loads(cms.verify(answer.data).content or b"")
    (management,) = [one for one in content["PayloadContent"] if one["PayloadType"] == "com.apple.mdm"]
    assert (management["EnrollmentMode"], management["AssignedManagedAppleID"]) == ("BYOD", SARAH)
    assert "AccessRights" not in management
    assert "PayloadRemovalDisallowed" not in content

    one = identity(staffed, shared_signer, answer.data, 0)
    phone = IPhone(
        send=staffed.put, checkin_path=one.checkin_path, server_path=one.server_path, topic=one.topic, key=one.key,
        certificate=one.certificate, user_enrollment=True, supervised=False,
    )  # fmt: skip
    phone.enroll()
    with transaction(staffed.engine, write=False) as session:
        device = session.scalars(select(Device)).one()
        assert (device.ownership, device.serial) == ("private", None)
        assert session.scalars(select(AppleSession)).one().user_enrollment
    assert post(staffed, token).status_code == 401


class _CitySite(BaseHTTPRequestHandler):
    """The web site of the accounts' domain: it has pages of its own, and sends one address on, as docs/iphone.md says."""

    gateway = ""

    def do_GET(self) -> None:
        """The way of every web server: the same path and query at another host, for good."""
        if urlsplit(self.path).path == addresses.WELL_KNOWN:
            self.send_response(HTTPStatus.PERMANENT_REDIRECT)
            self.send_header("Location", self.gateway + self.path)
        else:
            self.send_response(HTTPStatus.NOT_FOUND)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


@contextmanager
def city_site(gateway: str) -> Iterator[str]:
    """The site over a real socket: its address."""
    handler = type("Site", (_CitySite,), {"gateway": gateway})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_domain_that_sends_the_question_on_to_the_gateway_is_answered_there(staffed: City) -> None:
    """The phone asks the domain of its account, which is the city's own web site and none of ours."""
    with city_site(staffed.settings.gateway_base) as site, httpx2.Client() as phone:
        for user, status in ((SARAH, 200), ("nobody@stad.example", 403)):
            asked = phone.get(site + addresses.WELL_KNOWN, params={"user-identifier": user, "model-family": "iPhone"})
            assert asked.status_code == HTTPStatus.PERMANENT_REDIRECT
            there = urlsplit(asked.headers["Location"])
            assert f"{there.scheme}://{there.netloc}" == staffed.settings.gateway_base
            answer = Client(staffed.gateway).get(f"{there.path}?{there.query}")
            assert answer.status_code == status
            if status == HTTPStatus.OK:
                assert answer.json["Servers"][0]["BaseURL"].startswith(
                    f"{staffed.settings.gateway_base}/apple/v1/account"
                )
        assert phone.get(f"{site}/").status_code == HTTPStatus.NOT_FOUND
    bare = Client(staffed.gateway).get(addresses.WELL_KNOWN)
    assert bare.status_code == 403, "a redirect that drops what was asked finds nobody"
