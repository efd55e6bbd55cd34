"""Founding a roster and signing orders in tests with real processes and the real clock."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine

from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.orders import mirror, queries, service
from mdm.signer import keys
from mdm.signing.client import SignerClient
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.sim.approvers import Person, roster, text_of

NO_COOLING = {"HAVENMEESTER_ORDER_COOLING_MINUTES": "0"}
"""For the signer's own process: an ordinary order is signed at once."""


def council() -> list[Person]:
    """Three people, two with passkeys, who have waited long enough."""
    return [Person("operator:21", "ed25519"), Person("operator:22", "es256"), Person("operator:23", "eddsa")]


def found(client: SignerClient, home: Path, people: Sequence[Person]) -> None:
    """The first roster, at the signer."""
    text = text_of(roster(people))
    client.found_roster(secret=keys.founding_secret(home), roster=text, proofs=[one.proof(text) for one in people])


def mirrored(engine: Engine, client: SignerClient) -> None:
    """What the worker would write down of the signer."""
    with transaction(engine) as session:
        call = Call(command_line("tests"), session, utcnow())
        mirror.take_rosters(call, client.rosters(mirror.version(call)))
        mirror.take_health(call, client.health())


def signed(engine: Engine, number: str, people: Sequence[Person]) -> int:
    """These people sign an order or a batch; how many people still lack."""
    lacking = -1
    for one in people:
        with transaction(engine) as session:
            call = Call(command_line("tests"), session, utcnow())
            lacking = service.take_proof(call, number, one.proof(queries.dossier(call, number).text))
    return lacking
