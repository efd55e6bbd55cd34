"""Who stands at the door: one row by the certificate's fingerprint, and whether there is anything to do for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mdm.platforms.apple.message import Message, Status
from mdm.platforms.apple.model import DeviceState

NOTHING: Final = "-"

KNOCK: Final = """
SELECT e.fingerprint, e.id, e.device_id, d.uid, d.name, e.key_digest, e.first_used_at IS NOT NULL, a.udid, a.state,
       a.user_enrollment, a.generation, d.waiting, a.reconciled, c.desired_digest, a.turn_away,
       (e.renew_after <= {p} OR d.renew_asked),
       EXISTS (SELECT 1 FROM wipe_order o WHERE o.device_id = d.id AND o.state IN ('released', 'fetched'))
FROM enrollment e JOIN device d ON d.id = e.device_id LEFT JOIN apple_device a ON a.device_id = e.device_id
     LEFT JOIN cohort c ON c.id = d.cohort_id
WHERE e.fingerprint {those} AND e.revoked_at IS NULL AND e.not_after > {p} AND e.not_before <= {p}
      AND d.state <> 'retired' AND d.platform = 'ios'
"""
"""Everything that an idle connection needs, by unique indexes. No row: the certificate is not one that is let in."""


@dataclass(frozen=True, slots=True)
class Knock:
    """The row. ``udid`` and what belongs to it is None before the phone has said who it is."""

    fingerprint: str
    enrollment_id: int
    device_id: int
    device_uid: str
    device_name: str
    key_digest: str
    bound: bool
    udid: str | None
    state: str | None
    user_enrollment: bool | None
    generation: int | None
    waiting: int
    reconciled: str | None
    desired_digest: str | None
    turn_away: bool | None
    renew: bool
    ordered: bool

    @property
    def unreconciled(self) -> bool:
        """Whether the queue does not yet say what the phone shall have."""
        return self.desired_digest not in (None, NOTHING) and self.desired_digest != self.reconciled

    def is_from(self, message: Message) -> bool:
        """Whether the message says it is from the enrolled phone that this certificate is bound to."""
        return (
            self.bound
            and self.state == DeviceState.ENROLLED
            and self.udid == message.identifier
            and self.user_enrollment == message.user_enrollment
        )

    def plain(self, message: Message) -> bool:
        """Whether the turn needs nothing but the queue: no order, no new desired state, nothing out of the ordinary."""
        return (
            message.status is not None
            and self.is_from(message)
            and not (self.ordered or self.renew or self.turn_away or self.unreconciled)
        )

    def nothing_new(self, message: Message) -> bool:
        """Whether neither side has anything to tell the other."""
        return self.waiting == 0 and message.status is Status.IDLE and self.plain(message)


def knock(row: Sequence[Any]) -> Knock:
    """The row as the drivers give it."""
    values = list(row)
    for place in (6, 9, 14, 15, 16):
        values[place] = None if values[place] is None else bool(values[place])
    return Knock(*values)
