"""A kiosk from its label to its first report, and our key out of it: the real agent, a real gateway, a real sshd."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from mdm.audit.model import AuditEntry
from mdm.enrollment.links import Links
from mdm.inventory.model import Device, DeviceKind
from mdm.kiosks import access
from mdm.kiosks.book import Book
from mdm.kiosks.model import State, Step
from mdm.kiosks.runner import Ground
from mdm.overview.desk_words import KIOSK_LOG
from mdm.releases import package
from mdm.storage.engine import transaction
from tests.gateway.conftest import RunningGateway, running, shared_signer  # noqa: F401 -- fixtures
from tests.kiosks.conftest import HASTY, LOOPBACK, Setup
from tests.signer.neighbour import RunningSigner
from tests.sim.kiosk import Kiosk, Wire


@pytest.fixture(scope="module")
def gateway(
    shared_signer: RunningSigner,  # noqa: F811
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningGateway]:
    """A gateway that enrols, for all of them."""
    home = tmp_path_factory.mktemp("gate")
    shutil.copy(sqlite_template, home / "havenmeester.db")
    with running(RunningGateway(shared_signer, home, f"sqlite:///{home / 'havenmeester.db'}")) as started:
        yield started


@pytest.fixture
def real(gateway: RunningGateway, house: Path) -> Setup:
    """A set-up with a gateway that enrols."""
    fingerprint = gateway.signer.client.ca().fingerprint
    links = Links("http://console", f"https://localhost:{gateway.port}", fingerprint, 24)
    kept = package.make(house)
    return Setup(Ground(Book(gateway.engine), house, LOOPBACK, lambda: links, lambda: kept, HASTY, 60), gateway.engine)


def test_a_kiosk_is_set_up_reports_and_no_longer_lets_us_in(real: Setup, kiosk: Kiosk) -> None:
    neighbour = kiosk.keys.read_text().splitlines()[1]
    row = real.begin(kiosk, name="Kiosk hal 7").once()
    assert (row.state, row.problem) == (State.DONE, ""), (row.sentence, row.log)
    assert [line["step"] for line in row.log] == [*[step.value for step in Step], Step.CLOSE]
    # Each line is a sentence of the catalogues, filled, and none is a machine's.
    assert {line["word"] for line in row.log} <= KIOSK_LOG.keys()
    assert not any("%(" in line["text"] for line in row.log)
    with transaction(real.engine, write=False) as session:
        device = session.scalars(select(Device).where(Device.serial == kiosk.serial)).one()
        assert (device.name, device.kind) == ("Kiosk hal 7", DeviceKind.KIOSK.value)
        assert device.last_report_at is not None
        done = session.scalars(select(AuditEntry).where(AuditEntry.subject_id == row.uid)).all()
        assert [entry.action for entry in done] == ["kiosk_setup.asked", "kiosk_setup.done"]
    assert kiosk.keys.read_text().splitlines() == ["# keys of this kiosk", neighbour]
    assert not (kiosk.home / ".havenmeester-setup").exists()
    # Used twice: the kiosk does not let us in a second time, and nothing on it is undone.
    again = real.begin(kiosk).to_the_end()
    assert (again.state, again.problem) == (State.FAILED, "not_let_in")
    assert (kiosk.root / "var/lib/havenmeester-agent/identity.json").exists()


def test_a_kiosk_that_is_cut_anywhere_is_gone_on_with(real: Setup, kiosk: Kiosk) -> None:
    wire = Wire(kiosk.port)
    real.begin(kiosk, port=str(wire.port))
    try:
        # In the middle of the package, then at whatever follows it, again and again.
        for cut in (1_500_000, 6_300_000, 20_000, 6_000, 9_000, 12_000):
            wire.cut_after = len(wire.sent) + cut
            if not real.once().open:
                break
        kiosk.stop()
        if real.row.open:
            assert real.once().problem in ("unreachable", "lost")
        kiosk.start()
        wire.cut_after = None
        row = real.to_the_end()
    finally:
        wire.close()
    assert row.state == State.DONE, (row.sentence, row.log)
    with transaction(real.engine, write=False) as session:
        device = session.scalars(select(Device).where(Device.serial == kiosk.serial)).one()
        assert device.last_report_at is not None
    assert access.access(real.ground.home).blobs[0] not in kiosk.keys.read_text()


def test_what_fails_after_the_installation_is_undone_and_its_certificate_ends(real: Setup, kiosk: Kiosk) -> None:
    before = kiosk.keys.read_text()
    # The kiosk enrols, but its agent does not run: whatever starts it fails from then on.
    kiosk.hook('case "$SSH_ORIGINAL_COMMAND" in *start) echo broken; exit 9;; esac')
    real.begin(kiosk)
    row = real.once()
    assert (row.state, row.problem, row.changed) == (State.UNDOING, "strange", True), row.log
    kiosk.hook("")
    row = real.to_the_end()
    assert (row.state, row.problem, row.changed) == (State.FAILED, "strange", False), row.log
    assert kiosk.untouched()
    assert kiosk.keys.read_text() == before
    with transaction(real.engine, write=False) as session:
        assert session.scalars(select(Device).where(Device.serial == kiosk.serial)).one().key_digest == ""
