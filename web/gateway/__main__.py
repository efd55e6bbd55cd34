"""``python -m web.gateway``: the gateway, configured by the environment and the file in the home folder."""

from gevent import monkey

# Before anything else is imported: sockets, locks and TLS must let others be served while they wait.
monkey.patch_all()

from mdm.core.errors import ConfigurationError  # noqa: E402
from mdm.operation.parent import die_with_parent  # noqa: E402
from mdm.settings import load  # noqa: E402
from web.gateway.listener import serve  # noqa: E402


def main() -> None:
    """Serves until it is told to stop; a wrong configuration is told in a sentence and exit code 78."""
    die_with_parent()
    try:
        serve(load())
    except ConfigurationError as error:
        print(f"{error}\n{error.mend or ''}")  # noqa: T201 -- the process has no other way to say why it does not start
        raise SystemExit(78) from error


if __name__ == "__main__":
    main()
