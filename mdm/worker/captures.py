"""Captures that somebody brought: read by the process of their own, outside any transaction, then kept as findings."""

from mdm.core.errors import HavenmeesterError
from mdm.discovery import reading, service
from mdm.worker.office import Office


def read(office: Office) -> None:
    """Reads every capture that waits, the oldest first; a file is removed once its run has ended."""
    with office.call("discovery", write=False) as call:
        uids = [run.uid for run in service.waiting(call.session)]
    home = office.settings.home
    for uid in uids:
        try:
            with service.kept(home, uid).open("rb") as file:
                result = reading.read_capture(file)
        except FileNotFoundError:
            _fail(office, uid, "lost")
        except HavenmeesterError as error:
            _fail(office, uid, error.code)
        else:
            with office.call("discovery") as call:
                service.take(call, uid, result)
        service.forget_file(home, uid)


def _fail(office: Office, uid: str, code: str) -> None:
    with office.call("discovery") as call:
        service.fail(call, uid, code)
