"""Networks whose addresses may be asked who they are: only a person with the server's configuration can widen them."""

import ipaddress

from mdm.core.errors import ConfigurationError


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
