"""True invitations for simulated people, spread over the service points that there are."""

from collections.abc import Callable, Sequence

from sqlalchemy import Engine

from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.core.errors import N_, ConflictError
from mdm.enrollment import service as enrollment
from mdm.enrollment.links import PAGE, Links
from mdm.org import queries as org
from mdm.simulate.kiosk import is_kiosk
from mdm.storage.call import Call
from mdm.storage.engine import transaction

BATCH = 25
"""Invitations in one transaction: the server next door wants to write, too."""


def invite(
    engine: Engine, links: Links, numbers: Sequence[int], progress: Callable[[int], None], platform: str = "linux"
) -> dict[int, str]:
    """A token for each number. Raises ConflictError when there is no service point to hand devices out at."""
    tokens: dict[int, str] = {}
    with transaction(engine, write=False) as session:
        codes = [point.code for point in org.service_points(Call(command_line("simulate"), session, utcnow()))]
    if not codes:
        raise ConflictError(
            N_("There is no service point yet. Nothing was simulated; import service points, or load the pilot.")
        )
    for start in range(0, len(numbers), BATCH):
        batch = numbers[start : start + BATCH]
        with transaction(engine) as session:
            call = Call(command_line("simulate"), session, utcnow())
            for number in batch:
                _, url = enrollment.invite(
                    call,
                    links,
                    email=f"simulated.{number:05}@simulated.example.org",
                    name=f"Simulated {number:05}",
                    platform=platform,
                    service_point_code=codes[number % len(codes)],
                    kind="phone" if platform in ("android", "ios") else "kiosk" if is_kiosk(number) else "laptop",
                )
                tokens[number] = url.split(PAGE)[1].split("#")[0]
        progress(len(batch))
    return tokens
