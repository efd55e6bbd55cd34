"""A small city in which every kind of thing stands at our place (``own``), and people and programs who may this or that."""

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select

from mdm.access import service as access
from mdm.access.model import Operator
from mdm.adoption import service as adoption
from mdm.alarms import targets
from mdm.commands import service as commands
from mdm.commands.model import Verb
from mdm.compliance import management
from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import ApprovalNeededError
from mdm.core.ids import new_uid
from mdm.core.permissions import Grant, Role, Where
from mdm.desk.custody import service as custody
from mdm.desk.loans import places as loans
from mdm.desk.loans import service as reserving
from mdm.desk.loans.model import LadderStep, OverdueLoan
from mdm.desk.repairs import service as repairs
from mdm.desk.stock import service as stock
from mdm.enrollment import service as enrollment
from mdm.enrollment.links import Links
from mdm.inventory import groups
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.orders import acts
from mdm.orders import service as orders
from mdm.org import service as org
from mdm.panic import drills, duty, raising
from mdm.panic import service as panic
from mdm.people import service as people
from mdm.policies import assigning
from mdm.policies import service as policies
from mdm.portal import app_answers
from mdm.portal.model import AppRequest, AppState
from mdm.storage.call import Call
from tests.api.phones import apple

PLACES = ("city", "own", "other")
LINKS = Links("http://localhost:8080", "https://localhost:8444", "a" * 64, 24)
LIMITS = access.Limits(timedelta(hours=1), timedelta(hours=12))


@dataclass
class City:
    """Ids of what stands in the city; people and service points also elsewhere (``other``)."""

    ids: dict[str, int | str] = field(default_factory=dict)
    """By the name of the argument in an address: ``device_uid``, ``person_id`` …"""
    service_point: dict[str, int] = field(default_factory=dict)
    unit: dict[str, int] = field(default_factory=dict)
    person: dict[str, int] = field(default_factory=dict)
    device: dict[str, str] = field(default_factory=dict)
    cookies: dict[tuple[Role, str], str] = field(default_factory=dict)
    """Session secrets of operators, by role and place."""
    tokens: dict[tuple[Role, str], str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    """What Apple gives, by what it is for: a push certificate, and the token of a tie."""


def build(call: Call) -> City:
    """The city, by its services."""
    city = City()
    for name in ("own", "other"):
        unit = org.create_unit(call, code=f"U-{name}", name=f"Unit {name}")
        point = org.create_service_point(call, code=f"SP-{name}", name=f"Point {name}")
        person = people.create(
            call, name=f"Person {name}", email=f"{name}@example.org", unit_id=unit.id, service_point_id=point.id
        )
        device = inventory.create(
            call,
            {
                "platform": "linux",
                "kind": "laptop",
                "name": f"Laptop {name}",
                "serial": f"SERIAL-{name}",
                "service_point_id": point.id,
                "owner_unit_id": unit.id,
            },
        )
        device.enrolled_at, device.key_digest = call.now, name.encode().hex().ljust(64, "0")
        city.unit[name], city.service_point[name], city.person[name] = unit.id, point.id, person.id
        city.device[name] = device.uid
    city.ids |= {
        "unit_id": city.unit["own"],
        "service_point_id": city.service_point["own"],
        "person_id": city.person["own"],
        "device_uid": city.device["own"],
    }
    _things(call, city)
    apple(call, city)
    return city


def _things(call: Call, city: City) -> None:
    group = groups.create(call, "Group")
    policy = policies.create(call, "Base", settings={"passcode.min_length": 8})
    assignment = assigning.assign(call, policy.id, include=["all"])
    rule = management.add_rule(call, "encryption")
    exemption = management.exempt(
        call, city.device["own"], rule.id, owner="o@example.org", reason="r", until=call.now + timedelta(days=9)
    )
    invitation, _ = enrollment.invite(
        call, LINKS, email="own@example.org", platform="linux", service_point_code="SP-own"
    )
    _desk(call, city)
    sent = commands.send(call, [city.device["own"]], Verb.REFRESH)
    batch = _batch(call, city)
    together = orders.request_wipes(call, [city.device["own"]], "stolen")
    orders.cancel(call, together.id)
    order = orders.request_wipe(call, city.device["own"], "stolen")
    act = _act(call, city.device["own"])
    city.ids |= {
        "group_id": group.id,
        "policy_id": policy.id,
        "number": 1,
        "assignment_id": assignment.id,
        "rule_number": rule.id,
        "exemption_id": exemption.id,
        "invitation_uid": invitation.uid,
        "order_id": order.id,
        "act_id": act,
        "order_batch_id": together.id,
        "command_id": sent.commands[0],
        "batch_id": batch,
        "line": 1,
        "application_id": 1,
        **_loans(call, city),
    }


def _stock(call: Call, city: City) -> dict[str, int | str]:
    """A shelf, a transfer each way with a third service point, and two repairs, one of them at its supplier."""
    point = city.service_point["own"]
    third = org.create_service_point(call, code="SP-third", name="Point third")
    phones = [
        inventory.create(
            call, {"platform": "android", "kind": "phone", "tag": f"STOCK-{number}", "service_point_id": place}
        )
        for number, place in enumerate((point, point, point, point, point, third.id), 1)
    ]
    shelf = stock.create_shelf(call, point, "A1")
    going = stock.open_transfer(call, point, third.code)
    stock.add_device(call, going.uid, "STOCK-1")
    coming = stock.open_transfer(call, third.id, "SP-OWN")
    stock.add_device(call, coming.uid, "STOCK-6")
    stock.send(call, coming.uid)
    broken = repairs.open(call, phones[2], faults=["screen"])
    away = repairs.open(call, phones[3], faults=["sound"])
    repairs.send(call, phones[3], supplier="Repair nv")
    return {
        "shelf": shelf.id,
        "transfer_uid": going.uid,
        "arriving_uid": coming.uid,
        "repair_uid": broken.uid,
        "away_uid": away.uid,
    }


def _loans(call: Call, city: City) -> dict[str, int | str]:
    """A pool with a tablet at our place, a reservation for it, and a loan for which a lock is proposed."""
    point, person = city.service_point["own"], city.person["own"]
    loans.open_place(call, point, zone="Europe/Brussels", flex=True)
    tablets = [
        inventory.create(
            call,
            {
                "platform": "linux",
                "kind": "tablet",
                "name": f"Tablet {number}",
                "ownership": "loan_pool",
                "service_point_id": point,
            },
        )
        for number in (1, 2)
    ]
    begins = call.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    ends = begins + timedelta(hours=4)
    reserved = reserving.reserve(call, person, service_point_id=point, kind="tablet", begins=begins, ends=ends)
    handed = custody.hand_out(
        call,
        custody.HandOut(
            person_id=person,
            devices=(tablets[1].uid,),
            service_point_id=point,
            loan=True,
            due_at=call.now + timedelta(hours=1),
            unsigned="none",
            invite=False,
        ),
    )
    due = call.now - timedelta(days=9)
    tablets[1].enrolled_at, tablets[1].key_digest = call.now, "b" * 64
    handed.custodies[0].due_at = due
    late = OverdueLoan(
        custody_id=handed.custodies[0].id,
        device_id=tablets[1].id,
        person_id=person,
        service_point_id=point,
        due_at=due,
        step=LadderStep.LOCK.value,
        proposed_at=call.now,
    )
    call.session.add(late)
    call.session.flush()
    city.device["tablet"] = tablets[0].uid
    return {"loan_place_id": point, "loan_uid": reserved.uid, "overdue_loan_id": late.id}


def _desk(call: Call, city: City) -> None:
    """A device of our place in somebody's hands, with its paper, and one that can take its place."""
    point, person = city.service_point["own"], city.person["own"]
    for name in ("held", "spare"):
        made = inventory.create(
            call, {"platform": "linux", "kind": "laptop", "name": name, "tag": name, "service_point_id": point}
        )
        city.device[name] = made.uid
    wanted = custody.HandOut(person, (city.device["held"],), point, unsigned="for the test", invite=False)
    paper = custody.hand_out(call, wanted).paper
    city.ids["paper_uid"] = paper.uid if paper is not None else ""


def _act(call: Call, device: str) -> str:
    """A request to retire our device."""
    try:
        inventory.retire(call.with_permit(None), device, reason="broken")
    except ApprovalNeededError as needed:
        return acts.ask(call, needed).id
    raise AssertionError("nobody was asked")


def _batch(call: Call, city: City) -> str:
    """A batch for two devices at our place."""
    other = inventory.create(
        call, {"platform": "linux", "kind": "kiosk", "name": "Kiosk", "service_point_id": city.service_point["own"]}
    )
    other.enrolled_at, other.key_digest = call.now, "e" * 64
    sent = commands.send(call, [city.device["own"], other.uid], Verb.REFRESH)
    assert sent.batch
    return sent.batch


HOOKS = "hooks.stad.example"
"""The one host that webhooks may go to."""


def settle(call: Call, city: City) -> None:
    """Operators with a live session and tokens, one for every role at every place; one more of each to be acted on."""
    city.ids |= _stock(call, city)
    city.ids |= _panic(call, city)
    city.ids |= _offers(call, city)
    for role in Role:
        for place in PLACES:
            where = access.CITY if place == "city" else access.Place(city.service_point[place])
            operator = access.create_operator(call, email=f"{role}-{place}@example.org", name=f"{role} {place}")
            access.add_grant(call, operator.id, role, where)
            city.cookies[role, place] = sign_in(call, operator)
            if role is not Role.APPROVER:
                _, city.tokens[role, place] = access.create_token(call, name="t", role=role, place=where)
    subject = access.create_operator(call, email="subject@example.org", name="Subject")
    here = access.Place(city.service_point["own"])
    grant = access.add_grant(call, subject.id, Role.DESK_CLERK, here)
    token, _ = access.create_token(call, name="subject", role=Role.DESK_CLERK, place=here)
    target = targets.set_target(call, [HOOKS], name="Tower", url=f"https://{HOOKS}/tower")
    city.ids["webhook_target_id"] = target.id
    city.ids["round_uid"] = adoption.invite_people(call, [city.person["own"]]).uid
    city.ids |= {"operator_id": subject.id, "grant_id": grant.id, "token_id": token.id}


def _offers(call: Call, city: City) -> dict[str, int | str]:
    """An application on offer, and somebody's wish for it."""
    offer = app_answers.offer(call, name="Planner", about={"nl": "Wegen"}, platform="linux", identifier="planner")
    wish = AppRequest(
        uid=new_uid(),
        offer_id=offer.id,
        person_id=city.person["own"],
        slot=f"{offer.id}:{city.person['own']}",
        state=AppState.ASKED.value,
        why="For my rounds.",
        asked_at=call.now,
    )
    call.session.add(wish)
    call.session.flush()
    return {"app_offer_uid": offer.uid, "app_request_uid": wish.uid}


def _panic(call: Call, city: City) -> dict[str, int | str]:
    """A call for help that is answered, one that is closed with a report, somebody on duty, an exercise."""
    point = city.service_point["own"]
    held = call.session.scalars(select(Device).where(Device.uid == city.device["own"])).one()
    found = []
    for number in ("1" * 32, "2" * 32):
        one = raising.by_device(call, held.id, raising.Press(number))
        panic.acknowledge(call, one.uid)
        found.append(one.uid)
        if len(found) == 1:
            panic.close(call, one.uid, panic.Report(panic.Outcome.THREAT, "Somebody shouted."))
    line = duty.Line("own@example.org", Where(point), "08:00", "18:00", call.now.date())
    return {
        "reported_call_uid": found[0],
        "panic_call_uid": found[1],
        "panic_duty_id": duty.add(call, line).id,
        "panic_exercise_uid": drills.begin(call, Where(point), 60, "Counter").uid,
    }


def sign_in(call: Call, operator: Operator) -> str:
    """The secret of a new session."""
    secret = access.as_operator(call, operator, "test", access.Visit(), LIMITS, proved_at=call.now).secret
    assert secret
    return secret


def boss() -> Actor:
    """Who builds the city: somebody with every right that one person can have, and no approving."""
    return Actor(ActorKind.COMMAND_LINE, None, "builder", (Grant(Role.FLEET_ADMIN),))
