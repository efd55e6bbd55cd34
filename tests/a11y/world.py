"""A city in which something stands behind every page: the pilot, and one of everything that a desk, a phone, a helper or somebody
who signs can have. Only what is behind a secret or a chosen thing is named; the rest is found by following links."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update

from mdm.access import service as access
from mdm.access.model import Operator
from mdm.adoption.model import Invitee, Letter
from mdm.compliance.model import RuleInForce
from mdm.core.actor import Actor, ActorKind
from mdm.core.ids import new_uid, secret_digest
from mdm.core.permissions import Grant, Role
from mdm.desk.custody import handing
from mdm.desk.custody.asked import HandOut
from mdm.desk.exchange import kept
from mdm.desk.exchange.service import Files, SnipeKind
from mdm.enrollment import service as enrollment
from mdm.enrollment.links import Links
from mdm.guidance import ambassadors, starting
from mdm.guidance.model import Ambassador, Question, QuestionState
from mdm.inventory.model import Device
from mdm.orders import service as orders
from mdm.orders.model import Order
from mdm.orders.roster import service as roster
from mdm.orders.roster.drafting import Wish
from mdm.org.model import ServicePoint
from mdm.panic.model import PanicCall
from mdm.people.model import Person
from mdm.portal import app_answers, enrolling, keys
from mdm.portal.families import Family
from mdm.portal.inviting import Limits
from mdm.portal.sessions import actor_of
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.seal import load_seal
from tests.api.city import _act
from tests.console import desk_things, people_things
from tests.console.house import CA
from tests.console.test_android_phone import spoken
from tests.console.test_phone_readers import tied
from tests.console.test_phones import supervised
from tests.orders.founding import mirror, people
from tests.sim.approvers import Council
from tests.sim.approvers import Person as Signs

WORD = "Buurtwerking"
CAREFUL = "kees@stad.example"
SECRET = "behind-the-link-of-a-letter"


@dataclass
class World:
    """Where the database is, whose page the employee's is, and what no link leads to."""

    home: Path
    person: int = 0
    console: list[str] = field(default_factory=list)
    portal: list[str] = field(default_factory=list)


def furnish(call: Call, settings: Settings, world: World) -> None:
    """Fills a database with the pilot in it; ``call`` is a fleet admin's."""
    starting.load_pilot(call)
    world.person = _employee(call)
    person = call.session.get_one(Person, world.person)
    assert person.service_point_id is not None
    point, away = person.service_point_id, person.service_point_id + 1
    game = people_things.quest(call, (point,))
    offer = people_things.offer(call)
    ids = desk_things.furnish(call, point, world.person, away, WORD)
    ids |= people_things.furnish(call, point, world.person, WORD, game, offer, point)
    other = app_answers.offer(call, name="Trams", about="When the next one comes", platform="linux", identifier="trams")
    world.portal += [f"/apps/ask/{other.uid}", f"/off/{SECRET}"]
    _enrolling(call, settings, world, point)
    _asked(call, world.person)
    _letters(call, world)
    _counter(call, settings, world, point, ids)
    _phones(call, settings, world)
    _kernel(call, world)
    _second_factor(call)
    world.console += [
        f"/adoption/rounds/{ids['round_uid']}",
        f"/desk/box/{ids['box_uid']}",
        f"/desk/kiosks/rounds/{ids['kiosk_round_uid']}",
        f"/desk/kiosks/setups/batch/{ids['setup_batch']}",
        f"/desk/loans/overdue/{ids['overdue_id']}",
        f"/desk/papers/{ids['paper_uid']}",
        f"/desk/signing/{ids['signature_uid']}",
        f"/desk/stock/takes/{ids['take_id']}",
        f"/desk/take-piece?piece={ids['kit_code']}",
        f"/panic/calls/{ids['call_uid']}",
        f"/panic/drills/{ids['drill_uid']}",
    ]


def _employee(call: Call) -> int:
    """Whoever comes in at the employees' page in these tests."""
    query = (
        select(Person.id)
        .join(Device, Device.person_id == Person.id)
        .where(Device.state == "handed_out", Person.left_on.is_(None))
        .order_by(Device.enrolled_at.is_(None), Person.id)
    )
    return call.session.scalars(query).first() or 0


def _enrolling(call: Call, settings: Settings, world: World, point: int) -> None:
    """A laptop in the employee's name that is being set up, and an invitation of somebody else."""
    waits = desk_things.device(call, point, WORD, "new", platform="linux", kind="laptop")
    waits.enrolled_at, waits.key_digest = None, ""
    waits.person_id, waits.state = world.person, "handed_out"
    call.session.flush()
    me = call.by(actor_of(call.session.get_one(Person, world.person), "req"))
    links = Links.of(settings, CA)
    begun = enrolling.begin(me, links, Limits(private=True, devices=2), Family.COMPUTER, waits.uid)
    world.portal += [f"/enrol/begin?device={waits.uid}", f"/enrol/{begun.uid}", f"/enrol/{begun.uid}/stuck"]
    world.portal += [f"/enrol/{begun.uid}?step={number}" for number in range(1, 5)]
    code = call.session.get_one(ServicePoint, point).code
    for platform in ("linux", "ios", "android"):
        made, address = enrollment.invite(
            call, links, email=f"{platform}@stad.example", platform=platform, service_point_code=code
        )
        world.console += [f"/enrollment/{made.uid}", "/e/" + address.rpartition("/e/")[2]]
        world.console += [f"/enrollment/{made.uid}/google"] if platform == "android" else []


def _asked(call: Call, person: int) -> None:
    """The employee is an ambassador who was asked something, and asked something themselves."""
    them = call.session.get_one(Person, person)
    me = call.session.scalars(select(Ambassador).where(Ambassador.person_id == person)).first() or ambassadors.name(
        call, them.number or "", languages=["nl", "ar"], about=WORD, service_point_id=them.service_point_id
    )
    me.consent_at = call.now
    other = call.session.scalars(select(Ambassador).where(Ambassador.id != me.id)).first()
    somebody = call.session.scalars(select(Person.id).where(Person.id != person)).first()
    assert other is not None
    assert somebody is not None
    for asker, asked, state in (
        (somebody, me.id, QuestionState.ASKED),
        (somebody, me.id, QuestionState.TAKEN),
        (person, other.id, QuestionState.ANSWERED),
    ):
        call.session.add(
            Question(
                uid=new_uid(),
                person_id=asker,
                ambassador_id=asked,
                text="How do I make the letters larger?",
                answer="In the settings, under Display." if state is QuestionState.ANSWERED else "",
                state=state.value,
                asked_at=call.now,
                changed_at=call.now,
            )
        )
    call.session.flush()


def _letters(call: Call, world: World) -> None:
    """What stands under a letter: no reminders any more; and what only somebody on duty got."""
    if call.session.get(Invitee, world.person) is None:
        call.session.add(Invitee(person_id=world.person, invited_at=call.now, channel="mail", reminder=""))
    call.session.add(
        Letter(
            person_id=world.person,
            kind="invitation",
            channel="mail",
            at=call.now,
            off_digest=secret_digest(SECRET),
            post_id=1,
        )
    )
    told = call.session.scalars(select(PanicCall)).first()
    assert told is not None
    told.link_digest = secret_digest(SECRET)
    world.console.append(f"/panic/come/{SECRET}")
    world.portal.append(
        "/in/link/" + keys.invitation_link(call, call.session.get_one(Person, world.person), timedelta(days=1))
    )


def _counter(call: Call, settings: Settings, world: World, point: int, ids: dict[str, str]) -> None:
    """What a clerk has in the hand: a device that goes out, one that came back, one to be put on a shelf, a file."""
    going = desk_things.device(call, point, WORD, "sign")
    _row, secret = handing.ask_signature(call, HandOut(world.person, (going.uid,), point, invite=False))
    out = desk_things.device(call, point, WORD, "held")
    out.person_id, out.state = world.person, "handed_out"
    full = desk_things.device(call, point, WORD, "full", platform="linux", kind="laptop")
    full.state = "returned"
    phone = desk_things.device(call, point, WORD, "erase")
    phone.state, phone.enrolled_at, phone.key_digest = "returned", None, ""
    shelf = desk_things.device(call, point, WORD, "shelf")
    file = b"Asset Tag,Category,Location,Kleur\nSN-1,Mobile Phones,Werkhaven,rood\nSN-2,Mobile Phones,Nowhere,\n"
    seal = load_seal(settings.home / "keys")
    brought = kept.keep(call, seal, SnipeKind.ASSETS, Files(file), name="assets.csv")
    rule = call.session.scalars(select(RuleInForce.id)).first()
    kiosk = call.session.scalars(
        select(Device.uid).where(Device.kind == "kiosk", Device.enrolled_at.is_not(None))
    ).first()
    call.session.flush()
    world.console += [
        f"/sign/{secret}",
        f"/desk/swap?device={out.uid}",
        f"/desk/take-in?device={out.uid}",
        f"/desk/wipe?device={full.uid}",
        f"/desk/erase?device={phone.uid}",
        f"/desk/stock/shelve?device={shelf.uid}",
        f"/desk/stock/shelves/{ids['shelf_id']}",
        f"/desk/stock/exchange/{brought.uid}",
        f"/desk?code={out.uid}",
        f"/desk?code={ids['scan_code']}",
        f"/desk?code={world.person}",
        f"/compliance/exempt/{out.uid}/{rule}",
        f"/devices/{kiosk}",
        f"/devices/{kiosk}/kiosk/picture",
    ]


def _phones(call: Call, settings: Settings, world: World) -> None:
    """An iPhone and an Android phone with all that they said, and Apple's list of devices."""
    iphone, android = supervised(call, settings.home), spoken(call)
    world.console += [f"/settings/phones/ties/{tied(call)}", f"/devices/{iphone}?tab=phone"]
    world.console += [f"/devices/{iphone}/phone/ask/{what}" for what in ("lost_mode", "sound", "clear_passcode")]
    world.console += [f"/devices/{iphone}/phone/secrets/bypass_code", f"/devices/{iphone}/phone/turn-away"]
    world.console += [f"/devices/{android}?tab=phone", f"/devices/{android}/phone/passcode"]


def _kernel(call: Call, world: World) -> None:
    """Wipes that are asked for, one and several; a risky act; a holder's letter."""
    query = select(Device.uid).where(Device.key_digest != "", Device.ownership == "city", Device.platform == "linux")
    uids = call.session.scalars(query.order_by(Device.id).limit(9)).all()
    order = orders.request_wipe(call, uids[0], "Stolen at the station")
    batch = orders.request_wipes(call, list(uids[1:4]), "End of lease")
    call.session.execute(update(Order).where(Order.id == order.id).values(pause_digest=secret_digest(SECRET)))
    world.console += [
        f"/pause/{SECRET}",
        f"/approvals/{order.id}",
        f"/approvals/{order.id}/receipt",
        f"/approvals/{batch.id}",
        f"/acts/{_act(call, uids[5])}",
        f"/devices/{uids[6]}/wipe",
    ]


def founded(call: Call) -> list[str]:
    """From here on two people have to agree: what shows it, with a proposal for the next roster."""
    signers = call.session.scalars(select(Operator).order_by(Operator.id)).all()
    since = int((call.now - timedelta(days=30)).timestamp())
    council: Council = people(
        call.now, *(Signs(f"operator:{one.id}", "ed25519", name=one.name, since=since) for one in signers[:4])
    )
    mirror(call, council)
    boss = next(one for one in signers if any(g.role == Role.FLEET_ADMIN for g in access.grants_of(call, one.id)))
    actor = Actor(ActorKind.OPERATOR, boss.id, boss.name, (Grant(Role.FLEET_ADMIN),), "req", "127.0.0.1")
    entries = [one.entry() for one in council.people]
    wishes = [Wish(one["person"], one["name"], ("*",), tuple(one["keys"])) for one in entries[:3]]
    proposal = roster.propose(call.by(actor), wishes, threshold=2, ceremony=3, reason="Somebody leaves")
    return [
        f"/roster/proposals/{proposal.id}",
        "/roster",
        "/roster/propose",
        "/stop",
        "/acts",
        "/approvals",
        "/account",
    ]


def _second_factor(call: Call) -> None:
    """Somebody whose sign-in asks for a code."""
    operator = access.add_operator(call, email=CAREFUL, role=Role.DESK_CLERK)
    operator.totp_sealed, operator.totp_confirmed_at = b"sealed", call.now
