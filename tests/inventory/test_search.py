"""Finding a device by what a person knows of it, and nothing by what nobody wrote."""

import pytest
from sqlalchemy import text

from mdm.inventory import queries, search, service
from mdm.inventory.holder import Holder
from mdm.inventory.model import Device
from tests.conftest import Calling
from tests.inventory.conftest import Making, clerk


@pytest.mark.parametrize(
    "words",
    ["zuil", "ZUIL stad", "a-77", "sn900", "12345", "35693803", "sarah ait", "Aït", "p123", "sarah@example", "zu", "%"],
)
def test_a_device_is_found_by_any_part_of_what_is_known(
    calling: Calling, making: Making, sarah: Holder, words: str
) -> None:
    with calling() as call:
        found = making(call, name="Zuil 100% stadhuis", tag="A-77", serial="SN90012345", imei="356938035643809")
        service.hand_out(call, found.uid, sarah)
        making(call, name="Kassa zwembad", tag="B-1", serial="XX90099999")
    with calling(write=False) as call:
        query = queries.devices_select(call).where(search.condition(call.session, words))

        assert [device.tag for device in call.session.scalars(query)] == ["A-77"]


@pytest.mark.parametrize("words", ['"', "a'b", "near(x)", "zuil* OR kassa", "\\", "_____"])
def test_signs_of_a_query_language_are_only_text(calling: Calling, making: Making, words: str) -> None:
    with calling() as call:
        making(call, name="Zuil")
        making(call, name="Kassa")

        assert queries.suggestions(call, words) == []


def test_the_last_five_characters_come_first(calling: Calling, making: Making) -> None:
    with calling() as call:
        making(call, name="AAA 54321 in the name", tag="Q-1")
        making(call, name="zzz", serial="SN0054321")

        assert queries.suggestions(call, "54321")[0].name == "zzz"


def test_suggestions_are_scoped(calling: Calling, making: Making, place: dict[str, int]) -> None:
    with calling() as call:
        making(call, name="Zuil een", service_point_id=place["nova"])
        making(call, name="Zuil twee", service_point_id=place["werkhaven"])

    with calling(clerk(place["werkhaven"]), write=False) as call:
        assert [device.name for device in queries.suggestions(call, "zuil")] == ["Zuil twee"]


def test_a_renamed_device_is_found_by_its_new_name_only(calling: Calling, making: Making) -> None:
    with calling() as call:
        uid = making(call, name="Oude naam").uid
    with calling() as call:
        service.edit(call, uid, {"name": "Nieuwe naam"})
    with calling(write=False) as call:
        assert len(queries.suggestions(call, "nieuwe")) == 1
        assert queries.suggestions(call, "oude") == []


def test_the_search_uses_its_index(calling: Calling, making: Making) -> None:
    with calling() as call:
        for number in range(50):
            making(call, name=f"Zuil {number:05}")
        if call.session.get_bind().dialect.name == "postgresql":
            call.session.execute(text("SET LOCAL enable_seqscan = off"))
            plan_of = "EXPLAIN "
        else:
            plan_of = "EXPLAIN QUERY PLAN "
        query = queries.devices_select(call).where(search.condition(call.session, "00042")).with_only_columns(Device.id)
        compiled = str(query.compile(call.session.get_bind(), compile_kwargs={"literal_binds": True}))
        rows = call.session.execute(text(plan_of + compiled.replace("%%", "%").replace(":", "\\:")))
        plan = "\n".join(str(row) for row in rows)

    assert "ix_device_search_trigram" in plan or "device_search VIRTUAL TABLE INDEX" in plan
