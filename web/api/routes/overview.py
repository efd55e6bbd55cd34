"""Figures over the fleet, and how the installation does."""

from apiflask import APIBlueprint
from flask import current_app
from flask_babel import gettext

from mdm.core.permissions import Permission
from mdm.overview import health, home
from mdm.settings import Settings
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.shapes import overview as shapes
from web.common.app import SETTINGS

api = APIBlueprint("overview", __name__, tag={"name": "Overview", "description": "Figures, and how all of it does."})


def _settings() -> Settings:
    found: Settings = current_app.extensions[SETTINGS]
    return found


def _chart(chart: home.Chart) -> shapes.Chart:
    return shapes.Chart(
        names=[gettext(name) if name else "" for name in chart.names],
        series=[shapes.Series(name=one.name, values=[round(value) for value in one.values]) for one in chart.series],
    )


@operation(api, "GET", "/overview", Permission.DEVICE_VIEW, answer=shapes.Home)
def get_overview(call: Call) -> shapes.Home:
    """Read the figures of the home page.

    What waits for somebody, counts and charts, for the devices at your places.
    """
    counts = home.counts(call)
    return shapes.Home(
        needs=[
            shapes.Need(kind=need.kind, count=need.count, filters=list(need.parameters)) for need in home.needs(call)
        ],
        counts=counts,
        compliance_by_place=_chart(home.compliance_by_place(call)),
        systems=_chart(home.systems(call)),
        last_seen=_chart(home.last_seen(counts)),
        enrolments=_chart(home.enrolments(call, _settings().timezone)),
    )


@operation(api, "GET", "/health", Permission.SETTINGS_VIEW, answer=shapes.Health)
def get_health(call: Call) -> shapes.Health:
    """Read how the installation does.

    Signer, worker, post, database. For a probe without a token there are `/healthz` and `/readyz` beside the API.
    """
    checks = health.health(call, _settings())
    tones = {check.tone for check in checks}
    return shapes.Health(
        tone="bad" if "bad" in tones else "warn" if "warn" in tones else "good",
        checks=[
            shapes.Check(
                name=gettext(check.name),
                tone=check.tone,
                sentence=gettext(check.sentence) % check.params,
                params=check.params,
            )
            for check in checks
        ],
    )
