"""From an invitation to an identity."""

import json
import stat

import pytest

from tests.agent.conftest import Device
from tests.sim.gateway import Authority, Gateway


def test_an_invitation_enrols_a_device_and_its_key_is_its_own(device: Device, gateway: Gateway) -> None:
    out = device.good("enroll", gateway.invitation(), "--root", str(device.root))
    assert "Enrolled with Stad Antwerpen" in out
    assert gateway.enrolled_with["serial"] == "PF2ABC12"
    assert gateway.enrolled_with["model"] == "ThinkCentre M70q"
    assert stat.S_IMODE((device.state / "keys/1/key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(device.state.stat().st_mode) == 0o700
    assert device.status()["device"] == gateway.device


def test_a_used_invitation_is_refused_in_its_own_words_and_nothing_is_kept(device: Device, gateway: Gateway) -> None:
    gateway.used_by = "somebody else's key"
    outcome = device.call("enroll", gateway.invitation(), "--root", str(device.root))
    assert outcome.returncode == 5
    assert "This invitation has been used." in outcome.stderr
    assert device.call("status").returncode == 3


def test_another_authority_is_not_trusted_and_learns_nothing(device: Device, gateway: Gateway) -> None:
    url = gateway.invitation(fingerprint=Authority("Mallory").fingerprint)
    outcome = device.call("enroll", url, "--root", str(device.root))
    assert outcome.returncode == 6
    assert "Somebody may stand in between" in outcome.stderr
    assert gateway.used_by is None
    assert not device.state.joinpath("keys").exists()


def test_an_authority_that_is_right_but_did_not_certify_the_server_is_not_enough(
    device: Device, gateway: Gateway
) -> None:
    # The server hands out an authority with the expected fingerprint, but its own certificate is from another one.
    gateway.authority = Authority("Elsewhere")
    outcome = device.call("enroll", gateway.invitation(), "--root", str(device.root))
    assert outcome.returncode == 7
    assert "does not show a certificate of our authority" in outcome.stderr
    assert gateway.used_by is None


def test_a_device_that_is_enrolled_is_not_enrolled_again(enrolled: Device, gateway: Gateway) -> None:
    before = (enrolled.state / "identity.json").read_bytes()
    outcome = enrolled.call("enroll", gateway.invitation(), "--root", str(enrolled.root))
    assert outcome.returncode == 4
    assert "already enrolled with Stad Antwerpen" in outcome.stderr
    assert (enrolled.state / "identity.json").read_bytes() == before


def test_asking_again_after_a_lost_answer_uses_the_same_key_and_gets_in(device: Device, gateway: Gateway) -> None:
    device.good("enroll", gateway.invitation(), "--root", str(device.root))
    key = (device.state / "keys/1/key.pem").read_bytes()
    # As if the machine had stopped before it had written the answer down.
    (device.state / "identity.json").unlink()
    (device.state / "keys/1/chain.pem").unlink()
    device.good("enroll", gateway.invitation(), "--root", str(device.root))
    assert (device.state / "keys/1/key.pem").read_bytes() == key
    device.once()


def test_nobody_at_the_gateway_is_said_so(device: Device, gateway: Gateway) -> None:
    gateway.stop()
    outcome = device.call("enroll", gateway.invitation(), "--root", str(device.root))
    gateway.again()
    assert outcome.returncode == 7
    assert "cannot be reached" in outcome.stderr


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8080/e/invitation-token-0123456789",
        "http://localhost:8080/e/invitation-token-0123456789#ca=12",
        "http://localhost:8080/#ca=" + "0" * 64,
        "http://localhost:8080/e/invitation-token-0123456789#gateway=http%3A%2F%2Fx&ca=" + "0" * 64,
        "nonsense",
    ],
)
def test_an_address_that_is_cut_off_is_told_apart_before_anybody_is_asked(device: Device, url: str) -> None:
    outcome = device.call("enroll", url, "--root", str(device.root))
    assert outcome.returncode == 2
    assert "havenmeester-agent:" in outcome.stderr
    assert not device.state.joinpath("keys").exists()


def test_an_address_that_is_none_is_wrong_use(device: Device) -> None:
    outcome = device.call("enroll", "http://[::1/e/x#ca=1", "--root", str(device.root))
    assert (outcome.returncode, "Traceback" in outcome.stderr) == (2, False)
    assert not device.state.joinpath("keys").exists()


def test_a_gateway_that_cannot_enrol_now_is_asked_again_later(device: Device, gateway: Gateway) -> None:
    gateway.closed_for = 7
    outcome = device.call("enroll", gateway.invitation(), "--root", str(device.root))
    assert (outcome.returncode, "again in 7 seconds" in outcome.stderr) == (7, True), outcome.stderr
    assert not device.state.joinpath("identity.json").exists()


def test_an_agent_enrolled_for_one_root_does_not_touch_another(enrolled: Device, gateway: Gateway) -> None:
    outcome = enrolled.call("run", "--once", "--root", "/")
    assert outcome.returncode == 9
    assert "does not touch /" in outcome.stderr
    assert gateway.checkins == []


def test_a_hostile_refusal_cannot_write_to_the_terminal(device: Device, gateway: Gateway) -> None:
    gateway._enroll = lambda request: (410, {"detail": "used\x1b[2J\u202egnp.exe"})  # type: ignore[method-assign]
    outcome = device.call("enroll", gateway.invitation(), "--root", str(device.root))
    assert outcome.returncode == 5
    assert "\x1b" not in outcome.stderr
    assert "\u202e" not in outcome.stderr


def test_a_device_that_leaves_is_gone_and_may_come_back_with_another_key(enrolled: Device, gateway: Gateway) -> None:
    key = (enrolled.state / "keys/1/key.pem").read_bytes()
    enrolled.once()
    assert "has left Stad Antwerpen" in enrolled.good("leave")
    assert gateway.left
    assert enrolled.call("run", "--once").returncode == 3
    gateway.used_by = None
    enrolled.enroll(gateway)
    assert (enrolled.state / "keys/1/key.pem").read_bytes() != key
    assert json.loads(enrolled.call("status", "--json").stdout)["enrolled"]


def test_leaving_without_the_gateway_needs_to_be_asked_for(enrolled: Device, gateway: Gateway) -> None:
    gateway.stop()
    assert enrolled.call("leave").returncode == 7
    assert enrolled.status()["enrolled"]
    enrolled.good("leave", "--offline")
    assert not enrolled.status()["enrolled"]
    gateway.again()
