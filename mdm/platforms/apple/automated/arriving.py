"""A phone of the city's that is being set up: it says, signed by Apple's own key in it, who it is, and gets its profile."""

from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from sqlalchemy import select

from mdm.core.actor import system
from mdm.core.errors import N_, DeniedError, InvalidError
from mdm.core.text import clean
from mdm.inventory import fields
from mdm.inventory import service as inventory
from mdm.inventory.fields import AssetData
from mdm.inventory.model import Device, DeviceKind, LifeCycle, Ownership, Platform
from mdm.platforms.apple import cms, handout, plist
from mdm.platforms.apple.automated.model import AppleAssigned, AppleTie
from mdm.platforms.apple.schema.table import version
from mdm.storage.call import Call

MAX_MACHINE: Final = 32 * 1024


def arrive(call: Call, here: handout.Here, machine: bytes, anchors: Sequence[x509.Certificate]) -> bytes:
    """The profile for a phone that Apple lists as ours; still to be signed.

    Raises InvalidError for a message that is not signed under one of ``anchors``, DeniedError (``not_ours``) for a phone that
    is not on the list, is retired, or is private; UpdateNeededError for one whose system is too old and that can update
    itself first; ConflictError (``push_certificate``).
    """
    said = machine_info(machine, anchors)
    serial = fields.serial(said.get("SERIAL"))
    assigned = call.session.get(AppleAssigned, serial) if serial is not None else None
    if serial is None or assigned is None or not assigned.listed:
        raise _not_ours()
    device = call.session.scalar(select(Device).where(Device.serial == serial).with_for_update())
    if device is None:
        product = clean(said.get("PRODUCT"), 64)
        data: AssetData = {
            "platform": Platform.IOS.value,
            "kind": (DeviceKind.TABLET if product.startswith("iPad") else DeviceKind.PHONE).value,
            "ownership": Ownership.CITY.value,
            "serial": serial,
            "name": clean(f"{product or 'iPhone'} {serial[-4:]}", 255),
            "model": assigned.model or product,
        }
        device = inventory.create(call.by(system("automated enrollment", call.actor.request_id)), data)
    tie = call.session.get_one(AppleTie, assigned.tie_id)
    _up_to_date(said, tie.least_version)
    if device.platform != Platform.IOS or device.state == LifeCycle.RETIRED or device.ownership == Ownership.PRIVATE:
        raise _not_ours()
    return handout.for_device(call, here, device)


class UpdateNeededError(DeniedError):
    """The phone updates its system to ``version`` and asks again, by itself."""

    code = "com.apple.softwareupdate.required"

    def __init__(self, version: str) -> None:
        self.version = version
        super().__init__(N_("The phone must have version %(version)s first. Nothing was enrolled."), version=version)


def _up_to_date(said: plist.Plist, least: str) -> None:
    """Nothing for a phone that is new enough, or that cannot update itself now: it is updated once it is enrolled."""
    here, wanted = version(clean(said.get("OS_VERSION"), 32)), version(least)
    if (
        wanted is not None
        and here is not None
        and here < wanted
        and said.get("MDM_CAN_REQUEST_SOFTWARE_UPDATE") is True
    ):
        raise UpdateNeededError(least)


def machine_info(content: bytes, anchors: Sequence[x509.Certificate]) -> plist.Plist:
    """What a phone says of itself, proved to be a phone of Apple's. Raises InvalidError.

    Time is not judged: a certificate of the makers' chain has ended long ago, and a new phone's clock is wrong.
    """
    proved = cms.verify(content, digests=cms.WITH_SHA1, limit=MAX_MACHINE)
    chain = [cms.read_certificate(one).parsed for one in proved.certificates]
    if not _leads(proved.certificate.parsed, chain, anchors):
        raise InvalidError(
            N_("This is not signed by a device of Apple's. Nothing was enrolled."), code="machine_unknown"
        )
    return plist.read(proved.content or b"")


def _leads(leaf: x509.Certificate, chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]) -> bool:
    """Whether the certificate leads to an anchor, through authorities that came with the message."""
    present = leaf
    for _ in range(len(chain) + 1):
        if any(_issued(present, anchor) for anchor in anchors):
            return True
        above = next((one for one in chain if one != present and _authority(one) and _issued(present, one)), None)
        if above is None:
            return False
        present = above
    return False


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False


def _not_ours() -> DeniedError:
    return DeniedError(
        N_("This device is not one of the city's, or not in use. Nothing was enrolled."), code="not_ours"
    )
