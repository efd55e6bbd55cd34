"""A configuration profile for phones is looked at before it is saved: every finding, and what locks people out."""

import base64
import io
import plistlib
import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from mdm.policies.model import Policy, PolicyVersion
from mdm.settings import Settings
from mdm.storage.engine import make_engine, transaction
from tests.console.conftest import Visitor

SignedIn = Callable[[str], Visitor]
UUID = "8B4BBF5C-1C86-4B0C-9D3A-0B3E5F0C1A1"


def profile(*payloads: dict[str, object], **more: object) -> bytes:
    content = [
        {"PayloadVersion": 1, "PayloadIdentifier": f"example.{n}", "PayloadUUID": f"{UUID}{n}", **one}
        for n, one in enumerate(payloads)
    ]
    return plistlib.dumps(
        {
            "PayloadType": "Configuration", "PayloadVersion": 1, "PayloadIdentifier": "example.profile",
            "PayloadUUID": f"{UUID}F", "PayloadDisplayName": "Balie <b>", "PayloadContent": content, **more,
        }
    )  # fmt: skip


CLIP = {"PayloadType": "com.apple.webClip.managed", "Label": "Stad", "URL": "https://stad.example"}
PASSCODE = {"PayloadType": "com.apple.mobiledevice.passwordpolicy", "maxFailedAttempts": 4}
LOCKED = {"PayloadType": "com.apple.applicationaccess", "forceWiFiToAllowedNetworksOnly": True}
CAMERA = {"PayloadType": "com.apple.applicationaccess", "allowAirDrop": False}


@pytest.fixture
def editor(settings: Settings, signed_in: SignedIn) -> tuple[Visitor, int]:
    """Somebody who edits policies, and one that is there."""
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        number = session.scalars(select(Policy.id).where(Policy.archived_at.is_(None)).order_by(Policy.id)).first()
    engine.dispose()
    assert number is not None
    return signed_in("mo@stad.example"), number


def versions(settings: Settings, number: int) -> list[PolicyVersion]:
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        query = select(PolicyVersion).where(PolicyVersion.policy_id == number).order_by(PolicyVersion.number)
        found = list(session.scalars(query))
        session.expunge_all()
    engine.dispose()
    return found


def test_a_profile_is_looked_at_then_added_byte_for_byte(settings: Settings, editor: tuple[Visitor, int]) -> None:
    mo, number = editor
    before = len(versions(settings, number))
    file = profile(CLIP, PASSCODE)
    mo.get(f"/policies/{number}/profile")
    page = mo.post(f"/policies/{number}/profile", file=(io.BytesIO(file), "b.mobileconfig")).text
    assert "Balie &lt;b&gt;" in page
    assert "com.apple.webClip.managed" in page
    assert "After 4 wrong passcodes the device erases itself" in page
    assert "can be saved, with warnings" in page
    assert len(versions(settings, number)) == before
    fields = dict(re.findall(r'type="hidden" name="(expected|carried|version)" value="([^"]*)"', page))
    assert mo.post(f"/policies/{number}/profile/add", name="Balie", **fields).status_code == 303
    after = versions(settings, number)
    assert len(after) == before + 1
    (added,) = [one for one in after[-1].payloads if one["name"] == "Balie"]
    assert base64.b64decode(added["content"]["mobileconfig"]) == file
    assert "Balie" in mo.get(f"/policies/{number}/raw").text


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (profile(LOCKED), "the device could lose its network"),
        (profile({"PayloadType": "com.apple.mdm"}), "would hand the device to another management"),
        (profile({**CLIP, "URL": 7}), "must be of the type string"),
        (profile(CLIP, PayloadIdentifier="havenmeester.wifi"), "is one of our own"),
    ],
)
def test_what_would_do_harm_is_named_and_cannot_be_saved_by_any_door(
    settings: Settings, editor: tuple[Visitor, int], file: bytes, words: str
) -> None:
    mo, number = editor
    before = len(versions(settings, number))
    mo.get(f"/policies/{number}/profile")
    page = mo.post(f"/policies/{number}/profile", file=(io.BytesIO(file), "b.mobileconfig")).text
    assert words in page
    assert "cannot be saved" in page
    assert "/profile/add" not in page
    forced = mo.post(
        f"/policies/{number}/profile/add", name="x", expected=str(before), carried=base64.b64encode(file).decode()
    )
    assert forced.status_code == 422
    assert len(versions(settings, number)) == before


def test_findings_say_which_phones_they_are_about(editor: tuple[Visitor, int]) -> None:
    mo, number = editor
    mo.get(f"/policies/{number}/profile")
    page = mo.post(f"/policies/{number}/profile", file=(io.BytesIO(profile(CAMERA)), "b.mobileconfig"), version="18.1")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))
    assert re.search(r"works only on supervised devices\. [^.]*not supervised", text)
    assert "every phone" not in text


@pytest.mark.parametrize("file", [b"", b"nonsense", b"bplist00xxxx", b"<plist>", b"x" * 99_000])
def test_what_is_no_profile_is_refused_with_a_sentence(editor: tuple[Visitor, int], file: bytes) -> None:
    mo, number = editor
    mo.get(f"/policies/{number}/profile")
    answer = mo.post(f"/policies/{number}/profile", file=(io.BytesIO(file), "b.mobileconfig"))
    assert answer.status_code in (400, 422)
    assert 'role="alert"' in answer.text


def test_only_who_edits_policies_looks_at_one_here(signed_in: SignedIn, editor: tuple[Visitor, int]) -> None:
    sarah = signed_in("sarah@stad.example")
    assert sarah.get(f"/policies/{editor[1]}/profile").status_code == 403
    assert sarah.post(f"/policies/{editor[1]}/profile/add", name="x", carried="eA==").status_code == 403
