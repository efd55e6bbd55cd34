"""Every setting of Linux at once, and how tests read what is rendered of it."""

import configparser
from typing import Any

from mdm.platforms.linux.render import LinuxInterpreter

LINUX = LinuxInterpreter()
WG = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
EVERYTHING: dict[str, Any] = {
    "passcode.min_length": 10,
    "passcode.complexity": "mixed",
    "screen_lock.enabled": True,
    "screen_lock.timeout": 300,
    "screen_lock.grace": 5,
    "lock_screen.message": "Stad 'Antwerpen'\nBel 03 22 11 333",
    "lock_screen.notifications": False,
    "firewall.enabled": True,
    "firewall.allow_in": [
        {"name": "ssh", "protocol": "tcp", "port": 22, "source": "10.1.2.3/8"},
        {"name": "mdns", "protocol": "udp", "port": 5353, "source": "fd00::/8"},
        {"name": 'x" ; flush', "protocol": "tcp", "port": 80},
    ],
    "ssh.enabled": False,
    "ssh.password_login": False,
    "ssh.allow_users": ["ann"],
    "certificates.authorities": [{"name": "Stad CA", "certificate": "-----BEGIN CERTIFICATE-----\n"}],
    "logs.keep_days": 30,
    "wifi.networks": [
        {"ssid": "stad", "security": "wpa2", "passphrase": "geheim-geheim"},
        {"ssid": "65;66;", "security": "wpa3", "passphrase": " leading\\backslash", "hidden": True},
        {"ssid": "gast", "security": "open", "autoconnect": False},
        {"ssid": "werk", "security": "peap", "identity": "kiosk", "passphrase": "x;y#z=1", "domain": "radius.stad.be"},
    ],
    "vpn.connections": [
        {
            "name": "Stad",
            "address": "10.9.0.2/32",
            "private_key": WG,
            "peer_key": WG,
            "endpoint": "vpn.stad.be:51820",
            "allowed": ["10.0.0.0/8", "fd00::/8"],
            "dns": ["10.0.0.53"],
            "keepalive": 25,
        }
    ],
    "dns.servers": ["10.0.0.53", "fd00::53"],
    "dns.search": ["stad.be"],
    "proxy.mode": "manual",
    "proxy.server": "proxy.stad.be:8080",
    "proxy.bypass": ["*.stad.be"],
    "proxy.pac_url": "https://proxy.stad.be/p.pac",
    "browser.home_page": "https://stad.be/?a=%20b",
    "browser.url_allow": ["stad.be"],
    "browser.url_block": ["*"],
    "browser.bookmarks": [{"name": "Mia", "url": "https://mia.be/"}],
    "browser.incognito": False,
    "browser.password_manager": False,
    "browser.downloads": "safe",
    "browser.popups": False,
    "browser.extensions": ["a" * 32],
    "web_links.links": [{"name": "A-stad", "url": "https://a.be/?q=%24x", "comment": "Intranet"}],
    "restrictions.camera": False,
    "restrictions.microphone": False,
    "restrictions.usb_storage": False,
    "restrictions.bluetooth": False,
    "restrictions.developer_mode": False,
    "restrictions.unknown_sources": False,
    "restrictions.screenshots": False,
    "restrictions.printing": True,
    "restrictions.command_line": False,
    "restrictions.user_switching": False,
    "apps.required": ["chromium", "cage"],
    "apps.available": ["gimp"],
    "apps.allow_only": True,
    "apps.allowed": ["vlc", "com.Foo.Bar"],
    "apps.blocked": ["steam", "vlc"],
    "kiosk.url": "https://zuil.stad.be/?x=%d$HOME",
    "kiosk.app": "chromium",
    "kiosk.idle_reset": 90,
    "kiosk.done_button": "bottom",
    "kiosk.restart_at": "04:30",
    "kiosk.site_only": True,
    "kiosk.idle_page": "touch",
    "kiosk.idle_text": "Raak mij aan\nTouchez-moi",
    "kiosk.screen_hours": {"days": ["fri", "sun"], "from": "08:00", "to": "01:30"},
    "updates.auto": "all",
    "updates.window": {"days": ["mon", "sun"], "from": "22:00", "to": "05:00"},
    "updates.reboot": True,
    "time.zone": "Europe/Brussels",
    "time.ntp_servers": ["ntp.stad.be"],
    "system.message_of_the_day": "Welkom",
    "system.language": "nl_BE",
    "power.sleep_after": 900,
    "power.lid": "lock",
    "power.sleep": False,
    "printing.printers": [
        {"name": 'Balie "1" %n', "uri": "ipp://printer.stad.be/ipp/print", "location": "$(reboot)", "default": True},
    ],
    "usb.only_allowed": True,
    "usb.allowed": [
        {"name": "toetsenbord", "kind": "input"},
        {"name": "scanner", "id": "04b8:0202"},
        {"name": "lezer", "kind": "smartcard", "id": "076B:*"},
    ],
    "usb.attached": "judge",
    "dot1x.networks": [
        {
            "name": "kabel",
            "method": "tls",
            "identity": "kiosk-7",
            "domain": "radius.stad.be",
            "certificate": "-",
            "private_key": "-",
        },
        {
            "name": "zaal",
            "ssid": "stad",
            "method": "peap",
            "identity": "k",
            "domain": "radius.stad.be",
            "password": "x;y",
        },
    ],
    "wallpaper.picture": "file:///usr/share/backgrounds/stad.png",
    "wallpaper.color": "#1a5fb4",
}


def rendered(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in LINUX.render(values, [])}


def read_ini(text: str) -> configparser.RawConfigParser:
    """Read as the programs do: one line one value, nothing inherited, nothing interpolated."""
    parser = configparser.RawConfigParser(
        delimiters=("=",), comment_prefixes=("#", ";"), strict=True, default_section="\0", empty_lines_in_values=False
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser
