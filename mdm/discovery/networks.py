"""Networks whose addresses may be asked who they are, and which interface hears which service point.

Only a person with the server's configuration can widen either.
"""

import ipaddress
import re
from collections.abc import Sequence

from mdm.core.errors import ConfigurationError

_INTERFACE = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.:@-]{1,15}")


def read(text: str) -> tuple[str, ...]:
    """The networks of the setting, separated by commas. Raises ConfigurationError that names the wrong one."""
    found = []
    for word in (part.strip() for part in text.split(",")):
        if not word:
            continue
        try:
            found.append(str(ipaddress.IPv4Network(word)))
        except ValueError as error:
            raise ConfigurationError(
                "The setting discovery_networks is wrong: %(word)s is no IPv4 network.",
                word=word,
                mend="Write networks as 10.20.0.0/24, separated by commas.",
            ) from error
    return tuple(found)


def covered(asked: Sequence[str], allowed: Sequence[str]) -> bool:
    """Whether every network that is asked still lies in one that is allowed."""
    wider = [ipaddress.IPv4Network(one) for one in allowed]
    return all(any(ipaddress.IPv4Network(one).subnet_of(each) for each in wider) for one in asked)


def interfaces(text: str) -> dict[str, tuple[str, ...]]:
    """Interfaces by the code of the service point whose network they hear: ``WERKHAVEN=eth0.12, ZUID=eth0.13``.

    Raises ConfigurationError that names the wrong part, also an interface that two places have: nobody could say whose
    devices are heard on it.
    """
    found: dict[str, tuple[str, ...]] = {}
    places: dict[str, str] = {}
    for part in (part.strip() for part in text.split(",")):
        if not part:
            continue
        code, equals, name = (word.strip() for word in part.partition("="))
        if (
            not equals
            or not code
            or not _INTERFACE.fullmatch(name)
            or places.setdefault(name, code.upper()) != code.upper()
        ):
            raise ConfigurationError(
                "The setting discovery_interfaces is wrong: %(word)s.",
                word=part,
                mend="Write CODE=interface, separated by commas, and each interface once: WERKHAVEN=eth0.12, ZUID=eth0.13.",
            )
        found[code.upper()] = (*found.get(code.upper(), ()), name)
    return found
