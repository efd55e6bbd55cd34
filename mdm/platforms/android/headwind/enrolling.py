"""The first start of the agent on a phone: its number claims the invitation, and a certificate is made that stands for it.

The free agent has no key of its own. What orders are bound to, and what the signer's ledger knows a device by, is a key: so
one is made here, its certificate is asked for, and the private half is thrown away at once. Nobody can ever use it; it only
names the phone. As in ``enrollment.redeem`` there are two transactions with the signer between them.
"""

import hashlib
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import select

from agent.wire import EnrollRequest
from mdm.core.errors import N_, ConflictError, HavenmeesterError, NotFoundError
from mdm.enrollment import redeem
from mdm.enrollment.csr import proved_key
from mdm.enrollment.model import Enrollment, Invitation
from mdm.enrollment.redeem import Certificate, Claim, Transact
from mdm.inventory.model import Ownership, Platform
from mdm.platforms.android.headwind import watching, wire
from mdm.platforms.android.headwind.numbers import by_number
from mdm.platforms.android.model import AndroidNumber
from mdm.storage.call import Call

Issue = Callable[[Claim, str], Certificate]


def first_start(transact: Transact, issue: Issue, number: str) -> None:
    """Enrols the phone that came with this number. Again before its first report it is answered the same.

    Raises NotFoundError for a number that is unknown, over, or whose invitation is no longer good, ConflictError
    (``error.duplicate.device``) once a phone has reported with it, UnavailableError while the signer is away.
    """
    with transact(write=False) as call:
        # Whoever only guesses numbers never gets near the write lock.
        by_number(call, number)
    refused: HavenmeesterError | None = None
    claimed: Claim | None = None
    csr = ""
    with transact() as call:
        row = by_number(call, number, lock=True)
        refused = _refusal(call, row)
        if refused is None and row.enrollment_id is None:
            refused, claimed = _claim(call, row)
            csr = row.csr
    if refused is not None:
        raise refused
    if claimed is None:
        return
    issued = issue(claimed, csr)
    with transact() as call:
        row = by_number(call, number, lock=True)
        redeem.complete(call, claimed, issued)
        row.enrollment_id = call.session.scalar(
            select(Enrollment.id).where(Enrollment.fingerprint == issued.fingerprint)
        )


def _refusal(call: Call, row: AndroidNumber) -> HavenmeesterError | None:
    """Why this number starts nothing; what is noted of it is kept although it is refused."""
    if row.wipe_said_at is not None:
        # Whoever starts for the first time after a wipe was wiped; the code on paper is used up all the same.
        watching.set_up_anew(call, row)
        return unknown()
    if row.over_at is not None:
        return unknown()
    if row.bound_at is not None:
        watching.contested(call, row, {"why": "first start"})
        return ConflictError(N_("Another phone came with this number before."), code=wire.DUPLICATE)
    return None


def unknown() -> NotFoundError:
    """The answer to a number that is good for nothing."""
    return NotFoundError(N_("There is no such device number."), code=wire.NOT_FOUND)


def _claim(call: Call, row: AndroidNumber) -> tuple[HavenmeesterError | None, Claim | None]:
    invitation = call.session.scalars(
        select(Invitation).where(Invitation.id == row.invitation_id).with_for_update()
    ).one()
    withdrawn = invitation.withdrawn_at is not None and invitation.used_at is None
    if invitation.token_digest != row.token_digest or withdrawn or invitation.ownership == Ownership.PRIVATE:
        return unknown(), None
    if not row.csr:
        row.csr = stand_in()
    key = proved_key(row.csr)
    request: EnrollRequest = {
        "token": "",
        "csr": row.csr,
        "platform": Platform.ANDROID.value,
        "serial": None,
        "hostname": "",
        "model": None,
        "version": "",
    }
    refused = redeem.refusal(call, invitation, request, key)
    if refused is not None:
        return unknown(), None
    claimed = redeem.take(call, invitation, request, key)
    row.device_id = claimed.device_id
    row.used_at = row.used_at or call.now
    return None, claimed


def stand_in() -> str:
    """A certificate request (PEM) by a key that nobody has from now on."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"phone {hashlib.sha256(public).hexdigest()[:16]}")])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM).decode()
