"""People: made, found, changed, gone; and only those at one's own places."""

import pytest
from sqlalchemy import select

from mdm.audit.model import AuditEntry
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, PlaceKind, Role
from mdm.org import service as org
from mdm.outbox.model import OutboxMessage
from mdm.people import queries, service
from mdm.people.queries import Filters
from tests.conftest import Calling


def _points(calling: Calling) -> tuple[int, int]:
    with calling() as call:
        return (
            org.create_service_point(call, code="A", name="A").id,
            org.create_service_point(call, code="B", name="B").id,
        )


def _clerk(point: int, role: Role = Role.DESK_CLERK) -> Actor:
    return Actor(ActorKind.OPERATOR, 2, "Marijke", (Grant(role, PlaceKind.SERVICE_POINT, point),))


def test_people_are_found_by_any_word_without_accents(calling: Calling) -> None:
    with calling() as call:
        service.create(call, name="Élodie Gül Öztürk", email="Elodie@Stad.example", number="00421", phone="+32 3 123")
        service.create(call, name="Jan Peeters")

    with calling(write=False) as call:
        for words in ("elodie", "ÖZTURK elod", "00421", "elodie@stad", "+32 3"):
            assert [p.name for p in queries.people(call, Filters(search=words))] == ["Élodie Gül Öztürk"], words
        assert queries.people(call, Filters(search="elodie peeters")) == []
        assert queries.people(call, Filters(search="%")) == []
        assert queries.count(call) == 2


def test_pages_by_name_give_everybody_once(calling: Calling) -> None:
    with calling() as call:
        for number in range(7):
            service.create(call, name=f"Same {number // 3}")

    with calling(write=False) as call:
        seen: list[int] = []
        after = None
        while page := queries.people(call, after=after, limit=3):
            seen += [person.id for person in page]
            after = (page[-1].name, page[-1].id)
    assert len(seen) == len(set(seen)) == 7


def test_hostile_and_wrong_fields_are_named(calling: Calling) -> None:
    for field, value in [
        ("name", "\u202e\x00"),
        ("email", "not an address"),
        ("phone", "call me"),
        ("language", "klingon"),
        ("persona", "boss"),
    ]:
        with pytest.raises(InvalidError) as caught, calling() as call:
            service.create(call, **{"name": "A", field: value})  # type: ignore[arg-type]
        assert field in caught.value.fields
    with calling(write=False) as call:
        assert queries.count(call) == 0


def test_one_address_is_one_person(calling: Calling) -> None:
    with calling() as call:
        service.create(call, name="A", email="a@stad.example")

    with pytest.raises(ConflictError), calling() as call:
        service.create(call, name="B", email="A@STAD.example")
    with calling() as call:
        first = service.ensure(call, "A@stad.example", name="Somebody else")
        new = service.ensure(call, "ann.de_wit@stad.example")
        again = service.ensure(call, "ann.de_wit@stad.example")

    assert first.name == "A"
    assert new.id == again.id
    assert new.name == "Ann De Wit"


def test_devices_are_told_to_follow_only_when_something_they_keep_changed(calling: Calling) -> None:
    here, there = _points(calling)
    with calling() as call:
        person = service.create(call, name="A", service_point_id=here).id
    with calling() as call:
        service.edit(call, person, phone="+32 3 338 00 00", language="tr")
        service.edit(call, person, service_point_id=here)
        call.session.flush()
        assert call.session.scalars(select(OutboxMessage)).all() == []
    with calling() as call:
        service.edit(call, person, service_point_id=there, persona="unit")

    with calling(write=False) as call:
        message = call.session.scalars(select(OutboxMessage)).one()
        assert (message.topic, message.payload) == ("person.changed", {"person": person})
        line = call.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert line is not None
        assert line.details == {"persona": ["city", "unit"], "service_point_id": [here, there]}


def test_who_left_is_out_of_the_list_and_cannot_be_invited(calling: Calling) -> None:
    with calling() as call:
        person = service.create(call, name="A", email="a@stad.example").id
        service.leave(call, person)
        service.leave(call, person)

    with calling() as call:
        assert queries.people(call) == []
        assert [p.id for p in queries.people(call, Filters(left=True))] == [person]
        with pytest.raises(ConflictError, match="left"):
            service.ensure(call, "a@stad.example")
        service.come_back(call, person)
        assert service.ensure(call, "a@stad.example").id == person
        assert len(call.session.scalars(select(AuditEntry).where(AuditEntry.action == "person.left")).all()) == 1


def test_a_clerk_sees_only_the_people_of_the_own_service_point(calling: Calling) -> None:
    mine, other = _points(calling)
    with calling() as call:
        service.create(call, name="Mine", email="mine@stad.example", service_point_id=mine)
        theirs = service.create(call, name="Theirs", email="theirs@stad.example", service_point_id=other).id
        service.create(call, name="Nobody's")

    with calling(_clerk(mine), write=False) as call:
        assert [p.name for p in queries.people(call)] == ["Mine"]
        assert queries.count(call, Filters(search="theirs")) == 0
        with pytest.raises(NotFoundError):
            queries.person(call, theirs)
        with pytest.raises(NotFoundError):
            queries.person_by_email(call, "theirs@stad.example")
    with pytest.raises(DeniedError), calling(_clerk(mine)) as call:
        service.create(call, name="New", service_point_id=mine)


def test_whoever_may_invite_at_a_place_may_make_the_person_there_and_nowhere_else(calling: Calling) -> None:
    mine, other = _points(calling)

    with calling(_clerk(mine)) as call:
        service.ensure(call, "new@stad.example", service_point_id=mine)
    with pytest.raises(DeniedError), calling(_clerk(mine)) as call:
        service.ensure(call, "newer@stad.example", service_point_id=other)
    with pytest.raises(DeniedError), calling(_clerk(mine, Role.AUDITOR)) as call:
        service.ensure(call, "newer@stad.example", service_point_id=mine)


def test_nobody_is_moved_out_of_ones_own_places(calling: Calling) -> None:
    mine, other = _points(calling)
    with calling() as call:
        person = service.create(call, name="A", service_point_id=mine).id

    with pytest.raises(DeniedError), calling(_clerk(mine, Role.FLEET_ADMIN)) as call:
        service.edit(call, person, service_point_id=other)

    with calling(write=False) as call:
        assert queries.person(call, person).service_point_id == mine
