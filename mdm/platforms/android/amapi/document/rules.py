"""What the document says only in its prose: fields of a policy that belong together, or must not. A table, pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from mdm.core.errors import N_
from mdm.platforms.android.amapi.document import of_applications, of_locks, of_networks, onc
from mdm.platforms.android.amapi.document.check import Finding, Severity, check
from mdm.platforms.android.amapi.document.of_applications import Fault, Policy
from mdm.platforms.android.amapi.document.table import POLICY


def check_policy(policy: object) -> list[Finding]:
    """Everything that is wrong with a policy: by the document, by the rules here, and by those of networks (ONC)."""
    found = check(POLICY, policy)
    if any(one.code in ("type", "too_deep", "format") for one in found):
        # The rules read what has the right types; what has not is refused anyway.
        return found
    assert isinstance(policy, Mapping)
    for severity, code, sentence, rule in RULES:
        found += [Finding(severity, place, code, sentence, params) for place, params in rule(policy)]
    if "openNetworkConfiguration" in policy:
        found += onc.check(policy["openNetworkConfiguration"], "openNetworkConfiguration")
    return found


_E, _W = Severity.ERROR, Severity.WARNING
RULES: Final[Sequence[tuple[Severity, str, str, Callable[[Policy], Iterator[Fault]]]]] = (
    (_E, "many_apps", N_("%(path)s has more than %(most)s entries."), of_applications.many_apps),
    (_E, "package", N_("%(path)s must be the name of a package, such as org.example.mail."), of_applications.packages),
    (_E, "app_twice", N_("%(path)s: the application %(package)s stands here twice."), of_applications.twice),
    (
        _E,
        "one_kiosk",
        N_("%(path)s is a second kiosk: only one application can have the whole screen."),
        of_applications.one_kiosk,
    ),
    (
        _E,
        "kiosk_not_installed",
        N_("%(path)s: the application of a kiosk must be installed by itself."),
        of_applications.kiosk_installed,
    ),
    (_E, "two_kiosks", N_("%(path)s and an application as kiosk exclude each other."), of_applications.two_kiosks),
    (_E, "roles", N_("%(path)s: each role has a type, and none stands there twice."), of_applications.roles),
    (_E, "constraints", N_("%(path)s may have one entry only."), of_applications.constraints),
    (_E, "priority", N_("%(path)s must lie between 0 and %(most)s."), of_applications.priority),
    (
        _E,
        "versions",
        N_("%(path)s: at most %(most)s applications can have a minimum version."),
        of_applications.versions,
    ),
    (
        _E,
        "custom",
        N_("%(path)s: this belongs to applications of the kind CUSTOM, which need it."),
        of_applications.custom,
    ),
    (_W, "template", N_("%(path)s is passed over beside a managed configuration."), of_applications.templates),
    (_E, "setup_actions", N_("%(path)s may have one entry only."), of_applications.setup_actions),
    (_E, "setup_app", N_("%(path)s: %(package)s must be required for the set-up."), of_applications.setup_apps),
    (
        _E,
        "vpn_missing",
        N_("%(path)s: all traffic waits for %(package)s, but nothing installs it: the device would have no network."),
        of_applications.always_on,
    ),
    (_E, "lock_scope", N_("%(path)s can be said of the work profile only."), of_locks.separate_lock),
    (_E, "scope_twice", N_("%(path)s: the same scope stands here twice."), of_locks.scopes),
    (_E, "old_password", N_("%(path)s cannot stand in the old form of the passcode rules."), of_locks.band_needs_scope),
    (_W, "length", N_("%(path)s does nothing with this quality."), of_locks.lengths),
    (_E, "negative", N_("%(path)s must not be negative."), of_locks.negative),
    (_E, "minutes", N_("%(path)s must lie between 0 and 1439 minutes after midnight."), of_locks.window),
    (_W, "untimely", N_("%(path)s does nothing without the type WINDOWED."), of_locks.untimely),
    (_E, "freeze_day", N_("%(path)s must be a day and a month, without a year."), of_locks.freeze_days),
    (_E, "freeze_long", N_("%(path)s is longer than %(most)s days."), of_locks.freeze_long),
    (_E, "freeze_apart", N_("%(path)s comes less than %(least)s days after the period before."), of_locks.freeze_apart),
    (_E, "both_actions", N_("%(path)s must say both when to block and when to wipe."), of_locks.both_actions),
    (_E, "block_first", N_("%(path)s must block before it wipes."), of_locks.block_before_wipe),
    (_E, "rule_name", N_("%(path)s: %(name)s is no setting of a policy, or stands here twice."), of_locks.rule_names),
    (
        _W,
        "wiped_by_default",
        N_("%(path)s: no rule says what happens when it is not met, so Google wipes the device after ten days."),
        of_locks.wiped_by_default,
    ),
    (_E, "days_off", N_("%(path)s must be 0, or at least %(least)s days."), of_locks.days_off),
    (
        _E,
        "private_dns",
        N_("%(path)s needs a host in the mode of a given host, and in no other."),
        of_networks.private_dns,
    ),
    (_E, "ssids", N_("%(path)s must name the networks that are allowed."), of_networks.ssids),
    (_E, "roaming", N_("%(path)s: each network once, with its mode."), of_networks.roaming),
    (_E, "apns", N_("%(path)s needs a name, an access point and each of its kinds once."), of_networks.apns),
    (_E, "default_message", N_("%(path)s needs a text for everybody beside those in languages."), of_networks.messages),
    (
        _W,
        "message_long",
        N_("%(path)s is longer than %(most)s characters and would be cut."),
        of_networks.support_length,
    ),
    (_E, "email", N_("%(path)s must be an e-mail address."), of_networks.accounts),
    (_E, "contacts", N_("%(path)s needs a word on contacts of work in the personal profile."), of_networks.contacts),
    (_E, "proxy", N_("%(path)s needs a host or the address of a script, and not both."), of_networks.proxies),
    (_E, "wipe_flags", N_("%(path)s must not say anything twice."), of_networks.flags),
    (_E, "display", N_("%(path)s does not fit the mode beside it."), of_networks.brightness),
)
"""Severity, code, sentence and rule. Each rule gives the places that break it; it reads a policy of the right types."""
