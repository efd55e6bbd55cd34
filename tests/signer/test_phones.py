"""A phone's certificate whose device turns out to be another one: moved at once and once, and never across private and city."""

import pytest
from cryptography import x509

from mdm.core.errors import DeniedError, NotFoundError
from mdm.core.ids import new_uid
from mdm.platforms.apple.scep import Kind
from mdm.signing.answers import Issued, Ownership
from mdm.signing.client import SignerClient
from mdm.signing.phones import Verdict
from mdm.simulate import scep as phone
from tests.platforms.apple.test_scep import device_key
from tests.signer.neighbour import RunningSigner, enrol


def certified(client: SignerClient, device: str, ownership: Ownership = "city") -> Issued:
    """A phone's certificate for this device."""
    ca = x509.load_pem_x509_certificate(client.phone_ca().encode())
    mine = device_key()
    own = phone.own_certificate(mine)
    sent = phone.message(Kind.REQUEST, phone.request(mine, "x"), ca, mine, own, transaction="T")
    verdict = Verdict(device=device, invitation=new_uid(), ownership=ownership, days=30)
    got = client.scep_answer(sent, verdict=verdict).issued
    assert got is not None
    return got


def test_a_fresh_certificate_is_moved_to_the_device_that_the_phone_is_and_only_there(
    shared_signer: RunningSigner,
) -> None:
    client, first, second = shared_signer.client, new_uid(), new_uid()
    issued = certified(client, first)
    client.belongs(fingerprint=issued.fingerprint, device=second)
    client.belongs(fingerprint=issued.fingerprint, device=second)
    assert client.device_key(first) is None
    assert client.device_key(second) == issued.key_digest


def test_a_certificate_that_was_revoked_is_unknown_or_one_of_several_stays_where_it_is(
    shared_signer: RunningSigner,
) -> None:
    client, device = shared_signer.client, new_uid()
    issued = certified(client, device)
    certified(client, device)
    with pytest.raises(DeniedError):
        client.belongs(fingerprint=issued.fingerprint, device=new_uid())
    alone = certified(client, new_uid())
    client.revoke(fingerprint=alone.fingerprint, why="lost")
    with pytest.raises(DeniedError):
        client.belongs(fingerprint=alone.fingerprint, device=new_uid())
    with pytest.raises(NotFoundError):
        client.belongs(fingerprint="0" * 64, device=new_uid())


@pytest.mark.parametrize(("mine", "theirs"), [("private", "city"), ("city", "private")])
def test_no_certificate_moves_between_a_private_device_and_one_of_the_city(
    shared_signer: RunningSigner, mine: Ownership, theirs: Ownership
) -> None:
    client, device = shared_signer.client, new_uid()
    enrol(client, device, theirs)
    issued = certified(client, new_uid(), mine)
    with pytest.raises(DeniedError) as refused:
        client.belongs(fingerprint=issued.fingerprint, device=device)
    assert refused.value.code == "not_movable"
