"""The verbs of the safety kernel at the signer: red button, orders taken back, budgets, and what they stand at."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from mdm.core.clock import Clock
from mdm.signer import budgets
from mdm.signer.keys import Keys
from mdm.signer.ledger import Ledger, budget_since
from mdm.signing.shapes import BudgetUse, Freeze, Message, Rosters, VoidOrder

Answer = dict[str, Any]


class Kernel:
    """What the signer decides about orders, by its own ledger alone."""

    def __init__(self, keys: Keys, ledger: Ledger, *, clock: Clock, limits: budgets.Limits | None) -> None:
        self._keys = keys
        self._ledger = ledger
        self._clock = clock
        self._limits = limits
        self.verbs: dict[type[Message], Callable[[Any], Answer]] = {
            BudgetUse: self._budget_use,
            Freeze: self._freeze,
            Rosters: self._rosters,
            VoidOrder: self._void_order,
        }

    def limits(self) -> budgets.Limits:
        """The budgets in force. Call it inside a transaction."""
        return self._limits or budgets.Limits()

    def health(self) -> Answer:
        """How the kernel does. Call it inside a transaction."""
        book = self._ledger.book
        frozen, roster = book.frozen(), book.roster()
        return {
            "epoch": book.epoch(),
            "freeze": frozen.number if frozen else 0,
            "frozen": frozen is not None and not frozen.thawed,
            "roster": roster.version if roster else 0,
            "roster_digest": roster.digest if roster else "",
            "cooling_minutes": 15,
            "budgets_version": book.budgets()[0],
            "budgets": asdict(self.limits()),
        }

    def _budget_use(self, args: BudgetUse) -> Answer:
        now = self._clock()
        with self._ledger.reading():
            found = budgets.lines(
                int(now.timestamp()),
                self._ledger.book.spent(budget_since(now)),
                self.limits(),
                fleet=self._ledger.fleet(now),
                asked=budgets.Asked(args.lane, args.place, args.requester, args.token),
            )
        return {"budgets": [asdict(line) for line in found]}

    def _void_order(self, args: VoidOrder) -> Answer:
        with self._ledger.writing():
            self._ledger.book.void(args.id, int(self._clock().timestamp()))
            return {"signed": self._ledger.book.order(args.id) is not None}

    def _freeze(self, args: Freeze) -> Answer:
        now, book = int(self._clock().timestamp()), self._ledger.book
        with self._ledger.writing():
            before = book.frozen()
            if before is not None and not before.thawed:
                return {"number": before.number, "at": before.at}
            number = before.number + 1 if before else 1
            book.add_freeze(number, args.who, args.why, now)
        return {"number": number, "at": now}

    def _rosters(self, args: Rosters) -> Answer:
        with self._ledger.reading():
            found = self._ledger.book.rosters(args.after)
        return {"rosters": [line.sealed for line in found]}
