"""``havenmeester init``: the home folder, the configuration's example, the database, the keys. Twice is like once."""

import os
from collections.abc import Callable
from pathlib import Path

import rich_click as click

from mdm.cli import output, schema
from mdm.core.errors import ConfigurationError
from mdm.settings import FILE, Settings, load

FOLDERS = ("run", "log", "keys", "agents")
EXAMPLE = FILE + ".example"

Tell = Callable[[str], None]


@click.command()
def init() -> None:
    """Make the home folder, the database and the keys; what is there already stays."""
    settings = load()
    install(settings, output.note)
    output.say(
        f"{settings.home} is ready. Next: havenmeester operator add EMAIL --role fleet_admin, then havenmeester up"
    )


def install(settings: Settings, tell: Tell) -> None:
    """Makes whatever is missing; raises ConfigurationError where a folder cannot be used."""
    prepare_home(settings.home)
    write_example(settings.home)
    before, after = schema.upgrade(settings)
    if after is None:
        raise ConfigurationError(
            "This copy of Havenmeester has no migrations.", mend="Install it again, with its folder migrations."
        )
    if before != after:
        tell(f"The database has its tables (revision {after}).")
    from mdm.signer import keys
    from mdm.storage.seal import create_key

    if not (settings.home / keys.FOLDER / "ca.pem").exists():
        tell("Making the keys of the certificate authority and of the signer.")
    keys.create(settings.home, settings.organisation)
    create_key(settings.home / "keys")
    _default_rules(settings)


def installed(settings: Settings) -> bool:
    """Whether there is an installation that needs nothing but to be started."""
    return (settings.home / "signer" / "ca.pem").exists() and schema.present(settings) == schema.wanted()


def prepare_home(home: Path) -> None:
    """Makes the folders, readable by their owner only. Raises ConfigurationError where that cannot be done."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if home.stat().st_uid == os.geteuid():
            home.chmod(0o700)
        for name in FOLDERS:
            (home / name).mkdir(mode=0o700, exist_ok=True)
        probe = home / "run" / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            "The home folder %(home)s cannot be used: %(why)s.",
            home=home,
            why=error.strerror or error,
            mend="Give it to this user, or set HAVENMEESTER_HOME to another folder.",
        ) from error


def write_example(home: Path) -> None:
    """Writes the example of the configuration: every key with its default and what it means, all commented out."""
    lines = [
        f"# Copy this file to {FILE} and take away the # before what you want to change.",
        "# The environment wins over the file: HAVENMEESTER_CONSOLE_PORT=9000 is the key console_port.",
    ]
    for name, field in Settings.model_fields.items():
        if name == "home":
            continue
        default = field.default
        written = f'"{default}"' if isinstance(default, str | Path) else str(default).lower()
        lines += ["", f"# {field.description}", f"# {name} = {written}"]
    path = home / EXAMPLE
    text = "\n".join(lines) + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _default_rules(settings: Settings) -> None:
    from mdm.cli.work import work
    from mdm.compliance.management import install_defaults

    with work(settings=settings) as call:
        install_defaults(call)
