"""The approvers of the demonstration: three key files in ``HOME/demo-keys``, whose passphrase everybody may know."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from mdm.cli.sealing import party, seal
from mdm.cli.work import work
from mdm.settings import Settings
from mdm.signing import keyfile, papers, rosters
from mdm.signing.client import SignerClient

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FOLDER = "demo-keys"
PASSPHRASE = "for demonstration only"  # noqa: S105 -- it guards nothing, and says so
LEAST = 3


def found(settings: Settings, tell: Callable[[str], None]) -> bool:
    """Founds the roster with the pilot's approvers: False where there is a roster, whoever founded it."""
    if SignerClient(settings.signer_socket).health().roster:
        return False
    people = _approvers(settings)
    if len(people) < LEAST:
        tell("  The pilot has too few approvers; found the roster yourself: havenmeester roster found")
        return False
    folder = settings.home / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    with ThreadPoolExecutor(LEAST) as pool:
        keys = list(pool.map(lambda one: _key(folder / one[1].partition("@")[0]), people))
    now, here = int(time.time()), party(settings)
    paper = papers.new_paper(
        rosters.first(
            [
                rosters.approver(person, name, [keyfile.roster_key(keyfile.public_of(key))], since=now)
                for (person, _, name), key in zip(people, keys, strict=True)
            ],
            now=now,
            rp_id=here.rp_id,
            origins=[here.origin],
        )
    )
    proofs = [keyfile.sign(key, person, paper.text) for (person, _, _), key in zip(people, keys, strict=True)]
    seal(settings, papers.read_paper(paper.written(*proofs).encode()))
    return True


def present(settings: Settings) -> bool:
    """Whether there are key files of the demonstration."""
    return (settings.home / FOLDER).is_dir()


def _approvers(settings: Settings) -> list[tuple[str, str, str]]:
    """Person, address and name of the pilot's approvers, who are added where an older pilot lacks them."""
    from mdm.access import queries
    from mdm.core.permissions import Role
    from mdm.pilot.data import table
    from mdm.pilot.service import load_operators

    wanted = {told["email"] for told in table("operators")["operator"] if told["role"] == Role.APPROVER}
    with work(settings=settings) as call:
        load_operators(call)
        return [
            (f"operator:{one.id}", one.email, one.name)
            for one, _grants in queries.operators(call, disabled=False)
            if one.email in wanted
        ]


def _key(path: Path) -> "Ed25519PrivateKey":
    """The key in this file, made where it is missing."""
    return keyfile.read_private(path, PASSPHRASE) if path.exists() else keyfile.create(path, PASSPHRASE)
