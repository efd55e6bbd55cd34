"""Who signs here, as the signer says; asked once per process, because it does not change while we run."""

from flask import Flask

from mdm.signing.client import Authority, SignerClient
from web.common.app import SETTINGS

KEPT = "havenmeester_authority"


def authority(app: Flask) -> Authority:
    """Our CA and the public keys of the signer. Raises UnavailableError when it has not answered yet."""
    kept: Authority | None = app.extensions.get(KEPT)
    if kept is None:
        kept = app.extensions[KEPT] = SignerClient(app.extensions[SETTINGS].signer_socket).ca()
    return kept
