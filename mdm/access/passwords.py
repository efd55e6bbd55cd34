"""Passwords: argon2id, and what may be one (NIST SP 800-63B: length counts, composition rules do not)."""

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mdm.core.errors import N_, InvalidError
from mdm.core.text import fold

LEAST = 12
MOST = 256
"""Characters. Longer ones are refused, not cut."""
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""The least that OWASP's password storage sheet allows for argon2id: a try to sign in happens inside a transaction that
writes, and a flood of tries must not keep devices from reporting."""


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("nobody has this password")


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def hash_password(password: str, *, email: str, name: str) -> str:
    """The argon2id hash; raises InvalidError for a password that is short, long, or what anybody would try first."""
    written = _normal(password)
    sentence = None
    if len(written) < LEAST:
        sentence = N_("A password has at least 12 characters; a few words are easy to remember.")
    elif len(written) > MOST:
        sentence = N_("A password has at most 256 characters.")
    elif len(set(written.casefold())) < 5 or _mostly(written, email, name):
        sentence = N_("This password is too easy to guess: it repeats itself, or holds your name or address.")
    if sentence:
        raise InvalidError(sentence, fields={"password": sentence}, code="password_weak")
    return _hasher.hash(written)


def _mostly(password: str, email: str, name: str) -> bool:
    rest = fold(password)
    for word in (fold(email), *fold(email.split("@", 1)[0]).split("."), *fold(name).split(), "havenmeester"):
        if len(word) > 2:
            rest = rest.replace(word, "")
    return len(rest) < LEAST // 2


def verify(stored: str | None, password: str) -> bool:
    """Whether this is the password. Without a stored hash it costs the same time and says no."""
    written = _normal(password)[:MOST]
    try:
        return _hasher.verify(stored or _nobodys_hash(), written) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def rehash(password: str) -> str:
    """The hash of a password that was right a moment ago, with today's parameters."""
    return _hasher.hash(_normal(password))
