"""The list of kiosks: what they report of themselves, and what somebody saw who walked round.

A kiosk reports its updates, its session, its browser, how warm it is, and what its printer tells it of the paper. Beside that
stands the paper as somebody saw it last: printers are wrong too. What was never reported is NULL, and shown as that.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, true

from mdm.core.errors import N_
from mdm.core.permissions import Permission
from mdm.desk.kiosks.model import KioskStop
from mdm.desk.kiosks.queries import kiosks_select
from mdm.inventory.model import Application, AppSetItem, Device, FactSection
from mdm.org.model import ServicePoint
from mdm.overview import cells, desk_words, words
from mdm.overview.devices import places, point_of
from mdm.overview.listing import Column, Filter, Listing, any_of, any_place, moment_order, text_order
from mdm.storage.call import Call
from mdm.storage.scoping import has_words

BROWSERS = ("chromium", "firefox", "firefox-esr", "google-chrome-stable", "epiphany-browser")


def kiosks_of(call: Call) -> Select[Any]:
    """Kiosks at the actor's places, with their place."""
    return (
        kiosks_select(call)
        .outerjoin(ServicePoint, ServicePoint.id == Device.service_point_id)
        .with_only_columns(Device.id, maintain_column_froms=True)
    )


def _words(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return and_(true(), *(has_words(Device.search, value) for value in values))


def _last(column: Any) -> Any:
    """A column of the last time that somebody stood before it."""
    query = select(column).where(KioskStop.device_id == Device.id, KioskStop.seen_at.is_not(None))
    return query.order_by(KioskStop.seen_at.desc()).limit(1).correlate(Device).scalar_subquery()


def _fact(section: str, *path: str) -> Any:
    """A text of the last report; NULL where the kiosk never said it."""
    content = FactSection.content[path].as_string()
    query = select(content).where(FactSection.device_id == Device.id, FactSection.section == section)
    return query.correlate(Device).scalar_subquery()


_BROWSER = (
    select(func.min(Application.identifier + " " + AppSetItem.version))
    .select_from(AppSetItem)
    .join(Application, Application.id == AppSetItem.application_id)
    .where(AppSetItem.app_set_id == Device.app_set_id, Application.identifier.in_(BROWSERS))
    .correlate(Device)
    .scalar_subquery()
)
_ALIVE, _PAPER_TOLD = _fact("kiosk", "browser"), _fact("kiosk", "printer", "paper")
_PAPER, _WALKED = _last(KioskStop.paper), _last(KioskStop.seen_at)

KIOSKS = Listing(
    name="kiosks",
    permission=Permission.DESK_VIEW,
    base=kiosks_of,
    id=Device.id,
    sort="service_point",
    extra=(
        *cells.DEVICE,
        Device.findings.label("_findings"),
        Device.grace_until.label("_grace_until"),
        ServicePoint.name.label("_place"),
    ),
    columns=(
        Column("device", N_("Kiosk"), Device.name, "device", True, text_order(Device.name)),
        Column("service_point", N_("Service point"), ServicePoint.name, "text", True, text_order(ServicePoint.name)),
        Column("state", N_("State"), Device.state, "state", False, Device.state),
        Column("health", N_("Health"), Device.standing, "verdict", True, Device.standing),
        Column("alive", N_("Browser"), _ALIVE, "kiosk_browser", True),
        Column("paper_told", N_("Paper, it says"), _PAPER_TOLD, "printer_paper", True),
        Column("paper", N_("Paper, as seen"), _PAPER, "paper", True),
        Column("walked", N_("Looked at"), _WALKED, "seen", True, moment_order(_WALKED)),
        Column("seen", N_("Last seen"), Device.contact_at, "contact", True, moment_order(Device.contact_at)),
        Column("used", N_("Last used"), _fact("kiosk", "last_use"), "reported", False),
        Column("degrees", N_("Temperature, in °C"), _fact("kiosk", "temperature_c"), "reported", False),
        Column(
            "session", N_("Session"), _fact("desired", "resources", "kiosk.session", "state"), "kiosk_session", False
        ),
        Column("browser", N_("Version of the browser"), _BROWSER, "reported", False),
        Column("updates", N_("Last update"), _fact("patch", "last_update"), "reported", False),
        Column("os", N_("Operating system"), Device.os_name + " " + Device.os_version, "text", False),
    ),
    filters=(
        Filter("q", N_("Search"), _words, shown=False),
        Filter("service_point", N_("Service point"), any_place(Device.service_point_id, point_of), choices=places),
        Filter("state", N_("State"), any_of(Device.state), words=words.STATES),
        Filter("health", N_("Health"), any_of(Device.standing), words=words.STANDINGS),
        Filter("alive", N_("Browser"), any_of(_ALIVE), words=desk_words.KIOSK_BROWSERS),
        Filter("paper_told", N_("Paper, it says"), any_of(_PAPER_TOLD), words=desk_words.PRINTER_PAPER),
        Filter("paper", N_("Paper, as seen"), any_of(_PAPER), words=desk_words.KIOSK_PAPER),
    ),
)
