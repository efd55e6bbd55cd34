"""Rosters at the signer: the first one is sealed once for ever, and each next one on the word of the one before."""

import hmac
import json
from typing import Any, Final

from agent.crypto import holds
from agent.proof import (
    RefusedError,
    Roster,
    check_approvals,
    check_founding,
    check_proof,
    check_roster_step,
    read_roster,
    read_statement,
)
from agent.wire import ROSTER_PREFIX, canonical
from mdm.core.clock import Clock
from mdm.core.errors import N_, ConflictError, DeniedError
from mdm.signer.book import Book, RosterLine
from mdm.signer.keys import Keys, base64_of
from mdm.signer.ledger import Ledger
from mdm.signing.messages import MAX_LINE
from mdm.signing.refusals import as_error
from mdm.signing.shapes import ChangeRoster, FoundRoster, Proof, Rosters

Answer = dict[str, Any]
SKEW: Final = 300
"""Seconds by which a statement may be dated ahead of this clock."""
FRESH: Final = 24 * 3600
"""Seconds for which a thaw or a change of budgets can be handed in after it was written."""


class Council:
    """Who may approve. The roster in force is the newest of the ledger."""

    def __init__(self, keys: Keys, ledger: Ledger, clock: Clock) -> None:
        self._keys = keys
        self._ledger = ledger
        self._clock = clock

    @property
    def _book(self) -> Book:
        return self._ledger.book

    def roster(self) -> Roster | None:
        """The roster in force. Call it inside a transaction."""
        line = self._book.roster()
        return read_roster(line.text) if line else None

    def found(self, args: FoundRoster) -> Answer:
        """Seals the first roster."""
        if not hmac.compare_digest(args.secret.encode(), self._keys.founding.encode()):
            raise DeniedError(
                N_("This is not the founding secret of this installation. Nothing was founded."), code="founding_secret"
            )
        with self._ledger.writing():
            if known := self._same(1, args.roster):
                return known
            if self._book.roster() is not None:
                raise ConflictError(
                    N_(
                        "There is a roster of approvers already. It is changed by the people in it. Nothing was founded."
                    ),
                    code="roster_founded",
                )
            proofs = plain(args.proofs)
            now = int(self._clock().timestamp())
            try:
                roster = check_founding(args.roster, proofs, holds, now=now)
            except RefusedError as refused:
                raise as_error(refused) from refused
            return self._seal(roster, [proof for proof in proofs if _holds(proof, roster)], now)

    def change(self, args: ChangeRoster) -> Answer:
        """Seals the next roster."""
        with self._ledger.writing():
            old = self.roster()
            if old is None:
                raise ConflictError(
                    N_("There is no roster of approvers yet. Found it first: havenmeester roster found."),
                    code="no_roster",
                )
            if known := self._same(old.version, args.roster):
                return known
            proofs = plain(args.proofs)
            now = int(self._clock().timestamp())
            try:
                new = check_roster_step(old, args.roster, proofs, holds, now=now, sealing=True)
            except RefusedError as refused:
                raise as_error(refused) from refused
            return self._seal(new, [proof for proof in proofs if _holds(proof, old, new)], now)

    def page(self, args: Rosters) -> Answer:
        """Sealed rosters, in order, as many as one line holds."""
        with self._ledger.reading():
            found = self._book.rosters(args.after)
        page: list[Any] = []
        room = MAX_LINE // 2
        for line in found:
            room -= len(line.sealed.encode())
            if page and room < 0:
                break
            page.append(json.loads(line.sealed))
        return {"rosters": page}

    def agreed(self, statement: str, kind: str, proofs: list[Proof]) -> dict[str, Any]:
        """The fields of a statement that as many approvers as the threshold have signed, freshly written.

        Raises the error that names the rule. Call it inside a transaction.
        """
        roster, now = self.roster(), int(self._clock().timestamp())
        if roster is None:
            raise ConflictError(
                N_("There is no roster of approvers yet. Found it first: havenmeester roster found."), code="no_roster"
            )
        try:
            fields = read_statement(statement, kind)
            check_approvals(
                statement,
                plain(proofs),
                roster,
                holds,
                requester="",
                place=None,
                now=now,
                need=roster.threshold,
            )
        except RefusedError as refused:
            raise as_error(refused) from refused
        if not now - FRESH <= fields["issued"] <= now + SKEW:
            raise DeniedError(
                N_("This was written more than a day ago, or is dated ahead. Nothing was changed; write it anew."),
                code="issued",
            )
        return fields

    def _same(self, version: int, text: str) -> Answer | None:
        line = self._book.roster(version)
        return {"sealed": json.loads(line.sealed)} if line is not None and line.text == text else None

    def _seal(self, roster: Roster, proofs: list[dict[str, str]], now: int) -> Answer:
        sealed = {
            "roster": roster.text,
            "seal": base64_of(self._keys.order_key.sign(ROSTER_PREFIX + roster.text.encode())),
            "signatures": proofs,
        }
        self._book.add_roster(RosterLine(roster.version, roster.text, roster.digest, canonical(sealed).decode(), now))
        return {"sealed": sealed}


def plain(proofs: list[Proof]) -> list[dict[str, str]]:
    """Proofs as the rules and the ledger take them."""
    return [proof.model_dump() for proof in proofs]


def _holds(proof: dict[str, str], *rosters: Roster) -> bool:
    """Whether it is a proof over the last of these rosters by somebody of one of them: only such a one is kept."""
    for roster in rosters:
        try:
            check_proof(proof, rosters[-1].text, roster, holds)
        except RefusedError:
            continue
        return True
    return False
