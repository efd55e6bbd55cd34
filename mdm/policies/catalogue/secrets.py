"""Secrets in settings: written, sent to devices, never shown, never in the diary, a difference or an explanation."""

from collections.abc import Mapping
from typing import Any

from mdm.policies.catalogue.keys import Setting

MASK = "••••••••"
"""What stands for a secret wherever settings are read. Sent back unchanged it means: keep the one there is."""


def mask(settings: Mapping[str, Any], known: Mapping[str, Setting]) -> dict[str, Any]:
    """The settings with every secret field replaced by ``MASK``."""
    return {key: mask_value(known.get(key), value) for key, value in settings.items()}


def mask_value(setting: Setting | None, value: Any) -> Any:
    """One value with its secret fields replaced by ``MASK``."""
    if setting is None or not setting.secrets or not isinstance(value, list):
        return value
    return [
        {name: MASK if name in setting.secrets else content for name, content in record.items()} for record in value
    ]


def keep(settings: Any, former: Mapping[str, Any], known: Mapping[str, Setting]) -> Any:
    """The settings with every ``MASK`` replaced by the former secret of the record of the same name.

    A mask for which there is no former secret stays, and is refused by the check.
    """
    if not isinstance(settings, Mapping):
        return settings
    return {key: _keep_value(known.get(key), value, former.get(key)) for key, value in settings.items()}


def _keep_value(setting: Setting | None, value: Any, former: Any) -> Any:
    if setting is None or not setting.secrets or not isinstance(value, list):
        return value
    identity = setting.spec.identity
    old = {record[identity]: record for record in former or []}

    def kept(record: Any) -> Any:
        if not isinstance(record, Mapping):
            return record
        before = old.get(record.get(identity), {}) if isinstance(record.get(identity), str) else {}
        return {
            name: before.get(name, content) if name in setting.secrets and content == MASK else content
            for name, content in record.items()
        }

    return [kept(record) for record in value]
