"""Alarms, and the targets of webhooks that hear them."""

from flask import current_app, request, url_for
from flask.wrappers import Response
from flask_babel import gettext

from mdm.alarms import queries, targets
from mdm.alarms.address import hosts
from mdm.alarms.grouping import grouped
from mdm.alarms.kinds import WORDS, Kind
from mdm.alarms.model import Alarm
from mdm.core.errors import HavenmeesterError
from mdm.core.permissions import Permission
from mdm.storage.call import Call
from web.common.failures import Failure
from web.common.guard import may
from web.common.sealed import SEAL
from web.console.frame import fill
from web.console.identity import settings as configuration
from web.console.pages.helpers import GET, POST, Route, done, page, refused, text


def _alarms(call: Call, failure: Failure | None = None, secret: tuple[str, str] | None = None) -> Response:
    manages = call.actor.may(Permission.WEBHOOK_MANAGE)
    response = page(
        "settings/alarms.html",
        groups=grouped(queries.alarms(call)),
        said=_said,
        words={kind.value: gettext(sentence) for kind, sentence in WORDS.items()},
        kinds=[(kind.value, gettext(WORDS[kind])) for kind in Kind]
        + [(targets.DIARY_HEAD, gettext("Signed heads of the diary, as a witness"))],
        targets=queries.webhook_targets(call) if manages else None,
        undelivered=queries.undelivered(call) if manages else (0, 0),
        hosts=sorted(hosts(configuration().webhook_hosts)),
        failure=failure,
        values=request.form,
        secret=secret,
    )
    return failure.stamp(response) if failure else response


def _said(alarm: Alarm) -> str:
    """The sentence of an alarm in the language of the page; the verb in it has words of its own in the catalogues."""
    params = alarm.params
    return fill(alarm.text, params | {"verb": gettext(params["verb"])} if "verb" in params else params)


@may(Permission.ALARM_VIEW)
def alarms(call: Call) -> Response:
    """The alarms at the actor's places, and where they are sent."""
    return _alarms(call)


@may(Permission.WEBHOOK_MANAGE)
def alarms_change(call: Call) -> Response:
    """Sets or removes a target, or shows its secret once."""
    step, name = text("step"), text("name")
    try:
        if step == "secret":
            return _alarms(call, secret=(name, targets.show_secret(call, name, current_app.extensions[SEAL])))
        if step == "remove":
            targets.remove_target(call, name)
        else:
            targets.set_target(
                call,
                hosts(configuration().webhook_hosts),
                name=name,
                url=text("url"),
                kinds=request.form.getlist("kinds"),
                enabled=text("enabled") != "no",
            )
    except HavenmeesterError as error:
        return _alarms(call, refused(call, error))
    return done(gettext("Saved."), url_for("alarms"))


ROUTES: tuple[Route, ...] = (
    ("/settings/alarms", "alarms", alarms, GET),
    ("/settings/alarms/change", "alarms_change", alarms_change, POST),
)
