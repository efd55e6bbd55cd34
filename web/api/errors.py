"""What only an HTTP API has to refuse; everything else is raised by the use cases themselves."""

from mdm.core.errors import ConflictError, HavenmeesterError, InvalidError


class MalformedError(InvalidError):
    """400: the bytes are no JSON, or hold a key twice, or are nested too deep."""

    code = "malformed"


class MediaTypeError(InvalidError):
    """415: the body is of a type that this address does not take."""

    code = "media_type"


class ChangedMeanwhileError(ConflictError):
    """412: the row is not the one that ``If-Match`` names."""

    code = "changed_meanwhile"


class VersionNeededError(HavenmeesterError):
    """428: an edit without ``If-Match`` could overwrite somebody else's."""

    code = "version_needed"
