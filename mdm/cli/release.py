"""``havenmeester release``: publishing releases of the agent with keys that lie offline, and rolling them out ring by ring."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from mdm.cli import output
from mdm.cli.approve import PASSPHRASE
from mdm.cli.choice import Words
from mdm.cli.work import work
from mdm.core.clock import utcnow
from mdm.settings import load

if TYPE_CHECKING:
    from mdm.releases.repository import Repository

KEYS = click.option(
    "--keys",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder with the offline keys, best on a stick that is carried away afterwards.",
)
JSON = click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")


@click.group()
def release() -> None:
    """Publish releases of the agent, and roll them out.

    Devices install what the keys of root and targets have signed, and nothing else: whoever steals this server, its
    repository or its online keys can have nothing installed. Passphrases come from HAVENMEESTER_KEY_PASSPHRASE or are asked.
    """


def _passphrase(*, new: bool = False) -> str:
    said = os.environ.get(PASSPHRASE)
    if said is None:
        said = str(click.prompt("Passphrase of the keys", hide_input=True, confirmation_prompt=new, err=True))
    return said


def _repository() -> "Repository":
    from mdm.releases.repository import of_home

    return of_home(load().home)


@release.command("found")
@KEYS
def found(folder: Path) -> None:
    """Make every key and the first documents: three keys of the root (two sign), one that publishes, two online ones."""
    _repository().found(folder, _passphrase(new=True), utcnow())
    output.note(
        f"The keys of root and targets are in {folder}: give each root key to another person, and carry them away."
    )
    output.say("Packages that are made from now on judge releases by 1.root.json.")


@release.command("publish")
@KEYS
@click.option(
    "--agent",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="Folder of the agent's modules; the one of this installation where nothing else is said.",
)
@click.option("--libraries", is_flag=True, help="Bring the libraries of this installation along.")
def publish(folder: Path, agent: Path | None, libraries: bool) -> None:
    """Publish the agent as a release under the version that it says of itself. No device gets it by this alone."""
    from mdm.releases import publishing, service

    settings = load()
    made = publishing.publish(settings.home, agent, folder, _passphrase(), utcnow(), libraries=libraries)
    with work(settings=settings) as call:
        service.published(call, made)
    output.note("To have devices install it: havenmeester release roll-out VERSION --ring RING")
    output.say(f"{made.version}  {made.sha256}  {made.size} bytes")


@release.command("take-away")
@KEYS
@click.argument("version")
def take_away(version: str, folder: Path) -> None:
    """Take a release off the signed list, so that no device can install it any more."""
    from mdm.releases import publishing, service

    settings = load()
    with work(settings=settings) as call:
        service.withdraw(call, version)
    publishing.take_away(settings.home, version, folder, _passphrase(), utcnow())
    output.say(f"{version} is no longer published.")


@release.command("rotate")
@KEYS
@click.argument("role", type=Words(["root", "targets", "snapshot", "timestamp"]))
def rotate(role: str, folder: Path) -> None:
    """Give a role new keys. The old ones prove nothing from then on; needs enough keys of the root."""
    version = _repository().rotate(role, folder, _passphrase(), utcnow())
    output.say(f"{role} has new keys; the root is at version {version}.")


@release.command("refresh")
def refresh() -> None:
    """Sign the two online documents anew where it is time. The worker does so by itself."""
    output.say("Signed anew." if _repository().refresh(utcnow()) else "Not needed yet.")


@release.command("package")
def package() -> None:
    """Make the signed Debian package of this installation's agent, and print where it is."""
    from mdm.releases import package as making
    from mdm.releases import trusted

    home = load().home
    made = making.make(home, trusted_root=trusted.root(home))
    signature = made.path.with_suffix(".deb.sig")
    signature.write_text(made.signature, encoding="ascii")
    output.note(f"Signature: {signature}; proved by ssh-keygen -Y verify with: {made.signers}")
    output.say(str(made.path))


@release.command("roll-out")
@click.argument("version")
@click.option("--ring", required=True, help="The ring of devices that get it; * for all.")
def roll_out(version: str, ring: str) -> None:
    """Have every device of a ring install a release."""
    from mdm.releases import service

    with work() as call:
        service.roll_out(call, version, ring)
    output.say(f"{version} goes to {'every device' if ring == '*' else f'the ring {ring}'}.")


@release.command("withdraw")
@click.argument("version")
def withdraw(version: str) -> None:
    """Ask no more device to install a release. Those that have it keep it."""
    from mdm.releases import service

    with work() as call:
        service.withdraw(call, version)
    output.say(f"{version} is withdrawn.")


@release.command("again")
@click.argument("version")
def again(version: str) -> None:
    """Ask devices once more that were asked and do not have it."""
    from mdm.releases import service

    with work() as call:
        output.say(f"{service.again(call, version)} devices are asked again.")


@release.command("list")
@JSON
def list_(json_wanted: bool) -> None:
    """List releases with their rings, and how many devices run each."""
    from mdm.releases import service

    with work(write=False) as call:
        rows = [
            {
                "version": line.row.version,
                "rings": " ".join(line.rings),
                "running": line.running,
                "asked": line.asked,
                "published_at": line.row.published_at,
                "withdrawn_at": line.row.withdrawn_at,
                "sha256": line.row.sha256,
            }
            for line in service.releases(call)
        ]
    output.rows(rows, ("version", "rings", "running", "asked", "published_at", "withdrawn_at"), json_wanted=json_wanted)
