"""The key that signs form tokens and notices: random, in the home folder, made once."""

import os
import secrets
from pathlib import Path

LENGTH = 32


def form_key(home: Path) -> bytes:
    """The key of this installation; made when it is not there. Two processes that start at once agree on one."""
    path = home / "keys" / "forms.key"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".forms.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(LENGTH))
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link fails when the name is taken: the first process wins, and nobody reads half a key.
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()
