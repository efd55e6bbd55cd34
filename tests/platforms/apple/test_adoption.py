"""A phone that was recorded before it enrolled: its serial number, told last, makes it that device, in the ledger too."""

from sqlalchemy import select

from mdm.core.clock import utcnow
from mdm.core.ids import new_uid
from mdm.enrollment.adopt import forget
from mdm.inventory.model import Device
from mdm.outbox.model import OutboxMessage
from mdm.simulate.iphone import IPhone
from mdm.storage.engine import transaction
from tests.platforms.apple.city import City
from tests.platforms.apple.test_checks_j_renewal import identity, profile, staffed
from tests.signer.neighbour import RunningSigner

__all__ = ["staffed"]


def test_a_phone_becomes_the_device_that_is_recorded_under_its_serial_number(
    staffed: City, shared_signer: RunningSigner
) -> None:
    uid = new_uid()
    with transaction(staffed.engine, write=True) as session:
        session.add(
            Device(uid=uid, platform="ios", kind="phone", serial="C0FFEE7", state="in_stock", created_at=utcnow())
        )
    one = identity(staffed, shared_signer, profile(staffed, shared_signer), 0)
    phone = IPhone(
        send=staffed.put, checkin_path=one.checkin_path, server_path=one.server_path, topic=one.topic, key=one.key,
        certificate=one.certificate, serial="C0FFEE7",
    )  # fmt: skip
    phone.enroll()

    assert staffed.device(phone).uid == uid
    with transaction(staffed.engine, write=False) as session:
        told = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "device.adopted")).one().payload
    client = shared_signer.client
    client.belongs(fingerprint=told["fingerprint"], device=told["device"])
    assert client.device_key(uid) is not None
    for _ in range(2):
        with staffed.call() as call:
            forget(call, told["stranger"])
    with transaction(staffed.engine, write=False) as session:
        assert session.scalars(select(Device.uid)).all() == [uid]
    assert phone.run() >= 0
    with staffed.call() as call:
        forget(call, staffed.device(phone).id)
    assert staffed.device(phone).uid == uid
