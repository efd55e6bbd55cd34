"""What devices say about assignments: which people have done what. A fixed number of statements for any number of people."""

from collections.abc import Collection

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from mdm.guidance.model import Check, QuestTask
from mdm.inventory.model import Application, AppSetItem, Device, FactSection, LifeCycle, Verdict

IN_HAND = (LifeCycle.HANDED_OUT.value, LifeCycle.ON_LOAN.value)


def have_done(session: Session, task: QuestTask, people: Collection[int]) -> frozenset[int]:
    """Of these people, those for whom a device in their hands says that it is done; nobody for what devices cannot know."""
    if not people:
        return frozenset()
    if task.check == Check.GREEN:
        query = _held(people).where(Device.last_report_at.is_not(None), Device.verdict == Verdict.COMPLIANT.value)
        return frozenset(number for number in session.scalars(query) if number is not None)
    if task.check == Check.PASSCODE:
        return _with_passcode(session, people)
    if task.check == Check.APPLICATION:
        return _with_application(session, people, task.target)
    return frozenset()


def cannot_tell(session: Session, task: QuestTask, person: int) -> bool:
    """Whether this person's devices have reported and none of them can ever say that it is done; then their word counts.

    The free agent for Android says nothing of a passcode, and an application of another platform comes to nobody's phone.
    """
    held = _held([person]).where(Device.last_report_at.is_not(None))
    if session.scalar(held.limit(1)) is None:
        return False
    if task.check == Check.PASSCODE:
        told = held.join(FactSection, FactSection.device_id == Device.id).where(FactSection.section == "screenlock")
        return session.scalar(told.limit(1)) is None
    platform, colon, _ = task.target.partition(":")
    if task.check == Check.APPLICATION and colon:
        return session.scalar(held.where(Device.platform == platform).limit(1)) is None
    return False


def _held(people: Collection[int]) -> Select[int | None]:
    """The holders among these people of devices that are enrolled and in somebody's hands."""
    return select(Device.person_id).where(
        Device.person_id.in_(people), Device.enrolled_at.is_not(None), Device.state.in_(IN_HAND)
    )


def _with_passcode(session: Session, people: Collection[int]) -> frozenset[int]:
    query = (
        _held(people)
        .join(FactSection, FactSection.device_id == Device.id)
        .where(FactSection.section == "screenlock")
        .add_columns(FactSection.content)
    )
    return frozenset(row[0] for row in session.execute(query) if row[0] is not None and row[1].get("enabled") is True)


def _with_application(session: Session, people: Collection[int], target: str) -> frozenset[int]:
    platform, colon, identifier = target.partition(":")
    query = (
        _held(people)
        .join(AppSetItem, AppSetItem.app_set_id == Device.app_set_id)
        .join(Application, Application.id == AppSetItem.application_id)
        .where(Application.identifier == (identifier if colon else target), Application.platform == Device.platform)
    )
    if colon:
        query = query.where(Device.platform == platform)
    return frozenset(number for number in session.scalars(query) if number is not None)
