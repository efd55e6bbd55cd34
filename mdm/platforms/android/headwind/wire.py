"""The wire of the free agent: addresses, signatures, the envelope. Pure.

The secret of the signatures is built into every copy of the agent and so is known to everybody: a right signature proves
nothing, and nothing here is given for one. A wrong one is refused, because it shows an agent of another build.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

SECRET: Final = "changeme-C3z9vi54"  # noqa: S105 -- public: built into the vendor's agent
AGENT: Final = "com.hmdm.launcher"
RECEIVER: Final = "com.hmdm.launcher/com.hmdm.launcher.AdminReceiver"
REQUEST_SIGNATURE: Final = "X-Request-Signature"
RESPONSE_SIGNATURE: Final = "X-Response-Signature"
ADDRESS: Final = "X-IP-Address"

CONFIGURATION: Final = "/rest/public/sync/configuration/"
INFO: Final = "/rest/public/sync/info"
POLLING: Final = "/rest/notification/polling/"
NOTIFICATIONS: Final = "/rest/notifications/device/"
LOG_RULES: Final = "/rest/plugins/devicelog/log/rules/"
LOG: Final = "/rest/plugins/devicelog/log/list/"
RESET: Final = "/rest/plugins/devicereset/public/"
REBOOT: Final = "/rest/plugins/devicereset/public/reboot/"
PASSWORD: Final = "/rest/plugins/devicereset/public/password/"  # noqa: S105 -- an address
FILES: Final = "/files/"
AGENT_FILE: Final = "/android/agent/"

NOT_FOUND: Final = "error.notfound.device"
DENIED: Final = "error.permission.denied"
DUPLICATE: Final = "error.duplicate.device"
INTERNAL: Final = "error.internal.server"

CHANGED: Final = "configUpdated"
"""The only thing that is ever said through the doorbell: come and fetch."""
NEVER: Final = frozenset({"runCommand", "newServerUrl", "newNumber", "intent", "mqttEnabled", "mqtt"})
"""What the agent would do for whoever can speak for a server, and is never served."""
MAX_INFO: Final = 1024 * 1024
MAX_LOG: Final = 256 * 1024
MAX_SMALL: Final = 64 * 1024
_SPACES: Final = re.compile(r"\s", re.ASCII)


def signature(secret: str, text: str) -> str:
    """SHA-1 of secret and text, in capitals, as the agent makes it."""
    return hashlib.sha1((secret + text).encode()).hexdigest().upper()  # noqa: S324 -- the wire's own word, no protection


def signed(secret: str, text: str, given: str) -> bool:
    """Whether ``given`` is the signature over ``text``. It says which build speaks, and never who."""
    return hmac.compare_digest(signature(secret, text).encode(), given.strip().upper().encode("utf-8", "replace")[:64])


def polling_text(number: str) -> str:
    """What the signature of a poll is over."""
    return POLLING + quote(number, safe="")


def compact(data: Any) -> str:
    """JSON as it stands in an envelope: what it is signed over is these characters."""
    return json.dumps(data, separators=(",", ":"))


def envelope(secret: str, data: Any = None, *, error: str = "") -> tuple[bytes, str]:
    """The body and its signature. The order of the keys is part of the protocol: the agent cuts the data out as text."""
    text = compact(data)
    status = "ERROR" if error else "OK"
    body = f'{{"status":"{status}","message":{compact(error or None)},"data":{text}}}'
    return body.encode(), signature(secret, _SPACES.sub("", text))


def message() -> Mapping[str, Any]:
    """The one message of the doorbell."""
    return {"messageType": CHANGED, "payload": None}
