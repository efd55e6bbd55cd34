"""Printing: the queues of CUPS, which ask the printer itself what it can, or no CUPS at all."""

from typing import Any, Final

from mdm.platforms.linux.escape import slug, systemd_argument, systemd_text
from mdm.platforms.linux.parts import MARK, Part, Resources, Settings, masked, unit

KEYS: Final = ("printing.printers",)
OFF: Final = ("cups-browsed.service", "cups.path", "cups.service", "cups.socket")


def queues(settings: Settings) -> list[dict[str, Any]]:
    """The printers that are set up: none where printing is not allowed."""
    return [] if settings.get("restrictions.printing") is False else list(settings.get("printing.printers", []))


def default_printer(settings: Settings) -> str | None:
    """The address of the one on which a kiosk prints; None where there is none."""
    found = queues(settings)
    return next((str(one["uri"]) for one in found if one.get("default")), str(found[0]["uri"]) if found else None)


def _printers(settings: Settings) -> Resources:
    return [_queue(record) for record in queues(settings)]


def _queue(record: dict[str, Any]) -> dict[str, Any]:
    """lpadmin(8) with the model ``everywhere``: IPP Everywhere, no driver. The queue goes when its unit is stopped."""
    name = f"havenmeester-{slug(record['name'])}"
    lpadmin = "/usr/bin/env lpadmin"
    said = f" -D {systemd_argument(record['name'])}"
    if record.get("location"):
        said += f" -L {systemd_argument(record['location'])}"
    default = f"ExecStart={lpadmin} -d {name}\n" if record.get("default") else ""
    content = (
        f"{MARK}[Unit]\nDescription=Havenmeester: printer {systemd_text(record['name'])}\n"
        "Wants=cups.service network-online.target\nAfter=cups.service network-online.target\n\n"
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nTimeoutStartSec=60\n"
        f"ExecStart={lpadmin} -p {name} -E -v {systemd_argument(record['uri'])} -m everywhere{said}\n{default}"
        f"ExecStop=-{lpadmin} -x {name}\nRestart=on-failure\nRestartSec=300\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )
    return unit(f"printer.{slug(record['name'])}", KEYS, f"{name}.service", content, stay=True)


def _off(settings: Settings) -> Resources:
    """No queue, no service and nothing that would wake it."""
    if settings.get("restrictions.printing") is not False:
        return []
    return [masked(f"printing.off-{name}", ["restrictions.printing"], name) for name in OFF]


PARTS = (Part(KEYS, _printers), Part(("restrictions.printing",), _off))
