"""``havenmeester kiosk``: setting up kiosks over SSH, one or many, and following how it goes."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import rich_click as click

from mdm.cli import errors, output
from mdm.cli.choice import Words
from mdm.cli.work import work
from mdm.settings import Settings, load

COLUMNS = ("uid", "name", "host", "port", "service_point", "state", "step", "problem")
JSON = click.option("--json", "json_wanted", is_flag=True, help="Answer in JSON.")
WAIT = click.option("--wait/--no-wait", default=True, show_default=True, help="Follow it to its end.")


@click.group()
def kiosk() -> None:
    """Set up Linux kiosks over SSH: the agent is installed, enrolled, and our own access removed.

    The kiosk needs no internet. Its host key is known before the first contact: from its label, or read from its screen.
    """


@kiosk.command("access")
@click.option("--account", default="root", show_default=True, help="Account on the kiosk.")
def access_(account: str) -> None:
    """Print the two lines of which a kiosk's image holds one in the account's authorized_keys."""
    from mdm.core.errors import N_, InvalidError
    from mdm.kiosks import access
    from mdm.kiosks.wanted import ACCOUNT

    if not ACCOUNT.fullmatch(account):
        raise InvalidError(N_("An account has small letters, digits, - and _, at most 32."))
    lines = access.access(load().home).lines(account)
    output.note("Our key, or our authority for this account: one of them is enough. Setting up takes it out again.")
    for line in lines.values():
        output.say(line)


@kiosk.command("bootstrap")
@click.argument("host", default="")
@click.option("--host-key", required=True, help="Fingerprint (SHA256:…), public key, @cert-authority line or label.")
@click.option("--service-point", required=True, metavar="CODE", help="Where it stands.")
@click.option("--email", required=True, help="Who looks after it.")
@click.option("--name", default="", help="What people call it.")
@click.option("--port", default="", help="Port of SSH; 22 where nothing else is said.")
@click.option("--account", default="", help="Account to sign in as; root where nothing else is said.")
@click.option("--sign-in", type=Words(["key", "certificate"]), default="key", show_default=True)
@click.option("--root", default="/", show_default=True, help="A folder on the kiosk that stands for it.")
@WAIT
def bootstrap(wait: bool, **given: Any) -> int:
    """Set up the kiosk at HOST, which may stand on the label given as --host-key."""
    from mdm.kiosks import service
    from mdm.kiosks.wanted import checked

    settings = load()
    with work(settings=settings) as call:
        uid = service.begin(call, checked(**given)).uid
    output.say(uid)
    return _follow(settings, [uid]) if wait else errors.OK


@kiosk.command("file")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Only look at every row.")
@WAIT
def file_(file: Path, check: bool, wait: bool) -> int:
    """Set up every kiosk of a CSV file: host, port, account, host_key, service_point, email, name, sign_in."""
    from mdm.kiosks import sheet

    settings = load()
    data = file.read_bytes()
    if check:
        with work(write=False, settings=settings) as call:
            rows = sheet.look(call, data)
        for row in rows:
            output.say(f"line {row.line}  {row.host or '?'}  {'; '.join(row.problems) or 'good'}")
        return errors.REFUSED if any(row.problems for row in rows) else errors.OK
    with work(settings=settings) as call:
        uids = [made.uid for made in sheet.begin(call, data)[1]]
    output.note(f"{len(uids)} kiosks are begun.")
    return _follow(settings, uids) if wait else errors.OK


@kiosk.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@JSON
def list_(limit: int, json_wanted: bool) -> None:
    """List set-ups, the newest first."""
    from mdm.kiosks import queries

    with work(write=False) as call:
        found = [_record(line) for line in queries.setups(call, limit=limit)]
    output.rows(found, COLUMNS, json_wanted=json_wanted)


@kiosk.command("show")
@click.argument("uid")
@JSON
def show(uid: str, json_wanted: bool) -> None:
    """Show one set-up with everything that happened."""
    from mdm.kiosks import queries

    with work(write=False) as call:
        line = queries.line(call, uid)
        record = {**_record(line), "log": line.row.log}
    if json_wanted:
        output.as_json(record)
        return
    for key, value in record.items():
        if key != "log":
            output.say(f"{key}: {'' if value is None else value}")
    for entry in record["log"]:
        output.say(f"{entry['at']}  {entry['step']}: {entry['text']}")


@kiosk.command("withdraw")
@click.argument("uid")
@WAIT
def withdraw(uid: str, wait: bool) -> int:
    """Take a set-up back; what was changed on the kiosk is put back."""
    from mdm.kiosks import service

    settings = load()
    with work(settings=settings) as call:
        service.withdraw(call, uid)
    return _follow(settings, [uid], good="withdrawn") if wait else errors.OK


@kiosk.command("again")
@click.argument("uid")
@WAIT
def again(uid: str, wait: bool) -> int:
    """Try a set-up that failed once more."""
    from mdm.kiosks import service

    settings = load()
    with work(settings=settings) as call:
        service.again(call, uid)
    return _follow(settings, [uid]) if wait else errors.OK


@kiosk.command("work", hidden=True)
@click.option("--parent", type=int, default=None, help="End when this process ends.")
def work_(parent: int | None) -> int:
    """Do what is open, twenty side by side, until nothing is; another process that does so already is left alone."""
    from mdm.kiosks import work as working
    from mdm.operation import logs
    from mdm.operation.parent import die_with_parent

    if parent is not None:
        die_with_parent(parent)
    # Twenty exchanges of keys at once are not worth a page that somebody waits for.
    os.nice(19)
    settings = load()
    logs.configure("kiosks", settings.log_level)
    done = working.serve(settings)
    sys.stdout.flush()
    # Whatever hangs at a stranger's server must not hold this process up: the next one goes on with it.
    os._exit(errors.OK if done else errors.REFUSED)


def _record(line: Any) -> dict[str, Any]:
    row = line.row
    return {
        "uid": row.uid,
        "name": row.name,
        "host": row.host,
        "port": row.port,
        "account": row.account,
        "host_key": row.host_key,
        "service_point": line.point.code,
        "state": row.state,
        "step": row.step,
        "problem": row.problem,
        "sentence": row.sentence,
        "device": line.device.uid if line.device else None,
        "batch": row.batch,
    }


def _follow(settings: Settings, uids: list[str], good: str = "done") -> int:
    """Prints what happens until all have ended: 0 when all ended well. Works itself where no other process does."""
    import subprocess

    from mdm.kiosks import queries

    child = subprocess.Popen(
        [sys.executable, "-m", "mdm.cli.main", "kiosk", "work", "--parent", str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HAVENMEESTER_HOME": str(settings.home)},
    )
    told: dict[str, int] = {}
    try:
        while True:
            with work(write=False, settings=settings) as call:
                rows = [queries.setup(call, uid) for uid in uids]
            for row in rows:
                for entry in row.log[told.get(row.uid, 0) :]:
                    output.note(f"{row.name}  {entry['step']}: {entry['text']}")
                told[row.uid] = len(row.log)
            if not any(row.open for row in rows):
                break
            time.sleep(0.5)
    finally:
        child.terminate()
        child.wait()
    for row in rows:
        output.say(f"{row.uid}  {row.name}  {row.state}{'  ' + row.problem if row.problem else ''}")
    return errors.OK if all(row.state == good for row in rows) else errors.REFUSED
