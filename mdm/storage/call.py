"""What every use case is given: who speaks, in which transaction, at what time."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from mdm.core.actor import Actor


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a use case. A service asks ``require(call.actor, …)`` itself and never commits ``call.session``."""

    actor: Actor
    session: Session
    now: datetime

    def by(self, actor: Actor) -> "Call":
        """The same call in somebody else's name."""
        return replace(self, actor=actor)
