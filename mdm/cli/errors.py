"""From an error to one sentence, a mend and an exit code that scripts can use."""

from mdm.core.errors import (
    ApprovalNeededError,
    ConfigurationError,
    HavenmeesterError,
    InvalidError,
    LimitedError,
    UnavailableError,
)

OK = 0
REFUSED = 1
USAGE = 2
CONFIGURATION = 3
UNAVAILABLE = 4
ASKED = 5
INTERRUPTED = 130


def exit_code(error: HavenmeesterError) -> int:
    """The exit code for an error: 3 configuration, 4 unavailable or too often, 5 somebody else was asked to agree,
    1 for every refusal."""
    if isinstance(error, ApprovalNeededError) and error.act:
        return ASKED
    if isinstance(error, ConfigurationError):
        return CONFIGURATION
    if isinstance(error, UnavailableError | LimitedError):
        return UNAVAILABLE
    return REFUSED


def lines(error: HavenmeesterError) -> list[str]:
    """What a person reads: the sentence, the places that are wrong, the mend."""
    told = [str(error)]
    if isinstance(error, ApprovalNeededError) and error.act:
        told += [
            f"A request was made of it: {error.act}.",
            f"It is done by itself once enough people have agreed; see: havenmeester act show {error.act}",
            *(f"{name} (works from then on, shown this once): {value}" for name, value in error.once.items() if value),
        ]
    if isinstance(error, InvalidError):
        told += [f"  {place}: {why}" for place, why in error.fields.items() if why != str(error)]
    if error.mend:
        told.append(f"To mend it: {error.mend}")
    return told


def translated(error: BaseException) -> HavenmeesterError | None:
    """A database's or the system's error in our words; None for one that is a fault of ours."""
    from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

    if isinstance(error, OperationalError | ProgrammingError) and _no_tables(str(error.orig)):
        return ConfigurationError(
            "The database has no tables of Havenmeester, or older ones.", mend="Run: havenmeester database upgrade"
        )
    if isinstance(error, OperationalError):
        why = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
        return UnavailableError("The database does not answer: %(why)s. Nothing was changed.", why=why)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return UnavailableError("The database broke the connection. Nothing was changed.")
    if isinstance(error, PermissionError):
        return ConfigurationError(
            "%(path)s may not be read or written by this user.",
            path=error.filename or "A file",
            mend="Run the command as the user that owns the home folder.",
        )
    if isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError) and error.filename:
        return InvalidError("%(path)s: %(why)s.", path=error.filename, why=error.strerror)
    return None


def _no_tables(why: str) -> bool:
    return "no such table" in why or "no such column" in why or "does not exist" in why
