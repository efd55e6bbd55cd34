"""The command ``havenmeester-agent``. Every refusal is one sentence on standard error and an exit code."""

import argparse
import json
import os
import sys
from pathlib import Path

from agent import VERSION, errors
from agent.errors import AgentError
from agent.state import DEFAULT, State
from agent.text import printable


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    whole = argparse.ArgumentParser(
        prog="havenmeester-agent",
        description="Keeps this device as your organisation wants it, and tells it how the device is.",
        epilog="exit codes: 0 done, 1 not everything is applied, 2 wrong use, 3 not enrolled, 4 already enrolled, "
        "5 refused, 6 wrong fingerprint, 7 gateway unreachable, 8 another agent is at work, 9 something is broken",
    )
    whole.add_argument("--version", action="version", version=f"havenmeester-agent {VERSION}")
    verbs = whole.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        one = verbs.add_parser(name, help=text, description=text)
        one.add_argument("--state", default=DEFAULT, metavar="DIR", help=f"where the agent keeps its state ({DEFAULT})")
        return one

    root_help = "work on this folder instead of the running machine"
    one = verb("enroll", "Enrol this device with an invitation")
    one.add_argument(
        "url",
        metavar="URL",
        help="the whole address from the invitation page, with its part after #; - reads it from the input",
    )
    one.add_argument("--root", default="/", metavar="DIR", help=root_help)
    one = verb("run", "Keep this device in its desired state")
    one.add_argument("--root", default=None, metavar="DIR", help="must be the root that the device was enrolled with")
    one.add_argument("--once", action="store_true", help="one full exchange, then end; 0 when everything is applied")
    one.add_argument(
        "--wait", type=int, default=None, metavar="SECONDS", help="how long one wait for the doorbell lasts"
    )
    one = verb("status", "Say how this agent is")
    one.add_argument("--json", action="store_true", help="for programs")
    one = verb("leave", "Take leave: put back what was changed, and remove the identity")
    one.add_argument("--offline", action="store_true", help="leave even when the gateway cannot be told")
    one = verb("verify-order", "Say whether an order would be carried out; does nothing")
    one.add_argument("file", metavar="FILE", help="an order with its signature, approvals and rosters, as JSON")
    one = verb("presence", "Show the code that proves that somebody stands before this device")
    one.add_argument("--json", action="store_true", help="for programs")
    one = verb("panic", "Call for help: kept on disk, and sent until the gateway has answered")
    one.add_argument("--exercise", action="store_true", help="only practised, while an exercise is under way")
    one.add_argument("--deliver", action="store_true", help="raise nothing; send what waits, however long it takes")
    one.add_argument("--hold", action="store_true", help="for three seconds it may be stopped; again: at once")
    one.add_argument("--spool", default=None, metavar="DIR", help="where calls wait (/var/spool/havenmeester-panic)")
    one.add_argument("--wait", type=int, default=20, metavar="SECONDS", help="how long this command tries (20)")
    return whole


def say(sentence: str) -> None:
    """One line of progress, at once."""
    print(sentence, flush=True)


def enroll(state: State, arguments: argparse.Namespace) -> int:
    """``enroll``."""
    from agent import enroll as enrolling
    from agent.roots import Root

    if not Path(arguments.root).is_dir():
        raise AgentError(f"The root {arguments.root} is not a folder.", 2)
    # Whoever gives it on the standard input keeps it out of the list of processes, which everybody on a machine can read.
    url = sys.stdin.readline(4096).strip() if arguments.url == "-" else arguments.url
    state.hold()
    enrolling.enroll(url, state, Root(arguments.root), say)
    say("Next: havenmeester-agent run" + ("" if str(state.folder) == DEFAULT else f" --state {state.folder}"))
    return errors.OK


def run(state: State, arguments: argparse.Namespace) -> int:
    """``run``, and ``run --once``."""
    from agent import loop, notify, programs, wipe
    from agent.exchange import Agent, WipedError

    identity = state.identity()
    root = state.root(arguments.root)
    state.hold()
    # Before the first work: a wipe that was interrupted is finished right away, and may take longer than a start may.
    notify.tell("READY=1")
    programs.heartbeat.append(notify.alive)
    try:
        agent = Agent(state, root, identity)
        if not arguments.once:
            wait = loop.WAIT if arguments.wait is None else max(0, min(arguments.wait, 600))
            loop.Loop(agent, state, wait).run()
            return errors.OK
        unfinished = loop.once(agent)
    except WipedError:
        say("This device was wiped by an order, and the server has the receipt. The agent ends here.")
        if root.real:
            wipe.power_off()
        return errors.OK
    for sentence in unfinished:
        print(printable(sentence, 700), file=sys.stderr)
    if unfinished:
        print(f"{len(unfinished)} parts of the desired state are not applied.", file=sys.stderr)
        return errors.NOT_APPLIED
    say(f"Everything is applied (desired state {agent.engine.digest}).")
    return errors.OK


def status(state: State, arguments: argparse.Namespace) -> int:
    """``status``."""
    from agent import status as telling

    found = telling.collect(state)
    if arguments.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print("\n".join(telling.lines(found)))
    return errors.OK if found["enrolled"] else errors.NOT_ENROLLED


def leave(state: State, arguments: argparse.Namespace) -> int:
    """``leave``."""
    from agent import destroy, exchange

    identity = state.identity()
    state.hold_from_resident()
    if destroy.Destroyer(state, state.root(None), identity).pending:
        raise AgentError("A wipe of this device is under way; run finishes it. Nothing was changed.", errors.BUSY)
    left = exchange.leave(state, state.root(None), identity, offline=arguments.offline)
    for path in left:
        print(f"{path} could not be put back; see the log in {state.folder}.", file=sys.stderr)
    say(f"This device has left {printable(identity.organisation) or 'its organisation'}. What was changed is put back.")
    return errors.NOT_APPLIED if left else errors.OK


def verify_order(state: State, arguments: argparse.Namespace) -> int:
    """``verify-order``."""
    import time

    from agent import orders
    from agent.journal import Journal

    identity = state.identity()
    try:
        envelope = json.loads(Path(arguments.file).read_bytes())
    except (OSError, ValueError, RecursionError) as trouble:
        raise AgentError(f"{arguments.file} cannot be read as JSON: {trouble}.", 2) from trouble
    try:
        order = orders.verify(envelope, identity, Journal(state), orders.Trust(state), time.time(), keep=False)
    except errors.OrderRefusedError as refused:
        print(f"refused ({refused.rule}): {refused}", file=sys.stderr)
        return errors.REFUSED
    say(f"accepted: {order['verb']} {order['id']} would be carried out. Nothing was done.")
    return errors.OK


def presence(state: State, arguments: argparse.Namespace) -> int:
    """``presence``."""
    from agent import presence as codes

    state.identity()
    code = codes.show(state)
    if arguments.json:
        print(json.dumps({"code": code.digits, "seconds": code.seconds}))
    else:
        say(
            f"{code.digits[:4]} {code.digits[4:]}   (a new code in {code.seconds} seconds; this one is good for ten minutes)"
        )
    return errors.OK


def panic(state: State, arguments: argparse.Namespace) -> int:
    """``panic``: by whoever sits at the machine, who may not read the device's key, or by the service that may."""
    from agent import panic as calling
    from agent import panic_hold as holding
    from agent.panic_words import spoken

    spool = Path(arguments.spool or calling.SPOOL)
    if arguments.deliver:
        return errors.OK if calling.deliver(state, spool, None, say) == 0 else errors.UNREACHABLE
    words = spoken()

    notes = calling.Notes()

    def tell(sentence: str) -> None:
        say(sentence)
        notes.show(sentence)

    if arguments.hold:
        pressed = holding.press(spool, holding.SECONDS, words, exercise=arguments.exercise)
        if pressed.stopped:
            tell(words.stopped)
        if pressed.path is None:
            return errors.OK
        kept = pressed.path
    else:
        kept = calling.press(spool, exercise=arguments.exercise)
    tell(words.kept + (f" {words.exercise}" if arguments.exercise else ""))
    patience = max(0, min(arguments.wait, 3600))
    try:
        left = calling.deliver(state, spool, patience, tell, words=words)
    except PermissionError:
        # Not the owner of the key: the service that is watches the spool.
        left = 0 if calling.arrived(kept, patience) else 1
        if not left:
            tell(words.left)
    if left:
        tell(words.no_line)
        return errors.UNREACHABLE
    return errors.OK


VERBS = {
    "enroll": enroll,
    "run": run,
    "status": status,
    "leave": leave,
    "verify-order": verify_order,
    "presence": presence,
    "panic": panic,
}


def main(argv: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    arguments = parser().parse_args(argv)
    os.umask(0o077)
    try:
        return VERBS[arguments.verb](State(arguments.state), arguments)
    except AgentError as trouble:
        print(f"havenmeester-agent: {trouble}", file=sys.stderr)
        return trouble.exit_code
    except PermissionError as trouble:
        print(
            f"havenmeester-agent: no right to use {trouble.filename}. Run it as root, or choose --state.",
            file=sys.stderr,
        )
        return errors.BROKEN
    except OSError as trouble:
        where = f"{trouble.filename}: " if trouble.filename else ""
        print(f"havenmeester-agent: {where}{trouble.strerror or trouble}.", file=sys.stderr)
        return errors.BROKEN
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
