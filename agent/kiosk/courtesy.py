"""What would end a kiosk's session waits until the citizen who is there has finished. Pure but for looking at two files.

The browser reads its policies by itself, so what is blocked is blocked at once; a change of the session's unit would start it
anew, and take away what somebody is writing.
"""

from typing import Final, NamedTuple

from agent.kiosk import used
from agent.plan import PathRecord, Plan
from agent.roots import Root

SESSION: Final = frozenset({"kiosk.session", "kiosk.greeter"})
"""Resources that start, stop or cover the session when they are written or put back."""
FINISHED: Final = f"{used.FOLDER}/finished"
LONGEST: Final = 3600
"""Seconds that it waits at most: then it is done, whoever is there."""
WAITING: Final = "Waiting for the citizen to finish, for an hour at most."


class Courtesy(NamedTuple):
    """What may be done now, what waits, and since when something waits; 0 for nothing."""

    plan: Plan
    waiting: frozenset[str]
    since: int


def wait(root: Root, plan: Plan, paths: dict[str, PathRecord], since: int, now: int) -> Courtesy:
    """The plan without what would end a citizen's session. ``since``: what an earlier call said."""
    write = frozenset(one.id for one in plan.write) & SESSION
    restore = [path for path in plan.restore if paths[path]["resource"] in SESSION]
    if not (write or restore) or not citizen(root, now):
        return Courtesy(plan, frozenset(), 0)
    since = since if 0 < since <= now else now
    if now - since >= LONGEST:
        return Courtesy(plan, frozenset(), 0)
    left = plan._replace(
        write=[one for one in plan.write if one.id not in write],
        restore=[path for path in plan.restore if path not in restore],
    )
    return Courtesy(left, write, since)


def citizen(root: Root, now: int) -> bool:
    """Whether somebody is at the kiosk: they touched it in this run of the session, which has not ended since."""
    seen = root.status(used.STAMP)
    return seen is not None and now - seen.st_mtime < LONGEST and not root.exists(FINISHED)
