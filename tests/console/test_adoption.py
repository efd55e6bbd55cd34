"""The page of adoption: the same figures to everybody for their own places, many invited by one press, papers with codes."""

import io
import re
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update

from mdm.adoption import service
from mdm.adoption.model import InvitationRun, Invitee, Letter, RunLine
from mdm.core.clock import utcnow
from mdm.people.model import Person
from mdm.portal import keys
from mdm.portal.model import Way
from mdm.settings import Settings
from mdm.storage.engine import make_engine
from mdm.worker import inviting
from mdm.worker.office import Office
from tests.conftest import NOW
from tests.console.visiting import Visitor

SignedIn = Callable[[str], Visitor]
BOSS = "admin@stad.example"


@pytest.fixture
def office(settings: Settings) -> Office:
    """The worker, on a Monday morning."""
    return Office(make_engine(settings.database), settings, lambda: NOW)


def english(visitor: Visitor) -> Visitor:
    visitor.post("/preferences", language="en")
    return visitor


def people(office: Office, *conditions: object) -> list[int]:
    with office.call("test", write=False) as call:
        return list(call.session.scalars(select(Person.id).where(*conditions).order_by(Person.id)))


def test_the_figures_the_goal_the_rows_and_the_file_say_the_same(signed_in: SignedIn, office: Office) -> None:
    first, second, third = people(office)[:3]
    with office.call("test") as call:
        for one, active in ((first, True), (second, True), (third, False)):
            call.session.add(
                Invitee(
                    person_id=one, invited_at=NOW, first_invited_at=NOW, activated_at=NOW if active else None,
                    channel="mail", reminder="",
                )
            )  # fmt: skip
        call.session.execute(update(Invitee).values(first_invited_at=utcnow()))
        call.session.execute(update(Invitee).where(Invitee.activated_at.is_not(None)).values(activated_at=utcnow()))
    boss = english(signed_in(BOSS))

    page = boss.get("/adoption").text

    assert "66.7 %" in page
    assert "&#34;value&#34;: 84" in page
    assert boss.get("/adoption/rows.csv?by=service_point").text.count("\n") > 1
    rows = boss.get("/adoption/rows.csv?by=persona").text.splitlines()
    assert rows[0].endswith('Name,People,Invited,Active,"Active, per cent"')
    assert sum(int(row.split(",")[-3]) for row in rows[1:]) == 3
    assert boss.get("/adoption/line.csv").text.strip().endswith("66.7")
    assert "Active since" in boss.get(f"/people/{first}").text
    missing = boss.get("/adoption/missing?standing=invited")
    assert len(set(re.findall(r'href="/people/(\d+)"', missing.text))) == 1
    assert boss.get("/adoption?on=2019-01-01").status_code == 200
    assert boss.get("/adoption?on=never").status_code == 422
    assert "0 %" in boss.get("/adoption?unit=999999").text


def test_a_list_is_invited_by_one_press_and_a_second_press_is_the_same_round(
    signed_in: SignedIn, office: Office
) -> None:
    boss = english(signed_in(BOSS))
    form = boss.get("/adoption/invite?list=people&query=persona%3Dunit").text
    wanted = len(people(office, Person.persona == "unit"))
    assert re.findall(r"Invite (\d+) p", form) == [str(wanted)]
    (key,) = re.findall(r'name="key" value="([0-9a-f]+)"', form)
    fields = {"from": "list", "list": "people", "query": "persona=unit", "key": key}

    answers = [boss.post("/adoption/invite", **fields) for _ in range(2)]

    assert len({answer.headers["Location"] for answer in answers}) == 1
    page = boss.get(answers[0].headers["Location"]).text
    assert f"0 of {wanted} decided" in page
    with office.call("test", write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(InvitationRun)) == 1
        assert call.session.scalar(select(func.count()).select_from(Letter)) == 0, "only the worker writes"
    inviting.write_letters(office)
    assert "Written by e-mail" in boss.get(answers[0].headers["Location"]).text


def test_progress_is_shown_while_it_goes_on_and_who_has_no_address_has_a_next_step(
    signed_in: SignedIn, office: Office
) -> None:
    boss = english(signed_in(BOSS))
    chosen = people(office, Person.persona == "unit")[:3]
    with office.call("test") as call:
        call.session.execute(update(Person).where(Person.id == chosen[0]).values(email=None, phone=""))
    assert "comes on the list for papers" in boss.get("/adoption/invite?list=people&query=").text
    with office.call("test") as call:
        uid = service.invite_people(call, chosen).uid
    begun = boss.get(f"/adoption/rounds/{uid}/state").text
    assert 'hx-trigger="every 3s"' in begun
    assert "<html" not in begun
    inviting.write_letters(office)
    over = boss.get(f"/adoption/rounds/{uid}/state").text
    assert "hx-trigger" not in over
    assert "1 person cannot be reached by letter" in over
    assert "/adoption/papers" in over
    assert boss.get(f"/adoption/rounds/{'0' * 32}/state").status_code == 404


def test_a_file_of_numbers_tells_of_each_and_one_without_them_is_refused(signed_in: SignedIn, office: Office) -> None:
    boss = english(signed_in(BOSS))
    with office.call("test") as call:
        call.session.execute(update(Person).where(Person.id == people(office)[0]).values(number="P-1"))
    boss.get("/adoption/invite")

    def send(content: bytes, name: str = "people.csv"):
        return boss.post("/adoption/invite", **{"from": "file", "key": "k1", "file": (io.BytesIO(content), name)})

    for wrong in (b"", b"colour\nred\n", b"\x00\x01"):
        refused = send(wrong)
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
    assert send(b"", "").status_code == 422
    taken = send(b"personeelsnummer;naam\nP-1;An\n=cmd();Bo\n")
    page = boss.get(taken.headers["Location"]).text
    assert "Unknown number: <b>1</b>" in page
    assert "Waits to be written to: <b>1</b>" in page
    exported = boss.get(taken.headers["Location"] + "/file?as=csv").text
    assert "'=cmd()" in exported


def test_papers_are_printed_once_with_codes_that_let_their_people_in(signed_in: SignedIn, office: Office) -> None:
    an, bo = people(office)[:2]
    with office.call("test") as call:
        call.session.execute(update(Person).where(Person.id.in_([an, bo])).values(email=None, phone="", language="ar"))
    boss = english(signed_in(BOSS))
    boss.get("/adoption/invite")
    boss.post("/adoption/invite", **{"from": "list", "list": "people", "query": "language=ar", "key": "k2"})
    inviting.write_letters(office)
    page = boss.get("/adoption/papers").text
    lines = re.findall(r'name="line" value="(\d+)" checked', page)
    assert len(lines) == 2

    printed = boss.post("/adoption/papers", line=lines)

    assert printed.status_code == 200
    assert printed.headers["Cache-Control"] == "no-store"
    assert printed.text.count('dir="rtl"') == 2
    codes = re.findall(r"<b>([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})</b>", printed.text)
    with office.call("test") as call:
        assert {keys.redeem(call, keys.as_written(code), Way.PAPER).id for code in codes} == {an, bo}  # type: ignore[union-attr]
        assert {call.session.get_one(Invitee, one).channel for one in (an, bo)} == {"paper"}
    again = boss.post("/adoption/papers", line=lines)
    assert again.status_code == 404
    assert "Nobody needs a paper" in again.text
    assert boss.post("/adoption/papers").status_code == 422


def test_an_auditor_looks_and_neither_invites_nor_prints(signed_in: SignedIn, office: Office) -> None:
    auditor = english(signed_in("auditor@stad.example"))
    page = auditor.get("/adoption")
    assert page.status_code == 200
    assert "Invite many" not in page.text
    for address in ("/adoption/invite", "/adoption/papers"):
        assert auditor.get(address).status_code == 403
        assert auditor.post(address, **{"from": "list", "query": "", "key": "x"}).status_code == 403
    with office.call("test", write=False) as call:
        assert call.session.scalar(select(func.count()).select_from(RunLine)) == 0
