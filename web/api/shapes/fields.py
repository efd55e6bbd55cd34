"""Kinds of value that many shapes share."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

MAX_ID = 2**31 - 1
Id = Annotated[int, Field(ge=1, le=MAX_ID, description="Row id.")]
Uid = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="Random id: 32 hexadecimal digits.")]
Line = Annotated[str, Field(max_length=255)]
Text = Annotated[str, Field(max_length=4000)]
Search = Annotated[str, Field(max_length=200, description="Words that must occur; case and accents do not matter.")]
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), le=datetime(9998, 1, 1, tzinfo=UTC), description="With a time zone."),
]
