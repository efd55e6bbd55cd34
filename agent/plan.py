"""Pure: what is wanted, what we did before and what is there now, added up to the steps that are left to do.

for each path   wanted     recorded   there now           step
                yes        no         anything            write (what was there is kept for the way back)
                yes        yes        as wanted           nothing
                yes        yes        as recorded         write: the desired state has changed
                yes        yes        something else      write, and say that another hand was here
                no         yes        anything            put back what was there before
                no         no         anything            nothing: it is not ours
"""

from typing import Final, NamedTuple, NotRequired, TypedDict

from agent.apply.targets import Wanted

ORDER: Final = ("file", "chromium", "network", "usb", "unit")
"""Kinds in the order of writing: a certificate before the connection that names it, a script before its unit."""
RETRY_SECONDS: Final = 3600
"""What failed is tried again after this time, or at once when it is asked for or asks for something else."""


class PathRecord(TypedDict):
    """What we know of one path that we changed."""

    resource: str
    mark: str
    before: str
    done: bool
    """False from just before the first write until all that belongs to it has happened: then it is done again."""
    after: list[str]
    start: str
    again: NotRequired[str]
    """A unit that ran before it was masked, to be started when the path is put back."""


class ResourceRecord(TypedDict):
    """How one resource went."""

    spec: str
    state: str
    detail: str
    at: int


class Plan(NamedTuple):
    """The steps. ``restore`` comes first, then ``write`` in order."""

    restore: list[str]
    write: list[Wanted]
    keep: list[Wanted]
    unfit: dict[str, str]
    tampered: list[str]


def _resting(record: ResourceRecord | None, wanted: Wanted, now: int) -> bool:
    """It failed a short while ago, and nothing about it has changed since."""
    if record is None or record["state"] not in ("failed", "unsupported") or record["spec"] != wanted.spec:
        return False
    return record["at"] <= now < record["at"] + RETRY_SECONDS


def make_plan(
    wanted: list[Wanted],
    paths: dict[str, PathRecord],
    resources: dict[str, ResourceRecord],
    there: dict[str, str],
    now: int,
    *,
    insist: bool = False,
) -> Plan:
    """The plan. ``there`` holds the mark of every path that is wanted or recorded; ``insist`` tries failures again."""
    claimed: dict[str, str] = {}
    unfit: dict[str, str] = {}
    write: list[Wanted] = []
    keep: list[Wanted] = []
    for one in sorted(wanted, key=lambda item: (ORDER.index(item.kind), item.id)):
        taken = next((target.path for target in one.targets if target.path in claimed), None)
        if taken is not None:
            unfit[one.id] = f"{taken} is already written by {claimed[taken]}."
            continue
        claimed.update({target.path: one.id for target in one.targets})
        settled = one.id in resources and resources[one.id]["state"] != "pending"
        settled = settled and all(
            target.path in paths
            and paths[target.path]["done"]
            and paths[target.path]["resource"] == one.id
            and there[target.path] == target.mark == paths[target.path]["mark"]
            for target in one.targets
        )
        resting = not insist and _resting(resources.get(one.id), one, now)
        (keep if settled or resting else write).append(one)
    tampered = [path for path, record in paths.items() if record["done"] and there[path] != record["mark"]]
    restore = [path for path in paths if path not in claimed]
    return Plan(sorted(restore), write, keep, unfit, sorted(tampered))
