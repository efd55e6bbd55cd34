"""Many people at once, for imports: the same rules, one line in the diary."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.ids import new_uid
from mdm.core.permissions import Permission, Where
from mdm.outbox import service as outbox
from mdm.people import fields
from mdm.people.erased import Erased, brought_back
from mdm.people.model import Person
from mdm.people.service import FOLLOWED, taken
from mdm.storage.call import Call
from mdm.storage.unique import flush_unique


@dataclass(slots=True)
class Draft:
    """What one person shall be: ``values`` from ``fields.checked``; ``person`` is None for a new one."""

    values: dict[str, Any]
    person: Person | None = None
    erased: Erased | None = None
    """That their record was erased, where a new one is made all the same."""

    @property
    def changes(self) -> dict[str, Any]:
        """The values that differ from what is kept."""
        if self.person is None:
            return dict(self.values)
        return {key: value for key, value in self.values.items() if getattr(self.person, key) != value}

    def allowed(self, call: Call) -> bool:
        """Whether the actor may manage people where this one stands and where they are to stand."""
        before = self.person.where if self.person else Where()
        after = Where(
            self.values.get("service_point_id", before.service_point_id), self.values.get("unit_id", before.unit_id)
        )
        places = [after] if self.person is None else [before, after]
        return all(call.actor.may(Permission.PEOPLE_MANAGE, where) for where in places)


def taken_keys(call: Call) -> dict[str, dict[str, int]]:
    """E-mail addresses, personnel numbers and badges in use with the row id of whose they are, also of people whom the
    actor may not see; by the name of the column."""
    taken: dict[str, dict[str, int]] = {"email": {}, "number": {}, "badge": {}}
    for number, *keys in call.session.execute(select(Person.id, Person.email, Person.number, Person.badge)):
        for column, key in zip(taken, keys, strict=True):
            if key:
                taken[column][key] = number
    return taken


def write(call: Call, drafts: Sequence[Draft], about: dict[str, Any]) -> list[Person]:
    """Makes and changes people; devices in their hands follow. Nothing at all is written when one is not allowed.

    Raises DeniedError, and ConflictError when a key is taken meanwhile. ``about`` goes into the one diary line.
    """
    for draft in drafts:
        if not draft.allowed(call):
            require(call.actor, Permission.PEOPLE_MANAGE)
    created: list[Person] = []
    updated: dict[int, list[str]] = {}
    for draft in drafts:
        if draft.person is None:
            person = Person(**{"phone": "", **draft.values}, created_at=call.now)
            created.append(person)
            call.session.add(person)
        else:
            person = draft.person
            changes = draft.changes
            if not changes:
                continue
            for key, value in changes.items():
                setattr(person, key, value)
            updated[person.id] = sorted(changes)
        person.search = fields.search_text(person)
        draft.person = person
    flush_unique(call.session, taken())
    for number, names in updated.items():
        if (FOLLOWED | {"left_on"}) & set(names):
            outbox.post(call, "person.changed", {"person": number})
    for draft in drafts:
        if draft.erased is not None and draft.person is not None:
            brought_back(call, draft.person, draft.erased)
    if created or updated:
        details = {
            **about,
            "created": [person.id for person in created],
            "updated": {str(k): v for k, v in updated.items()},
        }
        audit.record(call, "people.imported", ("import", new_uid()), name=str(about.get("file", "")), details=details)
    return [draft.person for draft in drafts if draft.person is not None]
