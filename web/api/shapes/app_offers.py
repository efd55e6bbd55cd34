"""Applications that employees may ask for, and who asked."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from mdm.inventory.model import Platform
from mdm.people.model import Persona
from mdm.portal.app_answers import MAX_ABOUT, MAX_ANSWER
from mdm.portal.model import AppState
from web.api.paging import PageQuery, page_model
from web.api.strict import Answer, Body, Edit

Language = Literal["nl", "fr", "en", "tr", "ar", "ro"]
Sentence = Annotated[str, Field(max_length=MAX_ABOUT)]
About = Annotated[
    dict[Language, Sentence],
    Field(description="What it is good for, in a sentence by language; empty ones are left out."),
]
Personas = Annotated[list[Persona], Field(max_length=10, description="Who may ask for it; empty: everybody.")]


class AppOffer(Answer):
    """An application that employees may ask for."""

    uid: str
    name: str
    about: dict[Language, str] = Field(description="By language.")
    platform: Platform
    identifier: str
    personas: list[Persona]
    group_id: int | None = Field(description="The group that devices join; null when it is gone.")
    policy_id: int | None
    created_at: datetime
    closed_at: datetime | None = Field(description="Since when nobody can ask for it any more.")


class AppOfferNew(Body):
    """Offers an application."""

    name: str = Field(min_length=1, max_length=80)
    about: About = {}
    platform: Platform
    identifier: str = Field(min_length=1, max_length=255, description="Package or bundle.")
    personas: Personas = []


class AppOfferEdit(Edit):
    """Says anew what it is good for, or who may ask; what is left out stays."""

    about: About = {}
    personas: Personas = []
    closed: bool = Field(False, description="True: nobody can ask for it any more, and who has it keeps it.")


class AppRequestQuery(PageQuery):
    """Which wishes."""

    state: list[AppState] = Field(default=[AppState.ASKED], max_length=4, description="May be repeated.")


class AppRequest(Answer):
    """Somebody's wish for an application."""

    uid: str
    offer: str = Field(description="Id of the offer.")
    name: str
    person_id: int
    person_name: str
    state: AppState
    why: str
    asked_at: datetime
    answered_at: datetime | None
    answered_by: str
    answer: str


class AppRequestAnswer(Body):
    """The answer; the person gets it by mail in their language, and sees it on their page."""

    state: Literal["granted", "refused", "withdrawn"] = Field(description="Withdrawn: taken away again.")
    answer: Annotated[str, Field(max_length=MAX_ANSWER)] = Field("", description="Needed unless it is granted.")


AppOfferPage = page_model(AppOffer, "AppOfferPage")
AppRequestPage = page_model(AppRequest, "AppRequestPage")
