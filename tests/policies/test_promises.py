"""What is told before a save is what happens after it, for cities drawn by chance."""

import random
from typing import Any

import pytest
from sqlalchemy import select

from mdm.inventory.model import Device
from mdm.platforms import service as platforms
from mdm.policies import assigning, catalogue, service
from mdm.policies.conflicts import CLASHES, rules
from mdm.policies.effect import effect
from mdm.policies.model import Cohort
from mdm.policies.wording import all_of
from mdm.storage.call import Call
from tests.conftest import Calling
from tests.policies import fleet

TARGETS = [
    "all",
    "unit:SB",
    "unit:VEEG",
    "service_point:NOVA",
    "persona:unit",
    "group:Kiosks",
    "ring:pilot",
    "kind:kiosk",
]


def some_settings(chance: random.Random) -> dict[str, Any]:
    drawn: dict[str, Any] = {
        "passcode.min_length": chance.randint(4, 12),
        "restrictions.camera": chance.random() < 0.5,
        "browser.home_page": f"https://{chance.choice('abc')}.be/",
        "apps.required": chance.sample(["vlc", "gimp", "inkscape"], 2),
        "restrictions.factory_reset": False,
    }
    return {key: value for key, value in drawn.items() if chance.random() < 0.6}


def some_scope(chance: random.Random) -> dict[str, Any]:
    return {
        "include": chance.sample(TARGETS, chance.randint(1, 3)),
        "exclude": chance.sample(TARGETS[1:], chance.randint(0, 1)),
        "priority": chance.choice([10, 100]),
    }


def settle(call: Call) -> dict[int, dict[str, Any]]:
    """The settings of every device once the worker has done its work."""
    service.place_all(call)
    while platforms.prepare_stale(call):
        pass
    rows = call.session.execute(select(Device.id, Cohort.settings).join(Cohort, Cohort.id == Device.cohort_id))
    return {row[0]: row[1] for row in rows}


@pytest.mark.parametrize("seed", range(5))
def test_the_effect_that_is_told_is_the_effect_that_comes(calling: Calling, seed: int) -> None:
    chance = random.Random(seed)
    with calling() as call:
        city = fleet.build(call)
        for number in range(25):
            one = fleet.device(
                call,
                f"d{number}",
                kind=chance.choice(["kiosk", "laptop"]),
                unit_id=chance.choice([None, city["sb"], city["veeg"]]),
                service_point_id=chance.choice([None, city["nova"], city["werkhaven"]]),
                persona=chance.choice(["", "unit"]),
                ring=chance.choice(["", "pilot"]),
                state=chance.choice(["handed_out", "handed_out", "retired"]),
            )
            if chance.random() < 0.3:
                fleet.join(call, city["kiosks"], one)
        for number in range(4):
            policy = service.create(call, f"P{number}", settings=some_settings(chance))
            made = assigning.assign(call, policy.id, **some_scope(chance))
        before = settle(call)
        wanted, scope = some_settings(chance), some_scope(chance)

        told = effect(call, policy.id, wanted, [{"id": made.id, **scope}])
        service.save(call, policy.id, expected=1, settings=wanted)
        assigning.edit_assignment(call, made.id, **scope)
        after = settle(call)

        differing = {id_ for id_ in before if before[id_] != after[id_]}
        assert told.devices == len(differing)
        assert {one.id for one in told.listed} == differing
        for key in catalogue.known():
            gain = sum(key not in before[id_] and key in after[id_] for id_ in before)
            lose = sum(key in before[id_] and key not in after[id_] for id_ in before)
            change = sum(
                key in before[id_] and key in after[id_] and before[id_][key] != after[id_][key] for id_ in before
            )
            said = next((one for one in told.keys if one.key == key), None)
            assert ((said.gain, said.change, said.lose) if said else (0, 0, 0)) == (gain, change, lose), key


def test_every_contradiction_names_settings_that_exist_and_speaks_every_language() -> None:
    assert {key for rule in rules() for key in rule.keys} <= set(catalogue.known())
    codes = [rule.code for rule in rules()]
    assert len(codes) == len(set(codes))
    assert not set(codes) & set(CLASHES)


def test_every_format_unit_and_rule_of_the_catalogue_has_its_sentence() -> None:
    specs = [setting.spec for setting in catalogue.known().values()]
    specs += [field.spec for spec in specs for field in spec.fields]

    assert {spec.format for spec in specs if spec.format} | {"app_item", "url_filter"} <= set(all_of("refusal", "nl"))
    assert {spec.unit for spec in specs if spec.unit} <= set(all_of("unit", "nl"))
    assert {setting.merge.value for setting in catalogue.known().values()} <= set(all_of("merge", "nl"))
