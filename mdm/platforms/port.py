"""The one interface of all interpreters: from settings to a platform's own documents. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Interpreter(Protocol):
    """One platform's interpreter."""

    @property
    def platform(self) -> str:
        """The platform's name, as devices carry it."""

    def supports(self, key: str) -> bool:
        """Whether the interpreter makes something of this key of the catalogue."""

    def render(self, settings: Mapping[str, Any], payloads: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The resources that realise the settings, each with an id of its own and the keys it is for.

        The same settings give the same resources in the same order. Settings it does not support are passed over.
        """
