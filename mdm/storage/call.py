"""What every use case is given: who speaks, in which transaction, at what time."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from mdm.core.actor import Actor
from mdm.core.risk import Permit


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a use case. A service asks ``require(call.actor, …)`` itself and never commits ``call.session``."""

    actor: Actor
    session: Session
    now: datetime
    permit: Permit | None = None
    """What opens the gate of ``mdm/core/risk.py``; None for everyday work."""

    def by(self, actor: Actor) -> "Call":
        """The same call in somebody else's name."""
        return replace(self, actor=actor)

    def with_permit(self, permit: Permit | None) -> "Call":
        """The same call with a permit, or without one."""
        return replace(self, permit=permit)
