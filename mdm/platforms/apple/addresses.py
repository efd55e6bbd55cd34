"""Where phones find us on the gateway. What follows each address is the unguessable place of one enrollment."""

from typing import Final

ROOT: Final = "/apple/v1/"
PROFILE: Final = ROOT + "profile/"
SCEP: Final = ROOT + "scep/"
CHECKIN: Final = ROOT + "checkin/"
SERVER: Final = ROOT + "server/"
ASSET: Final = ROOT + "asset/"
ACCOUNT: Final = ROOT + "account"
"""Where a private phone enrols once its owner has signed in."""
AUTOMATED: Final = ROOT + "automated"
"""Where a phone of the city's enrols while it is set up."""
WELL_KNOWN: Final = "/.well-known/com.apple.remotemanagement"
SIGN_IN: Final = "/sign-in/oidc/phone"
"""On the console: where a private phone's owner signs in."""

MAX_CHECKIN: Final = 1024 * 1024
MAX_RESULT: Final = 8 * 1024 * 1024
MAX_SIGNATURE: Final = 16 * 1024
"""Characters of the header Mdm-Signature."""
