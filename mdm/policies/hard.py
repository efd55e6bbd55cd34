"""Changes of intent that cut devices off or lock people out: counted before they hold, and done alone only for a few.

What counts: a wireless network or tunnel that goes or is changed, another network setting that differs, a passcode that
becomes harder, and raw payloads that differ, because nobody can tell what they do.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from agent.wire import canonical
from mdm.core.risk import Permit, Risk, Why, gate
from mdm.policies import catalogue
from mdm.policies.intent import Intent, level_version, load_intent
from mdm.policies.model import Policy, PolicyVersion
from mdm.policies.placing import ground, tallies
from mdm.policies.warnings import TIGHTER, tightened
from mdm.storage.call import Call


@contextmanager
def watched(
    call: Call,
    subject: tuple[str, object],
    name: str,
    said: Mapping[str, Any],
    *,
    private: Mapping[str, Any] | None = None,
    touches: bool = True,
) -> Iterator[Call]:
    """``with watched(…) as inner:`` does a change of intent with ``inner``, whole or, when somebody else must agree, not at all.

    ``touches`` False: the change has nothing that counts, so nothing is counted. What is done inside with ``inner`` is
    part of this change and not asked about again. Raises ApprovalNeededError; then nothing of it was done.
    """
    if not touches or _part(call.permit):
        yield call
        return
    before = load_intent(call.session)
    with call.session.begin_nested():
        yield call.with_permit(Permit(Why.PART, Risk.POLICY_HARD))
        call.session.flush()
        facts = {"devices": hit(call, before, load_intent(call.session))}
        gate(call, Risk.POLICY_HARD, subject, said, name=name, facts=facts, private=private)


def _part(permit: Permit | None) -> bool:
    return permit is not None and permit.why is Why.PART


def hit(call: Call, before: Intent, after: Intent) -> int:
    """How many devices in use are cut off, or must choose a harder passcode, or get other payloads, by this change."""
    base = ground(call.session, call.now.date(), before.groups | after.groups)
    known: dict[tuple[str, str, tuple[int, ...], tuple[int, ...]], bool] = {}
    devices = 0
    for tally in tallies(call.session, base):
        pair = before.matching(tally.placement), after.matching(tally.placement)
        key = tally.placement.platform, tally.level, *pair
        if key not in known:
            version = level_version(tally.level)
            was = before.resolved(tally.placement.platform, version, pair[0])
            now = after.resolved(tally.placement.platform, version, pair[1])
            known[key] = was.payloads != now.payloads or hard(was.settings, now.settings)
        devices += tally.count * known[key]
    return devices


def hard(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether going from these settings to those cuts the network or tightens the passcode."""
    return any(_cuts(key, before.get(key), after.get(key)) for key in _network()) or tightened(before, after)


def sensitive(settings: Mapping[str, Any], payloads: Sequence[Any] = ()) -> bool:
    """Whether settings have anything that can count at all: most policies have nothing."""
    return bool(payloads) or any(key in settings for key in (*_network(), *TIGHTER))


def version_sensitive(call: Call, policy: Policy) -> bool:
    """Whether the version of a policy that is in force has anything that can count."""
    version = call.session.scalar(
        select(PolicyVersion).where(PolicyVersion.policy_id == policy.id, PolicyVersion.number == policy.current)
    )
    return version is not None and sensitive(version.settings, version.payloads)


def content_digest(settings: Mapping[str, Any], payloads: Sequence[Any]) -> str:
    """SHA-256 of settings and payloads: what an approval is bound to where secrets may not be shown."""
    return hashlib.sha256(canonical({"payloads": list(payloads), "settings": dict(settings)})).hexdigest()


def _network() -> tuple[str, ...]:
    return tuple(key for key, setting in catalogue.known().items() if setting.risk == "network")


def _cuts(key: str, before: Any, after: Any) -> bool:
    """Records: one that goes or is changed; a new one beside them cuts nothing off. Anything else: every difference."""
    setting = catalogue.find(key)
    identity = setting.spec.identity if setting else ""
    if not identity:
        return bool(before != after)
    now = {record[identity]: record for record in after or ()}
    return any(now.get(record[identity]) != record for record in before or ())
