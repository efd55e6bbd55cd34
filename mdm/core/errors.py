"""Every error that a use case may raise, and nothing about how a door tells it.

    HavenmeesterError
    ├── InvalidError            what was sent is wrong; ``fields`` says where
    ├── NotSignedInError        nobody has shown who they are
    ├── DeniedError             known, but not allowed
    │   └── ApprovalNeededError allowed, when somebody else agrees: ``orders.acts`` makes a request of it
    ├── NotFoundError           not there, or not yours: both answer alike
    ├── ConflictError           right in itself, but not in the state that things are in now
    ├── GoneError               was there: used, expired or withdrawn
    ├── TooLargeError           over a limit, refused before it was read
    ├── LimitedError            too often; ``retry_after`` seconds
    ├── UnavailableError        a neighbour does not answer; ``retry_after`` seconds
    └── ConfigurationError      this installation is set up wrongly; names the key and the mend

A message is an English sentence marked with ``N_`` and filled with ``params``; the door translates it. ``code`` is stable:
programs tell errors apart by it, never by text.
"""

from typing import Any

from mdm.core.permissions import EVERYWHERE, Where


def N_(message: str) -> str:  # noqa: N802 -- the name that message extractors look for
    """Marks a sentence for the catalogues and returns it unchanged."""
    return message


class HavenmeesterError(Exception):
    """Something a person or a program can be told. ``str()`` gives the filled English sentence."""

    code = "error"
    keep = False
    """What was written before it was raised is kept: the refusal itself stands in the diary, and rings an alarm."""

    def __init__(self, message: str, *, code: str | None = None, mend: str | None = None, **params: Any) -> None:
        self.message = message
        self.mend = mend
        self.params = params
        if code is not None:
            self.code = code
        super().__init__(message % params if params else message)


class InvalidError(HavenmeesterError):
    """What was sent is wrong. ``fields`` maps the place in the form or document to a sentence."""

    code = "invalid"

    def __init__(
        self, message: str, *, fields: dict[str, str] | None = None, code: str | None = None, **params: Any
    ) -> None:
        self.fields = fields or {}
        super().__init__(message, code=code, **params)


class NotSignedInError(HavenmeesterError):
    """Nobody has shown who they are."""

    code = "not_signed_in"


class DeniedError(HavenmeesterError):
    """Known, but not allowed."""

    code = "denied"


class ApprovalNeededError(DeniedError):
    """Allowed, when somebody else agrees. Says everything that a request for it needs; see ``mdm/core/risk.py``.

    ``act`` is the request that was made of it, empty while there is none.
    """

    code = "approval_needed"

    def __init__(
        self,
        message: str,
        *,
        risk: str,
        subject: tuple[str, str],
        arguments: dict[str, Any],
        name: str = "",
        where: Where = EVERYWHERE,
        facts: dict[str, int] | None = None,
        private: dict[str, Any] | None = None,
        once: dict[str, str] | None = None,
        act: str = "",
        **params: Any,
    ) -> None:
        self.risk, self.subject, self.arguments = risk, subject, arguments
        self.name, self.where = name, where
        self.facts, self.private, self.once, self.act = facts or {}, private or {}, once or {}, act
        super().__init__(message, **params)


class NotFoundError(HavenmeesterError):
    """Not there, or not yours: both answer alike."""

    code = "not_found"


class ConflictError(HavenmeesterError):
    """Right in itself, but not in the state that things are in now."""

    code = "conflict"


class GoneError(HavenmeesterError):
    """Was there: used, expired or withdrawn."""

    code = "gone"


class TooLargeError(HavenmeesterError):
    """Over a limit, refused before it was read."""

    code = "too_large"


class LimitedError(HavenmeesterError):
    """Too often; come back after ``retry_after`` seconds."""

    code = "limited"

    def __init__(self, message: str, *, retry_after: int, **params: Any) -> None:
        self.retry_after = retry_after
        super().__init__(message, retry_after=retry_after, **params)


class UnavailableError(HavenmeesterError):
    """A neighbour (database, signer, platform) does not answer; come back after ``retry_after`` seconds."""

    code = "unavailable"

    def __init__(self, message: str, *, retry_after: int = 10, code: str | None = None, **params: Any) -> None:
        self.retry_after = retry_after
        super().__init__(message, code=code, retry_after=retry_after, **params)


class ConfigurationError(HavenmeesterError):
    """This installation is set up wrongly; the sentence names the key, ``mend`` says what to do."""

    code = "configuration"
