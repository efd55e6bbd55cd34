"""The page that judges: what people sign, who counts, which roster follows which. With real keys, without any network."""

import base64
import json
import time
from typing import Any

import pytest

from agent import proof, wire
from agent.crypto import holds
from agent.proof import Facts, RefusedError, Roster
from tests.sim.approvers import ASKER, DAY, ORIGIN, Council, Person, client_data, roster, text_of, uid

DEVICE, KEY = "d" * 32, "ab" * 32
HOUR = 3600


@pytest.fixture(scope="module")
def council() -> Council:
    """Three people with a key file and two kinds of passkey."""
    return Council()


def facts(council: Council, **changes: Any) -> Facts:
    return Facts(DEVICE, KEY, council.order_key, int(time.time()))._replace(**changes)


def known(council: Council) -> Roster:
    return proof.read_roster(council.rosters[-1]["roster"])


def judge(council: Council, envelope: object, **changes: Any) -> proof.envelope.Verdict:
    return proof.check_envelope(envelope, facts(council, **changes), known(council), holds)


def rule(council: Council, envelope: object, **changes: Any) -> str:
    with pytest.raises(RefusedError) as refused:
        judge(council, envelope, **changes)
    assert str(refused.value)
    return refused.value.rule


def test_an_order_that_two_others_approved_is_accepted_and_says_who(council: Council) -> None:
    order = council.order(DEVICE, KEY)
    for people in (council.people[:2], council.people[1:], council.people):
        verdict = judge(council, council.envelope(order, people))
        assert verdict.order == order
        assert verdict.approvers == tuple(one.person for one in people)
        assert verdict.rosters == []


@pytest.mark.parametrize("kind", ["ed25519", "es256", "eddsa", "rs256"])
def test_every_kind_of_key_approves_one_statement_and_no_other(kind: str) -> None:
    person = Person("operator:21", kind)
    page = proof.read_roster(text_of(roster([person, Person("operator:22")])))
    one, other = '{"a":1}', '{"a":2}'
    assert proof.check_proof(person.proof(one), one, page, holds) == "operator:21"
    with pytest.raises(RefusedError):
        proof.check_proof(person.proof(one), other, page, holds)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"device": "e" * 32}, "device"),
        ({"enrollment": "cd" * 32}, "enrollment"),
        ({"epoch": 0}, "types"),
        ({"verb": "retire"}, "verb"),
        ({"v": 1}, "version"),
        ({"v": True}, "version"),
        ({"v": 2.0}, "version"),
        ({"kind": "act"}, "kind"),
        ({"id": "order-1"}, "types"),
        ({"id": 7}, "types"),
        ({"lane": "fast"}, "types"),
        ({"lane": "hand_in"}, "lane"),
        ({"presence": "12345678"}, "lane"),
        ({"presence": "1234567"}, "types"),
        ({"place": "winkel 1"}, "types"),
        ({"requester": "Mo"}, "types"),
        ({"reason": " "}, "types"),
        ({"reason": "x" * 501}, "types"),
        ({"reason": "a\u202eb"}, "types"),
        ({"reason": "a\nb"}, "types"),
        ({"requested_by": ""}, "types"),
        ({"not_after": str(int(time.time()))}, "types"),
        ({"not_after": 1}, "window"),
        ({"not_before": int(time.time()) - 73 * HOUR}, "window"),
        ({"extra": 1}, "fields"),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused_by_that_rule(
    council: Council, change: dict[str, Any], expected: str
) -> None:
    assert rule(council, council.envelope({**council.order(DEVICE, KEY), **change})) == expected


def test_what_the_device_knows_refuses_too(council: Council) -> None:
    order = council.order(DEVICE, KEY)
    envelope, now = council.envelope(order), int(time.time())
    assert rule(council, envelope, done=frozenset({order["id"]})) == "replay"
    assert rule(council, envelope, epoch=2) == "epoch"
    assert rule(council, envelope, now=order["not_after"] + 301) == "window"
    assert rule(council, envelope, now=order["not_before"] - 301) == "window"
    assert rule(council, envelope, now=now, floor=order["not_after"] + 301) == "window"
    assert judge(council, envelope, now=order["not_after"] + 299)
    assert judge(council, envelope, now=order["not_before"] - 299)
    assert judge(council, envelope, floor=now - DAY, epoch=1)


def texts(order: dict[str, Any]) -> list[tuple[str, str]]:
    good = text_of(order)
    return [
        (json.dumps(order), "form"),
        (good + "\n", "form"),
        (good[:-1] + ',"verb":"wipe"}', "form"),
        (good.replace("van", "\\u0076an"), "form"),
        (good.replace("van", "\\ud800"), "form"),
        ("[]", "kind"),
        ("", "form"),
        ("[" * 5000, "form"),
        ('{"v":NaN}', "form"),
        ("9" * 6000, "form"),
        (text_of({**order, "reason": "x" * wire.MAX_ORDER}), "size"),
        (text_of({name: value for name, value in order.items() if name != "reason"}), "fields"),
    ]


@pytest.mark.parametrize("number", range(12))
def test_an_order_in_another_spelling_is_refused(council: Council, number: int) -> None:
    text, expected = texts(council.order(DEVICE, KEY))[number]
    assert rule(council, council.envelope(text)) == expected


def test_only_two_different_others_are_enough(council: Council) -> None:
    ada, bo, cy = council.people
    order = council.order(DEVICE, KEY)
    two_keys = Person("operator:24", "ed25519", "es256")
    wider = Council(ada, two_keys, bo, key=council.signer)

    def by(*people: Person) -> dict[str, Any]:
        return council.envelope(order, people)

    assert rule(council, by()) == "approvals"
    assert rule(council, by(ada)) == "approvals"
    assert rule(council, by(ada, ada)) == "same_person"
    assert rule(council, by(ada, Person("operator:99"))) == "person"
    assert rule(council, by(ada, Person("operator:22", "es256"))) == "key"
    own = council.order(DEVICE, KEY, requester=ada.person)
    assert rule(council, council.envelope(own, [ada, bo])) == "requester"
    assert judge(council, council.envelope(own, [ada, bo, cy])).approvers == (bo.person, cy.person)
    twice = {**wider.envelope(order, []), "approvals": [two_keys.proof(order, key) for key in two_keys.keys]}
    assert rule(wider, twice) == "same_person"
    renamed = {**ada.proof(order), "person": bo.person}
    assert rule(council, {**by(bo), "approvals": [bo.proof(order), renamed]}) == "same_person"
    assert (
        rule(council, {**by(ada), "approvals": [ada.proof(order), {**cy.proof(order), "person": bo.person}]}) == "key"
    )


def test_waiting_time_and_place_are_the_rosters(council: Council) -> None:
    now = int(time.time())
    ada, new, local = Person("operator:1"), Person("operator:2", since=now + 60), Person("operator:3", places=["ZUID"])
    board = Council(ada, new, local, key=council.signer)
    order = board.order(DEVICE, KEY, place="ZUID", requester="operator:9")
    assert rule(board, board.envelope(order, [ada, new])) == "waiting"
    assert judge(board, board.envelope(order, [ada, new]), now=now + 60)
    assert judge(board, board.envelope(order, [ada, local]))
    for place in ("NOORD", ""):
        elsewhere = {**order, "place": place}
        assert rule(board, board.envelope(elsewhere, [ada, local])) == "place"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"rp_id": "evil.test"}, "passkey_authenticator"),
        ({"flags": 0x01}, "passkey_authenticator"),
        ({"flags": 0x04}, "passkey_authenticator"),
        ({"more": b"x"}, "passkey_authenticator"),
        ({"origin": "https://evil.test"}, "passkey_client"),
        ({"type": "webauthn.create"}, "passkey_client"),
        ({"crossOrigin": True}, "passkey_client"),
        ({"crossOrigin": "false"}, "passkey_client"),
        ({"challenge": "AAAA"}, "passkey_client"),
        ({"client": b"{"}, "passkey_client"),
        ({"client": b"[]"}, "passkey_client"),
    ],
)
@pytest.mark.parametrize("place", [1, 2])
def test_an_assertion_that_breaks_a_rule_of_webauthn_is_no_approval(
    council: Council, place: int, change: dict[str, Any], expected: str
) -> None:
    order = council.order(DEVICE, KEY)
    passkey = council.people[place]
    bad = {**council.envelope(order), "approvals": [council.people[0].proof(order), passkey.proof(order, **change)]}
    assert rule(council, bad) == expected


def test_a_passkey_may_say_that_it_has_extensions_and_how_it_is_kept(council: Council) -> None:
    order = council.order(DEVICE, KEY)
    ada, bo, _ = council.people
    for change in ({"flags": 0x85, "more": b"\xa0"}, {"flags": 0x1D}, {"counter": 2**32 - 1}):
        approvals = [ada.proof(order), bo.proof(order, **change)]
        assert judge(council, {**council.envelope(order, []), "approvals": approvals})


def test_client_data_with_a_key_twice_is_refused_and_unknown_keys_are_not(council: Council) -> None:
    order = council.order(DEVICE, KEY)
    ada, bo, _ = council.people
    digest = proof.statement_digest(text_of(order))
    twice = client_data(digest)[:-1] + b',"origin":"' + ORIGIN.encode() + b'"}'
    envelope = {**council.envelope(order), "approvals": [ada.proof(order), bo.proof(order, client=twice)]}
    assert rule(council, envelope) == "passkey_client"
    more = client_data(digest, somethingNew=1)
    assert judge(council, {**envelope, "approvals": [ada.proof(order), bo.proof(order, client=more)]})


def test_the_signers_key_alone_moves_nothing(council: Council) -> None:
    order = council.order(DEVICE, KEY)
    stranger = Council()
    assert rule(council, council.envelope(order, signer=stranger.signer)) == "signature"
    assert rule(council, stranger.envelope(order, rosters=[])) == "signature"
    fake = Council(Person("operator:21"), Person("operator:22"), Person("operator:23"), key=council.signer)
    assert rule(council, fake.envelope(order, rosters=[])) == "key"
    assert rule(council, fake.envelope(order)) == "roster_fork"
    made = fake.change([*fake.people, Person("operator:24")], fake.people)
    assert rule(council, fake.envelope(order, rosters=[made])) == "roster_waiting"
    made = fake.change(fake.people, fake.people, version=2)
    assert rule(council, fake.envelope(order, rosters=[made])) == "roster_threshold"


def test_a_batch_is_approved_once_for_all_its_orders_and_for_no_other(council: Council) -> None:
    orders = [council.order(DEVICE if n == 0 else uid(), KEY) for n in range(5)]
    batch = council.batch(orders)
    envelope = council.envelope(orders[0], batch=batch)
    assert judge(council, envelope).order == orders[0]
    assert rule(council, council.envelope(council.order(DEVICE, KEY), batch=batch)) == "batch"
    later = {**orders[0], "not_after": orders[0]["not_after"] + 1}
    assert (
        rule(council, council.envelope(later, batch=council.batch([later], not_after=later["not_after"] - 1)))
        == "batch"
    )
    for change in ({"requester": "operator:2"}, {"reason": "Other"}, {"requested_by": "Other"}, {"lane": "mass"}):
        assert rule(council, council.envelope(orders[0], batch={**batch, **change}, by=council.people)) == "batch"
    assert rule(council, {**envelope, "approvals": council.envelope(orders[0])["approvals"]}) != ""
    assert rule(council, council.envelope(orders[0], batch={**batch, "orders": batch["orders"][::-1]})) == "types"
    six = [*orders, council.order(uid(), KEY)]
    assert rule(council, council.envelope(orders[0], batch=council.batch(six))) == "lane"


def test_a_mass_order_needs_the_ceremony(council: Council) -> None:
    orders = [council.order(DEVICE if n == 0 else uid(), KEY, lane="mass") for n in range(40)]
    batch = council.batch(orders)
    assert rule(council, council.envelope(orders[0], council.people[:2], batch=batch)) == "approvals"
    assert len(judge(council, council.envelope(orders[0], council.people, batch=batch)).approvers) == 3
    assert rule(council, council.envelope(orders[0], council.people[:2])) == "approvals"


def test_a_hand_in_needs_a_code_of_this_device_and_nobody(council: Council) -> None:
    order = council.order(DEVICE, KEY, lane="hand_in", presence="12345678")
    envelope = council.envelope(order, [])
    assert judge(council, envelope, presence=frozenset({"12345678"})).approvers == ()
    assert rule(council, envelope, presence=frozenset({"12345679"})) == "presence"
    assert rule(council, envelope) == "presence"
    assert rule(council, envelope, presence=frozenset({"12345678"}), presence_shut=True) == "presence_shut"


def test_a_device_without_a_roster_obeys_nobody_and_takes_the_first_one(council: Council) -> None:
    order = council.order(DEVICE, KEY)
    with pytest.raises(RefusedError) as refused:
        proof.check_envelope(council.envelope(order, rosters=[]), facts(council), None, holds)
    assert refused.value.rule == "no_roster"
    verdict = proof.check_envelope(council.envelope(order), facts(council), None, holds)
    assert [one.roster.version for one in verdict.rosters] == [1]


def test_a_roster_follows_the_one_before_and_nothing_else() -> None:
    council = Council()
    ada, bo, cy = council.people
    first, now = known(council), int(time.time())
    dee = Person("operator:24", since=now + 73 * HOUR)

    def step(people: list[Person], by: list[Person], *, sealing: bool = False, at: int = now, **changes: Any) -> str:
        text = text_of(roster(people, **{"version": 2, "issued": now, **changes}))
        try:
            proof.check_roster_step(first, text, [one.proof(text) for one in by], holds, now=at, sealing=sealing)
        except RefusedError as refused:
            return refused.rule
        return "good"

    everyone = [ada, bo, cy, dee]
    assert step(everyone, [ada, bo]) == "good"
    assert step([ada, bo], [ada, bo]) == "good"
    assert step(everyone, [ada]) == "roster_threshold"
    assert step(everyone, [ada, dee]) == "roster_threshold"
    assert step([ada, dee], [ada, bo]) == "roster_threshold"
    assert step([ada, dee], [ada, bo, dee]) == "good"
    assert step(everyone, [ada, bo], version=3) == "roster_version"
    assert step(everyone, [ada, bo], version=1) == "roster_version"
    assert step(everyone, [ada, bo], issued=first.issued - 1) == "roster_time"
    assert step(everyone, [ada, bo], issued=now + 301) == "roster_time"
    assert step([ada, bo], [ada, bo], at=now + 25 * HOUR) == "good"
    assert step([ada, bo], [ada, bo], at=now + 25 * HOUR, sealing=True) == "roster_time"
    assert step([*everyone[:3], Person("operator:24", since=now + 71 * HOUR)], [ada, bo]) == "roster_waiting"
    assert step([*everyone[:3], Person("operator:24", since=0)], [ada, bo]) == "roster_waiting"


def test_more_places_wait_fewer_do_not_and_a_waiting_time_is_never_cut_short() -> None:
    now = int(time.time())
    ada, bo = Person("operator:1"), Person("operator:2")
    local, waiting = Person("operator:3", places=["A", "B"]), Person("operator:4", since=now + 60 * HOUR)
    council = Council(ada, bo, local, waiting)
    first = known(council)

    def step(person: str, by: list[Person] | None = None, **changes: Any) -> str:
        statement = roster(council.people, 2, issued=now)
        statement["approvers"] = [
            {**one, **changes} if one["person"] == person else one for one in statement["approvers"]
        ]
        text = text_of(statement)
        try:
            proof.check_roster_step(first, text, [one.proof(text) for one in by or [ada, bo]], holds, now=now)
        except RefusedError as refused:
            return refused.rule
        return "good"

    assert step("operator:3", places=["A"]) == "good"
    assert step("operator:3", places=["A", "C"]) == "roster_waiting"
    assert step("operator:3", places=["*"]) == "roster_waiting"
    assert step("operator:3", places=["*"], **{"from": now + 72 * HOUR}) == "good"
    assert step("operator:1", places=["A"]) == "good"
    assert step("operator:4", **{"from": now}) == "roster_waiting"
    assert step("operator:4", places=["A"]) == "good"
    assert step("operator:4", by=[ada, waiting]) == "roster_threshold"
    assert step("operator:1", keys=[Person("operator:1").keys[0].entry()], by=[ada, bo, local]) == "good"


def test_what_is_no_roster_is_refused() -> None:
    ada, bo, cy = (Person(f"operator:{n}", "ed25519", "es256") for n in (1, 2, 3))
    good = roster([ada, bo, cy])
    first, *rest = good["approvers"]
    key = first["keys"][0]

    def rule_of(statement: dict[str, Any]) -> str:
        with pytest.raises(RefusedError) as refused:
            proof.read_roster(text_of(statement))
        return refused.value.rule

    def one(**changes: Any) -> dict[str, Any]:
        return {**good, "approvers": [{**first, **changes}, *rest]}

    proof.read_roster(text_of(good))
    for bad in (
        {**good, "approvers": [*good["approvers"]][::-1]},
        {**good, "approvers": [first, first]},
        {**good, "approvers": [first]},
        {**good, "threshold": 3},
        {**good, "origins": [ORIGIN, ORIGIN]},
        one(keys=rest[0]["keys"]),
        one(keys=[key, key]),
        one(keys=[]),
        one(keys=[{**key, "id": "0" * 32}]),
        one(keys=[{**key, "type": "rsa"}]),
        one(keys=[{**key, "public": key["public"] + "\n"}]),
        one(keys=[{**first["keys"][1], "type": "ed25519"}]),
        one(keys=[{**key, "more": 1}]),
        one(keys=["key"]),
        one(places=[]),
        one(places=["*", "A"]),
        one(places=["A", "A"]),
        one(places=[""]),
        one(places="*"),
        one(person="Ada"),
        one(name=""),
        one(**{"from": -1}),
        one(**{"from": True}),
        one(extra=1),
    ):
        assert rule_of(bad) == "roster", bad
    for change in ({"threshold": 1}, {"ceremony": 2}, {"approvers": []}, {"version": 0}, {"approvers": ["Ada"]}):
        assert rule_of({**good, **change}) == "types"
    assert rule_of({**good, "v": 2}) == "version"


def test_the_founding_is_signed_by_its_own_people() -> None:
    ada, bo, cy = (Person(f"operator:{n}", since=int(time.time()) + DAY) for n in (1, 2, 3))
    text, now = text_of(roster([ada, bo, cy])), int(time.time())
    assert proof.check_founding(text, [one.proof(text) for one in (ada, cy)], holds, now=now).version == 1
    for by in ([], [ada], [ada, ada], [ada, Person("operator:9")]):
        with pytest.raises(RefusedError) as refused:
            proof.check_founding(text, [one.proof(text) for one in by], holds, now=now)
        assert refused.value.rule == "roster_threshold"
    second = text_of(roster([ada, bo, cy], 2))
    with pytest.raises(RefusedError):
        proof.check_founding(second, [one.proof(second) for one in (ada, bo, cy)], holds, now=now)


def test_a_chain_is_followed_to_its_end_and_a_gap_a_fork_or_a_strange_seal_stops_it() -> None:
    council = Council()
    start = known(council)
    for _ in range(4):
        council.change(council.people, council.people[:2])
    now = int(time.time())

    def follow(given: object, roster: Roster | None = start, key: str = council.order_key) -> list[int]:
        return [one.roster.version for one in proof.follow(roster, given, key, holds, now=now)]

    def refused(given: object, roster: Roster | None = start, key: str = council.order_key) -> str:
        with pytest.raises(RefusedError) as error:
            follow(given, roster, key)
        return error.value.rule

    assert follow(council.rosters) == [2, 3, 4, 5]
    assert follow(council.rosters, None) == [1, 2, 3, 4, 5]
    assert follow(council.rosters[1:3]) == [2, 3]
    assert follow([], start) == []
    assert refused(council.rosters[2:]) == "roster_gap"
    assert refused(council.rosters[1:], None) == "roster_gap"
    assert refused([council.rosters[2], council.rosters[1]]) == "roster_gap"
    assert refused(council.rosters, start, Council().order_key) == "roster_seal"
    assert refused([{**council.rosters[1], "seal": "AAAA"}]) == "roster_seal"
    assert refused([{**council.rosters[1], "more": 1}]) == "roster_form"
    assert refused("rosters") == "roster_form"
    assert refused(council.rosters * 300) == "roster_form"
    pin = council.pin
    assert [one.roster.version for one in proof.pinned(pin, council.rosters, council.order_key, holds, now=now)] == [5]
    with pytest.raises(RefusedError) as error:
        proof.pinned((5, "0" * 64), council.rosters, council.order_key, holds, now=now)
    assert error.value.rule == "pin"
    for nothing in (None, {}, "rosters", 7):
        with pytest.raises(RefusedError) as error:
            proof.pinned(pin, nothing, council.order_key, holds, now=now)
        assert error.value.rule == "roster_form"


@pytest.mark.parametrize("pin", [None, (1, "ab" * 32), (2**40, "cd" * 32)])
def test_the_extension_of_a_certificate_says_whom_to_trust(council: Council, pin: tuple[int, str] | None) -> None:
    value = proof.write_pin(council.order_key, pin)
    assert proof.read_pin(value) == (council.order_key, pin)
    for bad in (b"", value[:-1], value + b"x", value[1:], value.replace(b'"roster":', b'"roster": '), b"\x0c\x02{}"):
        with pytest.raises(RefusedError) as refused:
            proof.read_pin(bad)
        assert refused.value.rule == "pin"


def test_acts_thaws_and_budgets_are_statements_too() -> None:
    now = int(time.time())
    act = {
        "args": {"devices": ["a", "b"], "many": 2, "deep": {"none": None}},
        "id": uid(),
        "kind": "act",
        "not_after": now + HOUR,
        "not_before": now,
        "reason": "Left the city",
        "requested_by": "Mo",
        "requester": ASKER,
        "subject": "operator:9",
        "v": 1,
        "verb": "role.raise",
    }
    assert proof.read_statement(text_of(act), "act") == act
    for change in ({"args": []}, {"args": {"a": 1.5}}, {"verb": "Role"}, {"subject": ""}, {"not_after": now}):
        with pytest.raises(RefusedError):
            proof.read_statement(text_of({**act, **change}), "act")
    thaw = {"freeze": 3, "issued": now, "kind": "thaw", "v": 1}
    budgets = {"issued": now, "kind": "budgets", "limits": {"place_day": 20}, "v": 1, "version": 2}
    assert proof.read_statement(text_of(thaw), "thaw") == thaw
    assert proof.read_statement(text_of(budgets), "budgets") == budgets
    for kind in wire.STATEMENTS:
        if kind != "thaw":
            with pytest.raises(RefusedError) as refused:
                proof.read_statement(text_of(thaw), kind)
            assert refused.value.rule == "kind"


def test_base64_has_one_spelling(council: Council) -> None:
    order = council.order(DEVICE, KEY)
    envelope = council.envelope(order)
    signature = envelope["signature"]
    raw = base64.b64decode(signature)
    for other in (signature.rstrip("="), signature + "\n", base64.urlsafe_b64encode(raw).decode() + "=", "", None, 7):
        assert rule(council, {**envelope, "signature": other}) == "signature"
    ada, bo = envelope["approvals"]
    assert rule(council, {**envelope, "approvals": [ada, {**bo, "signature": bo["signature"] + " "}]}) == "proof_form"
