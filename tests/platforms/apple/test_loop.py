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


def test_a_phone_that_turns_out_to_be_recorded_already_is_that_one(city: City) -> None:
    person = city.person()
    known = city.recorded(serial="F2LX0001")
    papers, _ = city.session(invitation_of=person)
    phone = city.phone(papers=papers, serial="F2LX0001")
    before = city.uid(known)

    phone.enroll()

    device = city.device(phone)
    assert (device.id, device.uid, device.serial) == (known, before, "F2LX0001")
    assert device.person_id == person
    assert phone.idle()[0] == 200


def test_a_phone_that_is_somebody_elses_is_refused_and_the_invitation_says_why(city: City) -> None:
    owner = city.enrolled(serial="F2LX0002")
    papers, stranger = city.session(invitation_of=city.person())
    phone = city.phone(papers=papers, serial="F2LX0002")
    before = city.device(owner).uid

    assert phone.authenticate()[0] == 400
    assert city.device(owner).uid == before
    assert owner.idle()[0] == 200
    assert "recorded as somebody else" in city.failure(stranger)
