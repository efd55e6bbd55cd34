"""Whose certificate a request was made with: from the TLS connection itself, or from a proxy that is trusted by name.

Behind a proxy that ends TLS, the certificate comes in the header ``Client-Cert`` (RFC 9440); from any other address that
header counts for nothing, because everybody can send it.
"""

import base64
import binascii
import hashlib
import ssl
import weakref
from collections.abc import Collection, MutableMapping
from typing import Any

Environ = dict[str, Any]


class Peers:
    """Finds fingerprints, and remembers them as long as their connections live."""

    def __init__(self, trusted_proxies: Collection[str] = ()) -> None:
        self._trusted = frozenset(trusted_proxies)
        self._known: MutableMapping[Any, str | None] = weakref.WeakKeyDictionary()

    def fingerprint(self, environ: Environ) -> str | None:
        """SHA-256 (hexadecimal) of the DER of the certificate of this request, None when there is none."""
        if self._trusted and environ.get("REMOTE_ADDR") in self._trusted:
            der = _from_header(environ.get("HTTP_CLIENT_CERT"))
            return hashlib.sha256(der).hexdigest() if der is not None else None
        connection = environ.get("gunicorn.socket")
        if not isinstance(connection, ssl.SSLSocket) and not hasattr(connection, "getpeercert"):
            return None
        try:
            return self._known[connection]
        except KeyError:
            found = connection.getpeercert(binary_form=True)  # type: ignore[union-attr]
            known = hashlib.sha256(found).hexdigest() if found else None
            self._known[connection] = known
            return known


def _from_header(value: str | None) -> bytes | None:
    """The DER in a structured-field byte sequence (``:BASE64:``), None for anything else."""
    if value is None or len(value) < 3 or not (value.startswith(":") and value.endswith(":")):
        return None
    try:
        return base64.b64decode(value[1:-1], validate=True)
    except binascii.Error:
        return None
