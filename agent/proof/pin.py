"""What a device's certificate says about whom to believe: the order key, and the roster of that moment."""

from agent import wire
from agent.proof.signatures import ordinary_key
from agent.proof.statements import RefusedError, read_canonical

Pin = tuple[int, str]
"""Version and digest (hexadecimal) of a roster."""


def write_pin(order_key: str, roster: Pin | None) -> bytes:
    """The value of the extension ``wire.PIN_OID``: a DER UTF8String of canonical JSON. ``roster`` None: not founded."""
    said = {"digest": roster[1], "version": roster[0]} if roster else None
    text = wire.canonical({"order_key": order_key, "roster": said})
    return b"\x0c\x82" + len(text).to_bytes(2) + text if len(text) > 127 else bytes([0x0C, len(text)]) + text


def read_pin(value: bytes) -> tuple[str, Pin | None]:
    """The order key and the roster of such an extension. Raises RefusedError ``pin`` for what ``write_pin`` never writes."""
    try:
        fields = read_canonical(value[4 if value[1:2] == b"\x82" else 2 :].decode(), 1024, "extension")
        order_key, roster = fields["order_key"], fields["roster"]
        pin = None if roster is None else (roster["version"], roster["digest"])
        ordinary_key(order_key)
        same = write_pin(order_key, pin) == value
    except (RefusedError, ValueError, KeyError, TypeError):
        same, order_key, pin = False, "", None
    if not same or (pin and not (type(pin[0]) is int and pin[0] > 0 and isinstance(pin[1], str))):
        raise RefusedError("pin", "The certificate does not say which signer and which roster to trust.")
    return order_key, pin
