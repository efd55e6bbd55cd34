"""The desk's pages without a script: forms alone take a device out, back, and to the next person; what is wrong is said."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, text

from mdm.access import service as access
from mdm.access.places import Place
from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.core.permissions import Role
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.conftest import alone
from tests.console.desk_stock import lay_ready
from tests.console.visiting import Visitor

SignedIn = Callable[[str], Visitor]
NAME = 'value="([^"]+)"'


@pytest.fixture
def clerk(signed_in: SignedIn, settings: Settings) -> Visitor:
    """A clerk of Werkhaven, at work there."""
    engine = make_engine(settings.database)
    with transaction(engine) as session:
        call = Call(command_line("tests"), session, utcnow(), alone())
        for email in ("clerk@stad.example", "other@stad.example"):
            made = access.ensure_operator(call, email=email, name=email.partition("@")[0].title(), language="en")
            access.add_grant(call, made.id, Role.DESK_CLERK, Place(service_point_id=1))
        lay_ready(session)
    engine.dispose()
    return signed_in("clerk@stad.example")


def rows(settings: Settings, query: str, **values: object) -> list[tuple[object, ...]]:
    engine = create_engine(settings.database)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query), values)]
    engine.dispose()
    return found


def free(settings: Settings, number: int = 0) -> tuple[str, str]:
    """Id and tag of a device in stock at Werkhaven."""
    found = rows(
        settings,
        "SELECT uid, tag FROM device WHERE state = 'in_stock' AND tag LIKE 'FREE-%' ORDER BY id",
    )
    return found[number]  # type: ignore[return-value]


def somebody(settings: Settings, number: int = 0) -> tuple[int, str, str]:
    """Id, number and name of an employee of Werkhaven."""
    found = rows(
        settings,
        "SELECT id, number, name FROM person WHERE service_point_id = 1 AND number IS NOT NULL AND left_on IS NULL ORDER BY id",
    )
    return found[number]  # type: ignore[return-value]


def key_of(page: str) -> str:
    return re.search(r'name="key" value="([0-9a-f]{32})"', page)[1]  # type: ignore[index]


def hand_out(clerk: Visitor, settings: Settings, number: int = 0, **more: object) -> tuple[str, str, str]:
    """Hands a free device out by forms; its id, its tag, and the page that came back."""
    (uid, tag), (person, _, _) = free(settings, number), somebody(settings)
    page = clerk.get(f"/desk/hand-out?person={person}&device={uid}&step=sign")
    fields = {"person": person, "device": uid, "step": "sign", "key": key_of(page.text), "typed": "Jan Peeters", **more}
    return uid, tag, clerk.post("/desk/hand-out", **fields).text


def test_a_device_goes_out_and_comes_back_by_forms_alone(clerk: Visitor, settings: Settings) -> None:
    person, number, name = somebody(settings)
    uid, tag = free(settings)

    assert "Hand out" in clerk.get(f"/desk?code={tag}").text
    to_person = clerk.get(f"/desk?card={tag}&code={number}")
    assert to_person.location == f"/desk/hand-out?person={person}&device={uid}"
    page = clerk.get(to_person.location).text
    assert name in page
    assert tag in page
    signing = clerk.get(clerk.get(f"{to_person.location}&code=").location).text
    out = clerk.post(
        "/desk/hand-out",
        person=person,
        device=uid,
        step="sign",
        kit="charger",
        key=key_of(signing),
        typed="Jan Peeters",
    ).text
    assert f"Handed out to {name}" in out
    assert rows(settings, "SELECT state, person_id FROM device WHERE uid = :uid", uid=uid) == [("handed_out", person)]

    card = clerk.get(f"/desk?code={tag}").text
    assert f"{name} has it." in card
    back = clerk.get(clerk.get(f"/desk?card={tag}&code=").location).text
    assert "Charger" in back
    goes_on = clerk.post("/desk/take-in", device=uid, code="d", condition="good").location
    last = clerk.get(clerk.post("/desk/take-in", device=uid, code="", condition="damaged").location).text
    done = clerk.post(
        "/desk/take-in", device=uid, condition="damaged", step="sign", key=key_of(last), press="n", note="A crack"
    ).text
    assert "condition=damaged" in goes_on
    assert f"Taken in from {name}" in done
    kept = "SELECT condition, condition_note FROM custody WHERE to_at IS NOT NULL AND in_by = 'Clerk'"
    assert rows(settings, kept) == [("damaged", "A crack")]


def test_the_same_form_twice_hands_out_once_and_shows_the_same_paper(clerk: Visitor, settings: Settings) -> None:
    (uid, _), (person, _, _) = free(settings), somebody(settings)
    key = key_of(clerk.get(f"/desk/hand-out?person={person}&device={uid}&step=sign").text)
    form = {"person": person, "device": uid, "step": "sign", "key": key, "typed": "Jan Peeters"}

    first, second = clerk.post("/desk/hand-out", **form), clerk.post("/desk/hand-out", **form)

    assert (first.status_code, second.status_code) == (200, 200)
    assert "nothing was done twice" in second.text
    number = re.search(r"WERKHAVEN-\d+-\d+", first.text)[0]  # type: ignore[index]
    assert number in second.text
    assert rows(settings, "SELECT count(*) FROM desk_paper WHERE clerk = 'Clerk'") == [(1,)]


def test_two_clerks_on_one_device_the_second_is_told_and_nothing_is_half_done(
    clerk: Visitor, signed_in: SignedIn, settings: Settings
) -> None:
    (uid, tag), (person, _, _) = free(settings), somebody(settings, 1)
    other = signed_in("other@stad.example")
    waiting = key_of(other.get(f"/desk/hand-out?person={person}&device={uid}&kit=charger&step=sign").text)
    hand_out(clerk, settings)

    late = other.post(
        "/desk/hand-out",
        person=person,
        device=uid,
        kit="charger",
        step="sign",
        key=waiting,
        strokes="[[[1,1],[900,300]]]",
    )

    assert late.status_code == 409
    assert f"{tag} is with {somebody(settings)[2]}" in late.text
    # What was drawn is still on the page.
    assert "[[[1,1],[900,300]]]" in late.text
    assert rows(
        settings,
        "SELECT count(*) FROM custody_kit WHERE custody_id IN (SELECT id FROM custody WHERE out_by IN ('Clerk', 'Other'))",
    ) == [(0,)]
    assert rows(
        settings, "SELECT count(*) FROM custody WHERE person_id = :p AND out_by IN ('Clerk', 'Other')", p=person
    ) == [(0,)]


def test_a_hand_out_without_a_signature_is_refused_until_a_reason_says_why(clerk: Visitor, settings: Settings) -> None:
    (uid, _), (person, _, _) = free(settings), somebody(settings)
    key = key_of(clerk.get(f"/desk/hand-out?person={person}&device={uid}&step=sign").text)

    bare = clerk.post("/desk/hand-out", person=person, device=uid, step="sign", key=key)
    torn = clerk.post("/desk/hand-out", person=person, device=uid, step="sign", key=key, strokes="[[[1,1],[2")
    why = clerk.post("/desk/hand-out", person=person, device=uid, step="sign", key=key, press="n").location
    done = clerk.post(
        "/desk/hand-out", person=person, device=uid, step="unsigned", key=key, unsigned="A colleague took it"
    )

    assert (bare.status_code, torn.status_code) == (422, 422)
    assert "did not arrive whole" in torn.text
    assert "step=unsigned" in why
    assert "A colleague took it" in done.text


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("nothing-has-this-code", "Nothing at your service points has this code"),
        ("490154203237519", "check digit is wrong"),
        ("]C1", "Nothing was read"),
    ],
)
def test_an_unknown_code_is_one_clear_sentence(clerk: Visitor, entry: str, told: str) -> None:
    for page in (
        clerk.get("/desk", query_string={"code": entry}),
        clerk.get("/desk/hand-out", query_string={"code": entry}),
    ):
        assert page.status_code == 200
        assert told in page.text


def test_a_device_of_another_place_is_not_there_on_any_page_of_the_desk(clerk: Visitor, settings: Settings) -> None:
    uid, tag, model = rows(
        settings,
        "SELECT uid, tag, serial FROM device WHERE service_point_id NOT IN (1) AND tag IS NOT NULL"
        " AND (unit_id IS NULL OR state = 'in_stock') ORDER BY id LIMIT 1",
    )[0]
    pages = [
        clerk.get(f"/desk?code={tag}"),
        clerk.get(f"/desk?code={uid}"),
        clerk.get(f"/desk/hand-out?code={tag}"),
        clerk.get(f"/desk/hand-out?device={uid}"),
        clerk.get(f"/desk/take-in?device={uid}"),
        clerk.get(f"/desk/swap?device={uid}"),
        clerk.get(f"/desk/wipe?device={uid}"),
        clerk.get(f"/desk/erase?device={uid}"),
    ]

    assert [page.status_code for page in pages] == [200, 200, 200, 200, 404, 404, 404, 404]
    for page in pages:
        assert str(model) not in page.text
        assert (
            "Nothing at your service points has this code" in page.text
            or page.status_code == 404
            or "No device yet" in page.text
        )


def test_somebody_who_left_gets_nothing(clerk: Visitor, settings: Settings) -> None:
    (uid, _), (person, number, name) = free(settings), somebody(settings)
    engine = create_engine(settings.database)
    with engine.begin() as connection:
        connection.execute(text("UPDATE person SET left_on = '2026-01-31' WHERE id = :id"), {"id": person})
    engine.dispose()

    scanned = clerk.get(f"/desk/hand-out?device={uid}&code={number}")
    sent = clerk.post("/desk/hand-out", person=person, device=uid, step="sign", key="k" * 32, typed="Jan Peeters")

    assert f"{name} left on 31 Jan 2026" in scanned.text
    assert sent.status_code == 409
    assert "Nothing was handed out" in sent.text
    assert rows(settings, "SELECT state FROM device WHERE uid = :uid", uid=uid) == [("in_stock",)]


def test_a_double_scan_is_on_the_list_once(clerk: Visitor, settings: Settings) -> None:
    uid, tag = free(settings)

    again = clerk.get(f"/desk/hand-out?device={uid}&code={tag}")

    assert f"{tag} is on the list already" in again.text


def test_a_scan_after_typed_letters_is_taken_alone_and_says_what_was_left_out(
    clerk: Visitor, settings: Settings
) -> None:
    _, tag = free(settings)

    page = clerk.get(f"/desk?code=jan{tag}&scan={tag}")
    without = clerk.get(f"/desk?code=jan{tag}")

    assert "What stood in the field before the scan was left out: jan" in page.text
    assert f"> {tag}</h2>" in page.text
    assert "Nothing at your service points has this code" in without.text


def test_a_signature_on_the_own_phone_counts_for_exactly_what_was_shown(
    clerk: Visitor, settings: Settings, visitor: Visitor
) -> None:
    (uid, tag), (person, _, name) = free(settings), somebody(settings)
    key = key_of(clerk.get(f"/desk/hand-out?person={person}&device={uid}&step=sign").text)
    form = {"person": person, "device": uid, "key": key}
    asked = clerk.post("/desk/hand-out", **form, step="sign", press="p").text
    link = re.search(r"/sign/[\w-]+", asked)[0]  # type: ignore[index]
    number = re.search(r'name="request" value="([0-9a-f]{32})"', asked)[1]  # type: ignore[index]

    early = clerk.post("/desk/hand-out", **form, step="phone", request=number)
    shown = visitor.get(link).text
    signed = visitor.post(link, typed="Jan Peeters")
    again = visitor.post(link, typed="Somebody Else")
    state = clerk.get(f"/desk/signing/{number}").text
    more = clerk.post("/desk/hand-out", **form, step="phone", request=number, kit="charger")
    done = clerk.post("/desk/hand-out", **form, step="phone", request=number)

    assert "has not signed yet" in early.text
    assert tag in shown
    assert name in shown
    assert signed.status_code == 200
    assert "you have signed" in again.text
    assert rows(settings, "SELECT typed FROM desk_signature WHERE uid = :uid", uid=number) == [("Jan Peeters",)]
    assert "has signed" in state
    assert "Something else was signed" in more.text
    assert f"Handed out to {name}" in done.text


def test_a_swap_takes_one_in_and_gives_another_out_on_one_paper(clerk: Visitor, settings: Settings) -> None:
    broken, _, _ = hand_out(clerk, settings)
    loaner, tag = free(settings)

    asked = clerk.post("/desk/swap", device=broken, code=tag).location
    page = clerk.get(f"/desk/swap?device={broken}&loaner={loaner}&step=sign")
    done = clerk.post(
        "/desk/swap", device=broken, loaner=loaner, step="sign", key=key_of(page.text), typed="Jan Peeters", fault=""
    )

    assert f"loaner={loaner}" in asked
    assert "Swapped for" in done.text
    states = dict(rows(settings, "SELECT uid, state FROM device WHERE uid IN (:a, :b)", a=broken, b=loaner))
    assert states == {broken: "returned", loaner: "on_loan"}


def test_a_box_form_that_comes_twice_counts_once_also_when_it_undoes(clerk: Visitor, settings: Settings) -> None:
    tags = [
        row[0] for row in rows(settings, "SELECT tag FROM device WHERE state = 'handed_out' AND service_point_id = 1")
    ]
    clerk.get("/desk/box")
    box = clerk.post("/desk/box").location
    clerk.get(box)

    for number, tag in enumerate(tags[:3]):
        clerk.post(box, code=tag, key=f"scan-{number}")
        clerk.post(box, code=tag, key=f"scan-{number}")
    double = clerk.post(box, code=tags[0], key="once more").text
    undone = [clerk.post(box, code="u", key="undo").status_code for _ in range(2)]
    page = clerk.get(box).text
    finished = [clerk.post(box, code="f", key="end").location for _ in range(2)]

    assert "is in this box already" in double
    assert undone == [303, 303]
    assert "Taken in: 2" in page
    assert "Laid aside: 1" in page
    assert finished[0] == finished[1]
    assert rows(settings, "SELECT count(*) FROM desk_paper WHERE clerk = 'Clerk'") == [(1,)]
    back = "SELECT count(*) FROM device WHERE state = 'returned' AND tag IN (:a, :b, :c)"
    assert rows(settings, back, a=tags[0], b=tags[1], c=tags[2]) == [(2,)]


def test_erased_by_hand_needs_to_be_said_how_and_counts_once(clerk: Visitor, settings: Settings) -> None:
    uid, _, _ = hand_out(clerk, settings)
    key = key_of(clerk.get(f"/desk/take-in?device={uid}&step=sign").text)
    receipt = clerk.post("/desk/take-in", device=uid, condition="good", step="sign", key=key, press="n").text

    bare = clerk.post("/desk/erase", device=uid, key="first", how="")
    twice = [clerk.post("/desk/erase", device=uid, key="second", how="Reset in Settings") for _ in range(2)]

    assert "Say that it was erased" in receipt
    assert (bare.status_code, "Say how it was erased" in bare.text) == (422, True)
    assert [answer.status_code for answer in twice] == [303, 303]
    assert twice[0].location == twice[1].location
    assert rows(settings, "SELECT state FROM device WHERE uid = :uid", uid=uid) == [("wiped",)]


def test_a_sim_card_comes_back_without_its_phone(clerk: Visitor, settings: Settings) -> None:
    sim = "8932042000011122237"
    hand_out(clerk, settings, kit=f"sim:{sim}")

    card = clerk.get(f"/desk?code={sim}").text
    page = clerk.get(clerk.get(f"/desk?card={sim}&code=").location)
    done = clerk.post("/desk/take-piece", piece=sim, key=key_of(page.text))

    assert f"{somebody(settings)[2]} has it." in card
    assert done.location == f"/desk?code={sim}"
    assert rows(settings, "SELECT state, person_id FROM kit_piece WHERE code = :sim", sim=sim) == [("in_stock", None)]


def test_a_clerk_with_one_place_works_there_and_an_admin_chooses(clerk: Visitor, signed_in: SignedIn) -> None:
    mo = signed_in("mo@stad.example")

    assert "Where do you work?" not in clerk.get("/desk").text
    assert clerk.post("/desk/place", service_point=2).status_code == 404
    assert "Where do you work?" in mo.get("/desk").text
    assert mo.post("/desk/place", service_point=2, next="/desk?code=x").location == "/desk?code=x"
    assert "Where do you work?</label>" in mo.get("/desk").text
    assert "Scan something" in mo.get("/desk").text


def test_the_camera_is_opened_to_pages_that_scan_and_to_no_other(clerk: Visitor) -> None:
    scans, other = clerk.get("/desk").headers, clerk.get("/devices").headers

    assert "camera=(self)" in scans["Permissions-Policy"]
    assert "'wasm-unsafe-eval'" in scans["Content-Security-Policy"]
    assert "'unsafe-eval'" not in scans["Content-Security-Policy"]
    assert "camera=()" in other["Permissions-Policy"]
    assert "wasm" not in other["Content-Security-Policy"]


def test_an_auditor_looks_at_the_counter_and_is_offered_nothing_to_do(signed_in: SignedIn, settings: Settings) -> None:
    sarah = signed_in("sarah@stad.example")
    tag = rows(
        settings, "SELECT tag FROM device WHERE state = 'in_stock' AND tag IS NOT NULL ORDER BY id DESC LIMIT 1"
    )[0][0]

    card = sarah.get(f"/desk?code={tag}").text

    assert tag in card
    assert "/desk/hand-out" not in card
    assert sarah.get(f"/desk?card={tag}&code={somebody(settings)[1]}").status_code == 200
    assert sarah.get("/desk/hand-out").status_code == 403
    assert sarah.post("/desk/hand-out", person=1).status_code == 403
