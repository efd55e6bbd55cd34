"""Phones that lie ready at the first service point, for tests at the counter: nobody has reserved, lent or sent them."""

from sqlalchemy.orm import Session

from mdm.core.clock import utcnow
from mdm.core.ids import new_uid
from mdm.inventory.model import Device

PHONES = 12


def lay_ready(session: Session) -> None:
    """Adds them; their tags are FREE-01, FREE-02 and so on."""
    now = utcnow()
    session.add_all(
        Device(
            uid=new_uid(),
            tag=f"FREE-{number:02}",
            serial=f"FR{number:06}",
            platform="android",
            kind="phone",
            manufacturer="Fairphone",
            model="5",
            service_point_id=1,
            search=f"free-{number:02} fr{number:06}",
            created_at=now,
        )
        for number in range(1, PHONES + 1)
    )
    session.flush()
