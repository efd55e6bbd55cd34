"""Who is called for which topic of the outbox: the one table that ties lower rooms' messages to upper rooms."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import select

from mdm.alarms import service as alarms
from mdm.alarms import targets
from mdm.alarms.address import hosts
from mdm.commands import rosters
from mdm.compliance import service as compliance
from mdm.core.errors import ConflictError, DeniedError, InvalidError, UnavailableError
from mdm.desk.cases import service as cases
from mdm.desk.custody import follow as custody
from mdm.enrollment import adopt as adopting
from mdm.enrollment import holders
from mdm.enrollment import service as enrollment
from mdm.inventory.model import Device
from mdm.orders import mails, mirror
from mdm.orders import service as orders
from mdm.orders.model import Order, OrderState
from mdm.orders.release import release
from mdm.orders.roster import service as proposing
from mdm.platforms import service as platforms
from mdm.platforms.apple import post as phones
from mdm.platforms.apple import pushing, renewing, translate, waking
from mdm.platforms.apple.apns import Pusher
from mdm.platforms.apple.handout import Here
from mdm.platforms.apple.model import ApplePush
from mdm.policies import service as policies
from mdm.policies.model import DesiredChange
from mdm.portal import app_places
from mdm.signing.client import SignerClient
from mdm.storage.call import Call
from mdm.storage.seal import load_seal
from mdm.worker import acts, mail, papers, sms
from mdm.worker.device_lists import read_device_lists
from mdm.worker.office import Office
from mdm.worker.post import Gathered, Handler, Inside, NotNowError, Outside, Payload


def _devices(payloads: Sequence[Payload]) -> set[int]:
    return {int(payload["device"]) for payload in payloads}


def _judge(call: Call, payloads: Sequence[Payload]) -> None:
    devices = _devices(payloads)
    compliance.judge_many(call, devices)
    cases.follow_devices(call, devices)


def _follow_holder(call: Call, payloads: Sequence[Payload]) -> None:
    devices = _devices(payloads)
    custody.follow_devices(call, devices)
    app_places.follow_devices(call, devices)


def _place_devices(call: Call, payloads: Sequence[Payload]) -> None:
    devices = _devices(payloads)
    policies.place_devices(call, devices)
    phones.placed(call, devices)


def _place_all(call: Call, _payload: Payload) -> None:
    policies.place_all(call)


def _prepare(call: Call, _payload: Payload) -> None:
    platforms.prepare_stale(call)
    # What a device should have is something else now, so what is said of it may be too, also while it is silent.
    changed = select(DesiredChange.cohort_id).where(DesiredChange.at == call.now)
    for cohort_id in call.session.scalars(changed).all():
        compliance.look_again(call, cohort_id)


def _follow_person(call: Call, payload: Payload) -> None:
    holders.follow_person(call, int(payload["person"]))
    cases.follow_person(call, int(payload["person"]))


def _revoke(office: Office, payload: Payload) -> None:
    SignerClient(office.settings.signer_socket).revoke(fingerprint=str(payload["fingerprint"]), why=str(payload["why"]))


def _adopted(office: Office, payload: Payload) -> None:
    with _signer(office) as signer:
        signer.belongs(fingerprint=str(payload["fingerprint"]), device=str(payload["device"]))
    with office.call("enrollment") as call:
        adopting.forget(call, int(payload["stranger"]))


def _release(office: Office, payload: Payload) -> None:
    release(office.engine, SignerClient(office.settings.signer_socket), str(payload["order"]), clock=office.clock)


def _void(office: Office, payload: Payload) -> None:
    with _signer(office) as signer:
        signer.void_order(str(payload["order"]))


def _rosters(call: Call, _payload: Payload) -> None:
    rosters.queue(call)


def _freeze(office: Office, payload: Payload) -> None:
    with _signer(office) as signer:
        number = signer.freeze(who=str(payload["who"]), why=str(payload["why"])).number
    with office.call("kernel") as call:
        mirror.take_freeze(call, number)


def _thaw(office: Office, payload: Payload) -> None:
    statement = str(payload["statement"])
    with office.call("kernel", write=False) as call:
        proofs = mirror.thaw_proofs(call, statement)
    if not proofs:
        return
    with _signer(office) as signer:
        signer.thaw(statement=statement, proofs=proofs)
    with office.call("kernel") as call:
        orders.thawed(call, int(json.loads(statement)["freeze"]))


def _submit_roster(office: Office, payload: Payload) -> None:
    """Hands a signed proposal to the signer, and writes down what it answered."""
    with office.call("roster", write=False) as call:
        asked = proposing.to_submit(call, str(payload["proposal"]))
    if asked is None:
        return
    try:
        with _signer(office) as signer:
            sealed = signer.change_roster(roster=asked.text, proofs=asked.proofs)
    except (ConflictError, DeniedError, InvalidError) as error:
        with office.call("roster") as call:
            proposing.answered(call, asked.id, refused=str(error))
        return
    with office.call("roster") as call:
        mirror.take_rosters(call, [sealed])
        proposing.answered(call, asked.id)


@contextmanager
def _signer(office: Office) -> Iterator[SignerClient]:
    """The signer, for what must reach it however long it is down: the message waits uncounted."""
    try:
        yield SignerClient(office.settings.signer_socket)
    except UnavailableError as error:
        raise NotNowError(str(error), error.retry_after) from error


def _wiped(call: Call, payload: Payload) -> None:
    device = call.session.get(Device, int(payload["device"]))
    order = call.session.get(Order, str(payload["order"]))
    # Only what the device itself has answered ends its certificates, whoever wrote the message.
    if device is not None and order is not None and (order.device_uid, order.state) == (device.uid, OrderState.DONE):
        enrollment.end(call, device, "wiped")


def _alarm(call: Call, payload: Payload) -> None:
    alarms.take(call, payload)


def _webhook(office: Office, payload: Payload) -> None:
    settings = office.settings
    targets.deliver(
        office.engine,
        payload,
        allowed=hosts(settings.webhook_hosts),
        seal=load_seal(settings.home / "keys"),
        clock=office.clock,
    )


def _apple_answer(office: Office, payload: Payload) -> None:
    with office.call("apple.answer") as call:
        phones.take_answer(call, payload, office.settings.organisation)
        phones.take_location(call, payload, load_seal(office.settings.home / "keys"))


def _apple_list(office: Office, payload: Payload) -> None:
    read_device_lists(office, str(payload["tie"]))


def _apple_renew(office: Office, payload: Payload) -> None:
    settings = office.settings
    signer = SignerClient(settings.signer_socket)
    renewing.renew(
        lambda: office.call("apple.renew"),
        payload,
        here=Here.of(settings.organisation, settings.gateway_base, signer.ca().certificate, signer.phone_ca()),
        sign=signer.sign_profile,
        seal=load_seal(settings.home / "keys"),
    )


def _apple_status(office: Office, payload: Payload) -> None:
    with office.call("apple.status") as call:
        phones.take_status(call, payload, office.settings.organisation)


_PUSHERS: dict[tuple[str, int], Pusher] = {}
"""Kept connections to the push service, by its address and the certificate."""


def _apple_push(office: Office, payload: Payload) -> None:
    settings = office.settings
    seal = load_seal(settings.home / "keys")

    def connect(held: ApplePush) -> Pusher:
        key = (settings.apns_url, held.id)
        if key not in _PUSHERS:
            private = pushing.private_key(seal, held)
            _PUSHERS[key] = Pusher(
                settings.apns_url, held.certificate, private, held.topic, authority=settings.apns_authority
            )
        return _PUSHERS[key]

    waking.wake(lambda: office.call("apple.push"), connect, seal, dict(payload))


TOPICS: Mapping[str, Handler] = {
    "act.perform": Outside(acts.perform),
    "alarm": Inside(_alarm),
    "apple.answer": Outside(_apple_answer),
    "apple.list": Outside(_apple_list),
    "apple.push": Outside(_apple_push),
    "apple.renew": Outside(_apple_renew),
    "apple.status": Outside(_apple_status),
    "commands.asked": Inside(translate.take),
    "certificate.revoked": Outside(_revoke),
    "cohorts.place": Inside(_place_all),
    "cohorts.prepare": Inside(_prepare),
    "desk.paper": Outside(papers.send),
    "device.adopted": Outside(_adopted),
    "device.holder": Gathered(_follow_holder),
    "device.judge": Gathered(_judge),
    "device.place": Gathered(_place_devices),
    "device.wiped": Inside(_wiped),
    "kernel.freeze": Outside(_freeze),
    "kernel.thaw": Outside(_thaw),
    "mail": Outside(mail.send),
    "order.release": Outside(_release),
    "order.told": Inside(mails.told),
    "order.void": Outside(_void),
    "roster.submit": Outside(_submit_roster),
    "person.changed": Inside(_follow_person),
    "roster.changed": Inside(_rosters),
    "sms": Outside(sms.send),
    "webhook": Outside(_webhook),
}
