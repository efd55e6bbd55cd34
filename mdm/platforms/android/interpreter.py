"""The interpreter for Android phones: a desired state in neutral words, which each way renders when a phone asks. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mdm.core.errors import N_
from mdm.platforms.android import wanted as words
from mdm.platforms.android.amapi import able as google
from mdm.platforms.android.amapi import render as policies
from mdm.platforms.android.headwind import able, raw
from mdm.platforms.android.model import Way
from mdm.platforms.port import Foreseen

Check = Callable[[Mapping[str, Any]], str]
RAW_CHECKS: Final[dict[str, Check]] = {google.WAY: policies.fault, Way.HEADWIND.value: raw.fault}
"""What is wrong with the content of a raw part, "" when nothing is, by way; each way adds its own."""
FORESEERS: Final[list[Callable[[words.Wanted], list[Foreseen]]]] = [able.foresee, google.foresee]
"""What each way says before settings are saved; each way adds its own."""


class AndroidInterpreter:
    """The interpreter for phones and tablets with Android."""

    platform = "android"

    def supports(self, key: str) -> bool:
        """Whether some way makes something of the key; which one does not is said by ``foresee`` and by each phone."""
        return key in words.SUPPORTED

    def render(self, settings: Mapping[str, Any], payloads: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One resource for each setting, in the order of keys; raw parts last."""
        return words.resources(settings, payloads)

    def foresee(self, resources: Sequence[Mapping[str, Any]]) -> list[Foreseen]:
        """What the ways say of them, the gravest first."""
        wanted = words.wanted(resources)
        found = [one for foresee in FORESEERS for one in foresee(wanted)]
        return sorted(found, key=lambda one: not one.grave)


def fault(content: object) -> str:
    """What is wrong with a raw part for Android, "" when nothing is: an object with the kind of a way, and its content."""
    if not isinstance(content, Mapping) or set(content) != {"kind", "content"} or content["kind"] not in RAW_CHECKS:
        return N_("On Android a payload is an object with the kind %(kinds)s, and a content.") % {
            "kinds": N_(" or ").join(sorted(RAW_CHECKS)) or "-"
        }
    if not isinstance(content["content"], Mapping):
        return N_("The content of a payload for Android is an object.")
    return RAW_CHECKS[content["kind"]](content["content"])
