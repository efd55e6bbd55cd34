"""One round with the gateway: bring the machine to its desired state, look, tell what changed, do what is asked.

Nothing is told from memory: reports and answers are on disk before they are sent, and stay until they are acknowledged.
"""

import json
import time
from collections.abc import Callable
from typing import Any, Final

from agent import pace, renew, update, wire
from agent.apply.engine import Engine
from agent.collect import agent as own_facts
from agent.commands import Commands, done, not_done
from agent.destroy import Destroyer, forget
from agent.errors import AgentError, RefusedError
from agent.kiosk import picture
from agent.kiosk.watch import Watch
from agent.observe import Observer
from agent.roots import Root
from agent.spool import Spool
from agent.state import Identity, State
from agent.text import printable
from agent.transport import Connection, with_certificate

MAX_RESULTS: Final = 50
RESULTS_BYTES: Final = wire.MAX_BODY - 64 * 1024
MAX_COMMANDS: Final = 100


class WipedError(Exception):
    """This device was wiped, the server knows it, and the identity is gone: the agent's work is over."""


class Agent:
    """One enrolled device. ``cycle`` is one round; everything else serves it."""

    def __init__(self, state: State, root: Root, identity: Identity) -> None:
        self.state, self.root, self.identity = state, root, identity
        self.destroyer = Destroyer(state, root, identity)
        if self.destroyer.may_go():
            # Stopped between the acknowledgement and the removal of the identity.
            self._end()
        self.observer = Observer(root)
        self.spool = Spool(state)
        self.engine = Engine(state, root)
        self.watch = Watch(state, root)
        self.desired: dict[str, Any] = state.read("desired.json")
        self.commands = Commands(
            state,
            root,
            {
                "refresh": self._refresh,
                "wipe": self.destroyer.obey,
                "roster": self.destroyer.learn,
                "update": lambda _, args: update.install(state, identity, args),
                "kiosk_restart": self._restart_kiosk,
                "screenshot": self._screenshot,
            },
        )
        self.destroyer.resume(self.commands)
        self.insist = True
        self.on_wait: Callable[[bool], None] = lambda _: None
        """Told when a wait begins that may be cut short without loss, and when it ends."""
        self.listened = False
        """Whether the last round stood at the doorbell; one that had something to tell does not."""
        self._renewal_failed_at = 0.0
        ca = state.file("ca.pem").read_text(encoding="ascii")
        self.connection = Connection(identity.gateway, with_certificate(ca, state.keys(identity.current)))

    # One round

    def cycle(self, wait: int) -> float:
        """One round; ``wait``: seconds that the doorbell may keep us. Returns seconds until the next, 0 for at once.

        Raises UnreachableError, RefusedError and WipedError. Whatever was not delivered waits on disk.
        """
        self.commands.settle_interrupted()
        # What a full disk kept from being noted is tried again.
        self.destroyer.resume(self.commands)
        if not self.destroyer.pending:
            self._renew_when_due()
            self._settle_and_look()
        results = self._fitting(self.commands.waiting())
        report = None if results or self.destroyer.pending else self.spool.next()
        body: dict[str, Any] = {}  # a ``wire.Checkin``
        if results:
            body["results"] = results
        if report is not None:
            body["report"] = report
        path = f"{wire.CHECKIN}?d={self.desired.get('digest', '-')}&r={self.spool.claim()}&w={0 if body else wait}"
        content = json.dumps(body, ensure_ascii=False).encode() if body else b""
        self.listened = not body and wait > 0
        self.on_wait(self.listened)
        try:
            reply = self.connection.ask("POST", path, content, wait=0 if body else wait)
        except RefusedError as refused:
            if refused.status in (413, 422) and body:
                self._never_again(results, report, refused)
                return 0
            raise
        finally:
            self.on_wait(False)
        if results:
            self._results_delivered([result["id"] for result in results])
        if report is not None:
            self.spool.acknowledged(report)
        if reply.status == 204:
            return 0 if self._more() else pace.hint(reply.number(wire.NEXT_HEADER))
        return self._take(reply.json())

    def _more(self) -> bool:
        """Whether something is left to deliver."""
        return bool(self.commands.waiting()) or (bool(self.spool.files) and not self.destroyer.pending)

    def _settle_and_look(self) -> None:
        try:
            self.engine.settle(self.desired, insist=self.insist)
        except OSError as trouble:
            self.state.log(f"The desired state could not be brought about: {trouble.strerror}.")
            self.state.make_room()
        self.insist = False
        self.watch.tend()
        kiosk = self.watch.section()
        own = {
            "agent": {
                **own_facts.collect(self.root, self.engine.tampered(), self.destroyer.trust.version),
                **({"releases": known} if (known := update.problem(self.state)) is not None else {}),
            },
            "desired": self.engine.section(),
            **({} if kiosk is None else {"kiosk": kiosk}),
        }
        lacking = self.observer.look(own, self.spool.lacks)
        if lacking:
            try:
                self.spool.add(lacking, self.observer.digests)
            except OSError as trouble:
                # A full disk: what changed is told when there is room; commands and orders must arrive all the same.
                self.state.log(f"A report could not be kept: {trouble.strerror}.")
                self.state.make_room()

    @staticmethod
    def _fitting(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """As many answers as one body takes, at least one."""
        chosen: list[dict[str, Any]] = []
        size = 0
        for result in results[:MAX_RESULTS]:
            size += len(json.dumps(result, ensure_ascii=False).encode()) + 2
            if chosen and size > RESULTS_BYTES:
                break
            chosen.append(result)
        return chosen

    def _results_delivered(self, names: list[str]) -> None:
        self.destroyer.acknowledge(names)
        self.commands.delivered(names)
        if self.destroyer.may_go():
            self._end()

    def _end(self) -> None:
        self.destroyer.go()
        raise WipedError

    def _never_again(self, results: list[dict[str, Any]], report: dict[str, Any] | None, why: RefusedError) -> None:
        """The gateway will never take this message as it is: what is in it is told in another way, or not at all."""
        self.state.log(f"The gateway did not take a message ({why.status}): {why}")
        if report is not None:
            self.spool.rejected(report)
        for result in results:
            if "data" in result:
                short = {"state": result["state"], "detail": "The gateway did not take the whole answer."}
                self.commands.set_result(result["id"], self.commands.entries[result["id"]]["verb"], short)
            else:
                self._results_delivered([result["id"]])

    # What the gateway answers

    def _take(self, answer: dict[str, Any]) -> float:
        """Does what an answer asks. Returns seconds until the next round."""
        busy = False
        want = answer.get("want")
        if isinstance(want, list) and want:
            self.spool.wanted([name for name in want if isinstance(name, str)])
            self.observer.forget()
            busy = True
        if "desired" in answer:
            busy |= self._take_desired(answer["desired"])
        commands = answer.get("commands")
        if isinstance(commands, list):
            for command in commands[:MAX_COMMANDS]:
                if isinstance(command, dict):
                    self.commands.take(command)
                    busy = True
        if answer.get("renew") is True:
            self._renew()
        return 0 if busy or self._more() else pace.hint(answer.get("next"))

    def _take_desired(self, desired: object) -> bool:
        """Keeps a desired state; the next round applies it. One that is not of the protocol is left aside."""
        usable = (
            isinstance(desired, dict)
            and isinstance(desired.get("digest"), str)
            and desired["digest"].isalnum()
            and len(desired["digest"]) <= 64
            and isinstance(desired.get("resources"), list)
        )
        if not usable or not isinstance(desired, dict):
            self.state.log("A desired state that is not of the protocol was left aside.")
            return False
        self.state.save("desired.json", desired)
        self.desired = desired
        self.insist = True
        return True

    def _refresh(self, _: str, __: dict[str, Any]) -> dict[str, Any]:
        self.observer.forget()
        self.watch.look_again()
        self.insist = True
        return done("Looked at everything again.")

    def _restart_kiosk(self, _: str, __: dict[str, Any]) -> dict[str, Any]:
        if not self.watch.here:
            return not_done("refused", "This device has no kiosk's session that could be started anew.")
        trouble = self.watch.once_more()
        return not_done("failed", f"The kiosk was not started anew: {trouble}") if trouble else done()

    def _screenshot(self, name: str, _: dict[str, Any]) -> dict[str, Any]:
        try:
            content = picture.take(self.root, self.watch)
            self.connection.ask("POST", f"{wire.PICTURE}/{name}", content)
        except picture.NotTakenError as why:
            return not_done(why.state, str(why))
        except AgentError as trouble:
            self.connection.close()
            return not_done("failed", f"The picture did not arrive: {printable(str(trouble), 300)} It was thrown away.")
        return done()

    # Renewal

    def _renew_when_due(self) -> None:
        hour_ago = time.monotonic() - 3600
        if pace.renewal_due(self.identity.not_before, self.identity.not_after, time.time()) and (
            not self._renewal_failed_at or self._renewal_failed_at < hour_ago
        ):
            self._renew()

    def _renew(self) -> None:
        try:
            self.identity, self.connection = renew.renew(self.state, self.identity, self.connection)
        except (AgentError, OSError) as trouble:
            self._renewal_failed_at = time.monotonic()
            self.state.log(
                f"The certificate was not renewed: {printable(str(trouble), 500)} The old one is still in use."
            )
            return
        self._renewal_failed_at = 0.0
        self.destroyer.identity = self.identity
        self.state.log("The certificate was renewed.")


def leave(state: State, root: Root, identity: Identity, *, offline: bool) -> list[str]:
    """Takes leave: tells the gateway, puts back what was there, removes the identity.

    Returns the paths that could not be put back. Raises AgentError when the gateway cannot be told and ``offline`` was
    not asked for; then nothing has changed. A certificate that is already refused needs no leave.
    """
    ca = state.file("ca.pem").read_text(encoding="ascii")
    connection = Connection(identity.gateway, with_certificate(ca, state.keys(identity.current)))
    try:
        connection.ask("POST", wire.LEAVE)
    except RefusedError as refused:
        if refused.status != 401 and not offline:
            raise
    except AgentError:
        if not offline:
            raise
    finally:
        connection.close()
    left = Engine(state, root).put_all_back()
    forget(state)
    return left
