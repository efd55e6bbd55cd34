"""The catalogue as plain data from which a page draws an editor, in one language."""

from collections.abc import Iterable
from typing import Any

from mdm.policies.catalogue.keys import Category, Field, Setting, Spec
from mdm.policies.wording import say

PLATFORM_NAMES = {"linux": "Linux", "ios": "iOS", "android": "Android"}


def form(categories: Iterable[Category], language: str) -> list[dict[str, Any]]:
    """Categories in their order, each with its settings: label, help, type, range, choices, fields, platforms, rule."""
    return [
        {
            "key": category.key,
            "label": category.label.to(language),
            "help": category.help.to(language),
            "settings": [_setting(setting, language) for setting in category.settings],
        }
        for category in categories
    ]


def _setting(setting: Setting, language: str) -> dict[str, Any]:
    return {
        "key": setting.key,
        "label": setting.label.to(language),
        "help": setting.help.to(language),
        **_spec(setting.spec, language),
        "merge": setting.merge.value,
        "merge_text": say("merge", setting.merge.value, language),
        "risk": setting.risk,
        "platforms": [
            {
                "platform": platform,
                "name": PLATFORM_NAMES[platform],
                "min": ".".join(map(str, support.min)),
                "supervised": support.supervised,
                "checked": support.checked,
            }
            for platform, support in setting.platforms.items()
        ],
        "notes": [
            {"platform": platform, "name": PLATFORM_NAMES[platform], "text": note.to(language)}
            for platform, note in setting.notes.items()
        ],
    }


def _spec(spec: Spec, language: str) -> dict[str, Any]:
    return {
        "type": spec.type.value,
        "min": spec.min,
        "max": spec.max,
        "unit": say("unit", spec.unit, language) if spec.unit else "",
        "limit": spec.limit,
        "format": spec.format,
        "choices": [{"value": choice.value, "label": choice.label.to(language)} for choice in spec.choices],
        "identity": spec.identity,
        "fields": [_field(field, language) for field in spec.fields],
    }


def _field(field: Field, language: str) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label.to(language),
        "help": field.help.to(language) if field.help else "",
        "required": field.required,
        "secret": field.secret,
        **_spec(field.spec, language),
    }
