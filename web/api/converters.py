"""What stands in an address: our row ids, our random ids, names of ours. Anything else is no address."""

from werkzeug.routing import BaseConverter, IntegerConverter


class KeyConverter(IntegerConverter):
    """A row id: 1 to 2,147,483,647, without leading zeros, so that one thing has one address."""

    regex = r"[1-9]\d{0,9}"

    def to_python(self, value: str) -> int:
        """The number. Raises ValidationError, which is a 404, above what a row id can be."""
        self.max = 2**31 - 1
        return int(super().to_python(value))


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
