"""Files of sections with ``name=value`` lines, as dconf keyfiles, systemd and KDE write them."""

from agent.roots import Root


def read(root: Root, path: str) -> dict[tuple[str, str], str]:
    """(section, name) → value; a later line wins; empty when the file cannot be read. Comments are left out."""
    found: dict[tuple[str, str], str] = {}
    section = ""
    for raw in (root.read(path, 256 * 1024) or "").splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif line and line[0] not in "#;" and "=" in line:
            name, _, value = line.partition("=")
            found[section, name.strip()] = value.strip()
    return found


def read_folder(root: Root, folder: str, suffix: str = "") -> dict[tuple[str, str], str]:
    """The files of a folder over one another in the order of their names."""
    found: dict[tuple[str, str], str] = {}
    for name in root.names(folder) or []:
        if name.endswith(suffix):
            found.update(read(root, f"{folder}/{name}"))
    return found


def number(value: str | None) -> int | None:
    """A whole number, also as dconf writes it (``uint32 300``); None when it is something else."""
    text = (value or "").rpartition(" ")[2]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
