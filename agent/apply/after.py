"""What happens once files are in place: the running machine is told. Under a root there is nobody to tell."""

from agent import programs
from agent.roots import Root

_HOOKS = {
    "dconf-update": ["dconf", "update"],
    "update-ca-certificates": ["update-ca-certificates"],
    "nm-reload": ["nmcli", "connection", "reload"],
    "systemd-reload": ["systemctl", "daemon-reload"],
    "firewall-reload": ["systemctl", "reload-or-restart", "nftables.service"],
    "sysctl-reload": ["sysctl", "-q", "--system"],
}


def run(hook: str) -> str:
    """Runs one hook of ``wire.AFTER``. Returns what went wrong; empty when nothing did."""
    if hook == "usbguard-reload":
        from agent.apply import usb  # Only kiosks need it.

        return usb.reload(Root("/"))
    outcome = programs.run(_HOOKS[hook], timeout=120)
    return "" if outcome.good else f"{hook}: {outcome.text[-300:]}"


def start(unit: str) -> str:
    """Starts a unit anew, so that it runs what was just written. Returns what went wrong."""
    outcome = programs.run(["systemctl", "restart", "--", unit], timeout=90)
    return "" if outcome.good else f"{unit} does not start: {outcome.text[-300:]}"


def stop(unit: str) -> None:
    """Stops a unit that goes; one that does not run is fine."""
    programs.run(["systemctl", "stop", "--", unit], timeout=90)


def active(unit: str) -> bool:
    """Whether a unit runs at this moment."""
    return programs.run(["systemctl", "is-active", "--quiet", "--", unit], timeout=30).good
