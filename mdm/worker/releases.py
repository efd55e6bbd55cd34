"""Releases by the clock: their two online documents stay fresh, and devices in the rings are asked."""

from itertools import groupby

from mdm.commands import updates
from mdm.releases import service
from mdm.releases.repository import of_home
from mdm.worker.office import Office


def refresh(office: Office) -> None:
    """Signs snapshot and timestamp anew in time. Raises ConfigurationError where their keys are gone: the doctor shows it."""
    of_home(office.settings.home).refresh(office.clock())


def roll_out(office: Office) -> None:
    """Asks devices that lack a release that is for them, in short transactions."""
    more = True
    while more:
        with office.call("releases", write=False) as call:
            if not service.due(call, 1):
                return
        with office.call("releases") as call:
            found = sorted(service.due(call), key=lambda one: one.version)
            for version, group in groupby(found, key=lambda one: one.version):
                devices = list(group)
                made = updates.queue(call, [one.device_id for one in devices], version)
                for one in devices:
                    service.asked(call, one, made[one.device_id])
            more = len(found) == service.BATCH
