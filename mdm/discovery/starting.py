"""What the demonstration shows of discovery: one look at the network of Werkhaven, taken as any other."""

from sqlalchemy import ColumnElement, select

from mdm.desk.loans.model import LoanPlace
from mdm.discovery import service
from mdm.discovery.model import Source
from mdm.discovery.reading import Heard, Result
from mdm.inventory.model import Device, LifeCycle, Ownership
from mdm.org.model import ServicePoint
from mdm.storage.call import Call

PLACE = "WERKHAVEN"
STRANGERS: tuple[dict[str, object], ...] = (
    {
        "mac": "00:1b:a9:4c:11:07",
        "names": ["BRW001BA94C1107.local"],
        "services": ["_ipp._tcp"],
        "model": "Brother HL-L2350DW",
    },
    {"mac": "00:40:8c:9a:20:31", "names": ["axis-inkom.local"], "services": ["_axis-video._tcp"]},
    {"mac": "00:0b:86:77:3e:02", "names": ["sw-werkhaven-1"], "capabilities": ["bridge"], "server": "ArubaOS"},
    {"mac": "00:21:70:5d:a8:44", "names": ["LAPTOP-VAN-THUIS"], "vendor_class": "MSFT 5.0"},
    {"mac": "00:15:65:0b:90:12", "vendor_class": "yealink", "names": ["SIP-T46"]},
)
MADE_UP = ("da:a1:19:52:70:01", "ea:5f:03:11:08:92", "fa:10:7c:20:33:54")
OURS = 6
GUESTS = 1
CARDS = "00:21:70:ee:00:%02x"
FLEX_POOL = 2
FLEX_CARDS = "00:21:70:ef:00:%02x"


def load(call: Call) -> None:
    """Takes the looks; nothing where the places are not there. For somebody who may do everything."""
    _look_at_flex(call)
    place = call.session.scalar(select(ServicePoint).where(ServicePoint.code == PLACE))
    if place is None:
        return
    ours = _serials(call, Device.service_point_id == place.id, OURS) + _serials(
        call, Device.service_point_id != place.id, GUESTS
    )
    told: list[dict[str, object]] = list(STRANGERS)
    told += [{"mac": mac} for mac in MADE_UP]
    told += [{"mac": CARDS % number, "serial": serial} for number, serial in enumerate(ours)]
    heard = []
    for number, one in enumerate(told):
        at = call.now.timestamp() - 60 * number
        more = {"first": at - 600, "last": at, "packets": 12 + number, "addresses": [f"10.20.4.{20 + number}"]}
        heard.append(Heard.model_validate({**more, "protocols": ["arp", "dhcp"], **one}))
    run = service.begin(call, place.id, Source.CAPTURE, "werkhaven.pcap")
    service.take(call, run.uid, Result(heard=heard, packets=4812, ended=True))


def _look_at_flex(call: Call) -> None:
    """A place that lends, where one device of its pool is missing."""
    lends = call.session.scalars(
        select(LoanPlace.service_point_id)
        .where(LoanPlace.closed_at.is_(None))
        .order_by(LoanPlace.service_point_id)
        .limit(1)
    ).first()
    if lends is None:
        return
    pool = _serials(
        call, (Device.service_point_id == lends) & (Device.ownership == Ownership.LOAN_POOL.value), FLEX_POOL
    )
    at = call.now.timestamp() - 1800
    more = {"first": at - 900, "last": at, "packets": 40, "protocols": ["arp", "dhcp"], "vendor_class": "systemd"}
    heard = [
        Heard.model_validate(
            {**more, "mac": FLEX_CARDS % number, "serial": serial, "addresses": [f"10.20.9.{20 + number}"]}
        )
        for number, serial in enumerate(pool[:-1])
    ]
    run = service.begin(call, lends, Source.CAPTURE, "flex.pcap")
    service.take(call, run.uid, Result(heard=heard, packets=1290, ended=True))


def _serials(call: Call, where: ColumnElement[bool], limit: int) -> list[str]:
    query = select(Device.serial).where(where, Device.serial.is_not(None), Device.state != LifeCycle.RETIRED.value)
    return [one for one in call.session.scalars(query.order_by(Device.id).limit(limit)) if one]
