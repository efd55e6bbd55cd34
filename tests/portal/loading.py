"""What a page's first load costs, as the browser itself counts it: everything that crosses the line, with nothing kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 400_000 / 8, "uploadThroughput": 400_000 / 8}
"""400 kbit/s, and 400 ms until an answer begins."""
PATIENT = 60_000
WAIT = 25
TIMES = """() => { const [page] = performance.getEntriesByType('navigation');
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  return [page.domContentLoadedEventEnd, page.loadEventEnd, paint ? paint.startTime : null]; }"""


@dataclass
class Load:
    """One page as it came."""

    address: str
    requests: list[str] = field(default_factory=list)
    bytes: int = 0
    """Heads and bodies as they were sent, fonts left out."""
    open: set[str] = field(default_factory=set)
    usable: float = 0.0
    """Seconds until it was painted, and its scripts that make it work had run."""
    whole: float = 0.0

    @property
    def hosts(self) -> set[str]:
        """Who was asked for anything; what stands in the page itself (data:) asks nobody."""
        return {urlsplit(one).netloc for one in self.requests if one.startswith(("http", "ws"))}


@contextmanager
def watched(page: Page, load: Load, line: dict[str, Any] | None = None) -> Iterator[None]:
    """Counts what the page loads meanwhile, over a line like that."""
    tools = page.context.new_cdp_session(page)
    kinds: dict[str, str] = {}

    def sent(event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("data:"):
            return
        load.requests.append(event["request"]["url"])
        load.open.add(event["requestId"])
        load.bytes += int(event.get("redirectResponse", {}).get("encodedDataLength", 0))

    def came(event: dict[str, Any]) -> None:
        load.open.discard(event["requestId"])
        if kinds.get(event["requestId"]) != "Font":
            load.bytes += int(event.get("encodedDataLength", 0))

    tools.on("Network.requestWillBeSent", sent)
    tools.on("Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]}))
    tools.on("Network.loadingFinished", came)
    tools.on("Network.loadingFailed", came)
    tools.send("Network.enable")
    tools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    if line:
        tools.send("Network.emulateNetworkConditions", line)
    yield
    tools.detach()


def first_load(page: Page, address: str, line: dict[str, Any] | None = None) -> Load:
    """Opens an address in a window that takes nothing from its cache."""
    load = Load(address)
    with watched(page, load, line):
        page.goto(address, wait_until="load", timeout=PATIENT)
        for _ in range(PATIENT // WAIT):
            page.wait_for_timeout(WAIT)
            if not load.open:
                break
        ready, whole, paint = page.evaluate(TIMES)
    load.usable, load.whole = max(ready, paint or ready) / 1000, whole / 1000
    return load
