"""By which algorithms a kiosk is spoken to, and why there were none."""

from typing import Final

WEAK: Final = {
    "ciphers": ["3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc"],
    "macs": ["hmac-md5", "hmac-md5-96", "hmac-sha1", "hmac-sha1-96"],
}
"""What the library would still agree to, and no OpenSSH of the last ten years needs."""
KEX: Final = "curve25519-sha256"
KEX_BEFORE: Final = "curve25519-sha256@libssh.org"
"""One algorithm by two names: that of RFC 8731, which hardened servers give alone, and the library's, from before it."""
_MISSING: Final = {
    "kex": "exchange of keys: it would be curve25519-sha256, diffie-hellman-group16-sha512 or the like",
    "host key": "kind of host key: it would be ed25519, ECDSA, or RSA with SHA-2",
    "ciphers": "cipher: it would be aes256-gcm@openssh.com, aes256-ctr or the like",
    "macs": "code of authentication: it would be hmac-sha2-256, hmac-sha2-512 or their etm forms",
}
"""What both sides must have in common, by the library's word for what is missing."""


def why_none(said: str) -> str:
    """Why no common way of speaking was found, and what would be one; ``said`` is the library's sentence."""
    told = next((words for word, words in _MISSING.items() if f"acceptable {word}" in said), "")
    return f"there is no common and safe {told}" if told else "it speaks no SSH that is safe enough"
