"""Who asks for a passkey: the console, under the name that it has in the browser (WebAuthn level 3, relying party)."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The host that passkeys are bound to, the one origin that may use them, and the name that people see."""

    rp_id: str
    origin: str
    name: str

    @property
    def usable(self) -> bool:
        """Whether browsers make passkeys for it: for a name, never for a bare address such as 127.0.0.1."""
        try:
            ip_address(self.rp_id)
        except ValueError:
            return bool(self.rp_id)
        return False


def relying_party(console: str, organisation: str) -> RelyingParty:
    """The relying party of a console with this address, for example ``https://mdm.stad.example``."""
    parts = urlsplit(console)
    host = (parts.hostname or "").lower()
    default = {"https": 443, "http": 80}.get(parts.scheme)
    shown = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port and parts.port != default else ""
    return RelyingParty(host, f"{parts.scheme}://{shown}{port}", f"Havenmeester {organisation}")
