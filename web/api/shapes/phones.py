"""iPhones and iPads: what Apple's side needs, and what is a phone's alone."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from mdm.platforms.apple.about import Reach
from mdm.platforms.apple.model import CommandState
from mdm.platforms.apple.pushing import Level
from mdm.platforms.apple.schema.check import Severity
from web.api.paging import page_model
from web.api.strict import Answer, Body, Edit

Base64 = Annotated[str, Field(max_length=900_000, pattern=r"^[A-Za-z0-9+/]*={0,2}$", description="Standard Base64.")]


class PushCertificate(Answer):
    """The push certificate in use, without its key."""

    level: Level
    topic: str | None
    account: str | None
    not_after: datetime | None
    days_left: int | None = Field(description="Below zero when it has ended.")
    listening: int = Field(description="Phones that listen to its topic.")
    unreached: int = Field(description="Those of them that Apple says are not reached.")
    refused_why: str | None = Field(description="Apple's word, where it refuses the certificate.")


class NewPushCertificate(Body):
    """A push certificate as Apple's portal gives it."""

    certificate: str = Field(max_length=65_536, description="PEM.")
    key: str = Field(
        default="",
        max_length=65_536,
        description="PEM; left out for a certificate that was asked for with a request of ours.",
    )
    account: str = Field(default="", max_length=255, description="The Apple account that it was made with.")


class PushRequest(Answer):
    """A request for a push certificate. Its key never leaves the server."""

    id: str
    csr: str = Field(description="The request, PEM.")
    signed: str | None = Field(description="What Apple's portal takes, where the server has a vendor's certificate.")
    renews: str = Field(description="The topic that the certificate shall have; empty for the first one.")
    created_at: datetime


class Tie(Answer):
    """A tie with Apple's list of devices."""

    id: str
    certificate: str = Field(description="What is uploaded at Apple's portal: the token is sealed for it. PEM.")
    token_ends_at: datetime | None = Field(description="Null until the token was brought in.")
    synced_at: datetime | None
    problem: str
    least_version: str = Field(description="The system that a phone must have before it is enrolled; empty: any.")
    listed: int
    given: int = Field(description="Listed devices that Apple gives our profile.")
    refused: int = Field(description="Listed devices that Apple does not give it.")


class TieToken(Body):
    """The token of a tie."""

    file: Base64 = Field(description="The file that Apple's portal gave (.p7m), in Base64.")


class TieEdit(Edit):
    """What a new phone must have."""

    least_version: str = Field(default="", max_length=32)


class ListedDevice(Answer):
    """A device on Apple's list."""

    serial: str
    model: str
    description: str
    given: bool = Field(description="Whether Apple gives it our profile.")
    problem: str = Field(description="Apple's word for why it does not; empty while nothing is wrong.")
    device: str | None = Field(description="Id of the device here; null while it is not recorded.")


class CertificateRequest(Answer):
    """A phone that waits for its first certificate."""

    id: str
    person: str
    email: str
    serial: str
    key_digest: str
    since: datetime | None


class CertificateDecision(Body):
    """Yes or no."""

    approve: bool


class PhoneProfile(Answer):
    """A configuration profile on a phone."""

    identifier: str
    name: str
    ours: bool
    managed: bool
    state: Literal["failed", "installed", "leaving", "pending", "present"]
    detail: str
    payloads: list[str]


class PhoneDeclaration(Answer):
    """A declaration that a phone was told of, and what it says of it."""

    identifier: str
    kind: str
    type: str
    state: Literal["applied", "failed", "pending", "unknown"]
    reasons: list[str]


class PhoneCertificate(Answer):
    """A certificate that a phone lists."""

    name: str
    identity: bool
    issuer: str
    not_after: str | None
    fingerprint: str | None


class PhoneApplication(Answer):
    """A managed application that a phone lists."""

    identifier: str
    status: str


class Phone(Answer):
    """What is a phone's alone."""

    device: str
    enrollment: Literal["account", "automated", "invitation", "renewal", ""]
    state: Literal["authenticated", "enrolled", "gone"]
    supervised: bool | None
    user_enrollment: bool
    lost_mode: bool
    declarative: bool
    awaiting: bool
    turn_away: bool = Field(description="Whether somebody said that it shall leave the management.")
    reach: Reach
    push_at: datetime | None
    pushed_at: datetime | None
    hurdles: dict[str, str] = Field(
        description="What can be asked, with the sentence why it cannot just now; empty: it can."
    )
    profiles: list[PhoneProfile]
    certificates: list[PhoneCertificate]
    applications: list[PhoneApplication]
    declarations: list[PhoneDeclaration]
    errors: list[str]
    update: dict[str, str]
    unlock_token: bool = Field(description="Whether one is kept.")
    bypass_code: bool = Field(description="Whether one is kept.")


class TurnedAway(Body):
    """Why a phone shall leave the management."""

    reason: str = Field(min_length=1, max_length=500, description="Kept in the diary.")


class PhoneCommand(Answer):
    """One of Apple's commands, asked of one phone."""

    id: str
    request_type: str
    state: CommandState
    target: str
    asked_by: str
    reason: str
    detail: str
    not_now: int = Field(description="How often the phone put it off.")
    created_at: datetime
    sent_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime


class NewPhoneCommand(Body):
    """One of Apple's commands with its arguments."""

    request_type: str = Field(max_length=64, description="As Apple names it: `RestartDevice`.")
    args: dict[str, Any] = Field(default={}, description='As Apple names them; bytes as `{"$data": BASE64}`.')
    reason: str = Field(default="", max_length=500)


class SecretAsked(Body):
    """Which secret, and why."""

    what: Literal["bypass_code", "unlock_token"]
    reason: str = Field(min_length=1, max_length=500)


class Secret(Answer):
    """A secret that was kept sealed."""

    what: str
    value: str


class ProfileFile(Body):
    """A configuration profile to look at."""

    mobileconfig: Base64 = Field(description="The file, in Base64; signed or not.")
    version: str = Field(default="", max_length=32, description="The system of the devices that it is for; empty: any.")
    supervised: bool | None = Field(default=None, description="Null: not known.")
    private: bool | None = Field(default=None, description="Whether it is for private phones; null: not known.")


class ProfileFinding(Answer):
    """One thing that is to be said about a profile."""

    severity: Severity
    path: str
    code: str
    text: str


class ProfileFindings(Answer):
    """Everything that is to be said about a profile."""

    identifier: str
    name: str
    payloads: list[str]
    may_be_saved: bool
    findings: list[ProfileFinding]


ListedDevicePage = page_model(ListedDevice)
PhoneCommandPage = page_model(PhoneCommand)
TiePage = page_model(Tie)
CertificateRequestPage = page_model(CertificateRequest)
