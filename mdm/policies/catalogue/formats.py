"""What a text of a named format must look like. Every check is given a text without control characters."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from urllib.parse import urlsplit
from zoneinfo import available_timezones

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?\Z")
_HOST_PATTERN = re.compile(r"(?:\*\.?|\.)?[A-Za-z0-9.:-]*\Z")
_APP = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,253}\Z")
_APP_ITEM = re.compile(r"(?:(?:linux|ios|android):)?[A-Za-z0-9][A-Za-z0-9._+-]{0,253}\Z")
_APP_SETTING = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}/[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")
_USERNAME = re.compile(r"[a-z_][a-z0-9_-]{0,30}\$?\Z")
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}\Z")
_DATE = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}\Z")
_MONTH_DAY = re.compile(r"[0-9]{2}-[0-9]{2}\Z")
_EMAIL = re.compile(r"[^\s@<>\"'(),:;\[\]\\]{1,64}@[^\s@]{1,190}\Z")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z")
_EXTENSION = re.compile(r"[a-p]{32}\Z")
_VERSION = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6}){0,3}\Z")
_USB_ID = re.compile(r"[0-9A-Fa-f]{4}:(?:[0-9A-Fa-f]{4}|\*)\Z")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN ((?:EC |RSA |ENCRYPTED )?PRIVATE KEY)-----\n[A-Za-z0-9+/=\n]+\n-----END \1-----\n?\Z"
)
_URL_FILTER = re.compile(r"(?:(?:[a-z][a-z0-9+.-]*)://)?\.?[A-Za-z0-9*._-]+(?::(?:[0-9]{1,5}|\*))?(?:/[^\s\"'\\]*)?\Z")


def _ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return bool(_DATE.match(text))


def _month_day(text: str) -> bool:
    try:
        # A year that has no 29 February: what comes back every year cannot name it.
        date.fromisoformat(f"2025-{text}")
    except ValueError:
        return False
    return bool(_MONTH_DAY.match(text))


def _network(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return "%" not in text


def _hostname(text: str) -> bool:
    return len(text) <= 253 and bool(_HOSTNAME.match(text))


def _host(text: str) -> bool:
    return _ip(text) or _hostname(text)


def _host_port(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not 1 <= int(port[:6]) <= 65535:
        return False
    if host.startswith("[") and host.endswith("]"):
        return ":" in host and _ip(host[1:-1])
    return _host(host) and ":" not in host


def _wireguard_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 32 and len(text) == 44
    except (binascii.Error, ValueError):
        return False


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _ssid(text: str) -> bool:
    return 1 <= len(text.encode()) <= 32


def is_url(text: str, schemes: tuple[str, ...]) -> bool:
    """Whether it is an absolute address of one of the schemes, with a host (a path for files) and no name or password."""
    if any(character.isspace() or character in "\"'<>\\^`{|}" for character in text):
        return False
    try:
        parts = urlsplit(text)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if parts.scheme not in schemes or parts.username is not None or parts.password is not None or not port_is_right:
        return False
    if parts.scheme == "file":
        return not parts.netloc and parts.path.startswith("/")
    host = parts.hostname or ""
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return False
    return _host(host)


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "app": lambda text: bool(_APP.match(text)),
    "app_item": lambda text: bool(_APP_ITEM.match(text)),
    "app_or_url": lambda text: bool(_APP_ITEM.match(text)) or is_url(text, ("https", "http")),
    "app_setting": lambda text: bool(_APP_SETTING.match(text)),
    "color": lambda text: bool(_COLOR.match(text)),
    "date": _date,
    "email": lambda text: bool(_EMAIL.match(text)) and _hostname(text.rpartition("@")[2]),
    "extension": lambda text: bool(_EXTENSION.match(text)),
    "host": _host,
    "host_pattern": lambda text: bool(text) and (_network(text) or bool(_HOST_PATTERN.match(text))),
    "host_port": _host_port,
    "hostname": _hostname,
    "ip": _ip,
    "month_day": _month_day,
    "network": _network,
    "private_key_pem": lambda text: bool(_PRIVATE_KEY.match(text)),
    "ssid": _ssid,
    "time": lambda text: bool(_TIME.match(text)),
    "time_zone": lambda text: text in _time_zones(),
    "url_filter": lambda text: text == "*" or bool(_URL_FILTER.match(text)),
    "usb_id": lambda text: bool(_USB_ID.match(text)),
    "username": lambda text: bool(_USERNAME.match(text)),
    "version": lambda text: bool(_VERSION.match(text)),
    "wireguard_key": _wireguard_key,
}
