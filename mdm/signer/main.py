"""The signer's process: takes its keys, opens its ledger, answers on its socket until it is told to stop."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from mdm.core.alone import alone
from mdm.core.errors import ConfigurationError
from mdm.operation.logs import configure
from mdm.settings import Settings, load
from mdm.signer import keys
from mdm.signer.clock import SteadyClock
from mdm.signer.desk import Desk
from mdm.signer.ledger import Ledger
from mdm.signer.server import Server


def run(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises ConfigurationError when there is no key, or another signer is running."""
    os.umask(0o077)
    keys.ensure_founding(settings.home)
    held = keys.load(settings.home)
    folder = settings.home / keys.FOLDER
    with only_signer(folder):
        ledger = Ledger(folder)
        desk = Desk(
            held,
            ledger,
            settings.organisation,
            steady=SteadyClock(),
            cooling=timedelta(minutes=settings.order_cooling_minutes),
        )
        server = Server(desk, settings.signer_socket, settings.signer_uids)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: server.stop())
        signal.set_wakeup_fd(server.alarm, warn_on_full_buffer=False)
        try:
            server.serve()
        finally:
            ledger.close()


@contextmanager
def only_signer(folder: Path) -> Iterator[None]:
    """Holds the lock of this folder: two signers with one key would each have half a ledger in mind."""
    with alone(folder / "lock") as free:
        if not free:
            raise ConfigurationError("Another signer is running on %(folder)s.", folder=folder, mend="Stop it first.")
        yield


if __name__ == "__main__":
    settings = load()
    configure("signer", settings.log_level)
    run(settings)
