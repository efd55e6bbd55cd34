"""The list of invitations."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select, true

from mdm.core.errors import N_
from mdm.core.permissions import Permission
from mdm.enrollment.model import Invitation
from mdm.inventory.model import Device
from mdm.org.model import ServicePoint
from mdm.overview import words
from mdm.overview.devices import places, point_of
from mdm.overview.listing import Column, Filter, Listing, any_id, any_of, any_place, moment_order, text_order
from mdm.people.model import Person
from mdm.storage.call import Call
from mdm.storage.scoping import has_words, within


def invitations_of(call: Call) -> Select[Any]:
    """Invitations that the actor may see, with person, device and service point."""
    scope = call.actor.scope(Permission.ENROLLMENT_VIEW)
    return (
        select(Invitation.id)
        .join(Person, Person.id == Invitation.person_id)
        .outerjoin(ServicePoint, ServicePoint.id == Invitation.service_point_id)
        .outerjoin(Device, Device.id == Invitation.device_id)
        .where(within(scope, Invitation.service_point_id, Invitation.unit_id))
    )


def standing(now: datetime) -> ColumnElement[str]:
    """What an invitation is worth now, as a word of ``words.INVITATION_STATES``."""
    return case(
        (Invitation.reported_at.is_not(None), "finished"),
        (and_(Invitation.failed_at.is_not(None), Invitation.certified_at.is_(None)), "failed"),
        (Invitation.used_at.is_not(None), "started"),
        (Invitation.withdrawn_at.is_not(None), "withdrawn"),
        (Invitation.expires_at <= now, "expired"),
        else_="open",
    )


def _words(_call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return and_(true(), *(has_words(Person.search, value) for value in values))


def _standing(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    return standing(call.now).in_(values)


def _expiring(call: Call, values: Sequence[str]) -> ColumnElement[bool]:
    """Open ones that expire within so many hours."""
    hours = [int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 5]
    soon = (Invitation.expires_at <= call.now + timedelta(hours=number) for number in hours)
    return and_(standing(call.now) == "open", or_(false(), *soon))


def listing(now: datetime) -> Listing:
    """The list as it stands now."""
    state = standing(now)
    return Listing(
        name="invitations",
        permission=Permission.ENROLLMENT_VIEW,
        base=invitations_of,
        id=Invitation.id,
        sort="-created",
        extra=(
            Invitation.uid.label("_invitation"),
            Invitation.person_id.label("_person_id"),
            Person.name.label("_name"),
            ServicePoint.name.label("_place"),
            func.coalesce(Device.uid, "").label("_uid"),
        ),
        columns=(
            Column("person", N_("Person"), Person.name, "invited", True, text_order(Person.name)),
            Column("state", N_("State"), state, "invitation", True, state),
            Column("platform", N_("Platform"), Invitation.platform, "platform", True, Invitation.platform),
            Column(
                "service_point", N_("Service point"), ServicePoint.name, "text", True, text_order(ServicePoint.name)
            ),
            Column("created", N_("Invited"), Invitation.created_at, "seen", True, Invitation.created_at),
            Column("expires", N_("Expires"), Invitation.expires_at, "moment", True, Invitation.expires_at),
            Column("device", N_("Device"), Device.name, "device_link", True, text_order(Device.name)),
            Column("by", N_("Invited by"), Invitation.created_by, "text", False, Invitation.created_by),
            Column("used", N_("Used"), Invitation.used_at, "moment", False, moment_order(Invitation.used_at)),
            Column("failure", N_("Problem"), Invitation.failure, "text", False),
        ),
        filters=(
            Filter("q", N_("Search"), _words, shown=False),
            Filter("state", N_("State"), _standing, words=words.INVITATION_STATES),
            Filter("platform", N_("Platform"), any_of(Invitation.platform), words=words.PLATFORMS),
            Filter(
                "service_point", N_("Service point"), any_place(Invitation.service_point_id, point_of), choices=places
            ),
            Filter("expiring", N_("Expires within hours"), _expiring, shown=False),
            Filter("person", N_("Person"), any_id(Invitation.person_id), shown=False),
        ),
    )
