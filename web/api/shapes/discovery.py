"""What is on the network of a service point."""

from datetime import datetime

from pydantic import Field

from mdm.discovery.kinds import NetworkKind
from mdm.discovery.model import MatchedBy
from mdm.inventory.model import DeviceKind, LifeCycle
from web.api.shapes.fields import Line
from web.api.strict import Answer, Query


class DiscoveryQuery(Query):
    """Whose network."""

    service_point: Line = Field(description="Code of the service point.")


class NetworkThing(Answer):
    """One thing that was seen on a network."""

    uid: str
    kind: NetworkKind
    name: str
    vendor: str = Field(description="Maker of the network card, by IEEE's list.")
    model: str
    serial: str
    mac: str = Field(description="Forgotten seven days after it was last noted.")
    random: bool = Field(description="The address is made up; it is listed because it fits a device of ours.")
    addresses: list[str]
    services: list[str]
    device: str | None = Field(description="Id of our device, where you may see it.")
    home_service_point_id: int | None = Field(description="Where our device belongs.")
    matched_by: MatchedBy | None
    service_point_id: int = Field(description="Where it was seen.")
    first_seen_at: datetime = Field(description="The day, in UTC: a phone on a network is somebody at work.")
    last_seen_at: datetime = Field(description="The day, in UTC.")


class AbsentDevice(Answer):
    """A managed device of the service point that was not seen on its network."""

    device: str
    name: str
    kind: DeviceKind
    state: LifeCycle
    last_contact_at: datetime | None


class PoolLine(Answer):
    """One kind of device that the place lends."""

    kind: DeviceKind
    pool: int
    there: int = Field(description="Seen, and not lent.")
    lent: int
    missing: int = Field(description="Neither seen nor lent.")
    reserved: int = Field(description="Reservations of the next 24 hours for which somebody is still to come.")
    short: int = Field(description="Reservations that would find no device that was seen.")


class Discovery(Answer):
    """The lists of one service point, of the last seven days."""

    looked_at: datetime | None = Field(description="When the last capture was read; null where nobody looked.")
    random: int = Field(description="Made-up addresses in the last look that fit no device; never counted as devices.")
    unmanaged: list[NetworkThing]
    not_seen: list[AbsentDevice]
    elsewhere: list[NetworkThing]
    here: list[NetworkThing]
    pool: list[PoolLine] = Field(description="Empty where nothing is lent.")
