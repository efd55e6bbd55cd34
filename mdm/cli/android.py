"""``havenmeester android``: files for phones, without the console."""

from pathlib import Path

import rich_click as click

from mdm.cli import output
from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.settings import load


@click.group()
def android() -> None:
    """Bring in the vendor's agent, applications and files for Android phones."""


@android.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def upload(file: Path, json_wanted: bool) -> None:
    """Bring in FILE: an application (.apk), or any other file that a policy places."""
    from mdm.platforms.android import files
    from mdm.platforms.android.headwind.numbers import checksum
    from mdm.storage.call import Call
    from mdm.storage.engine import make_engine, transaction

    settings = load()
    engine = make_engine(settings.database)
    with file.open("rb") as stream, transaction(engine) as session:
        call = Call(command_line("android"), session, utcnow())
        kept = files.upload(call, files.Store(settings.home), file.name, stream)
        shown = {
            "name": kept.name,
            "package": kept.package,
            "version": kept.version,
            "digest": kept.digest,
            "file_checksum": checksum(kept.digest),
            "signature_checksum": checksum(kept.signer) if kept.signer else "",
        }
    engine.dispose()
    output.record(shown, json_wanted=json_wanted)
