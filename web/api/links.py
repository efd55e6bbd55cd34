"""The address that an invited person is given; it names our CA, which only the signer knows."""

from flask import current_app

from mdm.enrollment.links import Links
from mdm.settings import Settings
from mdm.signing.client import SignerClient
from web.common.app import SETTINGS

LINKS_KEY = "havenmeester_links"
"""Key of the application's extensions under which the links lie once they are known."""


def invitation_links() -> Links:
    """The links of this installation; the signer is asked once. Raises UnavailableError when it does not answer."""
    known: Links | None = current_app.extensions.get(LINKS_KEY)
    if known is None:
        settings: Settings = current_app.extensions[SETTINGS]
        known = Links.of(settings, SignerClient(settings.signer_socket).ca().fingerprint)
        current_app.extensions[LINKS_KEY] = known
    return known
