"""Saved views of one and of all; idempotency keys that give the same answer twice."""

from datetime import timedelta

import pytest

from mdm.access import queries
from mdm.access import service as access
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from mdm.core.permissions import Grant, Role
from tests.access.helpers import make_operator, speaking
from tests.conftest import NOW, Calling


def test_a_view_is_seen_by_its_owner_and_when_shared_by_all(calling: Calling) -> None:
    mine = make_operator(calling, "mine@stad.example", Role.AUDITOR)
    other = make_operator(calling, "other@stad.example", Role.FLEET_ADMIN)
    third = make_operator(calling, "third@stad.example", Role.AUDITOR)

    with calling() as call:
        me, them, nobody = (call.by(speaking(call.session, who)) for who in (mine, other, third))
        access.save_view(me, list_name="devices", name="Lost", query="state=lost")
        shared = access.save_view(me, list_name="devices", name="Kiosks", query="kind=kiosk", shared=True)
        again = access.save_view(me, list_name="devices", name="Kiosks", query="kind=kiosk&q=x", shared=True)
        assert again.id == shared.id
        assert [(view.name, owner) for view, owner in queries.views(them, "devices")] == [("Kiosks", "mine")]
        assert len(queries.views(me, "devices")) == 2
        assert queries.views(me, "people") == []
        with pytest.raises(NotFoundError):
            access.delete_view(nobody, shared.id)
        access.delete_view(them, shared.id)
        call.session.flush()
        assert [view.name for view, _ in queries.views(me, "devices")] == ["Lost"]
        with pytest.raises(InvalidError):
            access.save_view(me, list_name="devices", name=" ", query="")


def test_a_program_has_no_views(calling: Calling) -> None:
    token = Actor(ActorKind.TOKEN, 1, "robot", (Grant(Role.FLEET_ADMIN),))

    with pytest.raises(DeniedError), calling(token) as call:
        access.save_view(call, list_name="devices", name="A", query="")


def test_the_same_request_gets_the_answer_it_had_for_a_day(calling: Calling) -> None:
    answer = access.Answer(201, '{"id": 7}', {"Location": "/api/v1/people/7"})
    with calling() as call:
        assert access.recall(call, "key-1", "digest") is None
        access.remember(call, "key-1", "digest", answer)

    with calling(write=False) as call:
        assert access.recall(call, "key-1", "digest") == answer
    with calling(now=NOW + timedelta(days=1)) as call:
        assert access.recall(call, "key-1", "digest") is None
        access.remember(call, "key-1", "digest", answer)


def test_a_key_belongs_to_one_request_of_one_speaker(calling: Calling) -> None:
    with calling() as call:
        access.remember(call, "key-1", "digest", access.Answer(200, ""))

    with pytest.raises(ConflictError), calling() as call:
        access.recall(call, "key-1", "another digest")
    with calling(Actor(ActorKind.TOKEN, 1, "robot")) as call:
        assert access.recall(call, "key-1", "another digest") is None
    with pytest.raises(ConflictError), calling() as call:
        access.remember(call, "key-1", "digest", access.Answer(200, ""))
    for wrong in ("", "x" * 129, "a\nb"):
        with pytest.raises(InvalidError), calling() as call:
            access.recall(call, wrong, "digest")
