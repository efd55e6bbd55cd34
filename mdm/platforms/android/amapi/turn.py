"""One turn with Google: what people asked first, then what Google tells, then what Google lacks. No transaction waits for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from mdm.core.errors import HavenmeesterError, LimitedError, UnavailableError
from mdm.platforms.android.amapi import account, notes, operations, phones, policies, tokens
from mdm.platforms.android.amapi.client import Google
from mdm.platforms.android.amapi.house import House
from mdm.platforms.android.amapi.model import AndroidGoogle, Step

log = structlog.get_logger(__name__)
TYPES: Final = ["ENROLLMENT", "STATUS_REPORT", "COMPLIANCE_REPORT", "COMMAND"]
LIST_EVERY: Final = timedelta(hours=12)
LIST_PAGES: Final = 10
"""Pages of the list that one turn reads: a large fleet must not use up the quota of what people wait for."""
LIST_WITHOUT_NOTES: Final = timedelta(minutes=15)
"""How often every device is read where Google tells us nothing by itself."""


def take_turn(house: House, *, simulated: bool = False) -> int:
    """One turn; how many calls to Google it took, 0 where there is no tie or nothing to do.

    When Google is away or the quota is used up the turn ends, and the next one goes on where it stopped. What an administrator
    must do stands in the tie. A tie of a simulated fleet is left to the simulation.
    """
    with house.transact(write=False) as call:
        tie = account.present(call)
        if tie is None or bool(tie.api) != simulated or (tie.step == Step.KEY and tie.asked_at is None):
            return 0
        call.session.expunge(tie)
    problem = ""
    calls = 0
    try:
        google = house.google(tie)
        before = google.calls
        try:
            _turn(house, google, tie)
        finally:
            calls = google.calls - before
    except LimitedError as error:
        log.info("google's quota is used up", wait=error.retry_after)
        return calls
    except UnavailableError as error:
        log.warning("google is away", why=str(error))
        return calls
    except HavenmeesterError as error:
        log.warning("google's way stands still", code=error.code, why=str(error))
        problem = str(error)[:2000]
    if problem != tie.problem:
        with house.transact() as call:
            row = account.present(call)
            if row is not None:
                row.problem = problem
    return calls


def _turn(house: House, google: Google, tie: AndroidGoogle) -> None:
    if tie.step == Step.SIGN_UP and not tie.signup_name:
        _sign_up(house, google, tie)
    if tie.step == Step.RETURNED:
        _found(house, google, tie)
        return
    if tie.step != Step.READY:
        return
    if tie.asked_at is not None:
        _listen(house, google, tie)
    enterprise = tie.enterprise
    steps: tuple[Callable[[], int], ...] = (
        lambda: operations.gather(house),
        lambda: operations.issue(house, google, enterprise),
        lambda: notes.pull(house, google, tie.subscription) if tie.subscription else 0,
        lambda: notes.read(house),
        lambda: policies.bring(house.transact, google, enterprise),
        lambda: tokens.bring(house, google, enterprise),
        lambda: policies.assign(house.transact, google, enterprise),
        lambda: operations.follow(house, google, enterprise),
        lambda: phones.renew(house),
        lambda: _list(house, google, tie),
    )
    trouble: HavenmeesterError | None = None
    for step in steps:
        try:
            step()
        except (LimitedError, UnavailableError):
            raise
        except HavenmeesterError as error:
            # What one step meets does not keep the others from going on.
            trouble = trouble or error
    if trouble is not None:
        raise trouble


def _sign_up(house: House, google: Google, tie: AndroidGoogle) -> None:
    answer = google.call("signupUrls.create", query={"projectId": tie.project, "callbackUrl": tie.callback})
    with house.transact() as call:
        row = call.session.get_one(AndroidGoogle, tie.id)
        if row.state == tie.state:
            row.signup_name = str(answer.get("name") or "")[:255]
            row.signup_url = str(answer.get("url") or "")[:4000]
            row.asked_at = None


def _found(house: House, google: Google, tie: AndroidGoogle) -> None:
    """Makes the enterprise with what the administrator brought back. Google makes one of a token only once."""
    body: dict[str, object] = {"enterpriseDisplayName": house.organisation[:100]}
    if tie.topic:
        body |= {"pubsubTopic": tie.topic, "enabledNotificationTypes": TYPES}
    answer = google.call(
        "enterprises.create",
        body=body,
        query={
            "projectId": tie.project,
            "signupUrlName": tie.signup_name,
            "enterpriseToken": account.token_of(house.seal(), tie),
        },
    )
    with house.transact() as call:
        row = call.session.get_one(AndroidGoogle, tie.id)
        row.enterprise = str(answer.get("name") or "").rpartition("/")[2][:64]
        row.display_name = str(answer.get("enterpriseDisplayName") or house.organisation)[:255]
        row.step, row.returned_token, row.asked_at = Step.READY.value, None, None


def _listen(house: House, google: Google, tie: AndroidGoogle) -> None:
    """Has Google tell of phones at the topic that an administrator chose."""
    body = {"pubsubTopic": tie.topic, "enabledNotificationTypes": TYPES if tie.topic else []}
    mask = "pubsubTopic,enabledNotificationTypes"
    google.call("enterprises.patch", tie.enterprise, body=body, query={"updateMask": mask})
    with house.transact() as call:
        call.session.get_one(AndroidGoogle, tie.id).asked_at = None


def _list(house: House, google: Google, tie: AndroidGoogle) -> int:
    """Reads every device now and then, some pages at a turn: what a notification did not bring, this does."""
    every = LIST_EVERY if tie.subscription else LIST_WITHOUT_NOTES
    with house.transact(write=False) as call:
        if tie.listed_at is not None and call.now - tie.listed_at < every:
            return 0
    token, count = tie.list_token, 0
    for _ in range(LIST_PAGES):
        query: dict[str, str | int] = {"pageSize": 100, **({"pageToken": token} if token else {})}
        answer = google.call("enterprises.devices.list", tie.enterprise, query=query)
        devices = answer.get("devices")
        for said in devices if isinstance(devices, list) else ():
            if isinstance(said, dict):
                _take_listed(house, said)
                count += 1
        token = str(answer.get("nextPageToken") or "")[:4000]
        with house.transact() as call:
            row = call.session.get_one(AndroidGoogle, tie.id)
            row.list_token = token
            if not token:
                row.listed_at = call.now
        if not token:
            break
    return count


def _take_listed(house: House, said: dict[str, object]) -> None:
    try:
        phones.take(house, said)
    except (UnavailableError, LimitedError):
        raise
    except HavenmeesterError as error:
        log.warning("a device of google's list was left alone", code=error.code, why=str(error))
