"""What performs an approved act: for each risk the one service verb, called again with what was asked and signed."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mdm.access import service as access
from mdm.access.model import Operator
from mdm.alarms import targets
from mdm.alarms.address import hosts
from mdm.commands import service as commands
from mdm.commands.model import Verb
from mdm.compliance import management
from mdm.core.errors import N_, InvalidError, UnavailableError
from mdm.core.permissions import Role
from mdm.core.risk import RISKS, Risk, Way
from mdm.desk.cases import service as cases
from mdm.enrollment import service as enrollment
from mdm.inventory import groups
from mdm.inventory import service as inventory
from mdm.orders import acts
from mdm.orders.acts import Handler, Trust
from mdm.orders.model import Act
from mdm.outbox import service as outbox
from mdm.platforms.apple import service as phones
from mdm.policies import assigning
from mdm.policies import service as policies
from mdm.policies.document import apply_document
from mdm.privacy import service as privacy
from mdm.signing.client import SignerClient
from mdm.storage.call import Call
from mdm.worker.office import Office
from mdm.worker.post import NotNowError, Payload

DOWN = 30
"""Seconds until the signer is asked again when it did not answer."""
LINK_LIFE = timedelta(days=1)


def perform(office: Office, payload: Payload) -> None:
    """Performs one act, for the topic ``act.perform``. Raises NotNowError while it must wait; what is over is no error."""
    try:
        signer = SignerClient(office.settings.signer_socket)
        trust = Trust(signer.ca().order_key, signer.health().roster)
    except UnavailableError as error:
        raise NotNowError(str(error), DOWN) from error
    carry_out(office, str(payload["act"]), trust)


def carry_out(office: Office, act_id: str, trust: Trust) -> None:
    """The same, when the signer has said what to trust."""
    with office.call("act.perform") as call:
        outcome = acts.perform(call, act_id, _configured(office), trust)
    if outcome is not None and outcome.again is not None:
        raise NotNowError(f"the act is {outcome.state}", outcome.again)


def handlers(console: str, webhook_hosts: Collection[str] = ()) -> Mapping[Risk, Handler]:
    """The handler of every risk that is done as an act; ``console`` is the address at which people sign in."""
    return {
        **_HANDLERS,
        Risk.OPERATOR_ADD: lambda call, act: _add_operator(call, act, console),
        Risk.SIGN_IN_LINK: lambda call, act: _sign_in(call, act, console),
        Risk.WEBHOOK: lambda call, act: _webhook(call, act, webhook_hosts),
    }


def _configured(office: Office) -> Mapping[Risk, Handler]:
    return handlers(office.settings.console_base, hosts(office.settings.webhook_hosts))


def _webhook(call: Call, act: Act, allowed: Collection[str]) -> None:
    said = act.arguments
    if said.get("remove"):
        targets.remove_target(call, said["name"])
        return
    targets.set_target(call, allowed, name=said["name"], url=said["url"], kinds=said["kinds"], enabled=said["enabled"])


def _retire(call: Call, act: Act) -> None:
    inventory.retire(call, act.subject_id, reason=act.arguments["reason"])


def _end_enrollment(call: Call, act: Act) -> None:
    if act.arguments.get("turn_away"):
        phones.turn_away(call, act.subject_id, act.arguments["why"])
        return
    enrollment.revoke(call, act.subject_id, act.arguments["why"])


def _group(call: Call, act: Act) -> None:
    change = groups.add if act.arguments["joins"] else groups.remove
    change(call, int(act.subject_id), act.arguments["devices"])


def _weaken(call: Call, act: Act) -> None:
    said = act.arguments
    if said["change"] == "remove":
        management.remove_rule(call, int(act.subject_id))
        return
    after = said["after"]
    management.edit_rule(
        call,
        int(act.subject_id),
        params=after["params"],
        grace_hours=after["grace_hours"],
        enabled=after["enabled"],
    )


def _exempt(call: Call, act: Act) -> None:
    said = act.arguments
    until = datetime.fromisoformat(said["until"]).astimezone(UTC)
    management.exempt(call, act.subject_id, said["rule"], owner=said["owner"], reason=said["reason"], until=until)


def _lock(call: Call, act: Act) -> None:
    said = act.arguments
    lifetime = timedelta(minutes=said["minutes"])
    commands.send(call, said["devices"], Verb.LOCK, reason=said["reason"], lifetime=lifetime)


def _locate(call: Call, act: Act) -> None:
    cases.look(call, act.subject_id, act.arguments["reason"])


def _erase(call: Call, act: Act) -> None:
    privacy.erase(call, int(act.subject_id), act.arguments["reason"])


def _place(said: Mapping[str, Any]) -> access.Place:
    return access.Place(said.get("service_point"), said.get("unit"))


def _add_operator(call: Call, act: Act, console: str) -> None:
    said = act.arguments
    made = access.add_operator(
        call,
        email=act.subject_id,
        role=Role(said["role"]),
        place=_place(said),
        name=said["name"],
        language=said["language"],
    )
    # Somebody else has agreed to this operator with this role: the first way in is part of it, and goes to nobody else.
    _send_link(call, made, access.first_link(call, made.id, life=LINK_LIFE), console)


def _give(call: Call, act: Act) -> None:
    access.add_grant(call, int(act.subject_id), Role(act.arguments["role"]), _place(act.arguments))


def _take(call: Call, act: Act) -> None:
    access.remove_grant(call, act.arguments["grant"])


def _disable(call: Call, act: Act) -> None:
    access.disable_operator(call, int(act.subject_id))


def _enable(call: Call, act: Act) -> None:
    access.enable_operator(call, int(act.subject_id))


def _sign_in(call: Call, act: Act, console: str) -> None:
    number = int(act.subject_id)
    if act.arguments["change"] == "second_factor":
        access.reset_totp(call, number)
        return
    secret = access.create_link(call, number, life=timedelta(minutes=act.arguments["minutes"]))
    _send_link(call, call.session.get_one(Operator, number), secret, console)


def _send_link(call: Call, operator: Operator, secret: str, console: str) -> None:
    """To the person who shall sign in and to nobody else: whoever asked for it never sees it."""
    text = f"You can sign in once with this link:\n\n{console}/sign-in/link/{secret}\n"
    outbox.post(call, "mail", {"to": operator.email, "subject": "Your sign-in link", "text": text})


def _token(call: Call, act: Act) -> None:
    said = act.arguments
    ends = datetime.fromisoformat(said["expires_at"]) if said["expires_at"] else None
    access.create_token(
        call,
        name=act.subject_id,
        role=Role(said["role"]),
        place=_place(said),
        expires_at=ends,
        digest=said["digest"],
    )


def _policy(call: Call, act: Act) -> None:
    said, private = act.arguments, act.private
    change = said["change"]
    if change == "apply":
        apply_document(call, private["document"])
        return
    if change in ("reassign", "unassign"):
        _assignment(call, said)
        return
    number = int(act.subject_id)
    if change == "save":
        policies.save(
            call,
            number,
            expected=said["expected"],
            settings=private["settings"],
            raw_payloads=private["payloads"],
            note=private["note"],
        )
    elif change == "archive":
        policies.archive(call, number, confirmed=True)
    elif change == "restore":
        policies.restore(call, number)
    elif change == "assign":
        assigning.assign(call, number, include=said["include"], exclude=said["exclude"], priority=said["priority"])
    else:
        raise InvalidError(N_("Nobody knows how to do this change. Nothing was changed."))


def _assignment(call: Call, said: Mapping[str, Any]) -> None:
    if said["change"] == "unassign":
        assigning.unassign(call, said["assignment"], confirmed=True)
        return
    assigning.edit_assignment(
        call, said["assignment"], include=said["include"], exclude=said["exclude"], priority=said["priority"]
    )


_HANDLERS: Mapping[Risk, Handler] = {
    Risk.COMPLIANCE_WEAKEN: _weaken,
    Risk.DEVICE_RETIRE: _retire,
    Risk.ENROLLMENT_END: _end_enrollment,
    Risk.EXEMPT_MANY: _exempt,
    Risk.GROUP_MANY: _group,
    Risk.LOCATE: _locate,
    Risk.LOCK_MANY: _lock,
    Risk.OPERATOR_DISABLE: _disable,
    Risk.OPERATOR_ENABLE: _enable,
    Risk.PERSON_ERASE: _erase,
    Risk.POLICY_HARD: _policy,
    Risk.ROLE_GIVE: _give,
    Risk.ROLE_TAKE: _take,
    Risk.TOKEN_MAKE: _token,
}


def without_handler() -> frozenset[Risk]:
    """Risks that are done as acts and that nobody performs: none, or the worker could not do what people agreed to."""
    return frozenset(risk for risk, row in RISKS.items() if row.way is Way.ACT) - frozenset(handlers(""))
