"""The door for devices as one WSGI callable."""

from flask import Flask

from mdm.settings import Settings
from mdm.signing.client import SignerClient
from web.common.failures import answer_problems
from web.common.guard import check_routes
from web.common.health import add_health
from web.common.language import speak
from web.common.requests import number_requests
from web.gateway.android import AndroidDoor, add_android
from web.gateway.android_polls import Polls
from web.gateway.apple import AppleDoor, add_apple
from web.gateway.apple_enroll import add_enrollment
from web.gateway.database import Database
from web.gateway.door import EXTENSION, Gateway
from web.gateway.doorbell import Doorbell
from web.gateway.figures import Figures
from web.gateway.hot import HotPath
from web.gateway.peer import Peers
from web.gateway.pressure import Queue
from web.gateway.seen import Seen
from web.gateway.views import add_views

FLUSH = 3.0
"""Seconds between two batches of last-seen moments."""


def make_gateway(settings: Settings) -> HotPath:
    """The gateway of this configuration: the hot path around Flask. Opens no connection and starts nothing yet."""
    database = Database(settings.database_of("gateway"))
    here = Gateway(
        settings=settings,
        database=database,
        signer=SignerClient(settings.signer_socket),
        peers=Peers(settings.proxies),
        seen=Seen(database),
        doorbell=Doorbell(database),
        figures=Figures(),
        queue=Queue(),
    )
    app = Flask("web.gateway", static_folder=None, template_folder=None)
    app.extensions[EXTENSION] = here
    number_requests(app)
    speak(app, "en", settings.timezone)
    answer_problems(app)
    add_views(app)
    add_enrollment(app)
    add_health(app, settings, database.ping)
    phones = AppleDoor(here)
    add_apple(app, phones)
    add_android(app, AndroidDoor(here))
    check_routes(app)
    return HotPath(
        app.wsgi_app,
        database=database,
        peers=here.peers,
        seen=here.seen,
        doorbell=here.doorbell,
        figures=here.figures,
        queue=here.queue,
        seconds=settings.checkin_seconds,
        phones=phones,
        polls=Polls(here),
    )
