"""A phone that is enrolled now, read in one statement: its number, its device, what it stands on and what it shall be."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import load_only

from mdm.enrollment.model import Enrollment
from mdm.inventory.model import Device, LifeCycle
from mdm.platforms.android.headwind.enrolling import unknown
from mdm.platforms.android.headwind.numbers import digest_of
from mdm.platforms.android.model import AndroidNumber
from mdm.policies.model import Cohort
from mdm.storage.call import Call

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Live:
    """Held as long as the transaction lasts: what a session no longer holds it reads again."""

    row: AndroidNumber
    device: Device
    enrollment: Enrollment
    cohort: Cohort | None

    @property
    def shall(self) -> str:
        """Digest of the desired state; ``NOTHING`` where there is none."""
        return self.cohort.desired_digest if self.cohort is not None else NOTHING


def live(call: Call, number: str, *, lock: bool = False) -> Live:
    """The phone with this number. Raises NotFoundError for one that was never made, has ended or is not enrolled, all alike.

    With ``lock`` its row is held, and read as it is then.
    """
    query = (
        select(AndroidNumber, Device, Enrollment, Cohort)
        .join(Device, Device.id == AndroidNumber.device_id)
        .join(Enrollment, Enrollment.id == AndroidNumber.enrollment_id)
        .outerjoin(Cohort, Cohort.id == Device.cohort_id)
        .where(
            AndroidNumber.digest == (digest_of(number) or NOTHING),
            AndroidNumber.over_at.is_(None),
            Enrollment.revoked_at.is_(None),
            Device.state != LifeCycle.RETIRED.value,
        )
        # What explains a desired state to people is long, and no phone is told of it.
        .options(load_only(Cohort.desired_digest, Cohort.desired, Cohort.computed_at))
    )
    if lock:
        query = query.with_for_update(of=AndroidNumber).execution_options(populate_existing=True)
    found = call.session.execute(query).one_or_none()
    if found is None:
        raise unknown()
    return Live(*found)
