"""Prepares the desired state of cohorts: resolve, render, digest, store, ring. Costs cohorts, never devices."""

from sqlalchemy import exists, select

from agent import wire
from mdm.inventory.model import Device
from mdm.outbox import service as outbox
from mdm.platforms.android.interpreter import AndroidInterpreter
from mdm.platforms.android.interpreter import fault as android_fault
from mdm.platforms.apple import upload
from mdm.platforms.apple.render import AppleInterpreter
from mdm.platforms.linux.render import LinuxInterpreter
from mdm.platforms.port import Interpreter
from mdm.policies import catalogue, payloads
from mdm.policies.cohorts import intent_lock
from mdm.policies.conflicts import conflicts
from mdm.policies.explanation import cause, stored, without_interpreter
from mdm.policies.intent import Intent, level_version, load_intent
from mdm.policies.model import Cohort, DesiredChange
from mdm.storage.call import Call

BATCH = 50
"""Cohorts that one call prepares: a transaction stays short, and what a crash undoes is little."""

INTERPRETERS: dict[str, Interpreter] = {
    one.platform: one for one in (LinuxInterpreter(), AppleInterpreter(), AndroidInterpreter())
}
payloads.CHECKS[AppleInterpreter.platform] = upload.fault
payloads.CHECKS[AndroidInterpreter.platform] = android_fault


def prepare_stale(call: Call, limit: int = BATCH) -> int:
    """Prepares up to ``limit`` stale cohorts that have devices; how many. Posts itself again while more are left.

    Each one is marked as fresh in the same transaction: a worker that dies repeats at most one batch, with the same result.
    """
    intent_lock(call.session)
    call.session.flush()
    in_use = exists().where(Device.cohort_id == Cohort.id)
    stale = call.session.scalars(
        select(Cohort).where(Cohort.computed_at.is_(None), in_use).order_by(Cohort.id).limit(limit + 1)
    ).all()
    if not stale:
        return 0
    intent = load_intent(call.session)
    for cohort in stale[:limit]:
        prepare(call, cohort, intent)
    if len(stale) > limit:
        outbox.post(call, "cohorts.prepare", {})
    return min(len(stale), limit)


def prepare(call: Call, cohort: Cohort, intent: Intent) -> bool:
    """Writes what the cohort gets now; whether its devices get something else than before. Rings only then."""
    resolved = intent.resolved(cohort.platform, level_version(cohort.os_version), cohort.assignments)
    interpreter = INTERPRETERS.get(cohort.platform)
    if interpreter is None:
        resolved = without_interpreter(resolved)
    resources = interpreter.render(resolved.settings, resolved.payloads) if interpreter else []
    explanation = stored(resolved, conflicts(resolved))
    digest = wire.short_digest(resources)
    changed = digest != cohort.desired_digest
    if changed:
        why = cause(cohort.explanation, explanation)
        call.session.add(
            DesiredChange(cohort_id=cohort.id, at=call.now, before=cohort.desired_digest, after=digest, cause=why)
        )
        cohort.desired = {"digest": digest, "resources": resources}
        cohort.desired_digest = digest
    cohort.settings = catalogue.mask(resolved.settings)
    cohort.explanation = explanation
    cohort.computed_at = call.now
    call.session.flush()
    if changed:
        outbox.ring(call, cohort_id=cohort.id)
        if cohort.platform == AppleInterpreter.platform:
            outbox.post(call, "apple.push", {"cohort": cohort.id})
    return changed
