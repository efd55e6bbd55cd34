"""Orders at the signer: every rule is asked again here, whatever the web server and the database say."""

import base64
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from agent.wire import V1_ORDER_PREFIX as ORDER_PREFIX
from mdm.core.errors import ConflictError, DeniedError, HavenmeesterError, InvalidError
from mdm.core.ids import new_uid
from mdm.signer import keys
from mdm.signing.client import Ownership, Signed, SignerClient, Withheld
from mdm.signing.seals import proves
from mdm.signing.shapes import Approved
from mdm.signing.v1 import OrderText, open_order
from tests.signer.neighbour import RunningSigner, approved, enrol, order_for

ASKER = "operator:1"


def _sign(
    client: SignerClient,
    order: OrderText | str,
    *,
    asker: str = ASKER,
    by: list[Approved] | None = None,
    place: str = "3",
    ownership: Ownership = "city",
) -> Signed | Withheld:
    return client.sign_order_v1(
        order if isinstance(order, str) else order.canonical,
        requester_id=asker,
        approvals=approved("operator:9") if by is None else by,
        place=place,
        ownership=ownership,
    )


def _enrolled(client: SignerClient) -> tuple[str, str]:
    device = new_uid()
    return device, enrol(client, device).key_digest


def test_an_order_of_two_people_is_signed_and_proved(signer: RunningSigner) -> None:
    order = order_for(*_enrolled(signer.client))

    signed = _sign(signer.client, order)

    assert isinstance(signed, Signed)
    assert open_order(signer.client.ca().order_key, order.canonical, signed.signature) == order


def test_the_same_order_asked_again_gets_the_same_signature_and_uses_the_budget_once(signer: RunningSigner) -> None:
    order = order_for(*_enrolled(signer.client))

    first = _sign(signer.client, order)
    for _ in range(20):
        assert _sign(signer.client, order) == first

    assert signer.client.health().orders_in_24_hours == 1


def test_another_order_under_the_same_id_is_refused(signer: RunningSigner) -> None:
    device, key = _enrolled(signer.client)
    order = order_for(device, key)
    _sign(signer.client, order)

    with pytest.raises(ConflictError) as refused:
        _sign(signer.client, replace(order, reason="Another reason."))

    assert refused.value.code == "order_differs"


@pytest.mark.parametrize(
    ("by", "code"),
    [
        ([], "two_people"),
        (["operator:1"], "two_people"),
        (["operator:9", "operator:1"], "two_people"),
        (["operator:9", "operator:9"], "two_people"),
    ],
)
def test_without_a_second_person_nothing_is_signed(shared_signer: RunningSigner, by: list[str], code: str) -> None:
    names = ("Ada Approver",) * max(1, len(by))
    order = order_for(*_enrolled(shared_signer.client), approved_by=names)

    with pytest.raises(DeniedError) as refused:
        _sign(shared_signer.client, order, by=approved(*by))

    assert refused.value.code == code


def test_the_order_names_the_approvers_of_the_evidence(shared_signer: RunningSigner) -> None:
    order = order_for(*_enrolled(shared_signer.client), approved_by=("Somebody Else",))

    with pytest.raises(DeniedError) as refused:
        _sign(shared_signer.client, order)

    assert refused.value.code == "evidence"


def test_a_private_device_is_never_wiped_whatever_the_evidence_says(shared_signer: RunningSigner) -> None:
    private = new_uid()
    key = enrol(shared_signer.client, private, "private").key_digest
    city = order_for(*_enrolled(shared_signer.client))

    with pytest.raises(DeniedError) as came_as_private:
        _sign(shared_signer.client, order_for(private, key), ownership="city")
    with pytest.raises(DeniedError) as said_to_be_private:
        _sign(shared_signer.client, city, ownership="private")

    assert came_as_private.value.code == said_to_be_private.value.code == "device_private"


def test_an_order_dies_with_the_certificate(shared_signer: RunningSigner) -> None:
    client, device = shared_signer.client, new_uid()
    issued = enrol(client, device)
    client.revoke(fingerprint=issued.fingerprint, why="lost")
    other, _ = _enrolled(client)

    for order in (
        order_for(device, issued.key_digest),
        order_for(other, issued.key_digest),
        order_for(other, "0" * 64),
    ):
        with pytest.raises(DeniedError) as refused:
            _sign(client, order)
        assert refused.value.code == "device_unknown"


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [(-7200, -1, "order_expired"), (-72 * 3600 - 9, -9, "order_expired"), (400, 3600, "order_early")],
)
def test_an_order_outside_its_time_is_refused(shared_signer: RunningSigner, before: int, after: int, code: str) -> None:
    order = order_for(*_enrolled(shared_signer.client))
    now = order.not_before + 10

    with pytest.raises(DeniedError) as refused:
        _sign(shared_signer.client, replace(order, not_before=now + before, not_after=now + after))

    assert refused.value.code == code


def test_a_window_of_72_hours_is_taken_and_a_second_more_is_not(signer: RunningSigner) -> None:
    first, second = order_for(*_enrolled(signer.client)), order_for(*_enrolled(signer.client))

    assert isinstance(_sign(signer.client, replace(first, not_after=first.not_before + 72 * 3600)), Signed)
    with pytest.raises(InvalidError) as refused:
        _sign(signer.client, replace(second, not_after=second.not_before + 72 * 3600 + 1))
    assert refused.value.code == "order_malformed"


def test_a_fourth_order_in_an_hour_is_held_for_a_small_fleet_and_not_refused(signer: RunningSigner) -> None:
    client = signer.client
    devices = [_enrolled(client) for _ in range(4)]
    for number, device in enumerate(devices[:3]):
        assert isinstance(_sign(client, order_for(*device), asker=f"operator:{number + 20}", place=str(number)), Signed)

    held = _sign(client, order_for(*devices[3]), asker="operator:30", place="7")

    assert isinstance(held, Withheld)
    assert "one hour" in held.why
    assert 3500 < held.retry_after <= 3600
    assert client.health().orders_in_24_hours == 3


def test_of_many_who_race_for_the_last_place_in_a_budget_one_gets_it(signer: RunningSigner) -> None:
    client = signer.client
    for number in range(2):
        _sign(client, order_for(*_enrolled(client)), asker=f"operator:{number + 20}")
    orders = [order_for(*_enrolled(client)) for _ in range(12)]
    barrier, outcomes = threading.Barrier(len(orders)), []

    def ask(order: OrderText, asker: str) -> None:
        barrier.wait()
        outcomes.append(_sign(client, order, asker=asker, place=asker))

    threads = [
        threading.Thread(target=ask, args=(order, f"operator:{number + 30}")) for number, order in enumerate(orders)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len([one for one in outcomes if isinstance(one, Signed)]) == 1
    assert len([one for one in outcomes if isinstance(one, Withheld)]) == 11
    assert client.health().orders_in_24_hours == 3


def test_the_ledger_outlives_kill_9(signer: RunningSigner) -> None:
    order = order_for(*_enrolled(signer.client))
    first = _sign(signer.client, order)

    signer.kill()
    signer.start()

    assert _sign(signer.client, order) == first
    with pytest.raises(ConflictError):
        _sign(signer.client, replace(order, reason="Another reason."))


def test_every_flipped_bit_of_order_or_signature_is_refused(
    shared_signer: RunningSigner, signer: RunningSigner
) -> None:
    key = signer.client.ca().order_key
    order = order_for(*_enrolled(signer.client))
    signed = _sign(signer.client, order)
    assert isinstance(signed, Signed)
    text, signature = order.canonical.encode(), base64.b64decode(signed.signature)

    accepted = 0
    for position in range(len(text) * 8):
        flipped = bytearray(text)
        flipped[position // 8] ^= 1 << position % 8
        accepted += proves(key, ORDER_PREFIX + bytes(flipped), signed.signature)
    for position in range(len(signature) * 8):
        changed = bytearray(signature)
        changed[position // 8] ^= 1 << position % 8
        accepted += proves(key, ORDER_PREFIX + text, base64.b64encode(changed).decode())

    assert accepted == 0
    assert proves(key, ORDER_PREFIX + text, signed.signature)
    assert not proves(shared_signer.client.ca().order_key, ORDER_PREFIX + text, signed.signature)


def test_a_signature_over_something_else_opens_no_order(signer: RunningSigner) -> None:
    authority = signer.client.ca()
    head = signer.client.sign_head(1, "0" * 64)
    order = order_for(*_enrolled(signer.client))

    for key in (authority.order_key, authority.head_key):
        with pytest.raises(DeniedError) as refused:
            open_order(key, order.canonical, head.signature)
        assert refused.value.code == "order_signature"


def _mutants(order: OrderText) -> dict[str, str]:
    text = order.canonical
    return {
        "a space": text.replace(",", ", ", 1),
        "another order of keys": "{" + ",".join(reversed(text[1:-1].split(',"'))) + "}",
        "a key twice": text[:-1] + ',"verb":"wipe"}',
        "one key too many": text[:-1] + ',"zeal":1}',
        "a key missing": text.replace(f'"reason":"{order.reason}",', ""),
        "another verb": text.replace('"wipe"', '"retire"'),
        "a boolean version": text.replace('"v":1', '"v":true'),
        "a float moment": text.replace(str(order.not_after), f"{order.not_after}.0"),
        "a text moment": text.replace(str(order.not_after), f'"{order.not_after}"'),
        "an escaped letter": text.replace("stolen", "\\u0073tolen"),
        "no reason": text.replace(order.reason, " "),
        "a lone surrogate": text.replace("stolen", "\\ud800"),
        "a capital in the id": text.replace(order.id, order.id.upper() if order.id.upper() != order.id else "Z" * 32),
        "an id with a line feed": text.replace(order.id, order.id[:-1] + "\\n"),
        "a name list that is text": text.replace('["Ada Approver"]', '"Ada Approver"'),
        "an empty window": text.replace(str(order.not_after), str(order.not_before)),
        "a list": "[" + text + "]",
        "deep": "[" * 4000,
        "long": text.replace(order.reason, "x" * 8000),
        "not JSON": "wipe everything",
        "not a number": text.replace(str(order.not_after), "NaN"),
    }


@pytest.mark.parametrize("name", sorted(_mutants(order_for("0" * 32, "0" * 64))))
def test_an_order_in_any_other_spelling_is_refused_with_a_typed_error(shared_signer: RunningSigner, name: str) -> None:
    order = order_for(*_enrolled(shared_signer.client))
    text = _mutants(order)[name]
    assert text != order.canonical

    with pytest.raises(HavenmeesterError) as refused:
        _sign(shared_signer.client, text)

    assert refused.value.code in {"order_malformed", "malformed"}


def test_keys_are_made_once_and_for_the_signer_only(tmp_path: Path) -> None:
    folder = keys.create(tmp_path, "Antwerpen")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    keys.create(tmp_path, "Another City")

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert sorted(before) == ["ca.key", "ca.pem", "founding", "head.key", "order.key"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    folder = keys.create(tmp_path, "Antwerpen")
    (folder / "order.key").chmod(0o644)

    with pytest.raises(HavenmeesterError) as refused:
        keys.load(tmp_path)

    assert refused.value.code == "configuration"
    assert "order.key" in str(refused.value)


def test_a_second_signer_on_the_same_keys_does_not_start(signer: RunningSigner) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "mdm.signer.main"],
        env={**os.environ, "HAVENMEESTER_HOME": str(signer.home)},
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode != 0
    assert b"Another signer" in ended.stderr
    assert signer.client.health().fleet == 0
