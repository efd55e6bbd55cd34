"""The passphrase of the signer's key files, where the operator wants one: from a systemd credential, or the environment.

``$CREDENTIALS_DIRECTORY/signer-passphrase`` (systemd.exec(5), LoadCredential) is taken first, then the variable
``HAVENMEESTER_SIGNER_PASSPHRASE`` of the signer's own process. With neither, the files are not encrypted.
"""

import os
from pathlib import Path
from typing import Final

from mdm.core.errors import ConfigurationError

CREDENTIAL: Final = "signer-passphrase"
VARIABLE: Final = "HAVENMEESTER_SIGNER_PASSPHRASE"
LEAST: Final = 12
"""Characters that a passphrase needs."""


def find() -> bytes | None:
    """The passphrase of this process, None where there is none. Raises ConfigurationError for one that is too short."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(folder, CREDENTIAL) if folder else None
    if path is not None and path.exists():
        said = path.read_text(encoding="utf-8").rstrip("\n")
        where = str(path)
    else:
        said = os.environ.get(VARIABLE, "")
        where = VARIABLE
    if not said:
        return None
    if len(said) < LEAST:
        raise ConfigurationError(
            "The passphrase in %(where)s has fewer than %(least)s characters.",
            where=where,
            least=LEAST,
            mend="Set a longer one: openssl rand -base64 24 makes one.",
        )
    return said.encode()
