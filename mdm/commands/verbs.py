"""What can be asked of a device, as data: who may, how long it stands, and what comes with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from mdm.commands.model import Verb
from mdm.core.errors import N_, InvalidError
from mdm.core.permissions import Permission
from mdm.core.text import clean
from mdm.inventory.model import Platform

MAX_TEXT: Final = 500
MAX_LIFETIME: Final = timedelta(days=30)
MIN_LIFETIME: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """``urgent`` wakes the device at once, however many are asked together."""

    permission: Permission
    lifetime: timedelta
    """How long the device may take to fetch it where nobody says otherwise."""
    urgent: bool = False
    texts: tuple[str, ...] = ()
    """Arguments that it needs; it takes no others."""
    platforms: frozenset[Platform] = frozenset(Platform)
    """Whose devices understand it at all."""


_KIOSKS: Final = frozenset({Platform.LINUX})
_LOSABLE: Final = frozenset({Platform.IOS})

RULES: Final[dict[Verb, Rule]] = {
    Verb.DIAGNOSTICS: Rule(Permission.COMMAND_SEND, timedelta(days=3)),
    Verb.FOUND: Rule(Permission.COMMAND_LOCK, timedelta(days=30), urgent=True, platforms=_LOSABLE),
    Verb.KIOSK_RESTART: Rule(Permission.COMMAND_SEND, timedelta(days=1), urgent=True, platforms=_KIOSKS),
    Verb.LOCATE: Rule(Permission.CASE_LOCATE, timedelta(days=1), urgent=True, platforms=_LOSABLE),
    Verb.LOCK: Rule(Permission.COMMAND_LOCK, timedelta(days=30), urgent=True),
    Verb.LOST: Rule(Permission.COMMAND_LOCK, timedelta(days=30), urgent=True, texts=("message",), platforms=_LOSABLE),
    Verb.MESSAGE: Rule(Permission.COMMAND_SEND, timedelta(days=7), texts=("text",)),
    Verb.REFRESH: Rule(Permission.COMMAND_SEND, timedelta(days=1)),
    Verb.RESTART: Rule(Permission.COMMAND_SEND, timedelta(days=1)),
    Verb.ROSTER: Rule(Permission.COMMAND_SEND, timedelta(days=30)),
    Verb.SCREENSHOT: Rule(Permission.KIOSK_LOOK, timedelta(minutes=15), urgent=True, platforms=_KIOSKS),
    Verb.UNLOCK: Rule(Permission.COMMAND_LOCK, timedelta(days=7), urgent=True),
    Verb.UPDATE: Rule(Permission.RELEASE_MANAGE, timedelta(days=30), platforms=frozenset({Platform.LINUX})),
}

MACHINERY: Final = frozenset({Verb.ROSTER, Verb.UPDATE})
"""What nobody asks for by hand."""
BY_CASE: Final = frozenset({Verb.FOUND, Verb.LOCATE, Verb.LOST})
"""What only an open case of a lost device asks for."""
BY_KIOSKS: Final = frozenset({Verb.SCREENSHOT})
"""What only the kiosks' room asks for, after it has looked at the clock."""


def checked_args(
    verb: Verb, args: Mapping[str, object] | None, *, by_case: bool = False, by_kiosks: bool = False
) -> dict[str, Any]:
    """The arguments, cleaned. Raises InvalidError that names each one that is missing, unknown or too long.

    So it does for a verb that nobody asks for by hand, and without ``by_case`` or ``by_kiosks`` for one that only a case,
    or only the kiosks' room, asks for.
    """
    if verb in MACHINERY:
        raise InvalidError(
            N_("Devices get this by themselves. Nothing was sent."), fields={"verb": N_("Choose another.")}
        )
    if verb in BY_CASE and not by_case:
        raise InvalidError(
            N_("This is asked by the case of a lost device alone. Nothing was sent; open the case and do it there."),
            fields={"verb": N_("Choose another.")},
            code="only_by_case",
        )
    if verb in BY_KIOSKS and not by_kiosks:
        raise InvalidError(
            N_("A picture is asked on the kiosk's own page alone. Nothing was sent; open the kiosk and do it there."),
            fields={"verb": N_("Choose another.")},
            code="only_by_kiosk",
        )
    given, rule = dict(args or {}), RULES[verb]
    wrong = {key: N_("This command does not take it.") for key in given if key not in rule.texts}
    kept: dict[str, Any] = {}
    for key in rule.texts:
        text = given.get(key)
        kept[key] = clean(text, MAX_TEXT, lines=True)
        if not kept[key]:
            wrong[key] = N_("This is needed.")
        elif isinstance(text, str) and len(text) > MAX_TEXT:
            wrong[key] = N_("At most 500 characters.")
    if wrong:
        raise InvalidError(N_("The command was not sent: correct the fields that are marked."), fields=wrong)
    return kept


def checked_lifetime(verb: Verb, lifetime: timedelta | None) -> timedelta:
    """How long the command stands. Raises InvalidError for less than a minute or more than 30 days."""
    wanted = lifetime or RULES[verb].lifetime
    if not MIN_LIFETIME <= wanted <= MAX_LIFETIME:
        raise InvalidError(
            N_("The command was not sent: correct the fields that are marked."),
            fields={"lifetime": N_("Between one minute and 30 days.")},
        )
    return wanted
