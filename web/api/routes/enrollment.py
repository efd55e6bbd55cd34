"""Invitations and enrollments."""

from apiflask import APIBlueprint

from mdm.core.permissions import Permission
from mdm.core.risk import Risk
from mdm.enrollment import model, queries, service
from mdm.enrollment.progress import standing
from mdm.storage.call import Call
from web.api.links import invitation_links
from web.api.operation import operation
from web.api.paging import Page, walk
from web.api.shapes import enrollment as shapes
from web.api.shapes.enrollment import Invitation
from web.api.shapes.groups import Changed

api = APIBlueprint(
    "enrollment", __name__, tag={"name": "Enrollment", "description": "Invitations, and certificates of devices."}
)
VIEW, INVITE, REVOKE = Permission.ENROLLMENT_VIEW, Permission.ENROLLMENT_INVITE, Permission.ENROLLMENT_REVOKE
ONE = "/invitations/<uid:invitation_uid>"


def _fields(call: Call, row: model.Invitation) -> dict[str, object]:
    names = [name for name in Invitation.model_fields if name != "standing"]
    return {**{name: getattr(row, name) for name in names}, "standing": standing(row, call.now)}


def _shown(call: Call, row: model.Invitation) -> Invitation:
    return Invitation.model_validate(_fields(call, row))


@operation(api, "GET", "/invitations", VIEW, query=shapes.InvitationQuery, answer=shapes.InvitationPage)
def list_invitations(call: Call, query: shapes.InvitationQuery) -> Page[Invitation]:
    """List invitations.

    Newest first; only those at your places.
    """
    rows, following = walk(
        query,
        lambda mark, limit: queries.invitations(
            call, standing=query.standing, person_id=query.person_id, before=mark[0] if mark else None, limit=limit
        ),
        lambda row: (row.id,),
    )
    return shapes.InvitationPage(items=[_shown(call, row) for row in rows], next=following)


@operation(
    api, "POST", "/invitations", INVITE, body=shapes.InvitationNew, answer=shapes.InvitationMade, status=201,
    problems=(404,),
)  # fmt: skip
def create_invitation(call: Call, body: shapes.InvitationNew) -> shapes.InvitationMade:
    """Invite a person to enrol a device.

    The person is made where the e-mail address is unknown. The address is shown this once; only its digest is kept.
    """
    links = invitation_links()
    invitation, url = service.invite(
        call,
        links,
        email=body.email,
        platform=body.platform.value,
        service_point_code=body.service_point,
        name=body.name,
        kind=body.kind.value if body.kind else "",
        ownership=body.ownership.value,
        device_uid=body.device,
    )
    return shapes.InvitationMade.model_validate({**_fields(call, invitation), "url": url})


@operation(api, "GET", ONE, VIEW, answer=Invitation)
def get_invitation(call: Call, invitation_uid: str) -> Invitation:
    """Read one invitation.

    The address is not shown again.
    """
    return _shown(call, queries.invitation(call, invitation_uid))


@operation(api, "GET", f"{ONE}/progress", VIEW, answer=shapes.Progress)
def get_invitation_progress(call: Call, invitation_uid: str) -> shapes.Progress:
    """Read how far an invitation has come.

    Step by step, from invited to configured, and why it stopped where it did.
    """
    found = queries.invitation_progress(call.session, queries.invitation(call, invitation_uid), call.now)
    return shapes.Progress(
        standing=found.standing,
        done=[shapes.StepDone(step=step, at=at) for step, at in found.done.items()],
        next=found.next,
        green=found.green,
        failure=found.failure,
        device=found.device,
    )


@operation(api, "POST", f"{ONE}/withdraw", INVITE, answer=Invitation)
def withdraw_invitation(call: Call, invitation_uid: str) -> Invitation:
    """Make an unused invitation worthless.

    Twice is like once. 409 when it was used already.
    """
    return _shown(call, service.withdraw(call, invitation_uid))


@operation(api, "GET", "/devices/<uid:device_uid>/enrollments", VIEW, answer=shapes.Enrollments)
def list_device_enrollments(call: Call, device_uid: str) -> shapes.Enrollments:
    """List the certificates of a device.

    Newest first, ended ones included.
    """
    rows = queries.enrollments(call, device_uid)
    return shapes.Enrollments(items=[shapes.Enrollment.model_validate(row) for row in rows])


@operation(
    api,
    "POST",
    "/devices/<uid:device_uid>/enrollments/revoke",
    REVOKE,
    body=shapes.Revocation,
    answer=Changed,
    risks=(Risk.ENROLLMENT_END,),
)
def revoke_device_enrollments(call: Call, device_uid: str, body: shapes.Revocation) -> Changed:
    """Refuse every certificate of a device from its next request on.

    Answers how many were in force. Twice is like once.
    """
    return Changed(changed=service.revoke(call, device_uid, body.reason))
