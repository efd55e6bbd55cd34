"""What a device most likely is, by what it announces, then by how it asks for an address, then by who made it. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class NetworkKind(StrEnum):
    """What a person would call a device on a network."""

    CAMERA = "camera"
    COMPUTER = "computer"
    NETWORK = "network"
    """A router, switch or access point."""
    PHONE = "phone"
    PRINTER = "printer"
    SERVER = "server"
    SCREEN = "screen"
    """A television, a projector, a box that plays on one."""
    TABLET = "tablet"
    TELEPHONE = "telephone"
    """One that stands on a desk."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Clues:
    """What is known of a device, as it was said on the network."""

    services: Collection[str] = ()
    capabilities: Collection[str] = ()
    names: Collection[str] = ()
    vendor_class: str = ""
    options: str = ""
    server: str = ""
    model: str = ""
    vendor: str = ""


_K = NetworkKind
_SERVICES: tuple[tuple[str, NetworkKind], ...] = (
    (r"^_(ipps?|printer|pdl-datastream|scanner|uscans?)\._tcp|device:printer:", _K.PRINTER),
    (r"^_(axis-video|rtsp|onvif)\._tcp|device:(networkcamera|digitalsecuritycamera)", _K.CAMERA),
    (
        r"^_(googlecast|airplay|raop|androidtvremote2|amzn-wplay)\._tcp|device:(mediarenderer|tvdevice|basic_tv|dial)",
        _K.SCREEN,
    ),
    (r"^_sip\._(tcp|udp)", _K.TELEPHONE),
    (r"device:(internetgatewaydevice|wanconnectiondevice|wfadevice|wlanaccesspointdevice)", _K.NETWORK),
    (r"^_apple-mobdev2?\._tcp", _K.PHONE),
    (r"^_(nfs|adisk|proxmox|webdav)\._tcp|device:mediaserver:", _K.SERVER),
    (r"^_(workstation|rfb|companion-link|sftp-ssh)\._tcp", _K.COMPUTER),
)
_NAMES: tuple[tuple[str, NetworkKind], ...] = (
    (r"ipad|galaxy-tab|\btab-?[as]\d", _K.TABLET),
    (r"iphone|android|galaxy|pixel|redmi|fairphone|oneplus", _K.PHONE),
    (r"macbook|imac|desktop-|laptop|\bpc-|thinkpad|latitude|elitebook|notebook", _K.COMPUTER),
    (r"^npi[0-9a-f]{6}|printer|laserjet|officejet|mfp|^brw|^epson|^canon", _K.PRINTER),
    (r"router|switch|gateway|openwrt|unifi|accesspoint", _K.NETWORK),
)
_CLASSES: tuple[tuple[str, NetworkKind], ...] = (
    (r"^android-dhcp|^dhcpcd-.*android", _K.PHONE),
    (r"^msft |^systemd|^dhcpcd", _K.COMPUTER),
    (r"hewlett-packard jetdirect|^xerox|^lexmark|^brother|mfg=.*printer", _K.PRINTER),
    (r"ipphone|ip phone|^yealink|^snom|^polycom|^cisco systems.*phone|^aastra|^grandstream", _K.TELEPHONE),
    (r"^cisco ap|^arubaap|^ubnt|^udhcp.*router|^mikrotik|aruba|ubiquiti", _K.NETWORK),
    (r"axis|hikvision|dahua", _K.CAMERA),
)
_MODELS: tuple[tuple[str, NetworkKind], ...] = (
    (r"ipad", _K.TABLET),
    (r"iphone", _K.PHONE),
    (r"appletv|chromecast|bravia|smart.?tv|shield", _K.SCREEN),
    (r"mac(book|mini|pro|studio)?\d|imac", _K.COMPUTER),
    (r"laserjet|officejet|bizhub|workcentre|ecosys|printer|imagerunner", _K.PRINTER),
    (r"switch|router|access point|catalyst", _K.NETWORK),
)
_MAKERS: tuple[tuple[str, NetworkKind], ...] = (
    (r"axis communications|hikvision|dahua|mobotix", _K.CAMERA),
    (r"brother|seiko epson|canon|kyocera|lexmark|xerox|ricoh|konica", _K.PRINTER),
    (r"ubiquiti|mikrotik|routerboard|aruba|ruckus|juniper|tp-link|netgear|zyxel|fortinet|cisco|avm ", _K.NETWORK),
    (r"yealink|snom|polycom|grandstream|mitel|aastra", _K.TELEPHONE),
    (r"fairphone|oneplus|xiaomi|huawei device|oppo|vivo mobile|motorola mobility", _K.PHONE),
    (r"synology|qnap|supermicro", _K.SERVER),
    (r"sonos|roku|hisense|vizio", _K.SCREEN),
    (
        r"dell|lenovo|lcfc|wistron|compal|quanta|intel corporate|micro-star|asustek|hewlett|fujitsu|raspberry",
        _K.COMPUTER,
    ),
)
_ANDROID_OPTIONS = re.compile(r"^1,3,6,15,26,28,51,58,59,43")
"""How Android's own client asks for its options (dhcpclient of AOSP)."""
_APPLE_OPTIONS = re.compile(r"^1,121,3,6,15,(108,)?(114,)?119,252")
_WINDOWS_OPTIONS = re.compile(r"^1,3,6,15,31,33,43,44,46,47")


def kind_of(clues: Clues) -> NetworkKind:
    """The kind; ``unknown`` where nothing speaks for one. What a device says of itself goes before who made its card."""
    if "telephone" in clues.capabilities:
        return _K.TELEPHONE
    if {"bridge", "router", "access_point"} & set(clues.capabilities):
        return _K.NETWORK
    for rules, said in (
        (_MODELS, (clues.model,)),
        (_SERVICES, clues.services),
        (_CLASSES, (clues.vendor_class,)),
        (_NAMES, clues.names),
        (_MODELS, (clues.server,)),
    ):
        found = _first(rules, said)
        if found is not None:
            return found
    if _ANDROID_OPTIONS.match(clues.options):
        return _K.PHONE
    if _WINDOWS_OPTIONS.match(clues.options):
        return _K.COMPUTER
    if _APPLE_OPTIONS.match(clues.options):
        return _K.PHONE if "apple" in clues.vendor.lower() or not clues.vendor else _K.COMPUTER
    if "dhcp-server" in clues.services:
        return _K.NETWORK
    return _first(_MAKERS, (clues.vendor,)) or _K.UNKNOWN


def _first(rules: tuple[tuple[str, NetworkKind], ...], said: Collection[str]) -> NetworkKind | None:
    folded = [one.lower() for one in said if one]
    return next((kind for rule, kind in rules if any(re.search(rule, one) for one in folded)), None)
