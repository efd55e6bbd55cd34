"""Who is called for which topic of the outbox: the one table that ties lower rooms' messages to upper rooms."""

from collections.abc import Mapping

from mdm.compliance import service as compliance
from mdm.enrollment import holders
from mdm.enrollment import service as enrollment
from mdm.inventory.model import Device
from mdm.orders.release import release
from mdm.signing.client import SignerClient
from mdm.storage.call import Call
from mdm.worker import mail
from mdm.worker.office import Office
from mdm.worker.post import Handler, Inside, Outside, Payload


def _judge(call: Call, payload: Payload) -> None:
    compliance.judge(call, int(payload["device"]))


def _judge_all(call: Call, _payload: Payload) -> None:
    compliance.judge_all(call)


def _follow_person(call: Call, payload: Payload) -> None:
    holders.follow_person(call, int(payload["person"]))


def _revoke(office: Office, payload: Payload) -> None:
    SignerClient(office.settings.signer_socket).revoke(fingerprint=str(payload["fingerprint"]), why=str(payload["why"]))


def _release(office: Office, payload: Payload) -> None:
    release(office.engine, SignerClient(office.settings.signer_socket), str(payload["order"]), clock=office.clock)


def _wiped(call: Call, payload: Payload) -> None:
    device = call.session.get(Device, int(payload["device"]))
    if device is not None:
        enrollment.end(call, device, "wiped")


TOPICS: Mapping[str, Handler] = {
    "certificate.revoked": Outside(_revoke),
    "compliance.judge_all": Inside(_judge_all),
    "device.judge": Inside(_judge),
    "device.wiped": Inside(_wiped),
    "mail": Outside(mail.send),
    "order.release": Outside(_release),
    "person.changed": Inside(_follow_person),
}
