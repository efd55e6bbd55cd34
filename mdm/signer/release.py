"""May this order be signed, and may it be signed now? Decided, signed and written down in one transaction.

The web server and the database are not believed: every rule is asked here, on the other side of a socket, of the roster
and the ledger that stand here. What time or people will heal is held; what is wrong for good is refused.
"""

from typing import Any, Final

from agent.crypto import holds
from agent.proof import RefusedError, Roster, check_approvals, check_batch, need, read_statement, statement_digest
from agent.wire import ORDER_PREFIX, canonical
from mdm.core.clock import Clock
from mdm.core.errors import N_, ConflictError, DeniedError
from mdm.signer import budgets
from mdm.signer.book import SignedOrder
from mdm.signer.council import SKEW, Council, plain
from mdm.signer.holding import CLOCK, COOLING, EARLY, FROZEN, LATER, NO_ROSTER, Held
from mdm.signer.keys import Keys, base64_of
from mdm.signer.ledger import Certified, Ledger, budget_since
from mdm.signing.refusals import as_error
from mdm.signing.seals import OrderText, read_order
from mdm.signing.shapes import SignOrder

MASS_COOLING: Final = 24 * 3600
HEALED: Final = frozenset({"approvals", "waiting"})
"""Rules of approvals that more people, or the end of a waiting time, will meet."""


class Releases:
    """Signs orders, holds them, or refuses."""

    def __init__(self, keys: Keys, ledger: Ledger, council: Council, clock: Clock, cooling: int) -> None:
        self._keys = keys
        self._ledger = ledger
        self._council = council
        self._clock = clock
        self._cooling = {"ordinary": cooling, "mass": MASS_COOLING}

    def sign(self, args: SignOrder, limits: budgets.Limits) -> dict[str, Any]:
        """The signature, or why not now. Raises the error that names the rule. Call it inside a transaction."""
        order, now, book = read_order(args.order), int(self._clock().timestamp()), self._ledger.book
        latest = book.latest(now)
        before = book.order(order.id)
        if before is not None and before.canonical != args.order:
            raise _differs()
        _current(order, latest, book.epoch(), void=book.is_void(order.id))
        _wipeable(order, args, self._ledger.certificates("device", order.device), now)
        roster = self._council.roster()
        held = self._obstacle(order, now, latest) or (NO_ROSTER if roster is None else None)
        if held is not None or roster is None:
            return (held or NO_ROSTER).answer
        if before is not None:
            return {"roster": before.roster, "signature": before.signature}
        held = _approved(order, args, roster, now) or self._rests(order, now) or self._spends(order, args, limits, now)
        if held is not None:
            return held.answer
        return self._sign(order, args, roster, now)

    def _obstacle(self, order: OrderText, now: int, latest: int) -> Held | None:
        """What keeps every order back: the red button, a clock that is wrong."""
        frozen = self._ledger.book.frozen()
        if frozen is not None and not frozen.thawed:
            return FROZEN
        if now < latest - SKEW:
            return CLOCK
        if order.not_before > now + SKEW:
            return Held(EARLY.code, EARLY.why, order.not_before - now - SKEW)
        return None

    def _rests(self, order: OrderText, now: int) -> Held | None:
        """The cooling time, which begins when enough approvals were first seen here."""
        try:
            begun = self._ledger.book.first_approved(order.id, order.digest, now)
        except LookupError as other:
            raise _differs() from other
        left = begun + self._cooling.get(order.lane, 0) - now
        return Held("cooling", COOLING, left) if left > 0 else None

    def _spends(self, order: OrderText, args: SignOrder, limits: budgets.Limits, now: int) -> Held | None:
        moment = self._clock()
        full = budgets.worst(
            budgets.lines(
                now,
                self._ledger.book.spent(budget_since(moment)),
                limits,
                fleet=self._ledger.fleet(moment),
                asked=budgets.Asked(order.lane, order.place, order.requester, args.token),
            )
        )
        return Held(f"budget_{full.name}", full.why, full.retry_after) if full else None

    def _sign(self, order: OrderText, args: SignOrder, roster: Roster, now: int) -> dict[str, Any]:
        signature = base64_of(self._keys.order_key.sign(ORDER_PREFIX + args.order.encode()))
        # Of a batch the digest: its text is the same for a thousand orders, and the database keeps it.
        batch = statement_digest(args.batch).hex() if args.batch is not None else None
        evidence = {"batch": batch, "ownership": args.ownership, "proofs": plain(args.proofs)}
        self._ledger.book.add_order(
            SignedOrder(
                order.id,
                args.order,
                signature,
                order.device,
                order.requester,
                order.place,
                canonical(evidence).decode(),
                now,
                order.lane,
                args.token,
                roster.version,
            )
        )
        return {"roster": roster.version, "signature": signature}


def _differs() -> ConflictError:
    return ConflictError(N_("Another order was seen under this id. Nothing was signed."), code="order_differs")


def _current(order: OrderText, latest: int, epoch: int, *, void: bool) -> None:
    """Nothing when the order is still one. Raises DeniedError ``order_void``, ``epoch``, ``order_expired``."""
    if void:
        raise DeniedError(N_("This order was taken back. Nothing was signed."), code="order_void")
    if order.epoch != epoch:
        raise DeniedError(
            N_("This order is from before the installation was restored. Nothing was signed; ask for it anew."),
            code="epoch",
        )
    if order.not_after <= latest:
        raise DeniedError(N_("The time of this order has passed. Nothing was signed."), code="order_expired")


def _wipeable(order: OrderText, args: SignOrder, known: list[Certified], now: int) -> None:
    """Nothing when the device may be wiped. Raises DeniedError ``device_private``, ``device_unknown``."""
    if args.ownership == "private" or any(one.ownership == "private" for one in known):
        raise DeniedError(
            N_("This device is, or came as, somebody's private device: it is never wiped in full. Nothing was signed."),
            code="device_private",
        )
    valid = [one for one in known if one.revoked_at is None and one.not_after > now]
    # Renewed certificates are of the invitation that the device came by: an order may have waited over a renewal.
    enrolled = {one.invitation for one in valid}
    if order.enrollment not in {one.key_digest for one in known if one.invitation in enrolled}:
        raise DeniedError(
            N_("The device of this order holds no valid certificate for this key. Nothing was signed."),
            code="device_unknown",
        )


def _approved(order: OrderText, args: SignOrder, roster: Roster, now: int) -> Held | None:
    """None when enough people have approved; held when that can still come. Raises the error that names the rule."""
    try:
        if args.batch is not None:
            check_batch(args.batch, args.order, read_statement(args.order, "order"), now=now)
        if order.lane != "hand_in":
            check_approvals(
                args.batch or args.order,
                plain(args.proofs),
                roster,
                holds,
                requester=order.requester,
                place=order.place,
                now=now,
                need=need(order.lane, roster),
            )
    except RefusedError as refused:
        if refused.rule not in HEALED:
            raise as_error(refused) from refused
        return Held(refused.rule, str(refused), _ripe(args, roster, now))
    return None


def _ripe(args: SignOrder, roster: Roster, now: int) -> int:
    """Seconds until the next of these people's waiting time ends."""
    people = [roster.people[proof.person] for proof in args.proofs if proof.person in roster.people]
    return min((one.since - now for one in people if one.since > now), default=LATER)
