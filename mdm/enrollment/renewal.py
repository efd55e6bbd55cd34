"""A device's next certificate: asked under the one in use, which stays good until the new one is used."""

from collections.abc import Callable

from sqlalchemy import select

from mdm.core.errors import N_, ConflictError, DeniedError
from mdm.enrollment import service
from mdm.enrollment.csr import proved_key
from mdm.enrollment.model import Enrollment
from mdm.enrollment.queries import RENEWED
from mdm.enrollment.redeem import Certificate, Transact, add_enrollment
from mdm.inventory import service as inventory
from mdm.inventory.model import Device
from mdm.storage.call import Call

Renew = Callable[[str, str], Certificate]
"""Asks the signer for the certificate that follows the one with this fingerprint, with this request."""


def renew(transact: Transact, ask: Renew, enrollment_id: int, csr: str) -> str:
    """The chain of the new certificate. The same key asking again is answered the same.

    Raises InvalidError (``csr_wrong``), ConflictError (``key_in_use``) for the key of the present certificate,
    DeniedError when that one is no longer good.
    """
    key = proved_key(csr)
    with transact() as call:
        present = _present(call, enrollment_id)
        if present.key_digest == key:
            raise ConflictError(
                N_("A new certificate needs a new key. Nothing was issued; make a key and ask again."),
                code="key_in_use",
            )
        fingerprint = present.fingerprint
        known = call.session.scalar(
            select(Enrollment.certificate).where(
                Enrollment.device_id == present.device_id,
                Enrollment.key_digest == key,
                Enrollment.revoked_at.is_(None),
            )
        )
    if known is not None:
        return known
    certificate = ask(fingerprint, csr)
    with transact() as call:
        present = _present(call, enrollment_id)
        again = call.session.scalar(
            select(Enrollment.certificate).where(Enrollment.fingerprint == certificate.fingerprint)
        )
        if again is not None:
            return again
        add_enrollment(call, present.device_id, certificate, present.invitation_id)
        device = call.session.get_one(Device, present.device_id)
        inventory.apply_fields(call, device, {"renew_asked": False}, None)
        inventory.note(call, device, "certificate_renewed", {})
    return certificate.chain


def first_use(call: Call, enrollment_id: int) -> None:
    """Notes that a certificate was used for the first time: those before it end then, and not earlier.

    A device that lost the new one before it could store it goes on with the old one and asks again.
    """
    enrollment = call.session.get_one(Enrollment, enrollment_id)
    if enrollment.first_used_at is not None:
        return
    enrollment.first_used_at = call.now
    device = call.session.get_one(Device, enrollment.device_id)
    inventory.apply_fields(call, device, {"key_digest": enrollment.key_digest}, None)
    newer = call.session.scalars(
        select(Enrollment).where(
            Enrollment.device_id == device.id, Enrollment.revoked_at.is_(None), Enrollment.id > enrollment.id
        )
    ).first()
    if newer is None:
        service.end(call, device, RENEWED, but=enrollment.id)


def ask_for_renewal(call: Call, device: Device) -> None:
    """Asks the device for a new certificate at its next check-in, for a use case that asked for its own right."""
    inventory.apply_fields(call, device, {"renew_asked": True}, None)


def _present(call: Call, enrollment_id: int) -> Enrollment:
    found = call.session.get(Enrollment, enrollment_id)
    if found is None or found.revoked_at is not None or found.not_after <= call.now:
        raise DeniedError(N_("This certificate is no longer good. Nothing was issued."), code="certificate_refused")
    return found
