"""Whoever writes what the table of risk guards stands behind the gate: read from the source, not from a list of habits.

A *writer* is a function that assigns a guarded attribute, or makes, deletes or updates rows of a guarded table. It must ask
the gate itself (``gate(…)``, ``hard.watched(…)``, ``gate_sign_in(…)``), or every function that calls it must; whoever does
not is named in ``FREE`` with the reason.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

import mdm
import web

ATTRIBUTES = frozenset({"revoked_at", "disabled_at", "archived_at", "totp_sealed", "ended_at", "turn_away"})
"""Columns that end, hide or give power, whatever the table."""
TABLES = frozenset(
    {
        "ApiToken",
        "Assignment",
        "CaseLook",
        "DeviceGroupMember",
        "Exemption",
        "OneTimeLink",
        "OperatorGrant",
        "RuleInForce",
        "WebhookTarget",
    }
)
"""Rows that give power, or whose change reaches many."""
ASKS = frozenset({"gate", "watched", "_watched", "gate_sign_in", "_gate", "_gate_exemption", "_gate_locks"})
FREE: dict[str, str] = {
    "mdm/access/links.py:take_link": "the one it was made for uses it up",
    "mdm/access/links.py:first_link": "for somebody who was added in the same transaction, which the gate let through",
    "mdm/access/operators.py:_revoke_tokens": "takes power away",
    "mdm/access/operators.py:end_all": "takes power away",
    "mdm/access/service.py:tidy": "forgets what has expired",
    "mdm/access/tokens.py:revoke_token": "takes power away",
    "mdm/access/tokens.py:touch_token": "notes the last use",
    "mdm/access/totp.py:begin_totp": "one's own second factor",
    "mdm/access/totp.py:remove_totp": "one's own second factor, after a fresh proof",
    "mdm/cli/restore.py:void": "what a restored backup still let in ends",
    "mdm/compliance/management.py:add_rule": "a new rule hides nothing",
    "mdm/compliance/management.py:end_exemption": "fewer excuses",
    "mdm/desk/loans/booking.py:end": "a reservation ends: no certificate and no power",
    "mdm/desk/loans/sweeping.py:close_returned": "a reservation ends: no certificate and no power",
    "mdm/enrollment/redeem.py:complete": "the device itself, with an invitation: its older certificates end",
    "mdm/enrollment/renewal.py:first_use": "the device itself: its older certificate ends",
    "mdm/enrollment/service.py:leave": "the device itself goes",
    "mdm/kiosks/book.py:_end_invitation": "a set-up that failed: the certificate that it brought ends",
    "mdm/guidance/ambassadors.py:end": "a colleague helps no more: no certificate and no power",
    "mdm/guidance/ambassadors.py:name": "a colleague helps: no certificate and no power",
    "mdm/inventory/groups.py:delete": "only a group that no assignment chooses by",
    "mdm/platforms/android/amapi/phones.py:_left": "the phone itself is gone: Google tells that it manages it no longer",
    "mdm/platforms/apple/certify.py:_enrolled": "the phone itself, with an invitation: its older certificates end",
    "mdm/platforms/apple/checkin.py:_supersede": "the phone itself, with a newer certificate: its older ones end",
    "mdm/platforms/apple/checkin.py:start_anew": "the phone itself, with a new invitation: it may stay",
    "mdm/platforms/apple/refusals.py:_leave": "the phone was told to leave, as the gate let somebody say",
    "mdm/platforms/apple/service.py:let_stay": "it is not told to leave after all",
    "mdm/worker/topics.py:_wiped": "the device itself, by an order that the signer signed",
}
"""Writers, or callers of writers, that need nobody else; each with its reason."""


ROOT = Path(mdm.__file__).parents[1]


@dataclass
class Module:
    """One file: its functions, and where its names come from."""

    path: str
    defined: dict[str, "Function"] = field(default_factory=dict)
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Imported name → (module, name in it); a module itself has the name ""."""


@dataclass
class Function:
    """One function of the house."""

    name: str
    place: str
    calls: set[str] = field(default_factory=set)
    """Bare names, and ``alias.name``."""
    writes: set[str] = field(default_factory=set)
    makes: set[str] = field(default_factory=set)

    @property
    def asks(self) -> bool:
        return bool({one.rpartition(".")[2] for one in self.calls} & ASKS)


def modules() -> Iterator[Module]:
    for package in (mdm, web):
        for path in sorted(Path(str(package.__file__)).parent.rglob("*.py")):
            module = Module(str(path.relative_to(ROOT)))
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and node.module:
                    for alias in node.names:
                        module.names[alias.asname or alias.name] = (node.module, alias.name)
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    module.defined[node.name] = _read(node, module)
            yield module


@cache
def _file(dotted: str) -> str:
    base = dotted.replace(".", "/")
    return f"{base}/__init__.py" if (ROOT / base / "__init__.py").exists() else f"{base}.py"


def _is_table(name: str, module: Module) -> bool:
    return name in TABLES and module.names.get(name, ("", ""))[0].endswith("model")


def _read(node: ast.FunctionDef, module: Module) -> Function:
    found = Function(node.name, f"{module.path}:{node.name}")
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and inner.attr in ATTRIBUTES:
            found.writes.add(inner.attr)
        elif isinstance(inner, ast.Call):
            function = inner.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            base = getattr(function.value, "id", "?") if isinstance(function, ast.Attribute) else ""
            found.calls.add(f"{base}.{name}" if base else name)
            found.makes.add(name)
            if _is_table(name, module):
                found.writes.add(name)
            if name in ("insert", "update", "delete", "delete_rows") and inner.args:
                table = getattr(inner.args[0], "id", "")
                if _is_table(table, module):
                    found.writes.add(f"{name} {table}")
            if name == "values":
                found.writes |= {str(one.arg) for one in inner.keywords if one.arg in ATTRIBUTES}
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
            # A function that is handed on is called by whoever it is handed to.
            found.calls.add(inner.id)
    return found


class Source:
    """Every function of the house, and who calls it."""

    def __init__(self) -> None:
        self.modules = {one.path: one for one in modules()}
        self.all = {function.place: function for one in self.modules.values() for function in one.defined.values()}
        self.writers = sorted(place for place, one in self.all.items() if one.writes)
        self.callers: dict[str, set[str]] = {}
        for one in self.all.values():
            for place in self._called(one):
                self.callers.setdefault(place, set()).add(one.place)

    def _resolved(self, module: Module, name: str) -> str:
        """The function that a name of this module is, also through modules that only pass it on; "" for none of ours."""
        for _ in range(5):
            if name in module.defined:
                return module.defined[name].place
            dotted, name = module.names.get(name, ("", ""))
            following = self.modules.get(_file(dotted)) if dotted else None
            if following is None:
                return ""
            module = following
        return ""

    def _called(self, function: Function) -> Iterator[str]:
        module = self.modules[function.place.partition(":")[0]]
        for name in function.calls:
            base, _dot, last = name.rpartition(".")
            if not base:
                yield self._resolved(module, last)
            elif base in module.names:
                dotted, inner = module.names[base]
                for path in (_file(f"{dotted}.{inner}"), _file(dotted)):
                    if path in self.modules:
                        yield self._resolved(self.modules[path], last)
                        break

    def ungated(self, writer: str) -> list[str]:
        """Functions from which the writer is reached without the gate, and which nobody of ours calls; empty: there is none."""
        roots: set[str] = set()
        seen: set[str] = set()
        waiting = [writer]
        while waiting:
            place = waiting.pop()
            if place in seen or self.all[place].asks or place in FREE:
                continue
            seen.add(place)
            callers = self.callers.get(place, set()) - {place}
            if not callers:
                roots.add(place)
            waiting += callers
        return sorted(roots)


@pytest.fixture(scope="module")
def source() -> Source:
    """Read when a test asks for it, and not by every process that only looks which tests there are."""
    return Source()


def test_the_source_has_writers_at_all(source: Source) -> None:
    assert {
        "mdm/access/operators.py:_give",
        "mdm/enrollment/service.py:end",
        "mdm/policies/service.py:archive",
    } <= set(source.writers)
    assert "mdm/access/operators.py:add_grant" in source.callers["mdm/access/operators.py:_give"]
    assert "web/api/routes/access.py:add_grant" in source.callers["mdm/access/operators.py:add_grant"]


def test_nobody_writes_what_is_guarded_outside_the_gate(source: Source) -> None:
    found = {writer: source.ungated(writer) for writer in source.writers}

    assert {writer: roots for writer, roots in found.items() if roots} == {}


def test_every_exception_is_still_one(source: Source) -> None:
    assert sorted(set(FREE) - set(source.all)) == []


def test_only_the_kernel_makes_permits(source: Source) -> None:
    makers = {one.place for one in source.all.values() if "Permit" in one.makes}

    assert makers == {
        "mdm/orders/acts/asking.py:unfounded",
        "mdm/orders/acts/asking.py:by_the_host",
        "mdm/orders/acts/performing.py:perform",
        "mdm/policies/hard.py:watched",
    }
