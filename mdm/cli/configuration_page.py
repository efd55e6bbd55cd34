"""``docs/configuration.md``, written from the settings: ``python -m mdm.cli.configuration_page``."""

from pathlib import Path

from mdm.settings import FILE, PREFIX, Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
HEAD = f"""# Configuration

A setting is an environment variable or a key in `{FILE}` in the home folder; the environment wins. `havenmeester init`
writes `{FILE}.example` with every key. A wrong value stops every command with exit code 3 and a sentence that names the key.
This page is written by `python -m mdm.cli.configuration_page`; a test holds it to the code.

| key in the file | in the environment | default | what it is |
| --- | --- | --- | --- |
"""


def page() -> str:
    """The whole page."""
    lines = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default in ("", None) else f"`{field.default}`"
        key = f"`{name}`" if name != "home" else "(environment only)"
        lines.append(f"| {key} | `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
