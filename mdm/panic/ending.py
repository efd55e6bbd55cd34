"""A false alarm, said by who raised it; and its silent contrary, which looks the same on their phone."""

from typing import Final

from mdm.core.actor import Actor, ActorKind
from mdm.core.errors import N_, ConflictError, NotFoundError
from mdm.panic import keeping, keys, raising
from mdm.panic.model import PanicAlarm, PanicKey
from mdm.panic.states import Move, after, possible
from mdm.people import employee
from mdm.storage.call import Call

TRIES: Final = 5
"""Wrong codes after which only somebody who comes can end a call for help."""


def call_off(call: Call, secret: str, code: str = "") -> bool:
    """A false alarm from this phone: "I am safe". False for a wrong code, and nothing is ended.

    With the code of duress the answer is the same; the call goes on, and everybody who may answer is told of it silently.
    Raises NotSignedInError (``panic_key``), NotFoundError where nothing is open, ConflictError (``codes_spent``).
    """
    key, person = keys.found(call, secret)
    alarm = raising.mine(call, secret)
    if alarm is None:
        raise NotFoundError(N_("Nothing was sent from this phone that could be called off."))
    speaker = Actor(ActorKind.EMPLOYEE, person.id, person.name, (), call.actor.request_id)
    return _off(call.by(speaker), alarm, key, code)


def call_off_own(call: Call, uid: str, code: str = "") -> bool:
    """``call_off`` by somebody who has signed in, for any call in their name, such as one of the computer they hold.

    Raises NotFoundError for one that is not theirs, and else like ``call_off``. Twice is like once.
    """
    person = employee.me(call)
    alarm = next((one for one in raising.of_person(call, person.id) if one.uid == uid), None)
    if alarm is None:
        raise NotFoundError(N_("There is no such call for help, or it is not one of yours."))
    return _off(call, alarm, keys.with_codes(call, person.id), code)


def _off(call: Call, alarm: PanicAlarm, key: PanicKey | None, code: str) -> bool:
    call.session.refresh(alarm, with_for_update=True)
    if alarm.called_off_at is not None or not possible(alarm.state, Move.CALL_OFF):
        return True
    word = "safe"
    if key is not None and keys.needs_code(key):
        if alarm.wrong_codes >= TRIES:
            raise ConflictError(
                N_("Too many wrong codes. Help is still on its way; tell whoever comes that you are safe."),
                code="codes_spent",
            )
        word = keys.said(key, code)
    if not word:
        alarm.wrong_codes += 1
        keeping.line(call, alarm, "wrong_code")
        return False
    alarm.called_off_at = call.now
    if word == "duress":
        alarm.state = after(alarm.state, Move.DURESS).value
        alarm.duress_at = alarm.duress_at or call.now
        keeping.line(call, alarm, "duress", by="")
    else:
        alarm.state, alarm.next_at = after(alarm.state, Move.CALL_OFF).value, None
        keeping.line(call, alarm, "called_off")
    # The diary says the same of both: whoever reads it over somebody's shoulder learns nothing.
    keeping.record(call, alarm, "panic.called_off")
    keeping.beat(call)
    return True
