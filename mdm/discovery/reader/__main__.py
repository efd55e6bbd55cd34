"""The process: one JSON line of wishes on standard input, then JSON lines on standard output.

``{"do": "capture", "file": 5, "marker": 6, "skip": [], "seconds": 60, "memory": N}`` reads the capture that is open as
number 5; the number of the packet that is being read stands in the file 6, so that whoever finds this process dead knows
where it died. Nothing is ever opened by name.

``{"do": "live", "interface": "eth0", "ask": ["10.1.0.0/24"], "seconds": 60, "memory": N}`` listens, and asks only inside the
given networks; none: it sends nothing. A further line on standard input ends the asking, its end ends the listening: what was
heard until then is told. ``--allow 10.0.0.0/8``, as often as needed, on the command line of a process that
somebody else starts: it asks inside these networks alone, whatever the wish says.
"""

import ipaddress
import itertools
import json
import mmap
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from mdm.discovery.reader import bounds
from mdm.discovery.reader.gather import Dissector, Gathering
from mdm.discovery.reader.refusal import NotACaptureError

if TYPE_CHECKING:
    from mdm.discovery.reader.captures import Capture

TICK = 5000
"""Packets between two lines about how far it is."""
STUCK = 2.0
"""Seconds that one packet may take."""


def main() -> int:
    """Reads the wish, gives every right away, then does it."""
    # Byte by byte: what follows the wish is for the listening.
    with open(0, "rb", buffering=0, closefd=False) as given:
        wish = json.loads(given.readline(65536))
    bounds.limit(int(wish["seconds"]) + 30, int(wish["memory"]))
    if wish["do"] == "live":
        return _live(wish, allowed(sys.argv[1:]))
    # Libraries first: without its rights the process may not even read them. Packets only after that.
    from mdm.discovery.reader import captures, dissect

    bounds.drop()
    return capture(wish, captures.Capture, dissect.DISSECTORS)


def allowed(arguments: list[str]) -> "list[ipaddress.IPv4Network] | None":
    """The networks of ``--allow``; None where there is none, and the wish alone says what may be asked."""
    words = [word for flag, word in itertools.pairwise(arguments) if flag == "--allow"]
    return [ipaddress.IPv4Network(word) for word in words] or None


def _live(wish: dict[str, Any], within: "list[ipaddress.IPv4Network] | None") -> int:
    from mdm.discovery.reader import dissect, live

    interface, ask = str(wish["interface"]), [ipaddress.IPv4Network(one) for one in wish["ask"]]
    if within is not None:
        ask = [one for one in ask if any(one.subnet_of(wider) for wider in within)]
    try:
        listening = live.opened(interface)
        own = live.own_network(interface)
        bounds.drop()
        hosts = live.targets(own, ask) if wish["ask"] else []
    except NotACaptureError as error:
        say({"type": "refused", "code": error.code})
        return 0
    signal.signal(signal.SIGALRM, _stuck)
    gathering = Gathering(dissect.DISSECTORS, patience=STUCK)
    asking = live.questions(listening.getsockname()[4].hex(":"), own[0], hosts) if own and hosts else iter(())
    sent, whole = live.listen(listening, gathering, float(wish["seconds"]), asking, say, orders=sys.stdin.fileno())
    for record in gathering.records():
        say(record)
    say({"type": "end", "cut": not whole, "late": False, "sent": sent, **gathering.counts()})
    return 0


def say(record: dict[str, Any]) -> None:
    """One line to whoever started us."""
    sys.stdout.write(json.dumps(record, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def _stuck(_number: int, _frame: object) -> None:
    raise TimeoutError


def capture(wish: dict[str, Any], opened: "type[Capture]", dissectors: dict[str, Dissector]) -> int:
    """Reads a capture to its end, or as far as time goes, and tells all that was seen."""
    end = time.monotonic() + int(wish["seconds"])
    marker = mmap.mmap(int(wish["marker"]), 8)
    skip = frozenset(int(one) for one in wish["skip"])
    signal.signal(signal.SIGALRM, _stuck)
    gathering = Gathering(dissectors, patience=STUCK)
    late = False
    try:
        found = opened(os.fdopen(int(wish["file"]), "rb", buffering=1 << 16))
    except NotACaptureError as error:
        say({"type": "refused", "code": error.code})
        return 0
    for number, (data, link, at) in enumerate(found, start=1):
        marker[:8] = number.to_bytes(8, "little")
        if number in skip:
            gathering.packets += 1
            gathering.malformed += 1
            continue
        gathering.take(data, link, at)
        if number % TICK == 0:
            say({"type": "progress", "packets": number})
            if time.monotonic() > end:
                late = True
                break
    if found.other_links and found.other_links == gathering.packets:
        say({"type": "refused", "code": found.only_other()})
        return 0
    for record in gathering.records():
        say(record)
    say({"type": "end", "cut": found.cut, "late": late, "other_links": found.other_links, **gathering.counts()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
