"""Applications on offer, and the wishes of employees."""

from apiflask import APIBlueprint

from mdm.core.permissions import Permission
from mdm.portal import app_answers, model
from mdm.portal.model import AppState
from mdm.storage.call import Call
from web.api.operation import operation
from web.api.paging import Page, PageQuery, cut
from web.api.shapes import app_offers as shapes
from web.api.shapes.app_offers import AppOffer, AppRequest
from web.api.versions import unchanged

api = APIBlueprint(
    "app_offers",
    __name__,
    tag={"name": "Applications on offer", "description": "What employees may ask for, who asked, the answers."},
)
VIEW, EDIT, DECIDE = Permission.POLICY_VIEW, Permission.POLICY_EDIT, Permission.APPLICATION_DECIDE
ONE = "/application-offers/<uid:app_offer_uid>"


@operation(api, "GET", "/application-offers", VIEW, query=PageQuery, answer=shapes.AppOfferPage)
def list_app_offers(call: Call, query: PageQuery) -> Page[AppOffer]:
    """List applications on offer.

    By name; those that can be asked for no more are the last.
    """
    rows, following, total = cut([row for row, _ in app_answers.offers(call)], query, lambda row: row.uid)
    return shapes.AppOfferPage(items=[_offer(row) for row in rows], next=following, total=total)


@operation(api, "GET", ONE, VIEW, answer=AppOffer, tagged=True)
def get_app_offer(call: Call, app_offer_uid: str) -> AppOffer:
    """Read one application on offer.

    The answer carries an ETag for an edit.
    """
    return _offer(app_answers.one(call, app_offer_uid))


@operation(
    api,
    "POST",
    "/application-offers",
    EDIT,
    body=shapes.AppOfferNew,
    answer=AppOffer,
    status=201,
    tagged=True,
    problems=(409,),
)
def create_app_offer(call: Call, body: shapes.AppOfferNew) -> AppOffer:
    """Offer an application.

    A group of devices and a policy are made for it. 409 when it is offered already.
    """
    about = {str(language): sentence for language, sentence in body.about.items()}
    made = app_answers.offer(
        call, name=body.name, about=about, platform=body.platform, identifier=body.identifier, personas=body.personas
    )
    return _offer(made)


@operation(api, "PATCH", ONE, EDIT, body=shapes.AppOfferEdit, answer=AppOffer, tagged=True, guarded=True)
def edit_app_offer(call: Call, app_offer_uid: str, body: shapes.AppOfferEdit) -> AppOffer:
    """Say anew what an application is good for, or stop offering it.

    What is left out stays; who has it keeps it.
    """
    now = _offer(app_answers.one(call, app_offer_uid))
    unchanged(now)
    given = body.given()
    about, personas = given.get("about", now.about), given.get("personas", now.personas)
    app_answers.edit(call, app_offer_uid, about=about, personas=personas)
    if "closed" in given:
        app_answers.close(call, app_offer_uid, closed=given["closed"])
    return _offer(app_answers.one(call, app_offer_uid))


@operation(api, "GET", "/application-requests", DECIDE, query=shapes.AppRequestQuery, answer=shapes.AppRequestPage)
def list_app_requests(call: Call, query: shapes.AppRequestQuery) -> Page[AppRequest]:
    """List wishes for applications.

    Of people at your places, the longest waiting first; at most 200.
    """
    rows, following, total = cut(app_answers.wishes(call, query.state), query, lambda row: row.request.uid)
    return shapes.AppRequestPage(items=[_wish(row) for row in rows], next=following, total=total)


@operation(
    api,
    "POST",
    "/application-requests/<uid:app_request_uid>/answer",
    DECIDE,
    body=shapes.AppRequestAnswer,
    answer=AppRequest,
    problems=(409,),
)
def answer_app_request(call: Call, app_request_uid: str, body: shapes.AppRequestAnswer) -> AppRequest:
    """Grant or refuse a wish, or take an application away.

    The person gets a letter in their language. Twice is like once; 409 when it was answered otherwise.
    """
    app_answers.answer(call, app_request_uid, AppState(body.state), body.answer)
    return _wish(app_answers.wish(call, app_request_uid))


def _offer(row: model.AppOffer) -> AppOffer:
    own = {name: getattr(row, name) for name in AppOffer.model_fields}
    return AppOffer.model_validate(own | {"about": app_answers.sentences(row)})


def _wish(row: app_answers.Wish) -> AppRequest:
    own = {name: getattr(row.request, name, None) for name in AppRequest.model_fields}
    named = {"offer": row.offer.uid, "name": row.offer.name, "person_name": row.person.name}
    return AppRequest.model_validate(own | named)
