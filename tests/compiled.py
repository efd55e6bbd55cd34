"""What every application of this process has compiled: one test's console needs not compile the pages of the one before."""

from types import CodeType

from jinja2.bccache import Bucket, BytecodeCache


class Compiled(BytecodeCache):
    """Templates by their file, their text and the extensions that read them."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, ...], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """What was compiled of the very same text, or nothing."""
        bucket.code = self.kept.get(_key(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps it for the next application."""
        if bucket.code is not None:
            self.kept[_key(bucket)] = bucket.code


def _key(bucket: Bucket) -> tuple[str, ...]:
    environment = bucket.environment
    blanks = f"{environment.trim_blocks} {environment.lstrip_blocks}"
    return (bucket.key, bucket.checksum, blanks, *sorted(environment.extensions))
