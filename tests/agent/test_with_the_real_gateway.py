"""The agent and the gateway, both as their own processes, over real sockets with the signer's certificates."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from mdm.enrollment.model import Enrollment
from mdm.inventory.model import Device as DeviceRow
from mdm.inventory.model import FactSection
from mdm.storage.engine import transaction
from tests.agent.conftest import Device
from tests.gateway.conftest import RunningGateway, gateway, shared_signer  # noqa: F401 -- fixtures


def invitation(gateway: RunningGateway) -> str:  # noqa: F811
    import hashlib
    import ssl

    pem = (gateway.signer.home / "signer" / "ca.pem").read_text()
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    where = f"https%3A%2F%2Flocalhost%3A{gateway.port}"
    return f"http://localhost/e/{gateway.invite()}#ca={fingerprint}&gateway={where}"


@pytest.fixture
def device(tmp_path: Path, request: pytest.FixtureRequest) -> Device:
    made = Device(tmp_path)
    # The same machine comes to two databases; each test brings another serial number.
    name = str(abs(hash(request.node.nodeid)) % 10**9)
    (made.root / "sys/class/dmi/id/product_serial").write_text(f"SN{name}\n")
    return made


def _tells_nothing(running: RunningGateway, device: Device, uid: str) -> bool:
    """Whether one more round brings no report. The free room on this machine's disk is true, and may just have changed."""
    query = select(DeviceRow.last_report_at).where(DeviceRow.uid == uid)
    with transaction(running.engine) as session:
        before = session.scalar(query)
    device.once()
    with transaction(running.engine) as session:
        return session.scalar(query) == before


def test_a_device_enrols_reports_is_idle_and_leaves(gateway: RunningGateway, device: Device) -> None:  # noqa: F811
    url = invitation(gateway)
    device.good("enroll", url, "--root", str(device.root))
    uid = device.status()["device"]
    device.once()
    with transaction(gateway.engine) as session:
        row = session.scalars(select(DeviceRow).where(DeviceRow.uid == uid)).one()
        assert (row.name, row.os_name, row.os_version) == ("kiosk-werkhaven-1", "Debian GNU/Linux", "12.8")
        sections = select(func.count()).select_from(FactSection).where(FactSection.device_id == row.id)
        assert session.scalar(sections) == 10
    assert any(_tells_nothing(gateway, device, uid) for _ in range(5))
    again = Device(device.state.parent / "second")
    outcome = again.call("enroll", url, "--root", str(again.root))
    assert outcome.returncode == 5, outcome.stdout + outcome.stderr
    device.good("leave")
    with transaction(gateway.engine) as session:
        tie = select(Enrollment).join(DeviceRow, DeviceRow.id == Enrollment.device_id).where(DeviceRow.uid == uid)
        assert session.scalars(tie).one().revoked_at is not None
