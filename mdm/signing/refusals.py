"""What ``agent/proof.py`` refuses, as the errors of this house: the rule becomes the code."""

from typing import Final

from agent.proof import RefusedError
from mdm.core.errors import N_, ConflictError, DeniedError, HavenmeesterError, InvalidError

_FORM: Final = frozenset(
    {
        "batch_form",
        "fields",
        "form",
        "key",
        "kind",
        "lane",
        "proof_form",
        "roster",
        "roster_form",
        "size",
        "types",
        "verb",
        "version",
        "window",
    }
)
"""Rules about how something is written: whoever sent it has made a mistake, or plays."""
_STATE: Final = frozenset({"roster_version"})


def as_error(refused: RefusedError) -> HavenmeesterError:
    """The same refusal as InvalidError, ConflictError or DeniedError, with its rule as the code."""
    shape = InvalidError if refused.rule in _FORM else ConflictError if refused.rule in _STATE else DeniedError
    return shape(N_("%(why)s Nothing was signed."), code=refused.rule, why=str(refused))
