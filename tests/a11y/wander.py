"""Somebody who follows every link of a door, and remembers one address of every route and every template it leads to."""

import html
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

from flask import Flask, template_rendered
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

SAME_KIND = 1
"""Addresses of one kind that are opened at most: different things show different templates."""
MOST_TRIES = 12
"""Addresses of one route that are tried at most."""
KINDS = ("tab", "step", "what", "view")
"""Parts of a query that choose another page."""
NO_PAGE = (".csv", ".pdf", ".json", ".pem", ".mobileconfig", "/file", "/pulse", "/state")


@dataclass(frozen=True)
class Seen:
    """A page that somebody saw."""

    rule: str
    address: str
    template: str
    html: str
    forms: tuple["Form", ...] = ()


@dataclass(frozen=True)
class Form:
    """What can be sent from a page: where to, and what the page wrote in it itself."""

    address: str
    hidden: tuple[tuple[str, str], ...]
    asks: bool
    """Whether there is a field that somebody has to fill."""


@dataclass
class Wanderer:
    """Follows links within one application, as whoever the client is."""

    app: Flask
    client: FlaskClient
    base: str
    seen: dict[tuple[str, str, str], Seen] = field(default_factory=dict)
    """(route, template, the address where somebody named it) → the first page of it."""
    opened: dict[str, int] = field(default_factory=dict)
    tried: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    def wander(self, starts: Iterable[str]) -> None:
        """Opens ``starts`` and what they lead to, until nothing is new."""
        waiting = deque(starts)
        while waiting:
            address = waiting.popleft()
            rule = self.rule_of(address)
            if address in self.known or not rule or rule.endswith(NO_PAGE):
                continue
            self.known.add(address)
            chosen = [(name, value) for name, value in parse_qsl(urlsplit(address).query) if name in KINDS]
            kind = f"{rule} {chosen}"
            if self.opened.get(kind, 0) >= SAME_KIND:
                continue
            if self.tried.get(rule, 0) >= MOST_TRIES:
                continue
            self.tried[rule] = self.tried.get(rule, 0) + 1
            before = len(self.seen)
            waiting.extend(self.open(address, rule))
            # What was refused, or led elsewhere, says nothing about the next one.
            self.opened[kind] = self.opened.get(kind, 0) + (len(self.seen) > before)

    def visit(self, addresses: Iterable[str]) -> list[str]:
        """Opens each of these addresses, whatever was seen before: where their links lead."""
        found: list[str] = []
        for address in (urldefrag(one)[0] for one in addresses):
            rule = self.rule_of(address)
            if address not in self.known and rule:
                self.known.add(address)
                before = len(self.seen)
                found += self.open(address, rule, address)
                kind = f"{rule} []"
                self.opened[kind] = self.opened.get(kind, 0) + (len(self.seen) > before)
        return found

    def open(self, address: str, rule: str, name: str = "") -> list[str]:
        """Opens one page: where its links lead."""
        with rendered(self.app) as templates:
            answer = self.client.get(address, base_url=self.base)
        self.keep(rule, address, templates, answer, name)
        if answer.status_code in (302, 303) and answer.location:
            return [self.local(answer.location, address)]
        if answer.status_code != 200 or answer.mimetype != "text/html":
            return []
        return [self.local(link, address) for link in links(answer.text)]

    def send(self, address: str, **fields: object) -> None:
        """Sends a form; a page that comes back is kept as one of its route."""
        rule = self.rule_of(address, "POST")
        token = links_token(self.client.get("/", base_url=self.base, follow_redirects=True).text)
        with rendered(self.app) as templates:
            answer = self.client.post(address, data={"csrf_token": token, **fields}, base_url=self.base)
        self.keep(f"POST {rule}", address, templates, answer, str(answer.status_code))

    def answered(self, address: str, fields: Mapping[str, str]) -> str | None:
        """What comes back when a form is sent that lacks something; None where that leads on."""
        token = links_token(self.client.get("/", base_url=self.base, follow_redirects=True).text)
        answer = self.client.post(address, data={"csrf_token": token, **fields}, base_url=self.base)
        return None if answer.status_code in (200, 302, 303) else html.unescape(answer.text)

    def send_nothing(self) -> None:
        """Sends every form that asks for something without it, once per route: what comes back says what is wrong."""
        sent: set[str] = set()
        for page in list(self.seen.values()):
            for form in page.forms:
                address = self.local(form.address or page.address, page.address)
                rule = self.rule_of(address, "POST")
                if form.asks and rule and rule not in sent:
                    sent.add(rule)
                    self.send(address, **{name: value for name, value in form.hidden if name != "csrf_token"})

    def keep(self, rule: str, address: str, templates: list[str], answer, name: str = "") -> None:
        """Remembers the page, unless there is one of its kind, or it is the one that says no."""
        if "attachment" in answer.headers.get("Content-Disposition", ""):
            return
        if "<!doctype html>" in answer.text[:100] and templates and not templates[-1].endswith("failure.html"):
            parser = _Links()
            parser.feed(answer.text)
            seen = Seen(rule, address, templates[-1], answer.text, tuple(parser.forms))
            self.seen.setdefault((rule, templates[-1], name), seen)

    def rule_of(self, address: str, method: str = "GET") -> str:
        """The route of an address; "" for another house, a file, or nothing."""
        if not address.startswith("/") or address.startswith(("//", "/static/")):
            return ""
        parts = urlsplit(address)
        adapter = self.app.url_map.bind(urlsplit(self.base).netloc)
        try:
            rule, _ = adapter.match(parts.path, method=method, return_rule=True)
        except HTTPException:
            return ""
        return str(rule.rule)

    def local(self, link: str, on: str) -> str:
        """The link as an address of this door."""
        whole = urldefrag(urljoin(self.base + on, link))[0]
        return whole.removeprefix(self.base) or "/" if whole.startswith(self.base) else whole


@contextmanager
def rendered(app: Flask) -> Iterator[list[str]]:
    """The names of the templates that are drawn meanwhile."""
    names: list[str] = []

    def note(_sender: Flask, template, **_rest: object) -> None:
        names.append(template.name)

    with template_rendered.connected_to(note, app):
        yield names


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.token = ""
        self.forms: list[Form] = []
        self._in: tuple[str, list[tuple[str, str]]] | None = None
        self._asks = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "a" and named.get("href"):
            self.found.append(str(named["href"]))
        if tag == "form" and (named.get("method") or "get") == "get" and named.get("action"):
            self.found.append(str(named["action"]))
        if named.get("name") == "csrf_token" and not self.token:
            self.token = str(named.get("value"))
        if tag == "form" and named.get("method") == "post":
            self._in, self._asks = (named.get("action") or "", []), False
        elif self._in is not None and tag in ("input", "select", "textarea"):
            if named.get("type") == "hidden":
                self._in[1].append((named.get("name") or "", named.get("value") or ""))
            self._asks = self._asks or "required" in named

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._in is not None:
            self.forms.append(Form(self._in[0], tuple(self._in[1]), self._asks))
            self._in = None


def links(html: str) -> list[str]:
    """Where links and search forms lead."""
    parser = _Links()
    parser.feed(html)
    return parser.found


def links_token(html: str) -> str:
    """The form token of a page; "" where it has none."""
    parser = _Links()
    parser.feed(html)
    return parser.token
