"""The key that signs form tokens and notices: random, in the home folder, made once."""

import secrets
from pathlib import Path

from mdm.storage.once import made_once

LENGTH = 32


def form_key(home: Path) -> bytes:
    """The key of this installation; made when it is not there. Two processes that start at once agree on one."""
    return made_once(home / "keys" / "forms.key", lambda: secrets.token_bytes(LENGTH))
