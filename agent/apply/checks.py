"""Validators: the programs that will read a file are asked whether they can, before it is switched on."""

import json
import os
from pathlib import Path
from typing import NamedTuple

from agent import programs
from agent.apply.targets import Wanted


class Verdict(NamedTuple):
    """``good``: it may be written. ``missing``: nobody here could judge. ``said``: why not, or what to know."""

    good: bool
    missing: bool = False
    said: str = ""


def _ask(argv: list[str], stdin: bytes = b"") -> Verdict:
    if programs.find(argv[0]) is None:
        return Verdict(good=False, missing=True, said=f"{argv[0]} is not installed")
    outcome = programs.run(argv, timeout=30, stdin=stdin)
    return Verdict(good=outcome.good, said=outcome.text[-600:])


def _json(wanted: Wanted) -> Verdict:
    try:
        json.loads(wanted.targets[0].content)
    except ValueError as trouble:
        return Verdict(good=False, said=f"not JSON: {trouble}")
    return Verdict(good=True)


def _nmcli(wanted: Wanted) -> Verdict:
    # A change that changes nothing: the keyfile is read, checked and written again, offline.
    argv = ["nmcli", "--offline", "connection", "modify", "connection.autoconnect-retries", "-1"]
    verdict = _ask(argv, wanted.targets[0].content)
    # What nmcli prints when it is content is the keyfile itself, with its secrets.
    return verdict if not verdict.good else Verdict(good=True)


def _in_file(wanted: Wanted, argv: list[str], *, quiet: bool = False) -> Verdict:
    """Asks a program that wants a file, in a folder that only we can open; the file keeps its name (units need it).

    A ``quiet`` answer says nothing when it is content: such a program repeats what it was given.
    """
    import tempfile  # Costs a resident process half a megabyte, and is seldom needed.

    with tempfile.TemporaryDirectory(prefix="havenmeester-") as folder:
        path = Path(folder) / wanted.targets[0].path.rpartition("/")[2]
        path.write_bytes(wanted.targets[0].content)
        verdict = _ask([word.replace("{}", str(path)) for word in argv])
        if quiet and verdict.good:
            return Verdict(good=True)
        return verdict._replace(said=verdict.said.replace(f"{folder}/", ""))


def _systemd(wanted: Wanted) -> Verdict:
    return _in_file(wanted, ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", "{}"])


def _apt(wanted: Wanted) -> Verdict:
    return _in_file(wanted, ["apt-config", "-c", "{}", "dump"], quiet=True)


def _usbguard(wanted: Wanted) -> Verdict:
    return _in_file(wanted, ["usbguard-rule-parser", "-f", "{}"], quiet=True)


def _sshd(wanted: Wanted) -> Verdict:
    # The folder that sshd retreats to is made by its service; where that has not run since the start, sshd judges nothing
    # without it. It stays: a service that starts meanwhile needs it too.
    if os.geteuid() == 0 and programs.find("sshd") is not None:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    return _in_file(wanted, ["sshd", "-t", "-f", "{}"])


def check(wanted: Wanted) -> Verdict:
    """Asks the validator of a resource. Content that nobody has to judge is good."""
    match wanted.validate:
        case "json":
            return _json(wanted)
        case "nmcli":
            return _nmcli(wanted)
        case "systemd":
            return _systemd(wanted)
        case "nft":
            if os.geteuid() != 0:
                return Verdict(good=False, missing=True, said="nft judges only for root")
            return _in_file(wanted, ["nft", "-c", "-f", "{}"])
        case "sshd":
            return _sshd(wanted)
        case "shell":
            return _in_file(wanted, ["bash", "-n", "{}"])
        case "apt":
            return _apt(wanted)
        case "usbguard":
            return _usbguard(wanted)
        case _:
            return Verdict(good=True)
