"""A statement as a file that goes from hand to hand: what it says in plain words, and the signatures under it.

Believes nothing but the statement itself: what a file says beside it is shown as what somebody said.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from agent.proof import RefusedError, read_roster, read_statement, statement_digest
from agent.wire import STATEMENTS, canonical
from mdm.core.errors import InvalidError
from mdm.core.risk import RISKS, Risk
from mdm.core.text import clean
from mdm.signing.refusals import as_error

MAX_PAPER: Final = 8 * 1024 * 1024
LANES: Final = {
    "ordinary": "ordinary: rests before it is signed",
    "stolen": "stolen: goes at once",
    "hand_in": "handed in at a desk",
    "mass": "many devices: rests for a day",
}
Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Paper:
    """A statement with what came along. ``orders`` are the texts of orders of a batch that are in the file."""

    text: str
    fields: dict[str, Any]
    orders: tuple[str, ...] = ()
    proofs: tuple[dict[str, str], ...] = ()
    rosters: tuple[str, ...] = ()
    said: dict[str, str] = field(default_factory=dict)
    """What the file says of the device beside the statement; nobody has signed that."""

    @property
    def kind(self) -> str:
        """order, batch, roster, act, thaw or budgets."""
        return str(self.fields["kind"])

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of the statement."""
        return statement_digest(self.text).hex()

    def written(self, *more: dict[str, str]) -> str:
        """The file with these proofs added; one person's later proof takes the place of the earlier."""
        kept = {proof["person"]: proof for proof in (*self.proofs, *more)}
        return json.dumps({"statement": self.text, "proofs": list(kept.values())}, indent=2, ensure_ascii=False) + "\n"


def new_paper(statement: dict[str, Any]) -> Paper:
    """A paper with this statement and no signature. Raises the error that names what is wrong with it."""
    text = canonical(statement).decode()
    return Paper(text, _fields(text, str(statement["kind"])))


def read_paper(raw: bytes) -> Paper:
    """The statement in a file: bare, as a paper of ours, or an order as ``havenmeester order ID --json`` prints it.

    Raises InvalidError for anything else, and for a statement that is not exactly one.
    """
    if len(raw) > MAX_PAPER:
        raise InvalidError("The file is longer than such a file may be.", code="size")
    value = _json(raw)
    if not isinstance(value, dict):
        raise InvalidError("The file holds no statement.", code="form")
    if "kind" in value:
        text = raw.decode().strip()
    else:
        said = [value.get(name) for name in ("batch", "statement", "order")]
        text = next((one for one in said if isinstance(one, str) and one), "")
    found = _fields(text, _kind(text))
    others = value.get("orders")
    orders = [value.get("order"), *(others if isinstance(others, list) else ())]
    proofs = value.get("proofs", ())
    good = isinstance(proofs, list) and all(
        isinstance(one, dict) and all(isinstance(part, str) for part in one.values()) and "person" in one
        for one in proofs
    )
    return Paper(
        text,
        found,
        tuple(one for one in orders if isinstance(one, str)) if found["kind"] == "batch" else (),
        tuple(proofs) if good else (),
        tuple(_rosters(value.get("rosters"))),
        {name: clean(value[name], 128) for name in ("serial", "label") if isinstance(value.get(name), str)},
    )


def _json(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidError("The file is not JSON.", code="form") from error


def roster_texts(raw: bytes) -> list[str]:
    """The rosters in a file, as ``havenmeester roster show --json`` prints them. Raises InvalidError for what is not JSON."""
    value = _json(raw)
    return _rosters(value.get("rosters", [value]) if isinstance(value, dict) else value)


def whose(key: str, rosters: list[str]) -> str | None:
    """The person to whom this key belongs in the last of these rosters that has it."""
    for text in reversed(rosters):
        try:
            people = read_roster(text).people
        except RefusedError:
            continue
        for person, one in people.items():
            if key in one.keys:
                return person
    return None


def _kind(text: str) -> str:
    try:
        kind = json.loads(text)["kind"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvalidError("The file holds no statement.", code="form") from error
    if kind not in STATEMENTS:
        raise InvalidError("The file holds a statement of a kind that is not known.", code="kind")
    return str(kind)


def _fields(text: str, kind: str) -> dict[str, Any]:
    try:
        if kind == "roster":
            read_roster(text)
        return read_statement(text, kind)
    except RefusedError as refused:
        raise as_error(refused) from refused


def _rosters(sealed: object) -> list[str]:
    if not isinstance(sealed, list):
        return []
    return [one["roster"] for one in sealed if isinstance(one, dict) and isinstance(one.get("roster"), str)]


def lines(paper: Paper, now: int) -> list[Line]:
    """The statement in plain words: label and value, line by line."""
    write = {
        "order": _order,
        "batch": _batch,
        "roster": _roster,
        "act": _act,
        "thaw": lambda _paper: [("What", f"End freeze number {_paper.fields['freeze']}: orders go on")],
        "budgets": _budgets,
    }[paper.kind]
    told = write(paper)
    if "not_after" in paper.fields:
        ended = "  (THAT IS OVER)" if paper.fields["not_after"] <= now else ""
        begin = f"{_at(paper.fields['not_before'])} to " if "not_before" in paper.fields else "until "
        told.append(("Valid", begin + _at(paper.fields["not_after"]) + ended))
    if "issued" in paper.fields:
        told.append(("Written", _at(paper.fields["issued"])))
    return [*told, ("Digest", paper.digest)]


def word(paper: Paper) -> tuple[str, str]:
    """What somebody types to show that they have read it: the question, and the answer that is right."""
    fields = paper.fields
    if paper.kind == "order":
        # Never the serial number: the file says it, and nobody has signed that.
        return "the first 8 characters of the device", str(fields["device"])[:8]
    if paper.kind == "batch":
        return "the number of devices", str(len(fields["orders"]))
    if paper.kind == "roster":
        return "the number of approvers", str(len(fields["approvers"]))
    if paper.kind == "thaw":
        return "the number of the freeze", str(fields["freeze"])
    if paper.kind == "budgets":
        return "the number of the change", str(fields["version"])
    return "the verb", str(fields["verb"])


def _asked(fields: dict[str, Any]) -> list[Line]:
    return [("Reason", fields["reason"]), ("Asked by", f"{fields['requested_by']} ({fields['requester']})")]


def _order(paper: Paper) -> list[Line]:
    fields = paper.fields
    told = [
        ("What", "WIPE one device: everything on it is lost"),
        ("Device", fields["device"]),
        ("Place", fields["place"] or "none"),
        *_asked(fields),
        ("Lane", LANES[fields["lane"]]),
    ]
    for name, value in paper.said.items():
        told.insert(2, (f"Its {name}", f"{value}  (said by the file, not signed)"))
    return told


def _batch(paper: Paper) -> list[Line]:
    wanted = set(paper.fields["orders"])
    shown = {statement_digest(text).hex(): text for text in paper.orders}
    known = [_fields(text, "order") for digest, text in shown.items() if digest in wanted]
    told = [
        ("What", f"WIPE {len(wanted)} devices: everything on them is lost"),
        *_asked(paper.fields),
        ("Lane", LANES[paper.fields["lane"]]),
        *(
            (f"Device {place}", f"{one['device']} at {one['place'] or 'no place'}")
            for place, one in enumerate(known, 1)
        ),
    ]
    if len(known) < len(wanted):
        told.append(("Not shown", f"{len(wanted) - len(known)} devices: their orders are not in this file"))
    return told


def _roster(paper: Paper) -> list[Line]:
    fields = paper.fields
    told = [
        ("What", f"Roster of approvers number {fields['version']}"),
        ("Rules", f"{fields['threshold']} people change it, {fields['ceremony']} approve a mass order"),
        ("Pages", ", ".join(fields["origins"])),
    ]
    for one in fields["approvers"]:
        kinds = ", ".join(f"{key['type']} {key['id'][:8]}" for key in one["keys"])
        places = "everywhere" if one["places"] == ["*"] else "at " + ", ".join(one["places"])
        said = f"{clean(one['name'])}, {places}, from {_at(one['from'])}; keys: {kinds}"
        told.append((str(one["person"]), said))
    return told


def _act(paper: Paper) -> list[Line]:
    fields = paper.fields
    words = RISKS[Risk(fields["verb"])].words if fields["verb"] in set(Risk) else ""
    return [
        ("What", f"{words} ({fields['verb']})" if words else fields["verb"]),
        ("Subject", fields["subject"]),
        *((f"  {name}", json.dumps(value, ensure_ascii=False)) for name, value in sorted(fields["args"].items())),
        *_asked(fields),
    ]


def _budgets(paper: Paper) -> list[Line]:
    told = [("What", f"Change of budgets number {paper.fields['version']}; what is not named is at its default")]
    return told + [(name, str(value)) for name, value in sorted(paper.fields["limits"].items())]


def _at(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{seconds} seconds since 1970"
