"""Orders at the signer: it believes nobody about who approved, and knows itself what was, what rests and what is used."""

from pathlib import Path

import pytest

from agent.crypto import holds
from agent.proof import Facts, check_envelope
from mdm.core.errors import ConflictError, DeniedError, HavenmeesterError
from mdm.core.ids import new_uid
from mdm.signing.client import Signed, Withheld
from mdm.signing.seals import open_order
from tests.conftest import Figure
from tests.signer.house import WIDE, House, changed, fields
from tests.signer.neighbour import csr, new_key
from tests.sim.approvers import ASKER, Council, Person, roster, text_of

QUARTER = 15 * 60
DAY = 24 * 3600


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A signer with a founded roster and wide budgets."""
    return House(tmp_path, limits=WIDE)


@pytest.fixture
def tight(tmp_path: Path) -> House:
    """The same with the budgets of every new installation."""
    return House(tmp_path)


def _refused(house: House, *args: object, **more: object) -> str:
    with pytest.raises(HavenmeesterError) as refused:
        house.ask(*args, **more)  # type: ignore[arg-type]
    return refused.value.code


def test_two_people_of_the_roster_approve_and_the_order_is_signed_after_its_rest(house: House) -> None:
    order = house.order()

    held = house.ask(order)
    house.clock.on(seconds=QUARTER - 1)
    nearly = house.ask(order)
    house.clock.on(seconds=1)
    signed = house.ask(order)

    assert isinstance(held, Withheld)
    assert (held.code, held.retry_after) == ("cooling", QUARTER)
    assert isinstance(nearly, Withheld)
    assert nearly.retry_after == 1
    assert isinstance(signed, Signed)
    assert open_order(house.client.ca().order_key, order.canonical, signed.signature) == order


def test_what_the_signer_signs_is_what_a_device_accepts(house: House) -> None:
    order = house.order()
    signed = house.signed(order)
    envelope = {
        "order": order.canonical,
        "signature": signed.signature,
        "approvals": [one.proof(order.canonical) for one in house.people[:2]],
        "rosters": house.client.rosters(),
    }
    facts = Facts(order.device, order.enrollment, house.client.ca().order_key, house.clock.seconds)

    verdict = check_envelope(envelope, facts, None, holds)

    assert verdict.approvers == ("operator:21", "operator:22")


def test_the_same_order_asked_again_gets_the_same_and_uses_the_budget_once(house: House) -> None:
    order = house.order()
    first = house.signed(order)

    assert [house.ask(order) for _ in range(9)] == [first] * 9
    house.again()
    assert house.ask(order) == first
    assert house.client.health().orders_in_24_hours == 1


def test_too_few_people_hold_an_order_and_begin_no_rest(house: House) -> None:
    order = house.order()

    for by in ([], house.people[:1]):
        held = house.ask(order, by)
        assert isinstance(held, Withheld)
        assert held.code == "approvals"
    house.clock.on(hours=2)

    held = house.ask(order)
    assert isinstance(held, Withheld)
    assert (held.code, held.retry_after) == ("cooling", QUARTER)


def test_nobody_approves_their_own_order_nor_twice_nor_from_outside_the_roster(house: House) -> None:
    first = house.people[0]
    own = house.order(requester=first.person)
    order = house.order()
    stranger = Person("operator:99", "ed25519")
    liar = Person("operator:22", "ed25519")

    assert _refused(house, own) == "requester"
    assert _refused(house, order, [first, first]) == "same_person"
    assert _refused(house, order, [first, stranger]) == "person"
    assert _refused(house, order, [first, liar]) == "key"


def test_a_proof_over_another_order_is_none(house: House) -> None:
    order, other = house.order(), house.order()
    proofs = [one.proof(other.canonical) for one in house.people[:2]]

    with pytest.raises(DeniedError) as refused:
        house.client.sign_order(order.canonical, proofs=proofs, ownership="city")

    assert refused.value.code in ("proof_signature", "passkey_client")


def test_an_approver_of_another_place_does_not_count(tmp_path: Path) -> None:
    people = [Person("operator:21"), Person("operator:22", places=["NOVA"]), Person("operator:23")]
    house = House(tmp_path, people=people)

    assert _refused(house, house.order(place="WERKHAVEN")) == "place"
    assert isinstance(house.ask(house.order(place="NOVA")), Withheld)
    assert isinstance(house.ask(house.order(place="WERKHAVEN"), [people[0], people[2]]), Withheld)


def test_a_new_approver_waits_and_the_order_waits_for_them(house: House) -> None:
    new = Person("operator:30", since=house.clock.seconds + 72 * 3600)
    text = house.statement([*house.people, new], 2)
    house.client.change_roster(roster=text, proofs=[one.proof(text) for one in house.people[:2]])
    by = [house.people[0], new]
    order = house.order(not_after=house.clock.seconds + 72 * 3600)

    held = house.ask(order, by)
    house.clock.on(hours=72)
    later = house.order()

    assert isinstance(held, Withheld)
    assert (held.code, held.retry_after) == ("waiting", 72 * 3600)
    assert isinstance(house.signed(later, by), Signed)


def test_who_is_taken_out_of_the_roster_during_the_rest_does_not_count_any_more(house: House) -> None:
    order = house.order()
    house.ask(order)
    text = house.statement([*house.people[1:], Person("operator:40", since=house.clock.seconds + 72 * 3600)], 2)
    house.client.change_roster(roster=text, proofs=[one.proof(text) for one in house.people[1:]])
    house.clock.on(hours=1)

    assert _refused(house, order) == "person"


def test_without_a_roster_an_order_is_held(tmp_path: Path) -> None:
    house = House(tmp_path, founded=False)

    held = house.ask(house.order())

    assert isinstance(held, Withheld)
    assert held.code == "no_roster"


def test_a_private_device_is_never_wiped_whoever_approves(house: House) -> None:
    private = house.device("private")

    assert _refused(house, house.order(private)) == "device_private"
    assert _refused(house, house.order(), ownership="private") == "device_private"
    assert _refused(house, house.order(private, lane="hand_in", presence="12345678"), []) == "device_private"


def test_an_order_dies_with_the_key_of_its_device(house: House) -> None:
    order = house.order()
    house.ask(order)
    device = order.device
    renewed = house.client.issue(device=device, invitation=new_uid(), csr=csr(new_key()), days=90, ownership="city")
    first = house.client.ledger.certificates("device", device)[-1]
    house.client.revoke(fingerprint=first.fingerprint, why="enrolled anew")
    house.clock.on(hours=1)

    assert _refused(house, order) == "device_unknown"
    assert isinstance(house.signed(house.order((device, renewed.key_digest))), Signed)


def test_an_order_that_waited_over_a_renewal_is_signed_and_one_over_a_revocation_is_not(house: House) -> None:
    order = house.order()
    house.ask(order)
    first = house.client.ledger.certificates("device", order.device)[-1]
    second = house.client.renew(previous=first.fingerprint, csr=csr(new_key()), days=90)
    house.client.revoke(fingerprint=first.fingerprint, why="renewed")
    house.clock.on(hours=1)

    assert isinstance(house.signed(order), Signed)

    other = house.order((order.device, first.key_digest))
    house.client.revoke(fingerprint=second.fingerprint, why="stolen")
    assert _refused(house, other) == "device_unknown"


def test_a_stolen_device_does_not_rest_and_has_two_in_an_hour(tight: House) -> None:
    orders = [tight.order(lane="stolen", requester=f"operator:{number}", place="") for number in range(1, 4)]

    assert [type(tight.ask(order)) for order in orders[:2]] == [Signed, Signed]
    held = tight.ask(orders[2])

    assert isinstance(held, Withheld)
    assert (held.code, held.retry_after) == ("budget_stolen", 3600)
    tight.clock.on(hours=1)
    assert isinstance(tight.ask(orders[2]), Signed)


def test_a_hand_in_needs_a_code_and_nobody_else(tight: House) -> None:
    order = tight.order(lane="hand_in", presence="12345678")

    assert isinstance(tight.ask(order, []), Signed)
    assert (
        _refused(tight, text_of(fields(order.canonical) | {"id": new_uid(), "presence": ""}), []) == "order_malformed"
    )
    assert _refused(tight, text_of(fields(order.canonical) | {"id": new_uid(), "lane": "ordinary"}), []) == (
        "order_malformed"
    )


def test_a_mass_order_needs_the_ceremony_and_a_day(house: House) -> None:
    orders = [house.order(lane="mass", reason="The tablets are sold.") for _ in range(6)]
    batch = text_of(Council.batch([order.canonical for order in orders], not_after=house.clock.seconds + 72 * 3600))

    two = house.ask(orders[0], batch=batch)
    held = [house.ask(order, house.people, batch=batch) for order in orders]
    house.clock.on(seconds=DAY)
    signed = [house.ask(order, house.people, batch=batch) for order in orders]

    assert isinstance(two, Withheld)
    assert two.code == "approvals"
    assert {(one.code, one.retry_after) for one in held if isinstance(one, Withheld)} == {("cooling", DAY)}
    assert all(isinstance(one, Signed) for one in signed)


def test_a_batch_speaks_for_its_own_orders_only(house: House) -> None:
    inside, outside = house.order(), house.order()
    batch = text_of(Council.batch([inside.canonical]))

    assert isinstance(house.ask(inside, batch=batch), Withheld)
    assert _refused(house, outside, batch=batch) == "batch"
    assert _refused(house, changed(inside, reason="Another reason."), batch=batch) == "batch"


def test_an_order_that_was_taken_back_is_never_signed_whatever_came_first(house: House) -> None:
    before, after = house.order(), house.order()
    assert house.client.void_order(before.id) is False
    house.signed(after)

    assert house.client.void_order(after.id) is True
    assert house.client.void_order(after.id) is True
    for order in (before, after):
        assert _refused(house, order) == "order_void"
    house.again()
    assert _refused(house, after) == "order_void"


def test_another_text_under_a_seen_id_is_refused_before_and_after_signing(house: House) -> None:
    order = house.order()
    house.ask(order)
    other = changed(order, reason="Another reason.")

    assert _refused(house, other) == "order_differs"
    house.signed(order)
    assert _refused(house, other) == "order_differs"


def test_the_red_button_stops_what_rests_and_what_was_signed_until_enough_people_end_it(house: House) -> None:
    resting, done = house.order(), house.order()
    house.signed(done)
    house.ask(resting)
    pressed = house.client.freeze(who="operator:5", why="Something is wrong.")
    house.clock.on(hours=1)

    assert house.client.freeze(who="operator:6", why="Again.") == pressed
    for order in (resting, done):
        held = house.ask(order)
        assert isinstance(held, Withheld)
        assert held.code == "frozen"
    health = house.client.health()
    assert (health.frozen, health.freeze) == (True, 1)

    thaw = text_of({"freeze": 1, "issued": house.clock.seconds, "kind": "thaw", "v": 1})
    with pytest.raises(DeniedError) as one:
        house.client.thaw(statement=thaw, proofs=[house.people[0].proof(thaw)])
    assert one.value.code == "approvals"
    house.client.thaw(statement=thaw, proofs=[person.proof(thaw) for person in house.people[1:]])
    house.client.thaw(statement=thaw, proofs=[person.proof(thaw) for person in house.people[1:]])

    assert not house.client.health().frozen
    assert isinstance(house.ask(done), Signed)
    assert house.client.freeze(who="operator:5", why="Once more.").number == 2
    with pytest.raises(ConflictError) as old:
        house.client.thaw(statement=thaw, proofs=[person.proof(thaw) for person in house.people])
    assert old.value.code == "freeze_number"


def test_a_thaw_that_was_signed_beforehand_opens_nothing(house: House) -> None:
    thaw = text_of({"freeze": 1, "issued": house.clock.seconds, "kind": "thaw", "v": 1})
    house.clock.on(hours=1)
    house.client.freeze(who="operator:5", why="")

    with pytest.raises(DeniedError) as refused:
        house.client.thaw(statement=thaw, proofs=[person.proof(thaw) for person in house.people])

    assert refused.value.code == "issued"
    assert house.client.health().frozen


def test_an_order_of_an_older_epoch_is_never_signed(house: House) -> None:
    old, signed = house.order(), house.order()
    house.signed(signed)
    with house.client.ledger.writing():
        house.client.ledger.book.add_epoch(2, house.clock.seconds)

    assert _refused(house, old) == "epoch"
    assert _refused(house, signed) == "epoch"
    assert _refused(house, house.order(epoch=3)) == "epoch"
    assert isinstance(house.signed(house.order(epoch=2)), Signed)


def test_budgets_are_changed_by_enough_people_and_count_at_once(tight: House) -> None:
    held = [tight.ask(tight.order(lane="stolen", requester=f"operator:{n}", place="")) for n in range(1, 4)]
    assert isinstance(held[2], Withheld)
    said = {"issued": tight.clock.seconds, "kind": "budgets", "limits": {"stolen_hour": 3}, "v": 1, "version": 1}
    text = text_of(said)

    with pytest.raises(DeniedError):
        tight.client.set_budgets(statement=text, proofs=[tight.people[0].proof(text)])
    for _ in range(2):
        tight.client.set_budgets(statement=text, proofs=[one.proof(text) for one in tight.people[:2]])

    assert tight.client.health().budgets["stolen_hour"] == 3
    lines = tight.client.budget_use(lane="stolen", place="", requester="operator:9")
    assert {(line.name, line.limit, line.used) for line in lines} >= {("stolen", 3, 2), ("fleet", 3, 2)}
    assert isinstance(tight.ask(tight.order(lane="stolen", requester="operator:7", place="")), Signed)
    for change, code in (({"limits": {"stolen_hour": 21}, "version": 2}, "budget_ceiling"), ({}, "budgets_version")):
        other = text_of(said | {"issued": tight.clock.seconds + 1} | change)
        with pytest.raises(HavenmeesterError) as refused:
            tight.client.set_budgets(statement=other, proofs=[one.proof(other) for one in tight.people[:2]])
        assert refused.value.code == code


def test_a_token_has_a_budget_of_its_own(tight: House) -> None:
    orders = [tight.order(place=f"P{number}") for number in range(3)]
    for order in orders:
        tight.ask(order, token="token:3")
    tight.clock.on(hours=1)

    assert [type(tight.ask(order, token="token:3")) for order in orders[:2]] == [Signed, Signed]
    held = tight.ask(orders[2], token="token:3")
    assert isinstance(held, Withheld)
    assert held.code == "budget_token"


def test_a_clock_that_goes_back_allows_nothing_that_was_not(tight: House) -> None:
    resting, expired = tight.order(), tight.order(not_after=tight.clock.seconds + 600)
    tight.ask(resting)
    tight.clock.on(seconds=601)
    assert _refused(tight, expired) == "order_expired"
    tight.clock.on(seconds=-200)

    assert _refused(tight, expired) == "order_expired"
    still = tight.ask(resting)
    assert isinstance(still, Withheld)
    assert still.code == "cooling"

    tight.clock.on(days=-2)
    for order in (resting, tight.order(lane="stolen", not_after=tight.clock.seconds + 72 * 3600)):
        held = tight.ask(order)
        assert isinstance(held, Withheld)
        assert held.code == "clock"
    tight.again()
    assert isinstance(tight.ask(resting), Withheld)


def test_used_budgets_are_still_used_when_the_clock_goes_back_a_little(tight: House) -> None:
    for number in range(2):
        assert isinstance(tight.ask(tight.order(lane="stolen", requester=f"operator:{number + 1}", place="")), Signed)
    tight.clock.on(seconds=-120)

    held = tight.ask(tight.order(lane="stolen", requester="operator:7", place=""))

    assert isinstance(held, Withheld)
    assert (held.code, held.retry_after) == ("budget_stolen", 3600 + 120)


def test_an_order_that_is_dated_ahead_waits_for_its_moment(house: House) -> None:
    order = house.order(lane="stolen", not_before=house.clock.seconds + 1000)

    held = house.ask(order)
    house.clock.on(seconds=700)

    assert isinstance(held, Withheld)
    assert (held.code, held.retry_after) == ("clock", 700)
    assert isinstance(house.ask(order), Signed)


def test_every_flipped_bit_of_an_order_or_a_proof_is_refused(house: House, figure: Figure) -> None:
    order = house.order(lane="stolen")
    text = order.canonical.encode()
    proofs = [one.proof(order.canonical) for one in house.people[:2]]
    signed = tried = 0
    for position in range(len(text) * 8):
        flipped = bytearray(text)
        flipped[position // 8] ^= 1 << position % 8
        signed += _signs(house, flipped.decode(errors="surrogateescape"), proofs)
        tried += 1
    for number, proof in enumerate(proofs):
        for name, value in proof.items():
            for position in range(0, len(value) * 8, 5):
                changed_value = bytearray(value.encode())
                changed_value[position // 8] ^= 1 << position % 8
                other = [*proofs]
                other[number] = proof | {name: changed_value.decode(errors="surrogateescape")}
                signed += _signs(house, order.canonical, other)
                tried += 1

    assert signed == 0
    figure(f"signer: {tried} orders and proofs with one bit turned: none signed")
    assert isinstance(house.ask(order), Signed)
    assert house.client.health().orders_in_24_hours == 1


def _signs(house: House, text: str, proofs: list[dict[str, str]]) -> bool:
    try:
        return isinstance(house.client.sign_order(text, proofs=proofs, ownership="city"), Signed)
    except (HavenmeesterError, UnicodeEncodeError):
        return False


def test_a_forged_order_is_never_signed_whoever_lends_a_key(house: House) -> None:
    """Every pair of {right, requester, stranger, same person twice, another place, waiting}, each with one right proof."""
    waiting = Person("operator:31", since=house.clock.seconds + 72 * 3600)
    elsewhere = Person("operator:32", places=["NOVA"], since=house.clock.seconds + 72 * 3600)
    text = house.statement([*house.people, waiting, elsewhere], 2)
    house.client.change_roster(roster=text, proofs=[one.proof(text) for one in house.people])
    asker = Person(ASKER)
    wrong = [waiting, elsewhere, asker, Person("operator:77"), house.people[0]]

    for bad in wrong:
        for order in (house.order(lane="stolen"), house.order(lane="mass")):
            assert not _signs(
                house, order.canonical, [house.people[0].proof(order.canonical), bad.proof(order.canonical)]
            )
    assert house.client.health().orders_in_24_hours == 0
    assert roster(house.people)["threshold"] == 2
