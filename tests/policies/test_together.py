"""Many at once: whatever the order in which they commit, no device is left with a version before the last."""

import threading
from collections.abc import Callable

from sqlalchemy import Engine, func, select

from mdm.core.errors import ConflictError
from mdm.inventory.model import Device
from mdm.outbox.model import OutboxMessage
from mdm.platforms import service as platforms
from mdm.policies import assigning, queries, service
from mdm.policies.model import Cohort, PolicyVersion
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from tests.conftest import FLEET_ADMIN, NOW, Calling, alone
from tests.policies import fleet


def together(*acts: Callable[[], None]) -> list[BaseException]:
    """Runs every act in a thread of its own, at once; what they raised."""
    raised: list[BaseException] = []
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], None]) -> None:
        start.wait()
        try:
            act()
        except BaseException as error:  # noqa: BLE001 -- a thread's errors are judged by the test
            raised.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_devices_placed_at_once_share_one_cohort(calling: Calling, engine: Engine) -> None:
    with calling() as call:
        ids = [fleet.device(call, f"d{n}").id for n in range(6)]

    def place(id_: int) -> Callable[[], None]:
        def act() -> None:
            with transaction(engine) as session:
                service.place_device(Call(FLEET_ADMIN, session, NOW, alone()), id_)

        return act

    assert together(*(place(id_) for id_ in ids)) == []

    with calling() as call:
        assert call.session.scalar(select(func.count()).select_from(Cohort)) == 1
        assert len(set(call.session.scalars(select(Device.cohort_id)))) == 1


def test_edits_placements_and_preparations_at_once_end_with_the_last_version(calling: Calling, engine: Engine) -> None:
    with calling() as call:
        policy_id = service.create(call, "All", settings={"logs.keep_days": 10}).id
        assigning.assign(call, policy_id, include=["all"])
        ids = [fleet.device(call, f"d{n}").id for n in range(3)]

    def edit() -> None:
        for days in range(20, 30):
            with transaction(engine) as session:
                call = Call(FLEET_ADMIN, session, NOW, alone())
                current = queries.policy(call, policy_id).current
                service.save(call, policy_id, expected=current, settings={"logs.keep_days": days})

    def place() -> None:
        for id_ in ids:
            with transaction(engine) as session:
                service.place_device(Call(FLEET_ADMIN, session, NOW, alone()), id_)

    def prepare() -> None:
        for _ in range(15):
            with transaction(engine) as session:
                platforms.prepare_stale(Call(FLEET_ADMIN, session, NOW, alone()))

    assert together(edit, place, prepare) == []

    with calling() as call:
        assert call.session.scalar(select(OutboxMessage.id).where(OutboxMessage.topic == "cohorts.prepare")) is not None
        platforms.prepare_stale(call)
        desired = call.session.scalars(select(Cohort.desired)).all()
        assert len(desired) == 1
        assert "MaxRetentionSec=29day" in str(desired[0])


def test_of_two_who_save_over_the_same_version_one_is_refused(calling: Calling, engine: Engine) -> None:
    with calling() as call:
        policy_id = service.create(call, "All", settings={"logs.keep_days": 10}).id

    def save(days: int) -> Callable[[], None]:
        def act() -> None:
            with transaction(engine) as session:
                service.save(
                    Call(FLEET_ADMIN, session, NOW, alone()), policy_id, expected=1, settings={"logs.keep_days": days}
                )

        return act

    raised = together(save(20), save(30))

    assert [type(error) for error in raised] == [ConflictError]
    with calling() as call:
        assert call.session.scalar(select(func.count()).select_from(PolicyVersion)) == 2
