"""CSV files."""

from typing import Annotated

from pydantic import Field

from mdm.imports.plan import Outcome
from mdm.imports.service import ImportKind
from web.api.strict import Answer, Query


class ImportQuery(Query):
    """How a file is taken."""

    bring_back: list[Annotated[int, Field(ge=1, le=10_000_000)]] | None = Field(
        None,
        max_length=1000,
        description="A line that was left out because the record of its person was erased, and for whom a new record is made"
        " all the same. May be given more than once.",
    )


class ImportRow(Answer):
    """What became, or would become, of one row."""

    line: int
    outcome: Outcome
    subject: str = Field(description="What a reader knows the row by.")
    changes: list[str] = Field(description="Fields that differ from what is kept.")
    column: str = Field(description="The column that is wrong, where one is.")
    message: str


class ImportResult(Answer):
    """What came of a file: all of it is written, or nothing."""

    kind: ImportKind
    applied: bool = Field(description="False after a dry run, and when a row is wrong: then nothing was written.")
    encoding: str
    delimiter: str
    columns: list[str]
    ignored_columns: list[str]
    counts: dict[Outcome, int]
    rows: list[ImportRow]
