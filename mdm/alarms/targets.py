"""Targets of webhooks: who may set one, what each gets, and delivering to one."""

import json
import secrets
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from mdm.alarms import sending
from mdm.alarms.address import resolve, take_apart
from mdm.alarms.kinds import Kind
from mdm.alarms.model import WebhookTarget
from mdm.audit import service as audit
from mdm.core.actor import require
from mdm.core.errors import N_, HavenmeesterError, InvalidError, NotFoundError, UnavailableError
from mdm.core.permissions import Permission
from mdm.core.risk import Risk, gate
from mdm.core.text import clean
from mdm.outbox import service as outbox
from mdm.storage.call import Call
from mdm.storage.engine import transaction
from mdm.storage.seal import Seal

MOST = 20
"""Targets at the most."""
DIARY_HEAD = "diary_head"
"""Not an alarm: each signed head of the diary, for a target that asks for it by name and so becomes a witness."""
HEARD = (*(kind.value for kind in Kind), DIARY_HEAD)


def set_target(
    call: Call, allowed: Collection[str], *, name: str, url: str, kinds: Sequence[str] = (), enabled: bool = True
) -> WebhookTarget:
    """Makes the target of this name, or changes it. Somebody else must agree first (``mdm/core/risk.py``).

    ``allowed`` are the entries of the setting ``webhook_hosts``; ``kinds`` empty is every alarm. Raises InvalidError for an
    address that may not be called (also when its name now leads inside is found at each delivery), an unknown kind, more
    than ``MOST`` targets.
    """
    require(call.actor, Permission.WEBHOOK_MANAGE)
    written = clean(name, 80)
    if not written:
        sentence = N_("A name is needed, so that everybody knows what this target is.")
        raise InvalidError(sentence, fields={"name": sentence})
    unknown = sorted(set(kinds) - set(HEARD))
    if unknown:
        raise InvalidError(N_("There is no alarm called %(kind)s. Nothing was saved."), kind=clean(unknown[0], 40))
    take_apart(url, allowed)
    args = {"name": written, "url": url, "kinds": sorted(set(kinds)), "enabled": enabled}
    gate(call, Risk.WEBHOOK, ("webhook_target", written), args)
    found = call.session.scalar(select(WebhookTarget).where(WebhookTarget.name == written))
    if found is None:
        if len(call.session.scalars(select(WebhookTarget.id)).all()) >= MOST:
            raise InvalidError(N_("There are %(most)s targets already. Remove one first."), most=MOST)
        found = WebhookTarget(
            name=written, url=url, secret=b"", kinds=[], enabled=True, created_at=call.now, created_by=call.actor.name
        )
        call.session.add(found)
    if found.url != url:
        # What was made for one receiver is not told to another.
        found.url, found.secret = url, b""
    found.kinds, found.enabled = sorted(set(kinds)), enabled
    call.session.flush()
    audit.record(call, "webhook.set", ("webhook_target", found.id), name=written, details=args)
    return found


def remove_target(call: Call, name: str) -> None:
    """Takes a target away; somebody else must agree first. NotFoundError where there is none of this name."""
    require(call.actor, Permission.WEBHOOK_MANAGE)
    found = _named(call, name)
    gate(call, Risk.WEBHOOK, ("webhook_target", found.name), {"name": found.name, "remove": True})
    audit.record(call, "webhook.removed", ("webhook_target", found.id), name=found.name, details={"url": found.url})
    call.session.delete(found)


def show_secret(call: Call, name: str, seal: Seal) -> str:
    """The secret that proves our webhooks to this target (``whsec_`` and Base64, standardwebhooks.com); noted in the diary."""
    import base64

    require(call.actor, Permission.WEBHOOK_MANAGE)
    found = _named(call, name)
    secret = _secret(found, seal)
    audit.record(call, "webhook.secret_shown", ("webhook_target", found.id), name=found.name)
    return "whsec_" + base64.b64encode(secret).decode()


def _named(call: Call, name: str) -> WebhookTarget:
    found = call.session.scalar(select(WebhookTarget).where(WebhookTarget.name == clean(name, 80)))
    if found is None:
        raise NotFoundError(N_("There is no such target of webhooks, or it is not one of yours."))
    return found


def _secret(target: WebhookTarget, seal: Seal) -> bytes:
    """The secret of a target, made when it is first needed."""
    place = f"webhook_target:{target.id}:secret"
    if not target.secret:
        target.secret = seal.seal(secrets.token_bytes(32), place)
    return seal.open(target.secret, place)


def tell(call: Call, kind: Kind | str, notice: Mapping[str, Any], message: str) -> int:
    """Puts one webhook per target that hears ``kind`` into the post: how many. ``message`` is the id that it keeps."""
    name = str(kind)
    told = 0
    for target in call.session.scalars(select(WebhookTarget).where(WebhookTarget.enabled)).all():
        if name in target.kinds or (not target.kinds and name != DIARY_HEAD):
            outbox.post(
                call, "webhook", {"target": target.id, "message": f"{message}-{target.id}", "notice": dict(notice)}
            )
            told += 1
    return told


def deliver(
    engine: Engine,
    payload: Mapping[str, Any],
    *,
    allowed: Collection[str],
    seal: Seal,
    clock: Callable[[], datetime],
    tls: ssl.SSLContext | None = None,
) -> None:
    """The outbox topic ``webhook``: sends one, between short transactions. Nothing for a target that is gone or off.

    The list of hosts and the name's addresses are asked anew each time. Raises UnavailableError when it was not taken
    (anything but 2xx), InvalidError when it may not be called: the post tries again with back-off, then gives it up and
    shows it.
    """
    now = clock()
    with transaction(engine) as session:
        target = session.get(WebhookTarget, int(payload["target"]))
        if target is None or not target.enabled:
            return
        url, secret = target.url, _secret(target, seal)
    body = json.dumps(payload["notice"], sort_keys=True, separators=(",", ":")).encode()
    status: int | None = None
    why = ""
    try:
        address = take_apart(url, allowed)
        said = sending.headers(secret, str(payload["message"]), now, body)
        status = sending.send(address, resolve(address), said, body, tls)
        if not 200 <= status < 300:
            raise UnavailableError(N_("%(host)s answered %(status)s to the webhook."), host=address.host, status=status)
    except HavenmeesterError as error:
        why = str(error)
        raise
    finally:
        _note(engine, int(payload["target"]), now, status, why)


def _note(engine: Engine, target_id: int, now: datetime, status: int | None, why: str) -> None:
    with transaction(engine) as session:
        target = session.get(WebhookTarget, target_id)
        if target is not None:
            target.last_at, target.last_status, target.last_error = now, status, why[:2000]
            target.failures = target.failures + 1 if why else 0
