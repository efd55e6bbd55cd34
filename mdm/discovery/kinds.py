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
    (r"^_(ipps?(-tls)?|printer|pdl-datastream|scanner|uscans?|privet)\._tcp|device:printer:", _K.PRINTER),
    (r"^_(axis-video|axis-nvr|rtsp|onvif|psia|mobotix)\._tcp|device:(networkcamera|digitalsecuritycamera)", _K.CAMERA),
    (
        r"^_(googlecast|airplay|raop|androidtvremote2?|amzn-wplay|viziocast|sonos|spotify-connect)\._tcp"
        r"|device:(mediarenderer|tvdevice|basic_tv|dial|zoneplayer|mainscreen)",
        _K.SCREEN,
    ),
    (r"^_sip\._(tcp|udp)", _K.TELEPHONE),
    (r"device:(internetgatewaydevice|wandevice|wanconnectiondevice|wfadevice|wlanaccesspointdevice)", _K.NETWORK),
    (r"^_(apple-mobdev2?|remotepairing)\._tcp", _K.PHONE),
    (r"^_(nfs|adisk|proxmox|webdav)\._tcp|device:mediaserver:", _K.SERVER),
    (r"^_(workstation|rfb|sftp-ssh)\._tcp", _K.COMPUTER),
)
_TABLETS = r"ipad|galaxy[-_ ]?tab|pixel[-_ ]?tablet|\btab-?[asm]\d|\bsm-[tx]\d{3}|mediapad|matepad"
_COMPUTERS = (
    r"macbook|imac|macmini|mac-mini|galaxy[-_ ]?book|desktop-|laptop|\bpc-|thinkpad|latitude|elitebook|notebook"
)
_NAMES: tuple[tuple[str, NetworkKind], ...] = (
    (r"apple[-_ ]?tv|chromecast|lgwebostv|bravia|\[tv\]|smart[-_ ]?tv|fire[-_ ]?tv|^roku", _K.SCREEN),
    (_COMPUTERS, _K.COMPUTER),
    (r"iphone|android|galaxy|pixel|redmi|fairphone|oneplus|huawei|xiaomi", _K.PHONE),
    (
        r"^(npi|hp|km)[0-9a-f]{6}(\.|$)|printer|laserjet|officejet|mfp|^br[wn][0-9a-f]{12}|^epson|^canon",
        _K.PRINTER,
    ),
    (r"^axis-[0-9a-f]{12}|camera|ipcam", _K.CAMERA),
    (r"^sep[0-9a-f]{12}|^(snom|yealink|sip-?t\d)", _K.TELEPHONE),
    (r"router|switch|gateway|openwrt|unifi|accesspoint", _K.NETWORK),
)
_CLASSES: tuple[tuple[str, NetworkKind], ...] = (
    (r"^android-dhcp|^dhcpcd-.*android", _K.PHONE),
    (r"hewlett-packard jetdirect|^hp (laserjet|officejet|pagewide)|^xerox|^lexmark|^brother|^canon|^epson|^kyocera|^ricoh"
     r"|^zebra|typ=printer|mfg=.*(printer|laserjet)", _K.PRINTER),
    (r"ipphone|ip phone|^yealink|^snom|^polycom|^aastra|^grandstream|^ccp\.avaya|^alcatel\.(noe|ipt)|^siemens.*phone|^mitel",
     _K.TELEPHONE),
    (r"^axis,|network camera|hikvision|dahua|ipcamera", _K.CAMERA),
    (r"samsung.*tv|webos|smarttv|^roku|bravia", _K.SCREEN),
    (r"^cisco (ap|c\d|systems, inc\. (c\d|ws-))|^arubaap|^arubainstantap|^ubnt|^udhcp.*router|^mikrotik|aruba|ubiquiti"
     r"|^ruckus|^meraki|^juniper|procurve|^hpe? .*switch|^fortinet|^fortiap", _K.NETWORK),
    (r"^msft |^systemd|^dhcpcd|^dhclient|^anaconda|^chromeos", _K.COMPUTER),
    (r"^pxeclient", _K.COMPUTER),
)  # fmt: skip
_MODELS: tuple[tuple[str, NetworkKind], ...] = (
    (_TABLETS, _K.TABLET),
    (r"iphone|^pixel \d|fairphone", _K.PHONE),
    (r"appletv|chromecast|bravia|smart.?tv|shield|webos|sonos|roku", _K.SCREEN),
    (r"\bmac(book)?(mini|pro|air|studio)?\d|imac", _K.COMPUTER),
    (
        r"laserjet|officejet|bizhub|workcentre|versalink|ecosys|taskalfa|printer|imagerunner|brother (hl|mfc|dcp)",
        _K.PRINTER,
    ),
    (r"ip camera|network camera|axis [mpq]\d{4}", _K.CAMERA),
    (r"switch|router|access point|catalyst|cisco ios|routeros|arubaos|junos|fortios|edgeos", _K.NETWORK),
)
_MAKERS: tuple[tuple[str, NetworkKind], ...] = (
    (r"virtual router", _K.NETWORK),
    (r"axis communications|hikvision|dahua|mobotix|hanwha|vivotek", _K.CAMERA),
    (r"brother|seiko epson|canon|kyocera|lexmark|xerox|ricoh|konica|zebra tech", _K.PRINTER),
    (r"yealink|snom|polycom|grandstream|mitel|aastra|avaya", _K.TELEPHONE),
    (
        r"ubiquiti|mikrotik|routerboard|aruba|ruckus|juniper|tp-link|netgear|zyxel|fortinet|cisco|avm |extreme networks|d-link",
        _K.NETWORK,
    ),
    (r"fairphone|oneplus|xiaomi|huawei device|oppo|vivo mobile|motorola mobility|hmd global", _K.PHONE),
    (r"synology|qnap|supermicro|super micro", _K.SERVER),
    (r"sonos|roku|hisense|vizio", _K.SCREEN),
    (
        r"dell|lenovo|lcfc|wistron|compal|quanta|intel corporate|micro-star|asustek|hewlett|hp inc|fujitsu|raspberry|giga-byte",
        _K.COMPUTER,
    ),
)
_ANDROID_OPTIONS = re.compile(r"^1,3,6,15,26,28,51,58,59,43|^1,(121,)?33,3,6,15,28,51,58,59")
"""How Android's own client asks for its options (dhcpclient of AOSP), and the one it had before (dhcpcd)."""
_APPLE_OPTIONS = re.compile(r"^1,121,3,6,15,(108,)?(114,)?119,(162,)?252")
_MAC_OPTIONS = re.compile(r",95,44,46$|,95,44,46,")
"""What a Mac asks for besides, and no iPhone: LDAP and the names of Windows."""
_WINDOWS_OPTIONS = re.compile(r"^1,3,6,15,31,33,43,44,46,47|^1,15,3,6,44,46,47,31,33")
_LINUX_OPTIONS = re.compile(
    r"^1,28,2,3,15,6,(119,)?12,44,47|^1,2,6,12,15,26,28,121,3,33|^1,3,6,12,15,26,28,33,40,41,42,119"
)
"""dhclient of Debian, NetworkManager's own client, systemd-networkd."""
_PRINTER_OPTIONS = re.compile(r"^6,3,1,15,66,67,13,44")
"""HP's JetDirect."""


def kind_of(clues: Clues) -> NetworkKind:
    """The kind; ``unknown`` where nothing speaks for one. What a device says of itself goes before who made its card."""
    if "telephone" in clues.capabilities:
        return _K.TELEPHONE
    if {"bridge", "router", "access_point"} & set(clues.capabilities):
        return _K.NETWORK
    for rules, said in (
        (_MODELS, (clues.model,)),
        # A tablet speaks as a phone does: only its name tells them apart.
        (((_TABLETS, _K.TABLET),), clues.names),
        (_SERVICES, clues.services),
        (_CLASSES, (clues.vendor_class,)),
        (_NAMES, clues.names),
        (_MODELS, (clues.server,)),
    ):
        found = _first(rules, said)
        if found is not None:
            return found
    return (
        _asked(clues)
        or ("dhcp-server" in clues.services and _K.NETWORK)
        or _first(_MAKERS, (clues.vendor,))
        or _K.UNKNOWN
    )


def _asked(clues: Clues) -> NetworkKind | None:
    """By the options that it asked for, in their order: each client has its own."""
    if _PRINTER_OPTIONS.match(clues.options):
        return _K.PRINTER
    if _ANDROID_OPTIONS.match(clues.options):
        return _K.PHONE
    if _WINDOWS_OPTIONS.match(clues.options) or _LINUX_OPTIONS.match(clues.options):
        return _K.COMPUTER
    if _APPLE_OPTIONS.match(clues.options):
        if _MAC_OPTIONS.search(clues.options):
            return _K.COMPUTER
        return _K.PHONE if "apple" in clues.vendor.lower() or not clues.vendor else _K.COMPUTER
    return None


def _first(rules: tuple[tuple[str, NetworkKind], ...], said: Collection[str]) -> NetworkKind | None:
    folded = [one.lower() for one in said if one]
    return next((kind for rule, kind in rules if any(re.search(rule, one) for one in folded)), None)
