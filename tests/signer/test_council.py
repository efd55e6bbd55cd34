"""Rosters at the signer: one founding, then step by step, each on the word of the people before."""

import json
from pathlib import Path

import pytest
from cryptography import x509

from agent.crypto import holds
from agent.proof import follow, read_pin
from agent.wire import PIN_OID
from mdm.core.errors import ConflictError, DeniedError, HavenmeesterError
from mdm.signer import keys
from tests.conftest import Figure
from tests.signer.house import House
from tests.signer.neighbour import enrol
from tests.sim.approvers import Person, text_of


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A signer without a roster."""
    return House(tmp_path, founded=False)


def _change(house: House, people: list[Person], by: list[Person], version: int = 2, **changes: object) -> str:
    text = house.statement(people, version, **changes)
    house.client.change_roster(roster=text, proofs=[one.proof(text) for one in by])
    return text


def _refused(house: House, people: list[Person], by: list[Person], version: int = 2, **changes: object) -> str:
    with pytest.raises(HavenmeesterError) as refused:
        _change(house, people, by, version, **changes)
    return refused.value.code


def test_the_first_roster_is_sealed_once_and_a_device_follows_it(house: House) -> None:
    sealed = house.found()

    learned = follow(None, [sealed], house.client.ca().order_key, holds, now=house.clock.seconds)

    assert learned[-1].roster.version == 1
    assert house.client.rosters() == [sealed]
    assert house.client.rosters(1) == []
    health = house.client.health()
    assert (health.roster, health.roster_digest) == (1, learned[-1].roster.digest)


def test_the_same_founding_again_answers_the_same_and_another_is_refused_for_ever(house: House) -> None:
    text = house.statement(house.people)
    proofs = [one.proof(text) for one in house.people]
    secret = keys.founding_secret(house.home)
    first = house.client.found_roster(secret=secret, roster=text, proofs=proofs)

    assert house.client.found_roster(secret=secret, roster=text, proofs=proofs) == first
    house.again()
    thieves = [Person(f"operator:{number}") for number in (5, 6, 7)]
    other = house.statement(thieves)
    with pytest.raises(ConflictError) as refused:
        house.client.found_roster(secret=secret, roster=other, proofs=[one.proof(other) for one in thieves])
    assert refused.value.code == "roster_founded"
    assert house.client.rosters() == [first]


def test_nobody_founds_without_the_secret_of_the_signers_folder(house: House) -> None:
    text = house.statement(house.people)

    with pytest.raises(DeniedError) as refused:
        house.client.found_roster(secret="guess", roster=text, proofs=[one.proof(text) for one in house.people])

    assert refused.value.code == "founding_secret"
    assert house.client.rosters() == []


@pytest.mark.parametrize("count", [0, 1])
def test_a_founding_needs_as_many_of_its_own_people_as_it_asks_for(house: House, count: int) -> None:
    text = house.statement(house.people)

    with pytest.raises(DeniedError) as refused:
        house.client.found_roster(
            secret=keys.founding_secret(house.home),
            roster=text,
            proofs=[one.proof(text) for one in house.people[:count]],
        )

    assert refused.value.code == "roster_threshold"


def test_a_change_needs_people_of_both_rosters_and_devices_follow_it(house: House) -> None:
    first = house.found()
    new = Person("operator:40", since=house.clock.seconds + 72 * 3600)

    text = _change(house, [*house.people, new], house.people[:2])

    chain = house.client.rosters()
    assert [json.loads(one["roster"])["version"] for one in chain] == [1, 2]
    assert chain[0] == first
    learned = follow(None, chain, house.client.ca().order_key, holds, now=house.clock.seconds)
    assert learned[-1].roster.text == text
    assert house.client.change_roster(roster=text, proofs=[]) == chain[1]


def test_one_approver_alone_changes_nothing(house: House) -> None:
    house.found()
    new = Person("operator:40", since=house.clock.seconds + 72 * 3600)
    people = [*house.people, new]

    assert _refused(house, people, house.people[:1]) == "roster_threshold"
    assert _refused(house, people, [house.people[0], house.people[0]]) == "roster_threshold"
    assert _refused(house, people, [house.people[0], new]) == "roster_threshold"
    assert house.client.health().roster == 1


def test_a_change_is_the_very_next_fresh_and_makes_new_people_wait(house: House) -> None:
    house.found()
    hasty = Person("operator:40", since=house.clock.seconds)
    both = house.people[:2]

    assert _refused(house, house.people, both, 3) == "roster_version"
    assert _refused(house, [*house.people, hasty], both) == "roster_waiting"
    house.clock.on(days=3)
    assert _refused(house, house.people, both, issued=house.clock.seconds - 25 * 3600) == "roster_time"
    assert _refused(house, house.people, both, issued=house.clock.seconds + 3600) == "roster_time"


def test_two_changes_that_race_leave_one(house: House) -> None:
    house.found()
    by = house.people[:2]
    _change(house, house.people, by, threshold=2, ceremony=3)

    other = house.statement(house.people, 2, issued=house.clock.seconds + 1)
    with pytest.raises(ConflictError) as refused:
        house.client.change_roster(roster=other, proofs=[one.proof(other) for one in by])

    assert refused.value.code == "roster_version"


def test_before_a_founding_nothing_is_changed(house: House) -> None:
    assert _refused(house, house.people, house.people) == "no_roster"


def test_proofs_that_do_not_hold_are_not_kept_in_the_sealed_roster(house: House) -> None:
    house.found()
    text = house.statement(house.people, 2)
    other = text_of({"nothing": 1})
    proofs = [*(one.proof(text) for one in house.people[:2]), house.people[2].proof(other)]

    sealed = house.client.change_roster(roster=text, proofs=proofs)

    assert sealed["signatures"] == proofs[:2]


def test_a_certificate_says_which_order_key_and_which_roster_to_believe(house: House) -> None:
    before = enrol(house.client, "0" * 32)
    house.found()
    after = enrol(house.client, "1" * 32)
    health, order_key = house.client.health(), house.client.ca().order_key

    assert _pin(before.chain) == (order_key, None)
    assert _pin(after.chain) == (order_key, (1, health.roster_digest))


def _pin(chain: str) -> object:
    certificate = x509.load_pem_x509_certificate(chain.encode())
    extension = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier(PIN_OID))
    assert not extension.critical
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    return read_pin(extension.value.value)


def test_every_flipped_bit_of_a_roster_is_refused(house: House, figure: Figure) -> None:
    house.found()
    text = house.statement(house.people, 2)
    proofs = [one.proof(text) for one in house.people]
    raw, taken = text.encode(), 0
    for position in range(0, len(raw) * 8, 3):
        flipped = bytearray(raw)
        flipped[position // 8] ^= 1 << position % 8
        try:
            house.client.change_roster(roster=flipped.decode(errors="surrogateescape"), proofs=proofs)
        except (HavenmeesterError, UnicodeEncodeError):
            continue
        taken += 1

    assert taken == 0
    figure(f"signer: {len(range(0, len(raw) * 8, 3))} rosters with one bit turned: none sealed")
    house.client.change_roster(roster=text, proofs=proofs)
    assert house.client.health().roster == 2
