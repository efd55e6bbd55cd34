"""Setting up one kiosk: step after step from the first that is not done, once; and undoing.

Trouble that may pass (a kiosk that starts again, a gateway that is away) is tried again later from the same step; what does
not pass is undone. Every step finds its own work done when it is run twice, so being cut anywhere does no harm.
"""

import base64
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mdm.core.text import clean
from mdm.enrollment.links import Links
from mdm.kiosks import access, networks
from mdm.kiosks.book import Book, Claimed, ClaimLostError, Told
from mdm.kiosks.model import SignIn, State, Step
from mdm.kiosks.ssh import Connection, Limits, Said, SshError, connect
from mdm.releases import contents, package

TRIES: Final = 14
"""Passing troubles in a row before it is given up: more than half an hour."""
TRIES_LONG: Final = 3
"""The same for a command that does not end."""
FIRST_WAIT: Final = 4.0
LONGEST_WAIT: Final = 240.0
PASSING: Final = frozenset({"gateway_unreachable", "busy"})
"""Words of the helper for what may pass."""
CLOCK: Final = 15 * 60.0
"""Seconds by which a kiosk's clock may be wrong."""
MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64", "armhf": "armv7l"}
_INSTALLED: Final = frozenset({Step.INSTALL, Step.ENROL, Step.START, Step.CLOSE})
"""Steps in or after which something may be installed."""
ONSITE: Final = Path(__file__).with_name("onsite.py")


@dataclass(frozen=True, slots=True)
class Ground:
    """What every set-up stands on."""

    book: Book
    home: Path
    networks: tuple[networks.Network, ...]
    links: Callable[[], Links]
    package: Callable[[], package.Package]
    limits: Limits = field(default_factory=Limits)
    report_seconds: float = 90


class _BackError(Exception):
    """An earlier step must be done again: its work is gone from the kiosk."""

    def __init__(self, step: Step, sentence: str) -> None:
        self.step = step
        super().__init__(sentence)


def wait_after(tries: int) -> float:
    """Seconds until the next try after so many failed ones."""
    return min(LONGEST_WAIT, FIRST_WAIT * float(2 ** min(tries, 10)))


def work(ground: Ground, job: Claimed) -> None:
    """Does what can be done of one set-up now, and writes down how it went."""
    with contextlib.suppress(ClaimLostError):
        if job.state is State.UNDOING:
            _undo(ground, job)
        else:
            _Setup(ground, job).run()


def _undo(ground: Ground, job: Claimed) -> None:
    book = ground.book
    if not job.changed:
        book.end(job, State.FAILED)
        return
    try:
        connection = _connect(ground, job)
        try:
            helper = _Helper(connection, job, lambda: _task(ground, job))
            # Before the installation there is nothing but our folder, which no helper is needed to remove.
            if job.step in _INSTALLED and helper.there():
                helper.ask("undo", sudo=True)
            said = connection.run("forget")
            if not said.good:
                raise SshError("not_undone", "our folder could not be removed", said=said.text[-500:])
        finally:
            connection.close()
    except SshError as trouble:
        if trouble.code == "also_begun":
            # What is on the kiosk is another set-up's now, and stays.
            book.end(job, State.FAILED)
        elif trouble.passing and job.tries < TRIES:
            book.later(job, wait_after(job.tries), trouble.code, _told(trouble))
        else:
            book.end(job, State.NOT_UNDONE, told=Told("not_undone", said=_told(trouble)))
        return
    book.end(job, State.FAILED, told=Told("put_back"))


def _told(trouble: SshError) -> str:
    return f"{trouble}: {trouble.said}" if trouble.said else str(trouble)


def _connect(ground: Ground, job: Claimed) -> Connection:
    try:
        address = networks.resolve(job.host, job.port, ground.networks)
    except (OSError, UnicodeError) as trouble:
        raise SshError("unreachable", f"the name {job.host} leads nowhere", passing=True) from trouble
    if address is None:
        raise SshError("not_our_network", f"{job.host} does not lie in a network where kiosks may be")
    now = ground.book.clock()
    try:
        return connect(
            job.host,
            job.port,
            job.account,
            job.host_key,
            lambda: access.identity(ground.home, job.sign_in, job.account, job.uid, now),
            now,
            ground.limits,
            address=address,
        )
    except SshError as trouble:
        if trouble.code == "wrong_host_key":
            ground.book.impostor(job, trouble.seen)
        elif trouble.code == "not_let_in" and job.sign_in == SignIn.CERTIFICATE:
            raise SshError(
                "not_let_in", f"{trouble}; or its clock is wrong: our certificates last minutes"
            ) from trouble
        raise


def _task(ground: Ground, job: Claimed, invitation: str = "") -> bytes:
    """What the helper is to do, as it is sent to it: nothing of it is ever put into a line."""
    made = ground.package()
    wanted = {
        "sha256": made.sha256,
        "version": made.version,
        "signature": made.signature,
        "signers": made.signers,
        "signer": package.SIGNER,
        "namespace": package.NAMESPACE,
    }
    task = {
        "setup": job.uid,
        "others": ground.book.others(job),
        "root": job.root,
        "package": wanted,
        "keys": access.access(ground.home).blobs,
        "invitation": invitation,
    }
    return json.dumps(task).encode()


class _Helper:
    """The helper on the kiosk; see ``onsite.py``."""

    def __init__(self, connection: Connection, job: Claimed, task: Callable[[], bytes]) -> None:
        self.connection, self.task = connection, task
        self.sudo = job.account != "root" and job.root == "/"

    def there(self) -> bool:
        """Whether it is on the kiosk."""
        try:
            self.ask("look")
        except _BackError:
            return False
        return True

    def ask(self, verb: str, *, sudo: bool = False) -> dict[str, Any]:
        """Its answer. Raises SshError with the helper's own word, and _BackError when it is not there."""
        said = self.connection.run(verb, self.task(), sudo=sudo and self.sudo)
        answer = _answer(said.raw)
        if answer is None:
            raise self._no_answer(verb, said)
        if answer.get("ok") is not True:
            code = clean(answer.get("code"), 32) or "strange"
            sentence = clean(answer.get("sentence"), 1500, lines=True)
            raise SshError(code, sentence or "the kiosk gave no reason", passing=code in PASSING)
        return answer

    def _no_answer(self, verb: str, said: Said) -> Exception:
        """Why something else answered than the helper."""
        if said.code == 2 and "onsite.py" in said.text:
            return _BackError(Step.UPLOAD, "our files are gone from the kiosk")
        if "password is required" in said.text:
            return SshError("no_root", "the account may not use sudo without a password", said=said.text[-500:])
        if said.code == 127:
            return SshError("no_python", "it has no python3", said=said.text[-500:])
        if said.code == 0:
            return SshError("other_command", f"something else was run than {verb}", said=said.text[-500:])
        return SshError("strange", f"{verb} ended with {said.code} and an answer that is none", said=said.text[-500:])


def _answer(raw: bytes) -> dict[str, Any] | None:
    """The helper's answer: the last line that is one, whatever a shell says before or after it. None when there is none."""
    for line in reversed(raw.splitlines()):
        try:
            found = json.loads(base64.b64decode(line.strip(), validate=True))
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and "ok" in found:
            return found
    return None


class _Setup:
    """One go at one set-up."""

    def __init__(self, ground: Ground, job: Claimed) -> None:
        self.ground, self.job, self.book = ground, job, ground.book
        self.connection: Connection | None = None

    def run(self) -> None:
        """Steps until it is done, until trouble, or until the claim is lost."""
        step = self.job.step
        try:
            while True:
                following = self._do(step)
                if following is None:
                    return
                step = following
        except _BackError as back:
            self.book.later(self.job, 0, "again", str(back), back.step)
        except SshError as trouble:
            self._trouble(trouble, step)
        finally:
            if self.connection is not None:
                self.connection.close()

    def _trouble(self, trouble: SshError, step: Step) -> None:
        if trouble.code == "also_begun":
            # What is on the kiosk is another set-up's: nothing of ours was changed, nothing is put back.
            self.book.end(self.job, State.FAILED, trouble.code, _told(trouble))
            return
        if step is Step.CLOSE:
            self._trouble_at_the_end(trouble)
            return
        most = TRIES_LONG if trouble.code == "too_long" else TRIES
        if trouble.passing and self.job.tries + 1 < most:
            self.book.later(self.job, wait_after(self.job.tries), trouble.code, _told(trouble))
        else:
            self.book.undo(self.job, trouble.code, _told(trouble))

    def _trouble_at_the_end(self, trouble: SshError) -> None:
        """It is enrolled: nothing is undone for want of the last proof."""
        if trouble.code == "not_let_in":
            self.book.end(self.job, State.DONE, told=Told("done"))
        elif trouble.passing and self.job.tries + 1 < TRIES:
            self.book.later(self.job, wait_after(self.job.tries), trouble.code, _told(trouble))
        else:
            self.book.end(self.job, State.ACCESS_LEFT, trouble.code, _told(trouble))

    def _do(self, step: Step) -> Step | None:
        if self.connection is None:
            self.connection = _connect(self.ground, self.job)
        return {
            Step.REACH: self._reach,
            Step.LOOK: self._look,
            Step.UPLOAD: self._upload,
            Step.INSTALL: self._install,
            Step.ENROL: self._enrol,
            Step.START: self._start,
            Step.CLOSE: self._close,
        }[step](self.connection)

    def _helper(self, connection: Connection, invitation: str = "") -> _Helper:
        return _Helper(connection, self.job, lambda: _task(self.ground, self.job, invitation))

    def _ask(self, connection: Connection, verb: str, *, sudo: bool = False, invitation: str = "") -> dict[str, Any]:
        return self._helper(connection, invitation).ask(verb, sudo=sudo)

    def _reach(self, connection: Connection) -> Step:
        self.book.stepped(self.job, Step.REACH, Step.LOOK, Told("signed_in", said=connection.banner))
        return Step.LOOK

    def _write(self, connection: Connection, name: str, data: bytes = b"") -> None:
        said = connection.run(name, data)
        if said.good:
            return
        why = "no folder could be made" if name == "prepare" else "a file could not be written"
        code = "disk_full" if "No space left" in said.text or "quota" in said.text.lower() else "not_written"
        raise SshError("read_only" if "Read-only" in said.text else code, why, said=said.text[-500:])

    def _look(self, connection: Connection) -> Step:
        self.book.touch(self.job)
        self._write(connection, "prepare")
        self._write(connection, "write_helper", ONSITE.read_bytes())
        facts = self._ask(connection, "look")
        made = self.ground.package()
        self._refuse(facts, made)
        self._refuse_clock(facts.get("now"))
        free = facts.get("free")
        told = {
            "python": clean(facts.get("python"), 16),
            "machine": clean(facts.get("machine"), 32),
            "free": free // 1_000_000 if isinstance(free, int) else "?",
        }
        self.book.stepped(self.job, Step.LOOK, Step.UPLOAD, Told("looked", told))
        return Step.UPLOAD

    def _refuse(self, facts: dict[str, Any], made: package.Package) -> None:
        """Raises SshError for a kiosk on which this cannot work; before anything was installed."""
        arch = contents.architecture()
        if facts.get("enrolled") and not facts.get("ours"):
            raise SshError("already_enrolled", "this kiosk is enrolled already")
        if facts.get("machine") != MACHINES.get(arch, arch):
            raise SshError("other_machine", f"it is {clean(facts.get('machine'), 32)}, the package is for {arch}")
        if facts.get("python") != contents.python():
            raise SshError(
                "other_python",
                f"it has Python {clean(facts.get('python'), 16)}, the package is for {contents.python()}",
            )
        if not facts.get("dpkg") or not facts.get("ssh_keygen"):
            raise SshError("other_system", "it has no dpkg or no ssh-keygen: it is no Debian system")
        if self.job.root == "/" and not facts.get("sudo"):
            raise SshError("no_root", "the account may not use sudo without a password")
        free, home, room = facts.get("free"), facts.get("home_free"), facts.get("room")
        if not (isinstance(free, int) and isinstance(home, int) and isinstance(room, int)):
            raise SshError("strange", "it does not say how much room it has")
        if free < room or home < made.size + 1_000_000:
            raise SshError(
                "disk_full", f"it has {min(free, home) // 1_000_000} MB free, {room // 1_000_000} MB are needed"
            )

    def _refuse_clock(self, told: object) -> None:
        """Raises SshError for a clock by which our certificates would not be good yet, or not any more."""
        if not isinstance(told, int | float):
            raise SshError("strange", "it does not say what time it is")
        wrong = told - self.book.clock().timestamp()
        if not abs(wrong) < CLOCK:
            way = "behind" if wrong < 0 else "ahead"
            raise SshError("clock_wrong", f"its clock is {min(abs(wrong), 1e12) / 60:.0f} minutes {way}")

    def _upload(self, connection: Connection) -> Step:
        made = self.ground.package()
        self._write(connection, "prepare")
        self._write(connection, "write_helper", ONSITE.read_bytes())
        self._write(connection, "write_package", made.path.read_bytes())
        self._ask(connection, "check")
        told = {"version": made.version, "size": made.size // 1000}
        self.book.stepped(self.job, Step.UPLOAD, Step.INSTALL, Told("package", told))
        return Step.INSTALL

    def _install(self, connection: Connection) -> Step:
        answer = self._ask(connection, "install", sudo=True)
        version = clean(answer.get("version"), 32)
        self.book.stepped(self.job, Step.INSTALL, Step.ENROL, Told("installed", {"version": version}))
        return Step.ENROL

    def _enrol(self, connection: Connection) -> Step:
        url = self.book.invite(self.job, self.ground.links())
        try:
            self._ask(connection, "enrol", sudo=True, invitation=url or "")
        except SshError as trouble:
            if trouble.code != "not_enrolled" or url is not None:
                raise
            # The invitation was used, but the kiosk lost what it got for it: it starts anew with another one.
            url = self.book.invite(self.job, self.ground.links(), anew=True) or ""
            self._ask(connection, "enrol", sudo=True, invitation=url)
        self.book.stepped(self.job, Step.ENROL, Step.START, Told("enrolled"))
        return Step.START

    def _start(self, connection: Connection) -> Step:
        self._ask(connection, "start", sudo=True)
        end = time.monotonic() + self.ground.report_seconds
        while not self.book.reported(self.job):
            if time.monotonic() > end:
                raise SshError("silent", "the agent was started, but its first report did not come", passing=True)
            time.sleep(0.25)
        self.book.stepped(self.job, Step.START, Step.CLOSE, Told("reported"))
        return Step.CLOSE

    def _close(self, connection: Connection) -> None:
        """Removes our access and asks to be let in once more: only a refusal is a proof."""
        helper = self._helper(connection)
        removed = 0
        try:
            answer = helper.ask("close")
        except _BackError:
            # Done before, and cut before it was written down.
            pass
        else:
            removed = answer["removed"] if isinstance(answer.get("removed"), int) else 0
            self.book.tell(self.job, Step.CLOSE, Told("close_removed", {"count": removed}))
        connection.close()
        self.connection = None
        again = _connect(self.ground, self.job)
        again.close()
        self.book.end(
            self.job, State.ACCESS_LEFT, "access_left", "The kiosk is enrolled, but it still lets us in with our key."
        )
