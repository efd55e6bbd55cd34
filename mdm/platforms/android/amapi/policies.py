"""Policies at Google: one for each cohort and kind of phone that is in use. An edit costs as many calls as there are cohorts."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import select

from mdm.core.errors import ConflictError, HavenmeesterError, InvalidError, NotFoundError
from mdm.inventory.model import Device
from mdm.platforms.android.amapi.able import rendered
from mdm.platforms.android.amapi.client import Google
from mdm.platforms.android.amapi.document.check import errors
from mdm.platforms.android.amapi.house import AT_ONCE, Transact
from mdm.platforms.android.amapi.model import AndroidGooglePhone, AndroidPolicy, AndroidToken
from mdm.platforms.android.amapi.render import Mode, Rendered
from mdm.platforms.android.wanted import wanted
from mdm.policies.model import Cohort
from mdm.storage.call import Call

log = structlog.get_logger(__name__)
NOTHING: Final = "-"
FIRST: Final = "first"
"""What stands for the cohort in the name of a policy that phones have between their enrollment and their cohort."""
GONE: Final = "DELETED"


@dataclass(frozen=True, slots=True)
class Due:
    """A policy that Google lacks. ``source`` is the digest of the desired state that it was made from."""

    id: int
    name: str
    source: str
    digest: str
    policy: Mapping[str, Any]


def bring(transact: Transact, google: Google, enterprise: str) -> int:
    """Gives Google the policies that changed; how many calls it took."""
    with transact() as call:
        waiting = due(call)
    trouble: HavenmeesterError | None = None
    for one in waiting:
        try:
            answer = google.call("enterprises.policies.patch", enterprise, one.name, body=one.policy)
        except (ConflictError, NotFoundError) as error:
            # Not the policy's fault: it is tried again with the next turn, and those behind it go on.
            trouble = error
            continue
        except InvalidError as error:
            log.warning("google did not take a policy", policy=one.name, code=error.code, why=str(error))
            with transact() as call:
                row = call.session.get_one(AndroidPolicy, one.id)
                row.wanted_from, row.problem = one.source, str(error)[:2000]
            continue
        with transact() as call:
            row = call.session.get_one(AndroidPolicy, one.id)
            row.wanted_from, row.digest, row.problem = one.source, one.digest, ""
            row.version = _number(answer.get("version")) or row.version + 1
            row.sent_at = call.now
    if trouble is not None:
        raise trouble
    return len(waiting)


def due(call: Call, limit: int = AT_ONCE) -> list[Due]:
    """The policies that Google lacks, made from what cohorts shall be now. What cannot be sent says so in its row."""
    _make_rows(call)
    rows = call.session.execute(
        select(AndroidPolicy, Cohort)
        .outerjoin(Cohort, Cohort.id == AndroidPolicy.cohort_id)
        .where(
            (Cohort.desired_digest != AndroidPolicy.wanted_from)
            | (
                AndroidPolicy.cohort_id.is_(None)
                & AndroidPolicy.name.startswith(FIRST)
                & (AndroidPolicy.wanted_from == NOTHING)
            )
        )
        .order_by(AndroidPolicy.id)
        .limit(limit)
    ).all()
    found = []
    for row, cohort in rows:
        if cohort is not None and cohort.desired_digest == NOTHING:
            continue
        source = cohort.desired_digest if cohort is not None else FIRST
        made = of_cohort(cohort, Mode(row.mode))
        row.sources = {name: list(keys) for name, keys in made.sources.items()}
        wrong = errors(made.findings)
        digest = digest_of(made.policy)
        if wrong:
            # What Google would refuse is not sent; phones keep what they have, and the page says why.
            row.wanted_from, row.problem = source, " ".join(one.text for one in wrong[:5])[:2000]
        elif digest == row.digest:
            row.wanted_from, row.problem = source, ""
        else:
            found.append(Due(row.id, row.name, source, digest, made.policy))
    return found


def _make_rows(call: Call) -> None:
    """A row for each cohort and kind of phone that is in use, and for each kind that somebody is about to enrol."""
    known = set(call.session.scalars(select(AndroidPolicy.name)))
    used = call.session.execute(
        select(Device.cohort_id, AndroidGooglePhone.mode)
        .join(Device, Device.id == AndroidGooglePhone.device_id)
        .where(Device.cohort_id.is_not(None), AndroidGooglePhone.state != GONE)
        .distinct()
    ).all()
    waiting = call.session.scalars(select(AndroidToken.mode).where(AndroidToken.name.is_(None)).distinct())
    shall: dict[str, tuple[int | None, str]] = {f"{FIRST}-{mode}": (None, mode) for mode in waiting}
    shall |= {f"cohort-{cohort}-{mode}": (cohort, mode) for cohort, mode in used}
    for name in sorted(shall.keys() - known):
        cohort, mode = shall[name]
        call.session.add(AndroidPolicy(name=name, cohort_id=cohort, mode=mode, created_at=call.now))
    call.session.flush()


def of_cohort(cohort: Cohort | None, mode: Mode) -> Rendered:
    """The policy of a cohort for one kind of phone; without a cohort, one that only lets phones report."""
    return rendered(wanted(cohort.desired.get("resources", ()) if cohort is not None else ()), mode)


def digest_of(policy: Mapping[str, Any]) -> str:
    """SHA-256 (hexadecimal) of a policy: the same one is not sent again."""
    return hashlib.sha256(json.dumps(policy, sort_keys=True).encode()).hexdigest()


def full_name(enterprise: str, name: str) -> str:
    """The name of a policy as Google writes it."""
    return f"enterprises/{enterprise}/policies/{name}"


def assign(transact: Transact, google: Google, enterprise: str) -> int:
    """Tells Google of phones that shall have another policy than they have: those that are new, or in another cohort."""
    with transact(write=False) as call:
        rows = call.session.execute(
            select(AndroidGooglePhone.device_id, AndroidGooglePhone.name, AndroidPolicy.id, AndroidPolicy.name)
            .join(Device, Device.id == AndroidGooglePhone.device_id)
            .join(
                AndroidPolicy,
                (AndroidPolicy.cohort_id == Device.cohort_id) & (AndroidPolicy.mode == AndroidGooglePhone.mode),
            )
            .where(
                AndroidPolicy.version > 0,
                AndroidGooglePhone.state != GONE,
                AndroidGooglePhone.policy_id.is_distinct_from(AndroidPolicy.id),
            )
            .order_by(AndroidGooglePhone.device_id)
            .limit(AT_ONCE)
        ).all()
    for device_id, phone, policy_id, policy in rows:
        body = {"policyName": full_name(enterprise, policy)}
        gone = False
        try:
            google.call("enterprises.devices.patch", enterprise, phone, body=body, query={"updateMask": "policyName"})
        except NotFoundError:
            gone = True
        with transact() as call:
            row = call.session.get_one(AndroidGooglePhone, device_id)
            if gone:
                row.state = GONE
            else:
                row.policy_id = policy_id
    return len(rows)


def _number(value: object) -> int:
    return int(value) if isinstance(value, str | int) and str(value).isdigit() and len(str(value)) < 18 else 0
