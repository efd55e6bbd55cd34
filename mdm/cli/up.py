"""``havenmeester up``: everything that runs, started together, watched, and stopped together."""

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import rich_click as click

from mdm.cli import checks, errors, install, output, services
from mdm.cli.supervisor import Supervisor
from mdm.core.errors import ConfigurationError, UnavailableError
from mdm.settings import Settings, load

PATIENCE = 60.0
"""Seconds after which a start is given up."""
PILOT_NOTE = "agents/pilot-is-loaded"
"""Saves a later start from asking the database, which takes longer than all else; without it the database is asked."""
STEP = 2.0
"""Seconds after which a person wants to know what takes so long."""


@click.command()
@click.option("--no-demo", is_flag=True, help="Without the pilot of the city and without its eight agents.")
def up(no_demo: bool) -> int:
    """Start console, gateway, worker and signer; Ctrl-C stops them.

    The first start makes the installation, loads the pilot and enrols eight agents on machines of their own, unless
    --no-demo says otherwise.
    """
    settings = load()
    install.prepare_home(settings.home)
    with _alone(settings.home):
        services.check_ports(settings)
        _fresh_figures(settings.home)
        if not install.installed(settings):
            output.note(f"Preparing {settings.home} …")
            install.install(settings, output.note)
        if not checks.front(settings).good:
            output.note("The front end is not built, so pages come bare. To mend it: make front")
        return Start(settings, demo=not no_demo).run()


class Start:
    """One start of everything, until it is told to stop."""

    def __init__(self, settings: Settings, *, demo: bool) -> None:
        self.settings = settings
        self.demo = demo
        self.supervisor = Supervisor([], settings.home / "log", output.note, settings.log_days)
        self.begun = time.monotonic()
        self.starting = True

    def run(self) -> int:
        """Starts, watches, stops: the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        try:
            self._start()
            self.starting = False
            while not self.supervisor.stopping:
                self.supervisor.tick()
                time.sleep(0.2)
        except KeyboardInterrupt:
            pass
        finally:
            self.starting = False
            output.note("Stopping …")
            self.supervisor.stop()
            output.note("Everything is stopped. Nothing is lost; start again with: havenmeester up")
        return errors.OK

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.supervisor.stopping = True
        if self.starting:
            # Whatever is under way ends at once; what it had not committed is rolled back.
            raise KeyboardInterrupt

    def _start(self) -> None:
        four = services.the_four(self.settings)
        output.note("Starting signer, worker, gateway and console …")
        if self.demo and not _pilot_noted(self.settings):
            # While the pilot is entered, in one transaction, whoever writes would only wait for it.
            self.supervisor.add([four["signer"], four["console"]])
            self._load_pilot()
            self.supervisor.add([four["gateway"], four["worker"]])
        else:
            self.supervisor.add([four[name] for name in ("signer", "gateway", "console", "worker")])
        self._ready()
        if self.supervisor.stopping:
            return
        if self.demo:
            self._demo_approvers()
            self._demo_agents()
        self._greet()

    def _load_pilot(self) -> None:
        from mdm.cli import demo

        if demo.load_pilot(self.settings, output.note):
            output.note("The pilot is loaded.")
        (self.settings.home / PILOT_NOTE).touch()

    def _ready(self) -> None:
        end, told = time.monotonic() + PATIENCE, time.monotonic() + STEP
        while not self.supervisor.stopping:
            missing = self.supervisor.wait_ready(0)
            if not missing:
                return
            if time.monotonic() > end:
                raise UnavailableError(
                    "%(names)s did not start within %(limit)s seconds; see %(logs)s.",
                    names=", ".join(missing),
                    limit=int(PATIENCE),
                    logs=self.settings.home / "log",
                )
            if time.monotonic() > told:
                output.note(f"  Waiting for {', '.join(missing)} …")
                told = time.monotonic() + 2 * STEP
            time.sleep(0.05)

    def _demo_approvers(self) -> None:
        from mdm.cli import demo_keys

        # Before the first agent enrols, so that its certificate says which roster it may believe.
        if demo_keys.found(self.settings, output.note):
            output.note("Three people of the pilot are the approvers.")

    def _demo_agents(self) -> None:
        from mdm.cli import demo

        machines = demo.not_enrolled(self.settings)
        if machines:
            output.note(
                f"Enrolling {len(machines)} agents, each on a machine of its own in {self.settings.home}/agents …"
            )
            demo.enrol_machines(self.settings, machines, output.note)
        if not self.supervisor.stopping:
            self.supervisor.add(demo.agents(self.settings))

    def _greet(self) -> None:
        from mdm.cli.operators import first_link

        seconds = time.monotonic() - self.begun
        output.note(f"Ready after {seconds:.1f} s. Gateway: {self.settings.gateway_base}")
        link = first_link(self.settings)
        if link is None:
            output.say(f"Console: {self.settings.console_base}")
            output.note("There is nobody yet who may sign in: havenmeester operator add EMAIL --role fleet_admin")
        else:
            output.say(f"Sign in once, within 15 minutes: {link}")
        if self.demo:
            self._greet_approver()
        output.note("Ctrl-C stops everything.")

    def _greet_approver(self) -> None:
        from mdm.cli import demo_keys

        if demo_keys.present(self.settings):
            output.note(
                f"Approvers sign with the key files in {self.settings.home / demo_keys.FOLDER}, passphrase"
                f' "{demo_keys.PASSPHRASE}": for the demonstration alone.'
            )


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Holds the lock of this home; raises ConfigurationError when it is running already."""
    with (home / "run" / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise ConfigurationError(
                "Havenmeester runs on %(home)s already (process %(pid)s).",
                home=home,
                pid=lock.read().strip() or "unknown",
                mend="Stop it first, or set HAVENMEESTER_HOME to another folder.",
            ) from error
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _pilot_noted(settings: Settings) -> bool:
    return (settings.home / PILOT_NOTE).exists()


def _fresh_figures(home: Path) -> None:
    folder = services.figures_folder(home)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
