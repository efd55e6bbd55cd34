"""The catalogue as a page of the documentation: ``python -m mdm.policies.catalogue.page > docs/settings.md``."""

import sys

from mdm.policies import catalogue
from mdm.policies.catalogue.editor import PLATFORM_NAMES
from mdm.policies.catalogue.keys import LISTS, Setting, Spec, Type

HEAD = """# The catalogue of settings

Written from the catalogue itself by `python -m mdm.policies.catalogue.page`. How several policies for one device are
added up is in [policies.md](policies.md). "Checked" means that compliance looks at it and nothing can set it. "S" means
that it needs supervision (iOS) or a fully managed device (Android).
"""
_RULES = {
    "by_name": "together, by name",
    "false_wins": "off wins",
    "intersection": "what all list",
    "priority": "lowest rank wins",
    "strictest_max": "highest wins",
    "strictest_min": "lowest wins",
    "true_wins": "on wins",
    "union": "all together",
}


def page() -> str:
    """The whole page in Markdown."""
    parts = [HEAD]
    for category in catalogue.categories():
        rows = "\n".join(_row(setting) for setting in category.settings)
        parts.append(
            f"## {category.label.en}\n\n{category.help.en}\n\n"
            f"| key | setting | value | several policies | platforms |\n| --- | --- | --- | --- | --- |\n{rows}\n"
        )
    return "\n".join(parts)


def _row(setting: Setting) -> str:
    platforms = []
    for platform, support in setting.platforms.items():
        words = [PLATFORM_NAMES[platform], ".".join(map(str, support.min)), "S" if support.supervised else ""]
        words.append("checked" if support.checked else "")
        platforms.append(" ".join(word for word in words if word))
    cells = [
        f"`{setting.key}`",
        " ".join([f"{setting.label.en}. {setting.help.en}", *(note.en for note in setting.notes.values())]),
        _value(setting.spec),
        _RULES[setting.merge.value],
        ", ".join(platforms),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _value(spec: Spec) -> str:
    if spec.type is Type.INT:
        return f"{spec.min} to {spec.max} {spec.unit}".strip()
    if spec.type is Type.CHOICE:
        return ", ".join(f"`{choice.value}`" for choice in spec.choices)
    if spec.type is Type.RECORDS:
        names = (
            f"`{field.name}`{'' if field.required else '?'}{' (secret)' if field.secret else ''}"
            for field in spec.fields
        )
        return "records of " + ", ".join(names)
    if spec.type is Type.WINDOW:
        return '`{ days = ["mon"], from = "22:00", to = "05:00" }`'
    kind = {Type.BOOL: "true or false", Type.APPS: "list of applications", Type.URLS: "list of addresses"}
    if spec.type in kind:
        return kind[spec.type]
    what = spec.format.replace("_", " ") or spec.type.value
    return f"list of {what}" if spec.type in LISTS else what


if __name__ == "__main__":
    sys.stdout.write(page())
