"""Which addresses a pair of URL lists blocks, as Chromium reads them. Pure.

https://chromeenterprise.google/policies/url-blocklist-filter-format/: the filter with the longest host, then the longest
path, decides; an allowed one wins over a blocked one of the same length.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit


def blocked(url: str, block: Sequence[str], allow: Sequence[str]) -> bool:
    """Whether a browser with these lists refuses the address."""
    worst = max((length for entry in block if (length := _fit(entry, url)) is not None), default=None)
    best = max((length for entry in allow if (length := _fit(entry, url)) is not None), default=None)
    return worst is not None and (best is None or worst > best)


def _fit(entry: str, url: str) -> tuple[int, int] | None:
    """How precisely a filter fits the address (length of host, length of path); None when it does not."""
    if entry == "*":
        return 0, 0
    scheme, separator, rest = entry.rpartition("://")
    host_port, _slash, path = rest.partition("/")
    host, _colon, port = host_port.partition(":")
    wanted = urlsplit(url)
    if separator and scheme != wanted.scheme:
        return None
    default = {"https": 443, "http": 80}.get(wanted.scheme)
    if port not in ("", "*") and int(port) != (wanted.port or default):
        return None
    if path and not (wanted.path + ("?" + wanted.query if wanted.query else "")).startswith("/" + path):
        return None
    name = (wanted.hostname or "").lower()
    host = host.lower()
    if host == "*":
        return 0, len(path)
    if host.startswith("."):
        return (len(host), len(path)) if name == host[1:] else None
    host = host.removeprefix("*.")
    return (len(host), len(path)) if name == host or name.endswith("." + host) else None
