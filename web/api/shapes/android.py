"""Android phones: what is theirs alone."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from web.api.strict import Answer, Body


class AndroidLogLine(Answer):
    """A line of a phone's own log."""

    level: Literal["error", "warning", "info", "debug", "verbose"]
    package: str = Field(description="The application that said it; empty for the agent itself.")
    text: str
    at: datetime | None = Field(description="By the phone's clock. Null where it said no moment that can be.")


class AndroidState(Answer):
    """One Android phone."""

    device: str
    way: Literal["headwind", "amapi"] = Field(description="By the free agent, or by Google's own management.")
    state: Literal["enrolled", "wiping", "gone"]
    work_profile: bool = Field(description="A private phone: only its work profile is ours.")
    bound_at: datetime | None = Field(description="First report with the number that it is enrolled by now.")
    given_at: datetime | None = Field(description="When it fetched its settings last.")
    reported_at: datetime | None = Field(
        description="Its last report; of those that say nothing new, one each hour. Like `given_at` and the log, the day while"
        " somebody holds the phone."
    )
    contested_at: datetime | None = Field(description="When another phone came with its number last.")
    locked: bool
    passcode_waits: bool = Field(description="Whether another passcode waits for its next visit.")
    hurdle: str | None = Field(description="Why it can be given no passcode now. Null where it can.")
    log: list[AndroidLogLine] = Field(description="The last fifty lines at most, newest first.")


class NewPasscode(Body):
    """The passcode that a phone shall have."""

    passcode: str = Field(pattern=r"^[!-~]{4,32}$", description="Letters, digits or signs, without spaces.")
    reason: str = Field(default="", max_length=500, description="Kept in the diary.")
