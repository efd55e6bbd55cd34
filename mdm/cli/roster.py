"""``havenmeester roster``: who may approve. Founded once, then changed by the people in it; the signer seals each version."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from mdm.cli import output
from mdm.cli.sealing import party, seal
from mdm.cli.work import work
from mdm.core.errors import ConflictError, InvalidError, NotFoundError
from mdm.settings import load
from mdm.signing import papers, rosters
from mdm.signing.client import SealedRoster, SignerClient
from mdm.signing.papers import Paper

if TYPE_CHECKING:
    from mdm.storage.call import Call

FIRST_FILE = Path("roster-1.json")
PAPER = click.Path(dir_okay=False, path_type=Path)
PLACES = click.option(
    "--places",
    multiple=True,
    metavar="EMAIL=CODE,…",
    help="Somebody may approve only at these service points; without it everywhere. May be repeated.",
)


SECRET = click.option(
    "--secret",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="File of the founding secret, where the signer has a home of its own.",
)


@click.group()
def roster() -> None:
    """Found, show and change the roster of approvers."""


@roster.command()
@click.option("--json", "json_wanted", is_flag=True, help="Every sealed version, with its signatures, in JSON.")
def show(json_wanted: bool) -> None:
    """Show who may approve, as the signer knows it."""
    chain = SignerClient(load().signer_socket).rosters()
    if json_wanted:
        output.as_json({"rosters": chain})
        return
    if not chain:
        raise _none()
    for name, value in papers.lines(_newest(chain), int(time.time())):
        output.say(f"{name}: {value}")


@roster.command()
@click.option(
    "--approver",
    "people",
    multiple=True,
    required=True,
    metavar="EMAIL[=FILE.pub]",
    help="An operator, with a key file or with the passkeys that are registered. Give at least three.",
)
@PLACES
@click.option("--threshold", type=click.IntRange(2, 50), default=2, show_default=True, help="People who change it.")
@click.option(
    "--ceremony", type=click.IntRange(3, 50), default=3, show_default=True, help="People who approve a mass order."
)
@click.option("--write", type=PAPER, default=FIRST_FILE, show_default=True, help="Where signatures are collected.")
@SECRET
def found(
    people: tuple[str, ...],
    places: tuple[str, ...],
    threshold: int,
    ceremony: int,
    write: Path,
    secret: Path | None,
) -> None:
    """Found the roster: once, on the machine of the signer.

    Whose key file (without .pub) lies beside FILE.pub signs at once, with the passphrase. Where that is not enough people,
    the paper is written to a file: each signs it with havenmeester approve, or with a passkey in the console, and
    havenmeester roster submit hands it in.
    """
    settings = load()
    now = int(time.time())
    with work(settings=settings, write=False) as call:
        found_people = _people(call, people, _by_person(call, places))
    here = party(settings)
    statement = rosters.first(
        [rosters.approver(who, name, keys, since=now, places=at) for who, name, keys, at, _ in found_people],
        now=now,
        rp_id=here.rp_id,
        origins=[here.origin],
        threshold=threshold,
        ceremony=ceremony,
    )
    paper = papers.new_paper(statement)
    _show(paper)
    proofs = [proof for who, _, _, _, file in found_people if (proof := _signed(paper, who, file)) is not None]
    if len(proofs) < threshold:
        write.write_text(paper.written(*proofs), encoding="utf-8")
        output.say(
            f"{write} waits for {threshold - len(proofs)} more signatures: havenmeester approve {write} --key FILE"
        )
        output.note(f"Then: havenmeester roster submit {write}")
        return
    _told(seal(settings, papers.read_paper(paper.written(*proofs).encode()), secret))


@roster.command()
@click.option("--add", multiple=True, metavar="EMAIL[=FILE.pub]", help="Somebody new; waits for 72 hours.")
@click.option("--remove", multiple=True, metavar="EMAIL", help="Somebody goes; operator:NUMBER is taken too.")
@click.option(
    "--add-key", multiple=True, metavar="EMAIL[=FILE.pub]", help="A further key, or every registered passkey."
)
@click.option("--remove-key", multiple=True, metavar="KEY", help="A key goes: the beginning of its id.")
@PLACES
@click.option("--threshold", type=click.IntRange(2, 50), default=None, help="People who change the roster.")
@click.option("--ceremony", type=click.IntRange(3, 50), default=None, help="People who approve a mass order.")
@click.option("--this-console", is_flag=True, help="Passkeys of the console's present address count from now on.")
@click.option("--write", type=PAPER, required=True, help="Where the statement goes, and signatures are collected.")
def propose(
    add: tuple[str, ...],
    remove: tuple[str, ...],
    add_key: tuple[str, ...],
    remove_key: tuple[str, ...],
    places: tuple[str, ...],
    threshold: int | None,
    ceremony: int | None,
    this_console: bool,
    write: Path,
) -> None:
    """Write the next roster as a paper; enough people of the present and of the new roster sign it.

    Nothing changes until havenmeester roster submit. A paper holds for a day.
    """
    settings = load()
    changes: dict[str, Any] = {"threshold": threshold, "ceremony": ceremony}
    if this_console:
        here = party(settings)
        changes |= {"rp_id": here.rp_id, "origins": [here.origin]}
    old = _newest(SignerClient(settings.signer_socket).rosters()).fields
    new = rosters.following(
        old, now=int(time.time()), **{name: one for name, one in changes.items() if one is not None}
    )
    with work(settings=settings, write=False) as call:
        where = _by_person(call, places)
        for said in remove:
            new = rosters.without_person(new, _person(call, said))
        added = _people(call, add, where)
        for who, name, keys, at, _ in added:
            new = rosters.with_person(new, who, name, keys, at)
        for who, _name, keys, _at, _ in _people(call, add_key, {}):
            have = {key["id"] for one in new["approvers"] for key in one["keys"]}
            for key in keys:
                new = rosters.with_key(new, who, key) if key["id"] not in have else new
    for key_id in remove_key:
        new = rosters.without_key(new, key_id)
    for who, codes in where.items():
        if who not in {one[0] for one in added}:
            new = rosters.with_places(new, who, codes)
    paper = papers.new_paper(new)
    _show(paper)
    write.write_text(paper.written(), encoding="utf-8")
    output.say(f"{write} waits for signatures: havenmeester approve {write} --key FILE")
    output.note(f"Needed: {old['threshold']} people of the present roster and {new['threshold']} of the new one.")


@roster.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@SECRET
def submit(file: Path, secret: Path | None) -> None:
    """Hand in a roster with its signatures; the signer proves and seals it, and every device is told."""
    paper = papers.read_paper(file.read_bytes())
    if paper.kind != "roster":
        raise InvalidError("%(file)s holds no roster. Nothing was changed.", file=file, code="kind")
    _told(seal(load(), paper, secret))


@roster.command("seal")
@SECRET
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
def seal_first(secret: Path | None, yes: bool) -> None:
    """Seal the first roster that was written and signed in the console, on the machine of the signer.

    Shows who is in it and asks once. It works once for ever: afterwards only the people in a roster change it.
    """
    from mdm.orders.roster import founding

    settings = load()
    with work(settings=settings, write=False) as call:
        wanted = founding.to_seal(call)
    paper = papers.read_paper(json.dumps({"statement": wanted.text, "proofs": wanted.proofs}).encode())
    _show(paper)
    if not yes:
        click.confirm("Seal this roster for ever?", abort=True, err=True)
    version = seal(settings, paper, secret)
    with work(settings=settings) as call:
        founding.sealed(call, wanted.id)
    _told(version)


def _told(version: int) -> None:
    output.say(f"Roster {version} is in force. Every device gets it by itself.")


def _people(
    call: "Call", said: Sequence[str], places: dict[str, list[str]]
) -> list[tuple[str, str, list[rosters.Key], list[str], Path | None]]:
    """Each approver: person, name, keys, places, and the file of the public key."""
    from mdm.access.own_passkeys import passkeys_of
    from mdm.signing.keyfile import read_public, roster_key

    found_people = []
    for one in said:
        email, _, name = one.partition("=")
        operator = _operator(call, email)
        file = Path(name) if name else None
        if file is not None:
            keys = [roster_key(read_public(file))]
        else:
            keys = [
                roster_key(passkey.public_key, "webauthn") for passkey in passkeys_of(call, operator.id, stopped=False)
            ]
        if not keys:
            raise ConflictError(
                "%(email)s has no passkey yet. Nothing was written; register one under Account, or give a key file: "
                "%(email)s=FILE.pub",
                email=email,
            )
        person = f"operator:{operator.id}"
        found_people.append((person, operator.name or email, keys, places.get(person, [rosters.EVERYWHERE]), file))
    return found_people


def _by_person(call: "Call", said: Sequence[str]) -> dict[str, list[str]]:
    from mdm.org import queries as org

    where: dict[str, list[str]] = {}
    for one in said:
        email, _, codes = one.partition("=")
        where[_person(call, email)] = [
            org.service_point_by_code(call, code.strip()).code for code in codes.split(",") if code.strip()
        ] or [rosters.EVERYWHERE]
    return where


def _person(call: "Call", said: str) -> str:
    return said if said.startswith("operator:") else f"operator:{_operator(call, said).id}"


def _operator(call: "Call", email: str) -> Any:
    from mdm.access import queries

    for one, _grants in queries.operators(call, disabled=False):
        if one.email == email.strip().lower():
            return one
    raise NotFoundError("There is no operator with the address %(email)s who may sign in.", email=email)


def _signed(paper: Paper, person: str, public: Path | None) -> dict[str, str] | None:
    """The proof by the private key beside ``public``, None where there is none."""
    from mdm.cli.approve import passphrase
    from mdm.signing import keyfile

    private = public.with_suffix("") if public is not None and public.suffix == ".pub" else None
    if private is None or not private.exists():
        return None
    return keyfile.sign(keyfile.read_private(private, passphrase(f"Passphrase of {private}")), person, paper.text)


def _newest(chain: Sequence[SealedRoster]) -> Paper:
    if not chain:
        raise _none()
    return papers.read_paper(str(chain[-1]["roster"]).encode())


def _none() -> ConflictError:
    return ConflictError(
        "There is no roster of approvers yet, so no order can be released. Found it: havenmeester roster found "
        "--approver EMAIL=FILE.pub --approver …",
        code="no_roster",
    )


def _show(paper: Paper) -> None:
    from mdm.cli.approve import show as show_paper

    show_paper(paper)
