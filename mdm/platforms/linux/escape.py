"""Writing values into the formats of Linux so that no value can become anything but a value. Pure.

Every function gives one line back. What a format cannot carry at all (line breaks, NUL) was refused by the catalogue; it
is escaped or dropped here all the same, because this is the last place where it can be.
"""

import hashlib
import re
import unicodedata

_CONTROL = dict.fromkeys((*range(32), 127))


def one_line(text: str) -> str:
    """The text without any control character."""
    return text.translate(_CONTROL)


def gvariant(value: bool | int | str | list[str]) -> str:
    """A value in GVariant's text format, as dconf keyfiles hold it. Integers are uint32, as session and saver want.

    https://docs.gtk.org/glib/gvariant-text-format.html
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"uint32 {value}"
    if isinstance(value, list):
        return "[" + ", ".join(gvariant(item) for item in value) + "]" if value else "@as []"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return "'" + one_line(escaped) + "'"


def keyfile(text: str) -> str:
    """A string in a GKeyFile, as NetworkManager reads it: backslash, line breaks and spaces at the ends are escaped.

    https://docs.gtk.org/glib/struct.KeyFile.html
    """
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    escaped = one_line(escaped)
    stripped = escaped.lstrip(" ")
    escaped = "\\s" * (len(escaped) - len(stripped)) + stripped
    stripped = escaped.rstrip(" ")
    return stripped + "\\s" * (len(escaped) - len(stripped))


def keyfile_bytes(text: str) -> str:
    """A text as a list of bytes in a GKeyFile: an SSID written so cannot be taken for anything else."""
    return "".join(f"{byte};" for byte in text.encode())


def desktop(text: str) -> str:
    """A string in a desktop entry: the same escapes as in a GKeyFile.

    https://specifications.freedesktop.org/desktop-entry-spec/latest/value-types.html
    """
    return keyfile(text)


def desktop_argument(text: str) -> str:
    """One quoted argument of ``Exec`` in a desktop entry; a per cent sign is no field code.

    https://specifications.freedesktop.org/desktop-entry-spec/latest/exec-variables.html
    """
    quoted = re.sub(r'(["`$\\])', r"\\\1", one_line(text)).replace("%", "%%")
    return desktop(f'"{quoted}"')


def systemd_argument(text: str) -> str:
    """One quoted argument of a command in a unit: no specifier, no variable. See systemd.service(5), "Command lines"."""
    quoted = one_line(text).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{quoted}"'


def systemd_text(text: str) -> str:
    """A plain value in a unit, such as a description: no specifier, and no backslash that would continue the line."""
    return one_line(text).replace("\\", "/").replace("%", "%%").strip()


def issue(text: str) -> str:
    """Text for /etc/issue, where agetty(8) reads a backslash as an escape. Keeps line feeds."""
    return "\n".join(one_line(line).replace("\\", "\\\\") for line in text.split("\n"))


def comment(text: str) -> str:
    """Letters, digits, dots, dashes and spaces of a text, for a comment in nftables, which has no escapes."""
    return re.sub(r"[^A-Za-z0-9 ._-]", "", one_line(text))[:60].strip()


def slug(text: str) -> str:
    """A name for a file: what of the text is plain ASCII, and a digest that tells two texts apart."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40]
    return f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:8]}".lstrip("-")


def ini(sections: dict[str, dict[str, str]]) -> str:
    """A file of sections with ``name=value`` lines; the values must have been escaped for their format."""
    blocks = [
        "\n".join([f"[{name}]", *(f"{key}={value}" for key, value in lines.items())])
        for name, lines in sections.items()
    ]
    return "\n\n".join(blocks) + "\n"
