"""What is wrong with kiosks is told once, per service point, to whoever can go there."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from mdm.alarms import service as alarms
from mdm.alarms.model import Alarm
from mdm.compliance.model import Exemption, Finding, RuleInForce
from mdm.core.ids import new_uid
from mdm.inventory.model import Device
from mdm.kiosks import troubles
from mdm.org.model import ServicePoint
from mdm.outbox.model import OutboxMessage
from mdm.storage.call import Call
from tests.conftest import NOW, Calling


class City:
    """Two places with kiosks, the rules in force, and the clock's look."""

    def __init__(self, calling: Calling) -> None:
        self.calling = calling
        with calling() as call:
            points = [
                ServicePoint(code="WERKHAVEN", name="Werkhaven", email="werkhaven@stad.example", created_at=NOW),
                ServicePoint(code="NOVA", name="NOVA", created_at=NOW),
            ]
            rules = [
                RuleInForce(rule=name, params={}, grace_hours=0, created_at=NOW)
                for name in ("kiosk_paper", "kiosk_browser", "encryption")
            ]
            call.session.add_all([*points, *rules])
            call.session.flush()
            self.rules = {rule.rule: rule.id for rule in rules}
            self.kiosks = [self._device(call, points[0].id, f"Zuil {n}") for n in (1, 2)]
            self.kiosks.append(self._device(call, points[1].id, "Zuil 3"))
            self.laptop = self._device(call, points[0].id, "Laptop", kind="laptop")

    @staticmethod
    def _device(call: Call, place: int, name: str, kind: str = "kiosk") -> int:
        device = Device(
            uid=new_uid(),
            name=name,
            platform="linux",
            kind=kind,
            service_point_id=place,
            enrolled_at=NOW,
            created_at=NOW,
        )
        call.session.add(device)
        call.session.flush()
        return device.id

    def found(self, device: int, rule: str = "kiosk_paper", **more: Any) -> None:
        with self.calling() as call:
            values = {"since": call.now, "grace_until": call.now} | more
            call.session.add(Finding(device_id=device, rule_id=self.rules[rule], details={}, **values))

    def mended(self, device: int) -> None:
        with self.calling() as call:
            call.session.execute(delete(Finding).where(Finding.device_id == device))

    def look(self, later: timedelta = timedelta(0)) -> int:
        with self.calling() as call:
            return troubles.tell(Call(call.actor, call.session, call.now + later))

    def told(self, topic: str) -> list[dict[str, Any]]:
        with self.calling() as call:
            query = select(OutboxMessage.payload).where(OutboxMessage.topic == topic).order_by(OutboxMessage.id)
            return list(call.session.scalars(query))


@pytest.fixture
def city(calling: Calling) -> City:
    return City(calling)


def test_two_kiosks_of_one_place_are_one_alarm_and_one_letter_and_it_is_told_once(city: City) -> None:
    assert city.look() == 0
    city.found(city.kiosks[0])
    city.found(city.kiosks[1], "kiosk_browser")
    assert city.look() == 1
    (alarm,) = city.told("alarm")
    assert alarm["params"] == {
        "place": "Werkhaven",
        "kiosks": "Zuil 1: the paper is gone; Zuil 2: the browser does not stay up",
    }
    (letter,) = city.told("mail")
    assert letter["to"] == "werkhaven@stad.example"
    assert "- Zuil 1: the paper is gone" in letter["text"]
    assert [city.look(), city.look(timedelta(days=3))] == [0, 0]
    with city.calling() as call:
        alarms.take(call, alarm)
        assert call.session.scalars(select(Alarm.kind)).one() == "kiosk"


def test_a_place_without_a_mailbox_has_its_alarm(city: City) -> None:
    city.found(city.kiosks[0])
    city.found(city.kiosks[2])
    assert city.look() == 2
    assert {alarm["params"]["place"] for alarm in city.told("alarm")} == {"Werkhaven", "NOVA"}
    assert len(city.told("mail")) == 1


def test_what_comes_and_goes_is_told_again_only_after_some_hours(city: City) -> None:
    city.found(city.kiosks[0])
    assert city.look() == 1
    city.mended(city.kiosks[0])
    assert city.look() == 0
    city.found(city.kiosks[0])
    assert city.look() == 0
    city.mended(city.kiosks[0])
    assert city.look(troubles.AGAIN + timedelta(minutes=1)) == 0
    city.found(city.kiosks[0])
    assert city.look() == 1


def test_what_is_excused_unknown_in_grace_of_another_rule_or_no_kiosk_is_not_told(city: City) -> None:
    city.found(city.kiosks[0], grace_until=NOW + timedelta(days=3650))
    city.found(city.kiosks[1], unknown=True)
    city.found(city.kiosks[2], "encryption")
    city.found(city.laptop)
    city.found(city.kiosks[2])
    with city.calling() as call:
        call.session.add(
            Exemption(
                device_id=city.kiosks[2],
                rule_id=city.rules["kiosk_paper"],
                owner="Mo",
                reason="Has no printer.",
                until=call.now + timedelta(days=3),
                granted_by="Mo",
                granted_at=call.now,
            )
        )
    assert city.look() == 0
    assert city.told("alarm") == []
