"""Where phones find us on the gateway. What follows each address is the unguessable place of one enrollment."""

from typing import Final

ROOT: Final = "/apple/v1/"
PROFILE: Final = ROOT + "profile/"
SCEP: Final = ROOT + "scep/"
CHECKIN: Final = ROOT + "checkin/"
SERVER: Final = ROOT + "server/"
ASSET: Final = ROOT + "asset/"

MAX_CHECKIN: Final = 1024 * 1024
MAX_RESULT: Final = 8 * 1024 * 1024
MAX_SIGNATURE: Final = 16 * 1024
"""Characters of the header Mdm-Signature."""
