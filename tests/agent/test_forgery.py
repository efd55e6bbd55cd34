"""What no device may take: every flipped bit of a good order, and thousands of forged, mutated and rearranged ones.

Each is judged by the lines that the agent's child process runs. Nothing but ``RefusedError`` may come out.
"""

import base64
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent import proof, wire
from agent.crypto import holds
from agent.proof import Facts, RefusedError
from tests.conftest import Figure
from tests.sim.approvers import (
    ASKER,
    DAY,
    ORIGIN,
    Council,
    Person,
    b64,
    client_data,
    digest_of,
    roster,
    text_of,
    uid,
)

DEVICE, KEY = "d" * 32, "ab" * 32
FORGED = 12_000
Envelope = dict[str, Any]


@dataclass
class Court:
    """A device with its roster, and how it judged."""

    council: Council = field(
        default_factory=lambda: Council(
            Person("operator:21", "ed25519"),
            Person("operator:22", "es256", "ed25519"),
            Person("operator:23", "eddsa"),
            Person("operator:24", "ed25519", since=int(time.time()) + DAY, name="Who waits"),
            Person("operator:25", "es256", places=["ELSEWHERE"]),
        )
    )
    code: str = "31415926"
    rules: Counter[str] = field(default_factory=Counter)
    accepted: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.roster = proof.read_roster(self.council.rosters[0]["roster"])
        self.good = self.council.people[:3]
        now = int(time.time())
        self.done = uid()
        codes = frozenset({self.code})
        self.facts = Facts(
            DEVICE, KEY, self.council.order_key, now, epoch=3, done=frozenset({self.done}), presence=codes
        )

    def order(self, **changes: Any) -> dict[str, Any]:
        return self.council.order(DEVICE, KEY, **{"epoch": 3, **changes})

    def judge(self, envelope: object) -> bool:
        """Whether it would be carried out; a refusal is counted by its rule."""
        rule, sentence = "", ""
        try:
            proof.check_envelope(envelope, self.facts, self.roster, holds)
        except RefusedError as refused:
            rule, sentence = refused.rule, str(refused)
        if not rule:
            self.accepted.append(envelope)
            return True
        assert sentence.endswith("."), sentence
        self.rules[rule] += 1
        return False


@pytest.fixture(scope="module")
def court() -> Court:
    return Court()


def flips(raw: bytes) -> Iterator[bytes]:
    """Every copy of these bytes with one bit turned."""
    for place in range(len(raw) * 8):
        turned = bytearray(raw)
        turned[place // 8] ^= 1 << place % 8
        yield bytes(turned)


def test_no_flipped_bit_of_a_good_order_is_accepted(court: Court, figure: Figure) -> None:
    """Every bit of the order, of the signer's signature, of every part of every approval, of roster and seal."""
    court.rules.clear()
    council = court.council
    order = court.order()
    good = council.envelope(order, council.people[:2])
    batch = council.batch([order, court.order(id=uid())])
    assert court.judge(good)
    batched = council.envelope(order, council.people[:2], batch=batch)
    assert court.judge(batched)
    court.accepted.clear()

    for raw in flips(good["order"].encode()):
        court.judge({**good, "order": raw.decode(errors="surrogateescape")})
    for raw in flips(batched["batch"].encode()):
        court.judge({**batched, "batch": raw.decode(errors="surrogateescape")})
    for raw in flips(base64.b64decode(good["signature"])):
        court.judge({**good, "signature": b64(raw)})
    for place, approval in enumerate(good["approvals"]):
        for name, value in approval.items():
            binary = name in ("signature", "authenticator_data", "client_data")
            for raw in flips(base64.b64decode(value) if binary else value.encode()):
                forged = b64(raw) if binary else raw.decode(errors="surrogateescape")
                approvals = [*good["approvals"]]
                approvals[place] = {**approval, name: forged}
                court.judge({**good, "approvals": approvals})
    made = council.sealed(roster(council.people[:3], 2), council.people[:2])
    bare = {**good, "rosters": [made]}
    for raw in flips(base64.b64decode(made["seal"])):
        court.judge({**bare, "rosters": [{**made, "seal": b64(raw)}]})
    for raw in flips(made["roster"].encode()):
        court.judge({**bare, "rosters": [{**made, "roster": raw.decode(errors="surrogateescape")}]})

    assert court.accepted == []
    total = sum(court.rules.values())
    assert total > 15_000
    rules = ", ".join(f"{rule} {count}" for rule, count in court.rules.most_common())
    figure(f"orders with one flipped bit: {total} tried, 0 accepted; refused by {rules}")


# Ten thousand and more forged ones

Forger = Callable[[Court, random.Random], object]


def _replaced(court: Court, draw: random.Random) -> object:
    """A field of the order takes a value that is not its own; signer and approvers sign it all the same."""
    wrong: dict[str, list[Any]] = {
        "device": [uid(), "", None, DEVICE.upper() + "x", 7],
        "enrollment": ["cd" * 32, KEY.upper(), "", 7],
        "epoch": [0, 1, 2, -1, True, "3", 3.0, 2**53],
        "id": [court.done, "order-1", "", None, "D" * 32],
        "kind": ["batch", "roster", "", None, True],
        "lane": ["fast", "", None, "hand_in", "Ordinary"],
        "not_after": [1, 0, -1, "soon", None, court.facts.now - 400, 2**60, court.facts.now + 100 * 3600],
        "not_before": [0, None, court.facts.now + 3500, court.facts.now - 100 * 3600, 1.5],
        "place": ["winkel", None, "ZUID NOORD", "*", "A" * 65],
        "presence": [court.code, "1", None, 31415926],
        "reason": ["", " ", "x" * 501, "\u202ekcolnu", "a\x00", None, ["r"]],
        "requested_by": ["", None, "x" * 256, "\x1b[2J"],
        "requester": ["", "Mo", None, "operator:", *[one.person for one in court.good[:2]]],
        "v": [1, 3, True, "2", 2.0, None],
        "verb": ["retire", "WIPE", "", None, "wipe "],
    }
    name = draw.choice(sorted(wrong))
    return court.council.envelope(court.order(**{name: draw.choice(wrong[name])}), court.good[:2])


def _respelled(court: Court, draw: random.Random) -> object:
    """The same order in another spelling: spaces, escapes, other order of keys, keys twice, numbers otherwise."""
    order = court.order()
    text = text_of(order)
    keys = list(order.items())
    draw.shuffle(keys)
    name = draw.choice(sorted(order))
    shuffled = json.dumps(dict(keys), separators=(",", ":"))
    spellings = [
        json.dumps(order),
        json.dumps(order, indent=draw.randint(0, 3)),
        shuffled if shuffled != text else text + " ",
        text[:-1] + f",{json.dumps(name)}:{json.dumps(order[name])}}}",
        "{" + f"{json.dumps(name)}:{json.dumps(order[name])}," + text[1:],
        text.replace('"wipe"', '"wi\\u0070e"'),
        text.replace(f'"epoch":{order["epoch"]}', '"epoch":3e0'),
        "\ufeff" + text,
        text + draw.choice(["\n", "\x00", " ", "{}"]),
        text[: draw.randint(0, len(text) - 1)],
        f"[{text}]",
        json.dumps(text),
    ]
    return court.council.envelope(draw.choice(spellings), court.good[:2])


def _fields(court: Court, draw: random.Random) -> object:
    """A field too many or too few."""
    order = court.order()
    if draw.random() < 0.5:
        order.pop(draw.choice(sorted(order)))
    else:
        order[draw.choice(["seq", "approved_by", "Verb", "", "v ", "__proto__"])] = draw.choice([1, [], "x", None])
    return court.council.envelope(order, court.good[:2])


def _oversized(court: Court, draw: random.Random) -> object:
    """Too long, too deep, too many."""
    good = court.council.envelope(court.order(), court.good[:2])
    size = draw.choice([wire.MAX_ORDER + 1, 50_000])
    return draw.choice(
        [
            {**good, "order": "[" * size},
            {**good, "order": text_of(court.order(reason="x" * size))},
            {**good, "order": "9" * size},
            {**good, "signature": "A" * size},
            {**good, "approvals": good["approvals"] * 60},
            {**good, "rosters": court.council.rosters * 1001},
            {**good, "batch": "[" * size},
            {**good, "approvals": [{**good["approvals"][0], "signature": "A" * size}, good["approvals"][1]]},
        ]
    )


def _people(court: Court, draw: random.Random) -> object:
    """Too few, the same twice, the requester's own, strangers, who waits, who may not here."""
    ada, bo, cy, waits, local = court.council.people
    order = court.order()
    stranger = Person(draw.choice(["operator:99", ada.person]))
    own = court.order(requester=ada.person)
    mass = court.order(lane="mass")
    two_keys = {**court.council.envelope(order, []), "approvals": [bo.proof(order, key) for key in bo.keys]}
    renamed = [ada.proof(order), {**ada.proof(order), "person": bo.person}]
    return draw.choice(
        [
            court.council.envelope(order, []),
            court.council.envelope(order, [draw.choice(court.good)]),
            court.council.envelope(order, [ada, ada, ada]),
            court.council.envelope(own, [ada, draw.choice([bo, cy])]),
            court.council.envelope(order, [ada, stranger]),
            court.council.envelope(order, [draw.choice(court.good), waits]),
            court.council.envelope(order, [draw.choice(court.good), local]),
            court.council.envelope(court.order(place=""), [ada, local]),
            court.council.envelope(mass, draw.sample(court.good, 2)),
            two_keys,
            {**court.council.envelope(order, []), "approvals": renamed},
        ]
    )


def _borrowed(court: Court, draw: random.Random) -> object:
    """Approvals and signatures of another statement, or of another kind of statement."""
    order, other = court.order(), court.order(id=uid())
    good, elsewhere = court.council.envelope(order, court.good[:2]), court.council.envelope(other, court.good[:2])
    act = {"freeze": 1, "issued": court.facts.now, "kind": "thaw", "v": 1}
    return draw.choice(
        [
            {**good, "approvals": elsewhere["approvals"]},
            {**good, "approvals": [good["approvals"][0], elsewhere["approvals"][1]]},
            {**good, "signature": elsewhere["signature"]},
            {**good, "order": elsewhere["order"]},
            {**good, "approvals": [one.proof(act) for one in court.good[:2]]},
            court.council.envelope(order, court.good[:2], signer=Council(*court.good).signer),
            {**good, "signature": b64(court.council.signer.sign(text_of(order).encode()))},
            {
                **good,
                "signature": b64(court.council.signer.sign(b"havenmeester-order/v1\x00" + text_of(order).encode())),
            },
            {**good, "signature": good["approvals"][0]["signature"]},
        ]
    )


def _passkeys(court: Court, draw: random.Random) -> object:
    """Assertions that break a rule of WebAuthn though the signature under them is right."""
    order = court.order()
    ada, bo, cy = court.good
    passkey = draw.choice([bo, cy])
    digest = digest_of(order)
    spelled = base64.b64encode(digest).decode()
    change: dict[str, Any] = draw.choice(
        [
            {"rp_id": draw.choice(["evil.test", "", "antwerpen.test"])},
            {"flags": draw.choice([0x00, 0x01, 0x04, 0x40, 0x80, 0xC0])},
            {
                "origin": draw.choice(
                    ["https://evil.test", ORIGIN + "/", ORIGIN.replace("https", "http"), ORIGIN.upper(), None]
                )
            },
            {"type": draw.choice(["webauthn.create", "payment.get", None, "webauthn.get "])},
            {"crossOrigin": draw.choice([True, "false", 1, None])},
            {"challenge": draw.choice(["", spelled, None, digest.hex(), b64(digest_of("x"))])},
            {
                "client": draw.choice(
                    [b"{}", b"[]", b"\xff", b"x" * 5000, client_data(digest)[:-1] + b',"type":"webauthn.get"}']
                )
            },
            {"key": draw.choice(ada.keys)},
        ]
    )
    approval = (
        passkey.proof(order, **change) if "key" not in change else {**passkey.proof(order), "key": ada.keys[0].id}
    )
    return {**court.council.envelope(order, []), "approvals": [ada.proof(order), approval]}


def _proofs(court: Court, draw: random.Random) -> object:
    """Approvals that are not described as approvals are."""
    good = court.council.envelope(court.order(), court.good[:2])
    first, second = good["approvals"]
    name = draw.choice(sorted(second))
    junk = draw.choice([None, 7, "", "!", [], {}, "A" * 4, second["signature"] + "\n", True])
    return {
        **good,
        "approvals": draw.choice(
            [
                [first, {**second, name: junk}],
                [first, {key: value for key, value in second.items() if key != name}],
                [first, {**second, "extra": 1}],
                [first, {**second, "type": draw.choice(["ed25519", "webauthn2", "", None])}],
                [first, junk],
                junk if junk != [] else None,
            ]
        ),
    }


def _batches(court: Court, draw: random.Random) -> object:
    """Batches that do not name this order, say something else, or are too large for their lane."""
    order = court.order()
    orders = [order, *[court.council.order(uid(), uid() * 2) for _ in range(draw.randint(1, 3))]]
    batch = court.council.batch(orders)
    digests = batch["orders"]
    bad = draw.choice(
        [
            court.council.batch(orders[1:]),
            {**batch, "orders": sorted(digests, reverse=True)},
            {**batch, "orders": [*digests, digests[-1]]},
            {**batch, "orders": digests[0]},
            {**batch, "orders": []},
            {**batch, "lane": draw.choice(["mass", "stolen", "hand_in", ""])},
            {**batch, "requester": "operator:2"},
            {**batch, "reason": "Something else"},
            {**batch, "not_after": order["not_after"] - 1},
            {**batch, "kind": "order"},
            {**batch, "v": 2},
            {**batch, "orders": sorted([*digests, *[uid() * 2 for _ in range(6)]])},
            json.dumps(batch),
        ]
    )
    good = court.council.envelope(order, court.good[:2], batch=bad)
    crossed = {**court.council.envelope(order, court.good[:2], batch=batch), "approvals": good["approvals"]}
    return draw.choice([good, good, good, crossed])


def _hand_ins(court: Court, draw: random.Random) -> object:
    """Hand-ins without the code that this device showed, approved by whomever."""
    code = draw.choice(["00000000", f"{draw.randrange(10**8):08d}", "", "3141592", "31415926 ", None])
    code = "00000001" if code == court.code else code
    order = court.order(lane="hand_in", presence=code)
    return court.council.envelope(order, draw.choice([[], court.good[:2]]))


def _rosters(court: Court, draw: random.Random) -> object:
    """Rosters that do not follow: forked, skipped, unsealed, without people, with somebody new at once."""
    council, now = court.council, court.facts.now
    mine = [Person("operator:21"), Person("operator:22"), Person("operator:23")]
    new = Person("operator:26", since=draw.choice([0, now, now + 71 * 3600]))
    ada, bo, cy = court.good
    everyone = council.people
    fresh = {"issued": now}
    choices: list[Callable[[], dict[str, Any]]] = [
        lambda: council.sealed(roster(mine, 1), mine),
        lambda: council.sealed(roster(mine, 2, **fresh), mine),
        lambda: council.sealed(roster([*everyone, new], 2, **fresh), [ada, bo]),
        lambda: council.sealed(roster(everyone, 3, **fresh), [ada, bo]),
        lambda: council.sealed(roster(everyone, 2, **fresh), [ada]),
        lambda: council.sealed(roster(everyone, 2, **fresh), [ada, ada]),
        lambda: council.sealed(roster(everyone, 2, **fresh), [ada, everyone[3]]),
        lambda: council.sealed(roster(everyone, 2, issued=now + 4000), [ada, bo]),
        lambda: council.sealed(roster(everyone, 2, issued=1), [ada, bo]),
        lambda: council.sealed(roster(everyone, 2, **fresh, threshold=1), [ada, bo]),
        lambda: council.sealed(roster(everyone, 2, **fresh, ceremony=2), [ada, bo]),
        lambda: council.sealed(json.dumps(roster(everyone, 2, **fresh)), [ada, bo]),
        lambda: {**council.sealed(roster(everyone, 2, **fresh), [ada, bo]), "seal": council.rosters[0]["seal"]},
        lambda: {**council.sealed(roster(everyone, 2, **fresh), [ada, bo]), "extra": 1},
        lambda: Council(*court.good).sealed(roster(everyone, 2, **fresh), [ada, bo]),
        # A good step, by which one of the two who approved is no longer there.
        lambda: council.sealed(roster([ada, cy], 2, **fresh), [ada, cy]),
    ]
    made = draw.choice(choices)()
    order = court.order()
    rosters = draw.choice([[made], [council.rosters[0], made], [made, made, made, {}]])
    return council.envelope(
        order, draw.choice([[ada, bo], mine[:2]] if made["roster"] else [[ada, bo]]), rosters=rosters
    )


def _shapes(court: Court, draw: random.Random) -> object:
    """What is no envelope at all."""
    good = court.council.envelope(court.order(), court.good[:2])
    junk = draw.choice([None, 7, "", [], {}, True, 1.5, "x", {"a": 1}])
    name = draw.choice(["order", "signature", "approvals", "rosters", "batch"])
    return draw.choice(
        [
            junk,
            {key: value for key, value in good.items() if key != name} if name in good else {**good, "extra": 1},
            {**good, name: "junk" if junk == [] else junk},
            {**good, "Order": good["order"]},
            [good],
            text_of(good),
        ]
    )


FORGERS: tuple[Forger, ...] = (
    _replaced,
    _respelled,
    _fields,
    _oversized,
    _people,
    _borrowed,
    _passkeys,
    _proofs,
    _batches,
    _hand_ins,
    _rosters,
    _shapes,
)


def test_no_forged_order_is_accepted_and_each_is_refused_by_a_rule(court: Court, figure: Figure) -> None:
    court.rules.clear()
    court.accepted.clear()
    seed = random.SystemRandom().randrange(2**32)
    draw = random.Random(seed)
    good = [
        court.council.envelope(court.order(), court.good[:2]),
        court.council.envelope(court.order(lane="stolen", requester=ASKER), court.good[1:]),
        court.council.envelope(court.order(lane="mass"), court.good),
        court.council.envelope(court.order(lane="hand_in", presence=court.code), []),
    ]
    assert all(court.judge(one) for one in good)
    court.accepted.clear()
    for number in range(FORGED):
        forger = FORGERS[number % len(FORGERS)]
        forged = forger(court, draw)
        assert not court.judge(forged), f"seed {seed}, number {number}: {forger.__name__} made {forged}"
    assert sum(court.rules.values()) == FORGED
    assert len(court.rules) > 25
    rules = ", ".join(f"{rule} {count}" for rule, count in court.rules.most_common())
    figure(f"forged orders: {FORGED} tried (seed {seed}), 0 accepted; refused by {rules}")
