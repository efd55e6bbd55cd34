"""Looking assignments up by target says the same as asking each of them."""

from hypothesis import given
from hypothesis import strategies as st

from mdm.policies.intent import Intent, Scoped
from mdm.policies.resolve import Candidate, Source
from mdm.policies.scope import FITS, Placement, Target, matches

IDS = st.one_of(st.integers(0, 3), st.sampled_from(["", "linux", "kiosk", "city", "pilot"]), st.none())
TARGETS = st.lists(st.builds(Target, kind=st.sampled_from([*sorted(FITS), "moon"]), id=IDS), max_size=4).map(tuple)
PLACEMENTS = st.builds(
    Placement,
    platform=st.sampled_from(["linux", "ios"]),
    kind=st.sampled_from(["", "kiosk"]),
    ownership=st.sampled_from(["", "city"]),
    service_point_id=st.one_of(st.none(), st.integers(0, 3)),
    units=st.lists(st.integers(0, 3), max_size=3).map(tuple),
    persona=st.sampled_from(["", "city"]),
    ring=st.sampled_from(["", "pilot"]),
    groups=st.frozensets(st.integers(0, 3), max_size=2),
)


@given(st.lists(st.tuples(TARGETS, TARGETS), max_size=6), PLACEMENTS)
def test_an_assignment_is_found_exactly_when_it_matches(
    scopes: list[tuple[tuple[Target, ...], tuple[Target, ...]]], placement: Placement
) -> None:
    intent = Intent(
        {
            id_: Scoped(id_, include, exclude, Candidate(Source(id_, 1, "p", 1, 100), {}, ()))
            for id_, (include, exclude) in enumerate(scopes, 1)
        }
    )

    assert list(intent.matching(placement)) == [
        id_ for id_, (include, exclude) in enumerate(scopes, 1) if matches(placement, include, exclude)
    ]
