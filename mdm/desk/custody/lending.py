"""What happens to a loan between hand-out and take-in: it may be due on another day."""

from datetime import datetime

from mdm.audit import service as audit
from mdm.core.errors import N_, ConflictError
from mdm.desk.custody.model import Custody
from mdm.inventory.model import Device
from mdm.storage.call import Call


def set_due(call: Call, custody_id: int, due: datetime) -> Custody:
    """Has a loan end at another moment. For the room of loans, which knows who waits and has asked for the right.

    Raises ConflictError (``not_on_loan``) for one that came back already, or that is no loan.
    """
    custody = call.session.get_one(Custody, custody_id, with_for_update=True, populate_existing=True)
    if custody.to_at is not None or not custody.loan:
        raise ConflictError(N_("This device is not on loan any more. Nothing was changed."), code="not_on_loan")
    if custody.due_at != due:
        before, custody.due_at = custody.due_at, due
        device = call.session.get_one(Device, custody.device_id)
        details = {"due": [before.isoformat() if before else None, due.isoformat()]}
        audit.record(
            call, "device.loan_extended", ("device", device.uid), name=device.label, where=device.where, details=details
        )
    return custody
