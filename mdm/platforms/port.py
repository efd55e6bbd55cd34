"""The one interface of all interpreters: from settings to a platform's own documents. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What settings would do on a platform, told before they are saved.

    ``grave``: devices would refuse it, or people be locked out.
    """

    code: str
    """Stable, for programs."""
    grave: bool
    keys: tuple[str, ...]
    """The settings from which it comes; empty where it cannot be told."""
    sentence: str
    """In English, not yet filled."""
    params: Mapping[str, str]


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

    def foresee(self, resources: Sequence[Mapping[str, Any]]) -> list[Foreseen]:
        """What these resources, made by ``render``, would do to devices and the people who hold them, the gravest first."""
