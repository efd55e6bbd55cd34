"""Turns with Google's management of phones: the clock's part, with the neighbours that the worker has."""

import hashlib
import time
from typing import cast

from mdm.platforms.android.amapi import account
from mdm.platforms.android.amapi.client import API, PUBSUB, Google
from mdm.platforms.android.amapi.house import House
from mdm.platforms.android.amapi.keys import Token
from mdm.platforms.android.amapi.model import AndroidGoogle
from mdm.platforms.android.amapi.quota import Bucket
from mdm.platforms.android.amapi.turn import take_turn
from mdm.signing.answers import Ownership
from mdm.signing.client import SignerClient
from mdm.storage.seal import load_seal
from mdm.worker.office import Office

NAME = "android-google"
BUCKET = Bucket(time.monotonic)
"""One quota for the one worker that leads."""
_KEPT: dict[str, Google] = {}
"""The caller in use, by what it was made from: its token is good for an hour, and one connection serves many turns."""


def turn(office: Office, *, simulated: bool = False) -> int:
    """One turn; how many calls to Google it took. Nothing happens where there is no tie with Google."""
    return take_turn(house(office), simulated=simulated)


def close() -> None:
    """Ends the conversation with Google; the next turn begins another."""
    for old in _KEPT.values():
        old.close()
    _KEPT.clear()


def house(office: Office) -> House:
    """What a turn needs of its neighbours."""
    settings = office.settings
    signer = SignerClient(settings.signer_socket)

    def caller(tie: AndroidGoogle) -> Google:
        made_from = hashlib.sha256(b"|".join((tie.key, tie.api.encode()))).hexdigest()
        if made_from not in _KEPT:
            close()
            right = Token(account.key_of(load_seal(settings.home / "keys"), tie))
            _KEPT[made_from] = Google(right, BUCKET, api=tie.api or API, pubsub=tie.api or PUBSUB)
        return _KEPT[made_from]

    return House(
        transact=lambda *, write=True: office.call(NAME, write=write),
        seal=lambda: load_seal(settings.home / "keys"),
        google=caller,
        issue=lambda claim, csr: signer.issue(
            device=claim.device_uid,
            invitation=claim.invitation_uid,
            csr=csr,
            days=settings.certificate_days,
            ownership=cast(Ownership, claim.ownership),
        ),
        renew=lambda previous, csr: signer.renew(previous=previous, csr=csr, days=settings.certificate_days),
        order_key=lambda: signer.ca().order_key,
        organisation=settings.organisation,
    )
