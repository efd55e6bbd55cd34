"""Turns Google's discovery document into the compact table beside this file: facts only, without its prose.

``python -m mdm.platforms.android.amapi.document.compile FILE`` reads ``androidmanagement.v1.json`` (Apache-2.0, by Google;
it ships in the package ``google-api-python-client`` below ``googleapiclient/discovery_cache/documents``) and writes
``androidmanagement.json``. Run it when Google publishes a revision; the table is data with a version, and its differences
are read like those of code.

The table::

    revision  Google's own, a day
    methods   by id without its first word: h HTTP method, p flatPath, q query parameters (nodes),
              i schema of the body, o schema of the answer, P patterns of the path's parameters
    schemas   by name: the nodes of its properties

and a node::

    t  type: s string b boolean i integer n number o object a array * anything
    r  name of a schema              e  allowed values
    f  format                        E  those of the allowed values that are deprecated
    i  node of the items             d  1: deprecated
    v  node of any other property    R  1: set by Google alone
    m  1: may be there several times (query parameters)
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
TABLE: Final = HERE / "androidmanagement.json"
Node = dict[str, Any]
_TYPES: Final = {
    "string": "s",
    "boolean": "b",
    "integer": "i",
    "number": "n",
    "object": "o",
    "array": "a",
    "any": "*",
}


def compiled(document: Mapping[str, Any]) -> dict[str, Any]:
    """The table made from a discovery document. Raises KeyError for what it does not understand."""
    return {
        "revision": document["revision"],
        "methods": dict(sorted(_methods(document["resources"]))),
        "schemas": {
            name: {key: _node(one) for key, one in sorted(schema.get("properties", {}).items())}
            for name, schema in sorted(document["schemas"].items())
        },
    }


def _methods(resources: Mapping[str, Any]) -> Iterator[tuple[str, Node]]:
    for resource in resources.values():
        for method in resource.get("methods", {}).values():
            yield method["id"].partition(".")[2], _method(method)
        yield from _methods(resource.get("resources", {}))


def _method(method: Mapping[str, Any]) -> Node:
    made: Node = {"h": method["httpMethod"], "p": method["flatPath"]}
    parameters = method.get("parameters", {})
    patterns = [one["pattern"] for one in parameters.values() if one["location"] == "path" and "pattern" in one]
    query = {name: _node(one) for name, one in sorted(parameters.items()) if one["location"] == "query"}
    for letter, value in (
        ("P", patterns),
        ("q", query),
        ("i", method.get("request", {}).get("$ref")),
        ("o", method.get("response", {}).get("$ref")),
    ):
        if value:
            made[letter] = value
    return made


def _node(one: Mapping[str, Any]) -> Node:
    if "$ref" in one:
        made: Node = {"r": one["$ref"]}
    else:
        made = {"t": _TYPES[one["type"]]}
    if "format" in one:
        made["f"] = one["format"]
    if "enum" in one:
        made["e"] = list(one["enum"])
        old = [word for word, gone in zip(one["enum"], one.get("enumDeprecated", ()), strict=False) if gone]
        if old:
            made["E"] = old
    for letter, name in (("i", "items"), ("v", "additionalProperties")):
        if name in one:
            made[letter] = _node(one[name])
    for letter, name in (("d", "deprecated"), ("R", "readOnly"), ("m", "repeated")):
        if one.get(name):
            made[letter] = 1
    return made


def written(table: Mapping[str, Any]) -> str:
    """The table as text: one line per method and schema, so that a revision can be read as a difference."""
    parts = [f'"revision": {json.dumps(table["revision"])}']
    for kind in ("methods", "schemas"):
        rows = [
            f"{json.dumps(name)}:{json.dumps(one, sort_keys=True, separators=(',', ':'))}"
            for name, one in table[kind].items()
        ]
        parts.append(f'"{kind}": {{\n' + ",\n".join(rows) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main(arguments: Sequence[str]) -> int:
    """Writes the table; 2 when no file was given."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        sys.stderr.write("usage: python -m mdm.platforms.android.amapi.document.compile FILE\n")
        return 2
    document = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    TABLE.write_text(written(compiled(document)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
