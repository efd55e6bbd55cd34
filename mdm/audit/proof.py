"""What came out of proving the diary, in a sentence; and the comparison with what the signer once signed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mdm.audit.chain import Break
from mdm.core.errors import N_
from mdm.signing.seals import Head


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether the diary is as it was written. ``sentence`` (English, for the catalogues) is filled with ``params``."""

    sound: bool
    lines: int
    """Lines that are proved."""
    heads: int
    """Signed heads that the diary was compared with."""
    broken_at: int | None
    """The first line that is wrong or missing."""
    sentence: str
    params: dict[str, Any] = field(default_factory=dict)
    hash: str = ""
    """Hash of the last line, when the diary is sound."""

    def __str__(self) -> str:
        """The filled English sentence."""
        return self.sentence % self.params


def broken(found: Break) -> Proof:
    """The proof of a chain that is broken."""
    return Proof(
        False,
        found.id - 1,
        0,
        found.id,
        N_("The diary was tampered with at line %(line)s: %(why)s."),
        {"line": found.id, "why": found.why},
    )


def compare(end: tuple[int, str], hashes: Mapping[int, str], heads: Sequence[Head], head_key: str) -> Proof:
    """The proof of a whole chain, given number and hash of its last line, against signed heads.

    ``hashes`` gives the hashes of the lines that the heads name.
    """
    lines, last_hash = end
    for head in heads:
        if head_key and not head.proved(head_key):
            return _wrong(
                head, lines, N_("The head of line %(line)s does not have the signer's signature: somebody forged it.")
            )
        if head.number > lines:
            return _wrong(
                head,
                lines,
                N_("Lines are missing at the end: the signer signed line %(line)s, and the diary ends at %(lines)s."),
                at=lines + 1,
            )
        if hashes.get(head.number) != head.hash:
            return _wrong(
                head, lines, N_("The diary was written anew: line %(line)s is not the one that the signer signed.")
            )
    if not heads or not head_key:
        return Proof(
            True,
            lines,
            0,
            None,
            N_("The chain of %(lines)s lines is whole. It was not compared with heads of the signer."),
            {"lines": lines},
            last_hash,
        )
    return Proof(
        True,
        lines,
        len(heads),
        None,
        N_(
            "All %(lines)s lines are as they were written, and %(heads)s signed heads agree, the last at line %(last)s."
        ),
        {"lines": lines, "heads": len(heads), "last": heads[-1].number},
        last_hash,
    )


def _wrong(head: Head, lines: int, sentence: str, *, at: int | None = None) -> Proof:
    line = head.number
    return Proof(False, lines, 0, line if at is None else at, sentence, {"line": line, "lines": lines})
