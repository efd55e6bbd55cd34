"""A version by a day, the whole way: a policy, the declaration, what the phone says of it, and that it ends once installed."""

from typing import Any

import pytest

from mdm.platforms.apple import about
from mdm.simulate.iphone import UPDATE
from tests.platforms.apple.city import City
from tests.platforms.apple.test_checks_i_declarative import desired, settle, shall_have

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WANTED = {"updates.versions": [{"version": "18.4", "day": "2026-12-24", "time": "22:00"}]}


def told(city: City, uid: str) -> dict[str, str]:
    with city.call() as call:
        return dict(about.about(call, uid).update)


def test_a_phone_is_told_a_version_and_a_day_says_how_far_it_is_and_is_left_alone_once_it_has_it(city: City) -> None:
    phone = city.enrolled(supervised=True, os_version="18.1")
    uid = city.device(phone).uid
    assert told(city, uid) == {}
    shall_have(city, phone, **WANTED)
    settle(city, phone)
    (declared,) = [one for one in phone.declarations.values() if one["Type"] == UPDATE]
    assert declared["Payload"] == {"TargetOSVersion": "18.4", "TargetLocalDateTime": "2026-12-24T22:00:00"}
    assert told(city, uid) == {"version": "18.4", "by": "2026-12-24 22:00:00", "state": "prepared"}

    phone.install_update()
    city.deliver()
    settle(city, phone)
    assert city.device(phone).os_version == "18.4"
    assert told(city, uid) == {}
    assert not [one for one in phone.declarations.values() if one["Type"] == UPDATE]
    assert set(desired(city, phone).values()) == {"applied"}


@pytest.mark.parametrize("more", [{}, {"session": {"user_enrollment": True}, "user_enrollment": True}])
def test_a_phone_that_cannot_be_told_is_not_and_the_page_says_so(city: City, more: dict[str, Any]) -> None:
    phone = city.enrolled(os_version="18.1", supervised=False, **more)
    shall_have(city, phone, **WANTED)
    settle(city, phone)
    assert not [one for one in phone.declarations.values() if one["Type"] == UPDATE]
    assert set(desired(city, phone).values()) == {"unsupported"}
    assert told(city, city.device(phone).uid) == {}
