"""What a device is called in lists: maker and model once, and no verdict before it is enrolled; in memory as in SQL."""

import pytest
from sqlalchemy import select

from mdm.core.ids import new_uid
from mdm.inventory.model import Device
from tests.conftest import NOW, Calling


@pytest.mark.parametrize(
    ("maker", "model", "said"),
    [
        ("Fairphone", "Fairphone 5", "Fairphone 5"),
        ("fairphone", "Fairphone 5", "Fairphone 5"),
        ("Fairphone", "Fairphone", "Fairphone"),
        ("Lenovo", "ThinkPad X1", "Lenovo ThinkPad X1"),
        ("HP", "HPE ProLiant", "HP HPE ProLiant"),
        ("Google Pixel", "Pixel 8", "Google Pixel Pixel 8"),
        ("", "Pixel 8", "Pixel 8"),
        ("Samsung", "", "Samsung"),
        ("", "", ""),
        ("100%_", "100%_ A", "100%_ A"),
    ],
)
def test_maker_and_model_are_said_once_and_memory_and_database_agree(
    calling: Calling, maker: str, model: str, said: str
) -> None:
    with calling() as call:
        device = Device(
            uid=new_uid(), platform="android", kind="phone", created_at=NOW, manufacturer=maker, model=model
        )
        call.session.add(device)
        call.session.flush()

        assert device.product == said
        assert call.session.scalar(select(Device.product)) == said


def test_a_device_that_was_never_enrolled_has_no_verdict_to_show(calling: Calling) -> None:
    with calling() as call:
        for number, enrolled in enumerate((None, NOW)):
            device = Device(uid=new_uid(), platform="linux", kind="kiosk", created_at=NOW, enrolled_at=enrolled)
            device.verdict = "unknown"
            device.tag = f"A-{number}"
            call.session.add(device)
        call.session.flush()
        devices = call.session.scalars(select(Device).order_by(Device.tag)).all()

        assert [device.standing for device in devices] == ["not_enrolled", "unknown"]
        assert call.session.scalars(select(Device.standing).order_by(Device.tag)).all() == ["not_enrolled", "unknown"]
