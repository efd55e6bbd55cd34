"""The command ``havenmeester``. Every command is a module that is imported when it is used, so that help is fast."""

import importlib
import keyword
import os
import sys
from typing import Any

import rich_click as click
from click.exceptions import Abort, Exit
from rich_click import RichContext

from mdm.cli import errors
from mdm.core.errors import HavenmeesterError

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("install", "Make the home folder, the database and the keys"),
    "up": ("up", "Start console, gateway, worker and signer; Ctrl-C stops them"),
    "demo": ("demo", "Load the pilot of the city"),
    "operator": ("operators", "Add operators and let them in"),
    "sign-in": ("operators", "Print a link that signs an operator in once"),
    "token": ("operators", "Make, show and revoke tokens for programs"),
    "import": ("files", "Take people, units, service points or devices from a CSV file"),
    "snipe": ("snipe", "Move in from Snipe-IT by its CSV files, and out again"),
    "kiosk": ("kiosk", "Set up kiosks over SSH, one or many, and follow how it goes"),
    "release": ("release", "Publish releases of the agent, and roll them out ring by ring"),
    "compliance": ("compliance", "Show the rules in force, and put new ones in force"),
    "discover": ("discovery", "Find what else is on a service point's network, from a capture or live"),
    "invite": ("devices", "Invite a person to enrol a device"),
    "adoption": ("adoption", "Show activation rates and who is missing, and invite many at once"),
    "applications": ("applications", "Set what employees may ask for, and answer those who asked"),
    "devices": ("devices", "List devices"),
    "device": ("devices", "Show one device"),
    "desk": ("desk", "Show what a scan means, a hand-over paper, what somebody still has"),
    "phones": ("phones", "The push certificate, Apple's list of devices, certificates given by hand"),
    "android": ("android", "Bring in the agent, applications and files for Android phones"),
    "google": ("google", "The tie with Google's management of Android phones"),
    "policy": ("files", "Apply and show policies as files"),
    "loan": ("loans", "Reserve, prepare and extend loans, and decide about overdue ones"),
    "wipe": ("orders", "Ask for the wipe of devices"),
    "order": ("orders", "Show one order with its receipt; sign it; take it back"),
    "approve": ("approve", "Sign an order, a roster or another statement with your own key"),
    "key": ("key", "Make a key file for an approver"),
    "roster": ("roster", "Found, show and change the roster of approvers"),
    "signer": ("signer", "The red button, budgets, and the signer's own files"),
    "act": ("acts", "Show requests that need somebody else, and decide about them"),
    "audit": ("diary", "Prove the diary"),
    "alarm": ("webhooks", "Show the alarms"),
    "webhook": ("webhooks", "Set where alarms are sent"),
    "backup": ("backup", "Write everything into one file"),
    "restore": ("restore", "Bring everything back from a backup"),
    "privacy": ("privacy", "Show who was erased, and make the database's files anew"),
    "doctor": ("doctor", "Say what is wrong with this installation and how to mend it"),
    "post": ("post", "Show and retry messages that were given up"),
    "process": ("processes", ""),
    "database": ("database", "Bring the database's schema up to date, or check it"),
    "simulate": ("simulate", "Let simulated devices speak to the gateway, and show how the server does"),
    "version": ("version", "Show the version of Havenmeester and of what it stands on"),
}
"""Each command with the module of ``mdm.cli`` that holds it under the same name, and its line in the help. A command
without a line is not listed: ``up`` uses it to start its children."""


class Lazy(click.RichGroup):
    """A group that imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click names it
        """Every command that people use, in the order in which they meet it."""
        return [name for name, (_module, line) in COMMANDS.items() if line]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command; while help is written only a card with its name and line."""
        if cmd_name not in COMMANDS:
            return None
        module, line = COMMANDS[cmd_name]
        if ctx.params.get("_listing", False):
            return click.Command(cmd_name, help=line)
        loaded = importlib.import_module(f"mdm.cli.{module}")
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(loaded, f"{name}_" if keyword.iskeyword(name) else name)
        return command

    def format_help(self, ctx: click.Context, formatter: Any) -> None:
        """Help of the whole group, without importing a single command."""
        ctx.params["_listing"] = True
        assert isinstance(ctx, RichContext)
        super().format_help(ctx, formatter)


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def havenmeester() -> None:
    """Havenmeester keeps a city's fleet of phones, tablets, laptops and kiosks.

    Configuration comes from HAVENMEESTER_* in the environment and from havenmeester.toml in the home folder
    (HAVENMEESTER_HOME, default ./var). Exit codes: 0 done, 1 refused, 2 wrong usage, 3 configuration, 4 unavailable,
    5 somebody else was asked to agree.
    """


def run(arguments: list[str]) -> int:
    """Runs one command and returns its exit code; an error is one sentence with its mend on standard error."""
    try:
        result = havenmeester.main(arguments, prog_name="havenmeester", standalone_mode=False)
    except Exit as error:
        return error.exit_code
    except Abort:
        return errors.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return errors.USAGE
    except KeyboardInterrupt:
        return errors.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return errors.OK
    except HavenmeesterError as error:
        return _told(error)
    except Exception as error:
        translated = errors.translated(error)
        if translated is None:
            raise
        return _told(translated)
    return result if isinstance(result, int) else errors.OK


def _told(error: HavenmeesterError) -> int:
    sys.stderr.write("\n".join(errors.lines(error)) + "\n")
    return errors.exit_code(error)


def main() -> None:
    """What the installed program ``havenmeester`` runs."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
