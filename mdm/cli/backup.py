"""``havenmeester backup FILE``."""

from pathlib import Path

import rich_click as click

from mdm.cli import output, schema
from mdm.core.clock import iso, utcnow
from mdm.core.errors import ConfigurationError, InvalidError
from mdm.settings import load


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
def backup(file: Path, force: bool, json_wanted: bool) -> None:
    """Write database, keys and configuration into one file, while everything runs. Keep it like a key: it holds them."""
    from importlib.metadata import version

    from mdm.cli import archive

    settings = load()
    revision = schema.present(settings)
    if revision is None:
        raise ConfigurationError("There is no installation to back up.", mend="Run havenmeester init.")
    if file.exists() and not force:
        raise InvalidError("%(file)s is there already. Nothing was written; choose another name.", file=file)
    if not file.absolute().parent.is_dir():
        raise InvalidError(
            "The folder %(folder)s is not there. Nothing was written; make it, or choose another.",
            folder=file.absolute().parent,
        )
    about = {"made_at": iso(utcnow()), "version": version("havenmeester"), "revision": revision}
    target = file.absolute()
    tell = (
        (lambda _name, _size: None) if json_wanted else (lambda name, size: output.note(f"  {name} ({size:,} bytes)"))
    )
    manifest = archive.write(settings, target, about, tell)
    told = {"file": str(target), "bytes": target.stat().st_size, "files": len(manifest["files"])} | about
    if json_wanted:
        output.as_json(told)
    else:
        output.say(f"Written: {target} ({told['bytes']:,} bytes). It holds keys: keep it where only you can read it.")
