"""The verbs of the safety kernel at the signer: orders, rosters, red button, budgets, and what they stand at."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from agent.proof import Pin, read_statement
from agent.wire import canonical
from mdm.core.clock import Clock
from mdm.core.errors import N_, ConflictError, DeniedError, HavenmeesterError
from mdm.signer import budgets
from mdm.signer.council import SKEW, Council, plain
from mdm.signer.keys import Keys
from mdm.signer.ledger import Ledger, budget_since
from mdm.signer.release import Releases
from mdm.signing.shapes import (
    BudgetUse,
    ChangeRoster,
    FoundRoster,
    Freeze,
    Message,
    Rosters,
    SetBudgets,
    SignOrder,
    Thaw,
    VoidOrder,
)

Answer = dict[str, Any]
COOLING = timedelta(minutes=15)
"""How long an ordinary order rests, unless the signer's own process was told otherwise."""


class Kernel:
    """What the signer decides about orders, by its own ledger alone."""

    def __init__(
        self, keys: Keys, ledger: Ledger, *, clock: Clock, limits: budgets.Limits | None, cooling: timedelta
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._defaults = limits or budgets.Limits()
        self._cooling = cooling
        self._council = Council(keys, ledger, clock)
        self._releases = Releases(keys, ledger, self._council, clock, int(cooling.total_seconds()))
        self.verbs: dict[type[Message], Callable[[Any], Answer]] = {
            BudgetUse: self._budget_use,
            ChangeRoster: self._council.change,
            FoundRoster: self._council.found,
            Freeze: self._freeze,
            Rosters: self._council.page,
            SetBudgets: self._set_budgets,
            SignOrder: self._sign_order,
            Thaw: self._thaw,
            VoidOrder: self._void_order,
        }

    def pin(self) -> Pin | None:
        """What a new certificate says of the roster in force. Call it inside a transaction."""
        line = self._ledger.book.roster()
        return (line.version, line.digest) if line else None

    def limits(self) -> budgets.Limits:
        """The budgets in force. Call it inside a transaction."""
        _, statement = self._ledger.book.budgets()
        if statement is None:
            return self._defaults
        return budgets.changed(read_statement(statement, "budgets")["limits"], self._defaults)

    def health(self) -> Answer:
        """How the kernel does. Call it inside a transaction."""
        book = self._ledger.book
        frozen, roster = book.frozen(), book.roster()
        return {
            "budgets": asdict(self.limits()),
            "budgets_version": book.budgets()[0],
            "cooling_minutes": int(self._cooling.total_seconds()) // 60,
            "epoch": book.epoch(),
            "freeze": frozen.number if frozen else 0,
            "frozen": frozen is not None and not frozen.thawed,
            "roster": roster.version if roster else 0,
            "roster_digest": roster.digest if roster else "",
        }

    def _sign_order(self, args: SignOrder) -> Answer:
        with self._ledger.writing():
            # What was seen is kept when the order is refused: the latest moment, so that no clock goes back unnoticed.
            try:
                return self._releases.sign(args, self.limits())
            except HavenmeesterError as error:
                refused = error
        raise refused

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

    def _thaw(self, args: Thaw) -> Answer:
        now, book = int(self._clock().timestamp()), self._ledger.book
        with self._ledger.writing():
            said = self._council.agreed(args.statement, "thaw", args.proofs)
            frozen = book.frozen()
            if frozen is None or frozen.number != said["freeze"]:
                raise ConflictError(
                    N_("This would end another freeze than the one in force. Nothing was changed."),
                    code="freeze_number",
                )
            if frozen.thawed:
                return {}
            if said["issued"] + SKEW < frozen.at:
                raise DeniedError(
                    N_("This was written before the red button was pressed. Nothing was changed; write it anew."),
                    code="issued",
                )
            book.add_thaw(frozen.number, args.statement, canonical(plain(args.proofs)).decode(), now)
        return {}

    def _set_budgets(self, args: SetBudgets) -> Answer:
        now, book = int(self._clock().timestamp()), self._ledger.book
        with self._ledger.writing():
            version, statement = book.budgets()
            if statement == args.statement:
                return {}
            said = self._council.agreed(args.statement, "budgets", args.proofs)
            if said["version"] != version + 1:
                raise ConflictError(
                    N_("The budgets were changed %(version)s times, so the next change is number %(next)s."),
                    code="budgets_version",
                    version=version,
                    next=version + 1,
                )
            budgets.changed(said["limits"], self._defaults)
            book.add_budgets(version + 1, args.statement, canonical(plain(args.proofs)).decode(), now)
        return {}
