"""The address that an invited person is given: where the page is, and, in its fragment, what the agent may trust.

``https://console/e/TOKEN#ca=SHA256&gateway=URL``: a fragment never reaches a server, so no log holds it, and the agent
trusts the CA with that fingerprint and nothing else, whoever answers at the address.
"""

from dataclasses import dataclass
from urllib.parse import quote

from mdm.settings import Settings

PAGE = "/e/"


@dataclass(frozen=True, slots=True)
class Links:
    """What an invitation's address is made of, and for how long an invitation lives."""

    console_base: str
    gateway_base: str
    ca_fingerprint: str
    """SHA-256 of the DER of our CA's certificate, 64 hexadecimal characters."""
    hours: int

    @classmethod
    def of(cls, settings: Settings, ca_fingerprint: str) -> "Links":
        """The links of this installation."""
        return cls(settings.console_base, settings.gateway_base, ca_fingerprint, settings.invitation_hours)

    def url(self, token: str) -> str:
        """The address for one token."""
        return f"{self.console_base}{PAGE}{token}#ca={self.ca_fingerprint}&gateway={quote(self.gateway_base, safe='')}"

    def command(self, token: str) -> str:
        """What the person pastes into a terminal of the device."""
        return f"sudo havenmeester-agent enroll '{self.url(token)}' --state /var/lib/havenmeester-agent"
