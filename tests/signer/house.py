"""A signer in this process whose clock the test turns, with devices and a council of approvers."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mdm.core.errors import HavenmeesterError
from mdm.core.ids import new_uid
from mdm.signer import keys
from mdm.signer.budgets import Limits
from mdm.signer.desk import Desk
from mdm.signer.kernel import COOLING
from mdm.signer.ledger import Ledger
from mdm.signing.client import Ownership, Signed, SignerClient, Withheld
from mdm.signing.messages import decode_request, encode_error, encode_result
from mdm.signing.seals import OrderText, read_order
from tests.signer.neighbour import enrol
from tests.sim.approvers import Council, Person, roster, text_of

WIDE = Limits(100, 50, 20, 20, 30, 20, 400, 600)


class InProcess(SignerClient):
    """A client that speaks to a desk in this process, by the same bytes."""

    def __init__(
        self, home: Path, clock: "Turned", *, limits: Limits | None = None, cooling: timedelta = COOLING
    ) -> None:
        super().__init__(home / "nowhere")
        folder = keys.create(home, "Antwerpen")
        self.ledger = Ledger(folder)
        self.keys = keys.load(home)
        self.desk = Desk(self.keys, self.ledger, "Antwerpen", clock=clock, limits=limits, cooling=cooling)

    def _exchange(self, request: bytes) -> bytes:
        try:
            return encode_result(self.desk.answer(*decode_request(request)))
        except HavenmeesterError as error:
            return encode_error(error)


@dataclass
class Turned:
    """A clock that shows what it is told."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        return self.now

    @property
    def seconds(self) -> int:
        """Since 1970."""
        return int(self.now.timestamp())

    def on(self, **by: float) -> None:
        """Turns it, ahead or back."""
        self.now += timedelta(**by)


@dataclass
class House:
    """A signer, its clock, and three people who may approve: ``people``."""

    home: Path
    clock: Turned = field(default_factory=Turned)
    limits: Limits | None = None
    founded: bool = True
    people: list[Person] = field(
        default_factory=lambda: [
            Person("operator:21", "ed25519"),
            Person("operator:22", "es256"),
            Person("operator:23", "eddsa"),
        ]
    )

    def __post_init__(self) -> None:
        self.client = InProcess(self.home, self.clock, limits=self.limits)
        if self.founded:
            self.found()

    def again(self) -> None:
        """The signer is started anew on what is on the disk."""
        self.client.ledger.close()
        self.client = InProcess(self.home, self.clock, limits=self.limits)

    def statement(self, people: list[Person], version: int = 1, **changes: Any) -> str:
        """A roster of these people, dated now."""
        return text_of(roster(people, version, **{"issued": self.clock.seconds, **changes}))

    def found(self) -> dict[str, Any]:
        """The first roster."""
        text = self.statement(self.people)
        return self.client.found_roster(
            secret=keys.founding_secret(self.home), roster=text, proofs=[one.proof(text) for one in self.people]
        )

    def device(self, ownership: Ownership = "city") -> tuple[str, str]:
        """An enrolled device: its id and the digest of its key."""
        device = new_uid()
        return device, enrol(self.client, device, ownership).key_digest

    def order(self, device: tuple[str, str] | None = None, **changes: Any) -> OrderText:
        """A good order for this device, asked now."""
        made = Council.order(*(device or self.device()))
        made |= {"not_before": self.clock.seconds, "not_after": self.clock.seconds + 48 * 3600, **changes}
        return read_order(text_of(made))

    def ask(
        self,
        order: OrderText | str,
        by: list[Person] | None = None,
        *,
        batch: str | None = None,
        ownership: Ownership = "city",
        token: str = "",
    ) -> Signed | Withheld:
        """Puts an order before the signer, approved by the first two people when nobody is named."""
        text = order if isinstance(order, str) else order.canonical
        proofs = [one.proof(batch or text) for one in (self.people[:2] if by is None else by)]
        return self.client.sign_order(text, proofs=proofs, ownership=ownership, batch=batch, token=token)

    def signed(self, order: OrderText, by: list[Person] | None = None, **more: Any) -> Signed:
        """The same, after its rest."""
        first = self.ask(order, by, **more)
        if isinstance(first, Withheld):
            assert first.code == "cooling", first
            self.clock.on(seconds=first.retry_after)
            first = self.ask(order, by, **more)
        assert isinstance(first, Signed), first
        return first


def changed(order: OrderText, **changes: Any) -> OrderText:
    """The same order, but for this."""
    return replace(order, **changes)


def fields(text: str) -> dict[str, Any]:
    """What stands in a statement."""
    read = json.loads(text)
    assert isinstance(read, dict)
    return read
