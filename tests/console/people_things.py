"""One of everything that people of a place have: calls for help, duty, rooms, exercises, invitations, games, helpers, wishes,
kiosks that are being set up, erasures, what is on their network. All of it named with one word, as in ``desk_things``."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import select

from mdm.adoption import service as adoption
from mdm.adoption.model import InvitedState, RunLine
from mdm.core.ids import new_secret, new_uid, secret_digest
from mdm.core.permissions import Where
from mdm.discovery.model import DiscoveryRun, MatchedBy, NetworkDevice, RunState, Source
from mdm.guidance import ambassadors, quests
from mdm.guidance.model import Quest, Question, QuestionState, QuestPlayer
from mdm.guidance.quests import Draft, TaskDraft
from mdm.kiosks import service as kiosks
from mdm.kiosks.wanted import Wanted
from mdm.org.model import ServicePoint
from mdm.panic import drills, duty, keeping, keys, raising, spots
from mdm.panic import service as panic
from mdm.panic.duty import Line
from mdm.panic.model import PanicAlarm, PanicCall
from mdm.panic.raising import Press
from mdm.people import service as people
from mdm.people.model import Person
from mdm.portal import app_answers
from mdm.portal.model import AppOffer, AppRequest, AppState
from mdm.portal.sessions import actor_of
from mdm.privacy.model import Erasure
from mdm.storage.call import Call
from tests.console.desk_things import device

HOST_KEY = "SHA256:" + "a" * 42 + "A"


def quest(call: Call, points: Sequence[int]) -> Quest:
    """A game for these service points, which stands at none of them."""
    today = call.now.date()
    tasks = [TaskDraft(f"Assignment {number}", "Do it", "word") for number in range(1, 6)]
    return quests.create(call, Draft("en", "Discover", "Five", today, today + timedelta(days=6), tasks, (), (), points))


def offer(call: Call) -> AppOffer:
    """An application that anybody may ask for."""
    return app_answers.offer(call, name="Map", about="Streets", platform="linux", identifier="map")


def furnish(
    call: Call, point: int, person: int, word: str, game: Quest, wanted: AppOffer, helped: int
) -> dict[str, str]:
    """Fills one service point; ids by the kind of thing, as ``CONSOLE_ARGUMENTS`` names them.

    ``helped`` is the service point that the ambassador of this one helps.
    """
    ids = (
        _help(call, point, person, word)
        | _guidance(call, point, person, word, game, helped)
        | _kiosk(call, point, word)
        | _round(call, point, person, word)
        | _network(call, point, word)
    )
    asked = AppRequest(
        uid=new_uid(),
        offer_id=wanted.id,
        person_id=person,
        slot=f"{wanted.id}:{person}",
        state=AppState.ASKED.value,
        why=f"{word} nodig",
        asked_at=call.now,
    )
    gone = people.create(call, name=f"{word} gewist", service_point_id=point)
    call.session.add(
        Erasure(
            person_id=gone.id,
            pseudonym=f"{word}-gewist",
            asked_by=f"{word} vrager",
            reason=f"{word} reden",
            begun_at=call.now,
            names=[f"{word} gewist"],
            finished_at=call.now,
        )
    )
    call.session.add(asked)
    call.session.flush()
    return ids | {"request_uid": asked.uid, "app_request_uid": asked.uid, "erased_id": str(gone.id)}


def _help(call: Call, point: int, person: int, word: str) -> dict[str, str]:
    """A call that rings, one that is closed with a report, somebody on duty, a room, an exercise."""
    somebody = people.create(call, name=f"{word} wacht", email=f"{word}-wacht@stad.example", service_point_id=point)
    line = Line(somebody.email or "", Where(point), "00:00", "23:59", date(2026, 1, 1), phone="0470 12 34 56")
    on = duty.add(call, line)
    computer = device(call, point, word, "room", platform="linux", kind="kiosk")
    spots.put(call, computer.serial or "", f"{word} kamer")
    me = call.by(actor_of(call.session.get_one(Person, person), "req"))
    rings = raising.by_key(call, keys.make(me, spot=f"{word} loket", locates=True), Press(new_uid()))
    over = raising.by_device(call, computer.id, Press(new_uid()))
    panic.acknowledge(call, over.uid)
    panic.close(call, over.uid, panic.Report(panic.Outcome.THREAT, f"{word} gebeurd", follow_up=f"{word} vervolg"))
    for before in drills.all_of(call):
        if before.service_point_id == point:
            drills.end(call, before.uid)
    drill = drills.begin(call, Where(point), 60, f"{word} oefening")
    drill.learned = f"{word} geleerd"
    for alarm in (rings, over, raising.by_drill(call, drill.uid)):
        _told(call, alarm, word)
    ids = {"call_uid": rings.uid, "closed_call_uid": over.uid, "duty_id": str(on.id), "drill_uid": drill.uid}
    # The API calls the same things by these names.
    return ids | {
        "panic_call_uid": rings.uid,
        "reported_call_uid": over.uid,
        "panic_duty_id": str(on.id),
        "panic_exercise_uid": drill.uid,
    }


def _told(call: Call, alarm: PanicAlarm, word: str) -> None:
    alarm.person_name = f"{word} roeper"
    keeping.line(call, alarm, "coming", by=f"{word} helper")
    call.session.add(
        PanicCall(
            alarm_id=alarm.id,
            who="person:0",
            name=f"{word} helper",
            rung="duty",
            told_at=call.now,
            link_digest=secret_digest(new_secret()),
        )
    )


def _guidance(call: Call, point: int, person: int, word: str, game: Quest, helped: int) -> dict[str, str]:
    """Somebody who finished the game and lets the organiser have the name, and an ambassador with a question."""
    session = call.session
    session.add(
        QuestPlayer(
            quest_id=game.id,
            person_id=person,
            ticket=new_uid(),
            joined_at=call.now,
            finished_at=call.now,
            consent_at=call.now,
        )
    )
    helper = people.create(call, name=f"{word} helper", email=f"{word}-helper@stad.example", service_point_id=point)
    named = ambassadors.name(call, helper.email or "", languages=["nl"], about=f"{word} hulp", service_point_id=helped)
    session.add(
        Question(
            uid=new_uid(),
            person_id=person,
            ambassador_id=named.id,
            text=f"{word} vraag",
            state=QuestionState.ASKED.value,
            asked_at=call.now,
            changed_at=call.now,
        )
    )
    return {"quest_uid": game.uid, "ambassador_uid": named.uid}


def _kiosk(call: Call, point: int, word: str) -> dict[str, str]:
    """A file with one kiosk that is being set up."""
    code = call.session.get_one(ServicePoint, point).code
    wanted = Wanted(f"{word} zuil", f"{word}.lan", 22, "root", HOST_KEY, code, f"{word}-zuil@stad.example")
    batch, (made,) = kiosks.begin_many(call, [(1, wanted)])
    made.log = [{"at": "2026-11-22T08:00:00Z", "step": "reach", "text": f"{word} zei"}]
    return {"setup_uid": made.uid, "setup_batch": batch}


def _round(call: Call, point: int, person: int, word: str) -> dict[str, str]:
    """A round of invitations, with somebody who gets a paper."""
    paper = people.create(call, name=f"{word} papier", number=f"{word}-99", service_point_id=point)
    run = adoption.invite_people(call, [person, paper.id], chosen={"file": f"{word}.csv"})
    run.made_by = f"{word} uitnodiger"
    line = call.session.scalars(select(RunLine).where(RunLine.run_id == run.id, RunLine.person_id == paper.id)).one()
    line.state = InvitedState.PAPER.value
    call.session.flush()
    return {"round_uid": run.uid, "paper_person_id": str(paper.id), "personnel_number": f"{word}-99"}


def _network(call: Call, point: int, word: str) -> dict[str, str]:
    """A capture, something on the network that is nobody's, and something that is ours."""
    run = DiscoveryRun(
        uid=new_uid(),
        service_point_id=point,
        source=Source.CAPTURE.value,
        name=f"{word}.pcap",
        state=RunState.DONE.value,
        made_by=f"{word} lezer",
        made_at=call.now,
        finished_at=call.now,
        devices=2,
    )
    listens = DiscoveryRun(
        uid=new_uid(),
        service_point_id=point,
        source=Source.LIVE.value,
        name=f"{word}0",
        made_by=f"{word} luisteraar",
        made_at=call.now,
        ends_at=call.now + timedelta(minutes=15),
    )
    call.session.add_all((run, listens))
    call.session.flush()
    ours = device(call, point, word, "network", platform="linux", kind="laptop")
    call.session.flush()
    for number, known in enumerate((None, ours.id)):
        call.session.add(
            NetworkDevice(
                uid=new_uid(),
                service_point_id=point,
                run_id=run.id,
                mac=f"02:00:00:00:{point:02x}:{number:02x}",
                kind="printer",
                vendor=f"{word} nv",
                name=f"{word}-printer",
                serial=f"{word}-p",
                device_id=known,
                matched_by=MatchedBy.SERIAL.value if known else "",
                first_seen_at=call.now,
                last_seen_at=call.now,
                noted_at=call.now,
            )
        )
    return {"run_uid": run.uid, "listening_uid": listens.uid}
