"""Whom an assignment is for."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mdm.policies.scope import FITS, Placement, Target, matches

HERE = Placement(
    platform="linux",
    kind="kiosk",
    ownership="city",
    service_point_id=7,
    units=(3, 2, 1),
    persona="unit",
    ring="pilot",
    groups=frozenset({5}),
)
FITTING: list[Target] = [
    {"kind": "all", "id": None},
    {"kind": "group", "id": 5},
    {"kind": "kind", "id": "kiosk"},
    {"kind": "ownership", "id": "city"},
    {"kind": "persona", "id": "unit"},
    {"kind": "platform", "id": "linux"},
    {"kind": "ring", "id": "pilot"},
    {"kind": "service_point", "id": 7},
    {"kind": "unit", "id": 2},
]
STRANGE: list[Any] = [
    {"kind": "group", "id": 6},
    {"kind": "unit", "id": 9},
    {"kind": "persona", "id": "city"},
    {"kind": "ring", "id": ""},
    {"kind": "unheard_of", "id": 1},
]


def test_every_kind_of_target_fits_what_it_names_and_nothing_else() -> None:
    assert {target["kind"] for target in FITTING} == set(FITS)
    assert all(matches(HERE, [target], []) for target in FITTING)
    assert not any(matches(HERE, [target], []) for target in STRANGE)


def test_an_empty_include_is_nobody() -> None:
    assert not matches(HERE, [], [])


def test_nothing_fits_a_value_that_the_device_does_not_have() -> None:
    bare = Placement(platform="linux")

    assert not matches(bare, [{"kind": "ring", "id": ""}, {"kind": "service_point", "id": None}], [])


@given(st.lists(st.sampled_from(FITTING + STRANGE)), st.lists(st.sampled_from(FITTING + STRANGE)), st.randoms())
def test_exclude_wins_over_every_include_in_every_order(include: list[Any], exclude: list[Any], chance: Any) -> None:
    before = matches(HERE, include, exclude)
    chance.shuffle(include)
    chance.shuffle(exclude)

    assert matches(HERE, include, exclude) is before
    if any(target in FITTING for target in exclude):
        assert before is False
