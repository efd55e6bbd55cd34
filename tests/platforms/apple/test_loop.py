"""A phone enrols, answers what it is asked, and is asked again."""

from tests.platforms.apple.city import City


def test_a_phone_enrols_and_is_asked_for_its_inventory(city: City) -> None:
    phone = city.phone()
    phone.enroll()
    assert city.apple(phone).state == "enrolled"

    given = phone.run()
    city.deliver()
    asked_then = phone.run()

    assert (given, asked_then) == (6, 1)
    assert phone.done[-1] == "ActivationLockBypassCode"
    device = city.device(phone)
    assert (device.serial, device.os_version, device.manufacturer) == (phone.serial, "18.1", "Apple")
    assert city.apple(phone).supervised is True
    assert {one.state for one in city.commands(phone)} == {"acknowledged"}
    assert device.waiting == 0


def test_an_idle_phone_gets_nothing(city: City) -> None:
    phone = city.enrolled()
    before, idle = city.state(), city.gateway.figures.apple_idle

    assert phone.idle() == (200, b"")
    assert city.state() == before
    assert city.gateway.figures.apple_idle == idle + 1
