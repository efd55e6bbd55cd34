"""What WCAG 2.2 asks anew, as far as the page as it was written tells it: dragging (2.5.7), consistent help (3.2.6), redundant
entry (3.3.7), accessible authentication (3.3.8). Hidden focus (2.4.11) is in ``tests/keyboard``, the size of targets (2.5.8) in
``looking.js``."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

from tests.a11y.wander import Seen, Wanderer

Attributes = dict[str, str | None]
PASSWORDS = {"current-password", "new-password"}
AUTHENTICATES = ("/sign-in", "/sign-in/code", "/prove", "/stop", "/account", "/in")
"""Where somebody shows who they are."""
REFUSES = {"onpaste", "oncopy", "oncut", "ondrop", "oncontextmenu", "ondragstart"}
TYPED = {
    "text": "Zeer bijzonder",
    "search": "Zeer bijzonder",
    "textarea": "Zeer bijzonder",
    "email": "zeer@bijzonder.example",
    "url": "https://bijzonder.example/",
    "tel": "+32 3 123 45 67",
    "number": "7",
    "date": "2031-02-03",
    "time": "10:07",
    "datetime-local": "2031-02-03T10:07",
}
"""What somebody types into a field of each kind. A password and a file are asked again: no page may send them back."""


@dataclass
class Asked:
    """A form, and what somebody can type into it."""

    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    fields: list[tuple[str, str, bool]] = field(default_factory=list)
    """Name, kind, and whether it is needed."""
    pressed: dict[str, str] | None = None
    """What the first button of the form says, which Enter presses."""


class Read(HTMLParser):
    """What one page asks, and where it leads at its end."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inputs: list[Attributes] = []
        self.forms: list[Asked] = []
        self.end: list[str] = []
        self.wrong: list[str] = []
        self.after_main = False
        self._in_end = False
        self._form: Asked | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.wrong += [f"{tag} refuses by {name}" for name in given if name in REFUSES]
        if given.get("draggable") == "true":
            self.wrong.append(f"a {tag} that is dragged")
        if tag == "footer":
            self._in_end, self.end = self.after_main, []
        if tag == "a" and self._in_end:
            self.end.append(given.get("href") or "")
        if tag == "form" and given.get("method") == "post":
            self._form = Asked(given.get("action") or "")
            self.forms.append(self._form)
        if tag in ("input", "textarea", "select"):
            self.inputs.append(given)
            self._note(tag, given)
        if tag == "button" and given.get("type") != "button" and self._form is not None and self._form.pressed is None:
            self._form.pressed = {given["name"] or "": given.get("value") or ""} if "name" in given else {}

    def _note(self, tag: str, given: Attributes) -> None:
        kind = tag if tag != "input" else given.get("type") or "text"
        name = given.get("name") or ""
        if self._form is None or not name or "disabled" in given:
            return
        if kind == "hidden" or (kind in ("radio", "checkbox") and "checked" in given):
            self._form.hidden[name] = given.get("value") or ""
        else:
            self._form.fields.append((name, kind, "required" in given))

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self.after_main = True
        if tag == "footer":
            self._in_end = False
        if tag == "form":
            self._form = None


def wrong_as_written(pages: Sequence[Seen], *ends: list[str]) -> list[str]:
    """What is wrong with the pages; each of them ends with the links of one of ``ends``."""
    found = []
    for one in pages:
        read = Read(one.html)
        wrong = [*read.wrong, *(_guarded(read.inputs) if one.rule.removeprefix("POST ") in AUTHENTICATES else ())]
        if read.end not in ends:
            wrong.append(f"help is elsewhere: {read.end}")
        if "<canvas" in one.html and not any(each.get("id") == "typed" for each in read.inputs):
            wrong.append("a drawing that nobody can type instead")
        found += [f"{one.rule} {one.address} ({one.template}): {each}" for each in wrong]
    return found


def _guarded(inputs: Sequence[Attributes]) -> list[str]:
    """What makes it hard for a program to fill in a password or a code."""
    found = []
    for one in inputs:
        said = one.get("autocomplete")
        if one.get("type") == "password" and said not in PASSWORDS:
            found.append(f"a password that no manager fills in: {one.get('name')}")
        if one.get("name") == "code" and said != "one-time-code":
            found.append("a code that no program fills in")
    return found


def forgotten(walker: Wanderer) -> list[str]:
    """Fills in every form that needs more than one thing, but for the last that it needs, and sends it: what the page that comes
    back asks again although it was told."""
    found, sent = [], set[str]()
    for page in list(walker.seen.values()):
        for form in Read(page.html).forms:
            address = walker.local(form.action or page.address, page.address)
            rule = walker.rule_of(address, "POST")
            typed, left = _without_the_last(form)
            if rule and typed and left and rule not in sent:
                sent.add(rule)
                text = walker.answered(address, {**form.hidden, **(form.pressed or {}), **typed})
                found += [
                    f"{rule} on {page.address}: {name}" for name, said in typed.items() if said not in (text or said)
                ]
    return found


def _without_the_last(form: Asked) -> tuple[dict[str, str], str]:
    """What somebody typed, and the name of the needed thing that was forgotten: a field is sent empty, a choice is not sent."""
    needed = {name: kind for name, kind, required in form.fields if required and kind in (*TYPED, "select", "radio")}
    left = [*needed][-1] if needed else ""
    typed = {name: TYPED[kind] for name, kind, _required in form.fields if kind in TYPED and name != left}
    form.hidden |= {left: ""} if needed.get(left) in TYPED else {}
    return typed, left
