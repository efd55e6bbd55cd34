"""Identifiers and secrets. Nothing here can be guessed from anything else."""

import hashlib
import secrets
import uuid


def new_uid() -> str:
    """A random identifier that may be shown: 32 hexadecimal characters (UUID version 4)."""
    return uuid.uuid4().hex


def new_secret(prefix: str = "") -> str:
    """A secret of 160 random bits for a link or a token, URL-safe, after ``prefix``."""
    return prefix + secrets.token_urlsafe(20)


def secret_digest(secret: str) -> str:
    """What is stored instead of a secret: SHA-256, hexadecimal. Enough for random secrets, never for passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()
