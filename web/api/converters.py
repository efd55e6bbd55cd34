"""What stands in an address: our row ids, our random ids, names of ours. Anything else is no address."""

from werkzeug.routing import BaseConverter, IntegerConverter


class KeyConverter(IntegerConverter):
    """A row id: 1 to 2,147,483,647, without leading zeros, so that one thing has one address."""

    regex = (
        r"(?:[1-9]\d{0,8}|1\d{9}|20\d{8}|21[0-3]\d{7}|214[0-6]\d{6}|2147[0-3]\d{5}|21474[0-7]\d{4}|214748[0-2]\d{3}"
        r"|2147483[0-5]\d{2}|21474836[0-3]\d|214748364[0-7])"
    )
    # The limit stands in the pattern: a number that is refused later is answered 405 where the address has other methods.


class UidConverter(BaseConverter):
    """A random id: 32 small hexadecimal digits."""

    regex = r"[0-9a-f]{32}"


class NameConverter(BaseConverter):
    """A code or a key of ours: visible ASCII without a slash."""

    regex = r"[A-Za-z0-9._-]{1,128}"


CONVERTERS = {"key": KeyConverter, "uid": UidConverter, "name": NameConverter}

SCHEMAS: dict[str, dict[str, object]] = {
    "key": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    "uid": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "name": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
}
"""The same for the OpenAPI document."""
