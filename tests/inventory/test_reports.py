"""What a device says is taken once, cleaned and bounded, and keeps its history."""

from typing import Any

import pytest
from sqlalchemy import func, select

from agent.wire import Report, report_digest, short_digest
from mdm.core.errors import DeniedError, InvalidError
from mdm.inventory import queries, service
from mdm.inventory.facts import applied_in_full
from mdm.inventory.model import AppSet, AppSetItem, Device, FactChange, FactSection
from mdm.inventory.reports import HISTORY, take_report
from mdm.outbox.model import OutboxMessage
from tests.conftest import Calling
from tests.inventory.conftest import Making, speaking

SYSTEM = {"hostname": "zuil-1", "serial": "SN1", "os_name": "Debian", "os_version": "12", "model": "Box"}
PACKAGES = {"manager": "dpkg", "items": {"chromium": "130.0", "bash": "5.2"}}


def report(number: int, sections: dict[str, dict[str, Any]], *, without: tuple[str, ...] = ()) -> Report:
    """A report that tells of all these sections, and sends those that are not left out."""
    return {
        "id": f"report-{number}",
        "at": "2026-11-23T09:00:00Z",
        "sections": {name: content for name, content in sections.items() if name not in without},
        "digests": {name: short_digest(content) for name, content in sections.items()},
    }


def tell(calling: Calling, device: Device, said: Report) -> list[str]:
    with calling(speaking(device)) as call:
        return take_report(call, call.session.get_one(Device, device.id), said)


@pytest.fixture
def device(calling: Calling, making: Making) -> Device:
    with calling() as call:
        return making(call, tag="A-1")


def test_a_report_fills_what_nobody_wrote_and_the_digest_fits(calling: Calling, device: Device) -> None:
    said = report(1, {"system": SYSTEM, "packages": PACKAGES, "agent": {"version": "0.1.0"}})

    assert tell(calling, device, said) == []

    with calling(write=False) as call:
        known = queries.device(call, "SN1")
        assert (known.name, known.os_version, known.agent_version) == ("zuil-1", "12", "0.1.0")
        assert known.report_digest == report_digest(said["digests"])
        assert [(one.identifier, one.version) for one in queries.applications(call, known.uid)] == [
            ("bash", "5.2"),
            ("chromium", "130.0"),
        ]
        assert queries.facts(call, known.uid)["packages"].content == {"manager": "dpkg", "count": 2}
        assert queries.suggestions(call, "zuil-1")[0].id == known.id


def test_what_a_person_wrote_stays(calling: Calling, device: Device) -> None:
    with calling() as call:
        service.edit(call, device.uid, {"name": "Zuil stadhuis", "serial": "TRUE1"})

    tell(calling, device, report(1, {"system": SYSTEM}))

    with calling(write=False) as call:
        known = queries.device(call, device.uid)
        assert (known.name, known.serial) == ("Zuil stadhuis", "TRUE1")
        assert queries.events(call, device.uid)[0].kind == "serial_differs"


def test_the_serial_number_of_another_device_is_not_believed(calling: Calling, device: Device, making: Making) -> None:
    with calling() as call:
        making(call, serial="SN1")

    tell(calling, device, report(1, {"system": SYSTEM}))

    with calling(write=False) as call:
        assert queries.device(call, device.uid).serial is None


def test_the_same_report_twice_is_taken_once(calling: Calling, device: Device) -> None:
    said = report(1, {"system": SYSTEM})
    tell(calling, device, said)
    with calling(write=False) as call:
        posted = call.session.scalar(select(func.count()).select_from(OutboxMessage))

    assert tell(calling, device, said) == []

    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(OutboxMessage)) == posted


def test_a_late_double_does_not_bring_back_the_past(calling: Calling, device: Device) -> None:
    old = report(1, {"system": SYSTEM})
    tell(calling, device, old)
    tell(calling, device, report(2, {"system": {**SYSTEM, "os_version": "13"}}))

    tell(calling, device, old)

    with calling(write=False) as call:
        assert queries.device(call, device.uid).os_version == "13"


def test_only_what_changed_is_written_and_its_history_kept(calling: Calling, device: Device) -> None:
    tell(calling, device, report(1, {"system": SYSTEM, "packages": PACKAGES}))
    newer = {"manager": "dpkg", "items": {"chromium": "131.0", "steam": "1"}}
    tell(calling, device, report(2, {"system": SYSTEM, "packages": newer}, without=("system",)))

    with calling(write=False) as call:
        changes = {(one.section, one.path): (one.before, one.after) for one in queries.changes(call, device.uid)}
        assert changes == {
            ("packages", "items.bash"): ("5.2", None),
            ("packages", "items.chromium"): ("130.0", "131.0"),
            ("packages", "items.steam"): (None, "1"),
        }


def test_what_the_server_lacks_is_asked_for(calling: Calling, device: Device) -> None:
    said = report(1, {"system": SYSTEM, "packages": PACKAGES}, without=("packages",))

    assert tell(calling, device, said) == ["packages"]


def test_a_section_that_is_gone_is_not_known_any_more(calling: Calling, device: Device) -> None:
    tell(calling, device, report(1, {"system": SYSTEM, "firewall": {"active": True}}))
    tell(calling, device, report(2, {"system": SYSTEM}))

    with calling(write=False) as call:
        assert set(queries.facts(call, device.uid)) == {"system"}
        assert queries.device(call, device.uid).report_digest == report_digest({"system": short_digest(SYSTEM)})


def test_a_set_of_applications_is_stored_once_for_all_devices_that_have_it(
    calling: Calling, device: Device, making: Making
) -> None:
    with calling() as call:
        other = making(call, tag="A-2")
    for one in (device, other):
        tell(calling, one, report(1, {"packages": PACKAGES}))

    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(AppSet)) == 1
        assert call.session.scalar(select(func.count()).select_from(AppSetItem)) == 2
        (line,) = [line for line in queries.catalogue(call) if line.application.identifier == "bash"]
        assert line.devices == 2
        assert queries.versions(call, line.application.id) == [("5.2", 2)]


def test_an_application_on_two_platforms_is_not_lost_between_two_pages(
    calling: Calling, device: Device, making: Making
) -> None:
    with calling() as call:
        phone = making(call, tag="A-2", platform="android", kind="phone")
    for one in (device, phone):
        tell(calling, one, report(1, {"packages": PACKAGES}))

    seen: list[tuple[str, str]] = []
    with calling(write=False) as call:
        for _ in range(4):
            (line,) = queries.catalogue(call, after=seen[-1] if seen else None, limit=1)
            seen.append((line.application.identifier, line.application.platform))
        assert queries.catalogue(call, after=seen[-1], limit=1) == []
    assert seen == [("bash", "android"), ("bash", "linux"), ("chromium", "android"), ("chromium", "linux")]


def test_hostile_text_is_harmless_when_it_is_stored(calling: Calling, device: Device) -> None:
    evil = {"hostname": "\u202eexe.\x00kiosk\x1b[2J", "os_name": "D" * 4000, "model": "<script>"}
    tell(calling, device, report(1, {"system": evil, "packages": {"items": {"a\x00b": "1\u202e2", "c": 3}}}))

    with calling(write=False) as call:
        known = queries.device(call, device.uid)
        assert known.name == "exe.kiosk[2J"
        assert len(known.os_name) == 64
        assert [(one.identifier, one.version) for one in queries.applications(call, device.uid)] == [("ab", "12")]


def test_too_deep_too_many_and_unknown_are_refused_and_nothing_is_stored(calling: Calling, device: Device) -> None:
    deep: dict[str, Any] = {}
    for _ in range(20):
        deep = {"a": deep}
    for sections, code in (
        ({"system": SYSTEM, "disks": deep}, "report_too_deep"),
        ({"system": SYSTEM, "network": {"interfaces": [1] * 30_000}}, "report_too_large"),
        ({"system": SYSTEM, "secrets": {}}, "unknown_section"),
    ):
        with pytest.raises(InvalidError) as refused:
            tell(calling, device, report(1, sections))
        assert refused.value.code == code
    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(FactSection)) == 0


def test_nobody_reports_for_another_device(calling: Calling, device: Device, making: Making) -> None:
    with calling() as call:
        other = making(call, tag="A-2")
    with pytest.raises(DeniedError), calling(speaking(other)) as call:
        take_report(call, call.session.get_one(Device, device.id), report(1, {"system": SYSTEM}))


def test_applied_means_every_resource_and_stops_when_one_no_longer_is(calling: Calling, device: Device) -> None:
    def desired(*states: str) -> dict[str, Any]:
        return {"digest": "abc", "resources": {str(n): {"state": state} for n, state in enumerate(states)}}

    def applied() -> str:
        with calling(write=False) as call:
            return queries.device(call, device.uid).applied_digest

    tell(calling, device, report(1, {"desired": desired("applied", "pending")}))
    assert applied() == "-"
    tell(calling, device, report(2, {"desired": desired("applied", "staged")}))
    assert applied() == "abc"
    tell(calling, device, report(3, {"desired": desired("applied", "failed")}))
    assert applied() == "-"
    tell(calling, device, report(4, {"desired": desired("applied", "unsupported")}))
    assert applied() == "-"


@pytest.mark.parametrize(("platform", "full"), [("linux", False), ("ios", True), ("android", True)])
def test_what_a_phone_cannot_have_does_not_count_and_what_an_old_agent_cannot_does(platform: str, full: bool) -> None:
    said = {"resources": {"a": {"state": "applied"}, "b": {"state": "unsupported"}}}
    assert applied_in_full(said, platform) is full
    assert not applied_in_full({"resources": {"a": {"state": "pending"}}}, platform)


def test_a_report_does_not_make_a_persons_edit_stale(calling: Calling, device: Device) -> None:
    tell(calling, device, report(1, {"system": SYSTEM}))

    with calling() as call:
        assert service.edit(call, device.uid, {"note": "mine"}, version=device.version).note == "mine"


def test_the_history_of_a_device_is_bounded(calling: Calling, device: Device) -> None:
    for number in range(HISTORY // 50 + 3):
        items = {f"p{n}": str(number) for n in range(60)}
        tell(calling, device, report(number, {"packages": {"items": items}}))

    with calling(write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(FactChange)) == HISTORY
