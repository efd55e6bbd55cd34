"""Orders in any spelling but the one that was signed, and the files of the signer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mdm.core.errors import HavenmeesterError
from mdm.core.ids import new_uid
from mdm.signer import keys
from mdm.signing.seals import OrderText, read_order
from tests.signer.neighbour import RunningSigner, enrol
from tests.sim.approvers import Council, text_of


def _mutants(order: OrderText) -> dict[str, str]:
    text = order.canonical
    return {
        "a space": text.replace(",", ", ", 1),
        "another order of keys": "{" + ",".join(reversed(text[1:-1].split(',"'))) + "}",
        "a key twice": text[:-1] + ',"verb":"wipe"}',
        "one key too many": text[:-1] + ',"zeal":1}',
        "a key missing": text.replace(f'"reason":"{order.reason}",', ""),
        "another verb": text.replace('"wipe"', '"retire"'),
        "a boolean version": text.replace('"v":2', '"v":true'),
        "a float moment": text.replace(str(order.not_after), f"{order.not_after}.0"),
        "a text moment": text.replace(str(order.not_after), f'"{order.not_after}"'),
        "an escaped letter": text.replace("Stolen", "\\u0053tolen"),
        "no reason": text.replace(order.reason, " "),
        "a lone surrogate": text.replace("Stolen", "\\ud800"),
        "a capital in the id": text.replace(order.id, order.id.upper() if order.id.upper() != order.id else "Z" * 32),
        "an id with a line feed": text.replace(order.id, order.id[:-1] + "\\n"),
        "a lane that is none": text.replace('"ordinary"', '"express"'),
        "a place in small letters": text.replace("WINKEL", "winkel"),
        "a code without a hand-in": text.replace('"presence":""', '"presence":"12345678"'),
        "an epoch of nothing": text.replace('"epoch":1', '"epoch":0'),
        "a requester who is nobody": text.replace('"operator:1"', '"operator"'),
        "the first version": text.replace('"v":2', '"v":1'),
        "an empty window": text.replace(str(order.not_after), str(order.not_before)),
        "a list": "[" + text + "]",
        "deep": "[" * 4000,
        "long": text.replace(order.reason, "x" * 8000),
        "not JSON": "wipe everything",
        "not a number": text.replace(str(order.not_after), "NaN"),
    }


@pytest.mark.parametrize("name", sorted(_mutants(read_order(text_of(Council.order("0" * 32, "0" * 64))))))
def test_an_order_in_any_other_spelling_is_refused_with_a_typed_error(shared_signer: RunningSigner, name: str) -> None:
    device = new_uid()
    order = read_order(text_of(Council.order(device, enrol(shared_signer.client, device).key_digest)))
    text = _mutants(order)[name]
    assert text != order.canonical

    with pytest.raises(HavenmeesterError) as refused:
        shared_signer.client.sign_order(text, proofs=[], ownership="city")

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
