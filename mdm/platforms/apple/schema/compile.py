"""Turns Apple's published YAML into the compact table beside this file: facts only, and only those for iPhone and iPad.

``python -m mdm.platforms.apple.schema.compile FOLDER`` reads the folder of a release (MIT licence, by Apple), adds what
``delta.json`` says about later releases, and writes ``ios.json``. Run it when Apple publishes a release; the table is
data with a version, and its differences are read like those of code.

A node of the table::

    k  name of the key                        q  1: required
    t  type: s i r b t d a o *                e  allowed values
    n  [least, most], either may be null      c  [fewest, most] entries of an array
    f  regular expression                     u  what a string stands for
    m  how several declarations are combined  A  types of asset that the string may name
    v  1: any key is allowed here             s  nodes below
    w  allowed values, each with its own o
    o  what differs for the operating system  b  nodes below are those of the ancestor so many lists up

and ``o``: i introduced, x removed, p deprecated, S 1 only supervised, M 1 at most once, U mode in user enrollment,
E kinds of enrollment, R access right, D 1 only automated enrollment.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

HERE: Final = Path(__file__).parent
TABLE: Final = HERE / "ios.json"
DELTA: Final = HERE / "delta.json"
SYSTEM: Final = "iOS"
Node = dict[str, Any]

_TYPES: Final = {
    "<string>": "s",
    "<integer>": "i",
    "<real>": "r",
    "<boolean>": "b",
    "<date>": "t",
    "<data>": "d",
    "<array>": "a",
    "<dictionary>": "o",
    "<any>": "*",
}
_PLACES: Final = (
    ("command", "mdm/commands", "requesttype"),
    ("profile", "mdm/profiles", "payloadtype"),
    ("declaration", "declarative/declarations", "declarationtype"),
    ("status", "declarative/status", "statusitemtype"),
)
_ENVELOPE: Final = ("MessageType", "UDID", "EnrollmentID", "Status", "CommandUUID", "ErrorChain")


def compiled(source: Path) -> dict[str, Any]:
    """The table made from the YAML files below ``source`` alone. Raises ValueError for what it does not understand."""
    table: dict[str, Any] = {kind: {} for kind, _, _ in _PLACES}
    for kind, folder, name_key in _PLACES:
        for path in sorted((source / folder).rglob("*.yaml")):
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
            payload = document.get("payload") or {}
            name = payload.get(name_key)
            system = (payload.get("supportedOS") or {}).get(SYSTEM)
            if not isinstance(name, str) or not system or system.get("introduced") == "n/a":
                continue
            entry: Node = {"o": _system(system), "s": _nodes(document.get("payloadkeys") or [], [])}
            if payload.get("apply"):
                entry["a"] = payload["apply"]
            if kind == "command":
                entry["r"] = sorted(
                    str(key["key"]) for key in document.get("responsekeys") or [] if key["key"] not in _ENVELOPE
                )
            table[kind].setdefault(name, []).append(entry)
    return table


def _nodes(keys: Sequence[Mapping[str, Any]], above: list[int]) -> list[Node]:
    return [made for key in keys if (made := _node(key, [*above, id(keys)])) is not None]


def _node(key: Mapping[str, Any], above: list[int]) -> Node | None:
    system = _own(key)
    if system.get("introduced") == "n/a":
        return None
    node: Node = {"k": str(key["key"]), "t": _TYPES[key["type"]]}
    if node["k"].startswith("ANY"):
        node["v"] = 1
    if key.get("presence") == "required":
        node["q"] = 1
    node |= _limits(key)
    if below := _system(system):
        node["o"] = below
    subkeys = key.get("subkeys")
    if subkeys:
        # The published files point back to lists that they are inside of; a plain walk would never come to an end.
        if id(subkeys) in above:
            node["b"] = len(above) - above.index(id(subkeys))
        elif node["t"] == "s":
            node["w"] = {str(one["key"]): _system(_own(one)) for one in subkeys if _own(one).get("introduced") != "n/a"}
        else:
            node["s"] = _nodes(subkeys, above)
    return node


def _own(key: Mapping[str, Any]) -> Mapping[str, Any]:
    return (key.get("supportedOS") or {}).get(SYSTEM) or {}


def _limits(key: Mapping[str, Any]) -> Node:
    found: Node = {}
    if "rangelist" in key:
        found["e"] = key["rangelist"]
    for letter, name in (("n", "range"), ("c", "repetition")):
        if name in key:
            found[letter] = [key[name].get("min"), key[name].get("max")]
    if "format" in key:
        re.compile(key["format"])
        found["f"] = key["format"]
    for letter, name in (("u", "subtype"), ("m", "combinetype"), ("A", "assettypes")):
        if name in key:
            found[letter] = key[name]
    return found


def _system(system: Mapping[str, Any]) -> Node:
    found: Node = {}
    for letter, name in (("i", "introduced"), ("x", "removed"), ("p", "deprecated")):
        if isinstance(system.get(name), str) and system[name] != "n/a":
            found[letter] = system[name]
    for letter, name in (("S", "supervised"), ("D", "requiresdep")):
        if name in system:
            found[letter] = int(system[name])
    if "multiple" in system:
        found["M"] = int(not system["multiple"])
    mode = (system.get("userenrollment") or {}).get("mode")
    if mode:
        found["U"] = mode
    if "allowed-enrollments" in system:
        found["E"] = list(system["allowed-enrollments"])
    if "accessrights" in system:
        found["R"] = system["accessrights"]
    return found


def with_delta(table: dict[str, Any], delta: Mapping[str, Any]) -> dict[str, Any]:
    """The table with what later releases removed and added. Raises KeyError when the delta names what is not there."""
    for gone in delta["removed"]:
        for entry in table[gone["kind"]][gone["name"]]:
            target = next(_found(entry["s"], gone["key"])) if "key" in gone else entry
            facts = target["w"][gone["value"]] if "value" in gone else target.setdefault("o", {})
            facts["x"] = gone["in"]
    for new in delta["added"]:
        entry = {key: new[key] for key in ("o", "s", "a", "v", "r") if key in new}
        table[new["kind"]].setdefault(new["name"], []).append({"o": {}, "s": []} | entry)
    for new in delta["keys"]:
        for entry in table[new["kind"]][new["name"]]:
            below = entry["s"] if not new.get("under") else next(_found(entry["s"], new["under"]))["s"]
            below.append(new["node"])
    for change in delta["systems"]:
        for entry in table[change["kind"]][change["name"]]:
            entry["o"] |= change["o"]
    return table


def _found(nodes: Sequence[Node], path: str) -> Iterator[Node]:
    first, _, rest = path.partition(".")
    for node in nodes:
        if node["k"] == first:
            if rest:
                yield from _found(node.get("s", ()), rest)
            else:
                yield node


def written(table: Mapping[str, Any], releases: Mapping[str, Any]) -> str:
    """The table as text: one line per entry, so that a release can be read as a difference."""
    lines = ["{", f'"releases": {json.dumps(releases)},']
    kinds = []
    for kind in sorted(table):
        rows = [
            f"{json.dumps(name)}:{json.dumps(table[kind][name], sort_keys=True, separators=(',', ':'), default=str)}"
            for name in sorted(table[kind])
        ]
        kinds.append(f'"{kind}": {{\n' + ",\n".join(rows) + "\n}")
    return "\n".join(lines) + "\n" + ",\n".join(kinds) + "\n}\n"


def main(arguments: Sequence[str]) -> int:
    """Writes the table; 2 when no folder was given."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write("usage: python -m mdm.platforms.apple.schema.compile FOLDER\n")
        return 2
    source = Path(arguments[0])
    delta = json.loads(DELTA.read_text(encoding="utf-8"))
    TABLE.write_text(written(with_delta(compiled(source), delta), delta["releases"]), encoding="utf-8")
    licence = (source / "LICENSE.txt").read_text(encoding="utf-8")
    (HERE / "LICENSE-apple.txt").write_text(licence, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
