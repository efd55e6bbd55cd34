"""Cases are tested on SQLite; what a database decides, on both (``parametrize("database_url", …, indirect=True)``)."""

import pytest


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a new database: SQLite, or the kind that the test asks for."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return str(request.getfixturevalue("postgres").fresh())
