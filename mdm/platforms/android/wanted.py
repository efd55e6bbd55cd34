"""What a phone shall be, read from the catalogue's settings, in words that belong to no way of managing it. Pure.

Both ways render from a ``Wanted``: nothing below this page looks at a key of the catalogue. A desired state is kept as
resources, one for each setting, so that a phone can say of every setting what became of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

SETTING: Final = "setting"
RAW: Final = "raw"


@dataclass(frozen=True, slots=True)
class Passcode:
    """What a screen lock must be. None: nothing was said. Days of age, passcodes remembered, attempts before a wipe."""

    required: bool = False
    min_length: int | None = None
    complexity: str = "any"
    """any, letters_digits, mixed."""
    max_age_days: int | None = None
    history: int | None = None
    max_failed: int | None = None


@dataclass(frozen=True, slots=True)
class Screen:
    """Locking by itself, and what a locked screen shows. None: nothing was said."""

    lock: bool | None = None
    timeout_seconds: int | None = None
    message: str = ""
    notifications: bool | None = None


@dataclass(frozen=True, slots=True)
class Wifi:
    """One network. ``security``: open, wpa2, wpa3, peap."""

    ssid: str
    security: str
    passphrase: str = ""
    identity: str = ""
    domain: str = ""
    hidden: bool = False
    autoconnect: bool = True


@dataclass(frozen=True, slots=True)
class Authority:
    """One certificate authority, PEM."""

    name: str
    certificate: str


@dataclass(frozen=True, slots=True)
class Proxy:
    """``mode``: direct, system, manual, pac; empty where nothing was said."""

    mode: str = ""
    server: str = ""
    bypass: tuple[str, ...] = ()
    pac_url: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A bookmark, or an icon that opens a page."""

    name: str
    url: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Browser:
    """The browser's policy. None: nothing was said."""

    home_page: str = ""
    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    bookmarks: tuple[Link, ...] = ()
    incognito: bool | None = None
    password_manager: bool | None = None
    downloads: str = ""
    """all, safe, none."""
    popups: bool | None = None


@dataclass(frozen=True, slots=True)
class AppSetting:
    """One value that an application is given. ``kind``: text, number, switch."""

    app: str
    name: str
    value: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Apps:
    """Packages by what they shall be. ``permissions`` of a package: ask, grant, deny."""

    required: tuple[str, ...] = ()
    available: tuple[str, ...] = ()
    allow_only: bool = False
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    at_boot: tuple[str, ...] = ()
    permissions: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[AppSetting, ...] = ()


@dataclass(frozen=True, slots=True)
class Kiosk:
    """The one thing that a phone shows: a page or a package; both empty where it is no kiosk."""

    url: str = ""
    app: str = ""

    @property
    def on(self) -> bool:
        """Whether it is a kiosk at all."""
        return bool(self.url or self.app)


@dataclass(frozen=True, slots=True)
class Window:
    """Days (mon to sun) and the time of the phone, ``HH:MM``; may run over midnight."""

    days: tuple[str, ...]
    start: str
    end: str

    @property
    def minutes(self) -> tuple[int, int]:
        """Start and end in minutes after midnight."""
        first, last = (int(one[:2]) * 60 + int(one[3:]) for one in (self.start, self.end))
        return first, last


@dataclass(frozen=True, slots=True)
class Updates:
    """Updates of the system. ``auto``: off, security, all; empty where nothing was said."""

    auto: str = ""
    deadline_days: int | None = None
    window: Window | None = None
    min_os: str = ""


@dataclass(frozen=True, slots=True)
class Raw:
    """A part of one way's own document that somebody wrote. ``kind`` says whose: amapi or headwind."""

    name: str
    kind: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a phone shall be. What nothing was said about is None, empty or "": it stays as it is."""

    passcode: Passcode | None = None
    screen: Screen = Screen()
    encryption: bool | None = None
    storage_card_encryption: bool | None = None
    wifi: tuple[Wifi, ...] = ()
    authorities: tuple[Authority, ...] = ()
    proxy: Proxy = Proxy()
    browser: Browser = Browser()
    links: tuple[Link, ...] = ()
    forbidden: frozenset[str] = frozenset()
    """What is not allowed, as ``restrictions.`` names it: camera, microphone, bluetooth and so on."""
    permitted: frozenset[str] = frozenset()
    """What somebody said is allowed, in the same words."""
    apps: Apps = Apps()
    kiosk: Kiosk = Kiosk()
    updates: Updates = Updates()
    time_zone: str = ""
    raw: tuple[Raw, ...] = ()
    keys: frozenset[str] = frozenset()
    """The settings of the catalogue from which it was read."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """The settings themselves, for a way whose own words are closer to the catalogue's than those above."""


RESTRICTIONS: Final = (
    "account_changes",
    "bluetooth",
    "camera",
    "cloud_backup",
    "developer_mode",
    "factory_reset",
    "microphone",
    "printing",
    "removal",
    "screenshots",
    "unknown_sources",
    "usb_storage",
    "user_switching",
)
GOOGLE_ONLY: Final = frozenset(
    {f"restrictions.{name}" for name in ("location_sharing", "tethering", "volume", "wifi_changes")}
    | {f"work_profile.{name}" for name in ("contacts", "copy_paste", "days_off", "separate_lock", "sharing")}
    | {f"personal.{name}" for name in ("blocked", "camera", "screenshots")}
    | {"apps.auto_update", "apps.options", "apps.verified", "cellular.two_g", "enforcement.rules", "location.mode"}
    | {"factory_reset.accounts", "network.escape_hatch", "passcode.daily", "power.stay_on", "support.message"}
    | {"updates.freeze", "vpn.always_on", "vpn.lockdown", "wifi.least_security"}
)
"""Keys that only Google's management makes something of: they stand in ``Wanted.more`` as the catalogue says them."""
SUPPORTED: Final = GOOGLE_ONLY | frozenset(
    {f"restrictions.{name}" for name in RESTRICTIONS}
    | {f"passcode.{name}" for name in ("required", "min_length", "complexity", "max_age", "history", "max_failed")}
    | {"screen_lock.enabled", "screen_lock.timeout", "lock_screen.message", "lock_screen.notifications"}
    | {"encryption.required", "encryption.storage_card", "certificates.authorities", "wifi.networks", "time.zone"}
    | {f"proxy.{name}" for name in ("mode", "server", "bypass", "pac_url")}
    | {f"browser.{name}" for name in ("home_page", "url_allow", "url_block", "bookmarks", "incognito")}
    | {"browser.password_manager", "browser.downloads", "browser.popups", "web_links.links"}
    | {f"apps.{name}" for name in ("required", "available", "allow_only", "allowed", "blocked", "at_boot")}
    | {"apps.permissions", "apps.settings", "kiosk.url", "kiosk.app"}
    | {f"updates.{name}" for name in ("auto", "deadline", "window", "min_os")}
)
"""Keys of the catalogue that are read here; what each way makes of them is the way's own word."""


def resources(settings: Mapping[str, Any], payloads: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """The resources of a desired state: one for each setting that is read here, in the order of keys, payloads last."""
    found: list[dict[str, Any]] = [
        {"id": key, "kind": SETTING, "keys": [key], "value": settings[key]} for key in sorted(SUPPORTED & set(settings))
    ]
    for payload in payloads:
        content = payload["content"]
        found.append(
            {
                "id": f"payload.{payload['name']}",
                "kind": RAW,
                "keys": [],
                "name": payload["name"],
                "way": content["kind"],
                "content": content["content"],
            }
        )
    return found


def wanted(resources_: Iterable[Mapping[str, Any]]) -> Wanted:
    """What these resources, made by ``resources``, say that a phone shall be."""
    settings: dict[str, Any] = {}
    raw: list[Raw] = []
    for one in resources_:
        if one["kind"] == SETTING:
            settings[one["id"]] = one["value"]
        elif one["kind"] == RAW:
            raw.append(Raw(one["name"], one["way"], one["content"]))
    return read(settings, raw)


def read(settings: Mapping[str, Any], raw: Iterable[Raw] = ()) -> Wanted:
    """What settings of the catalogue, as an interpreter is given them, say that a phone shall be."""
    said = settings.get
    return Wanted(
        passcode=_passcode(settings),
        screen=Screen(
            said("screen_lock.enabled"),
            said("screen_lock.timeout"),
            said("lock_screen.message", ""),
            said("lock_screen.notifications"),
        ),
        encryption=said("encryption.required"),
        storage_card_encryption=said("encryption.storage_card"),
        wifi=tuple(_wifi(one) for one in said("wifi.networks", ())),
        authorities=tuple(Authority(one["name"], one["certificate"]) for one in said("certificates.authorities", ())),
        proxy=Proxy(
            said("proxy.mode", ""), said("proxy.server", ""), tuple(said("proxy.bypass", ())), said("proxy.pac_url", "")
        ),
        browser=_browser(settings),
        links=_links(said("web_links.links", ())),
        forbidden=frozenset(name for name in RESTRICTIONS if said(f"restrictions.{name}") is False),
        permitted=frozenset(name for name in RESTRICTIONS if said(f"restrictions.{name}") is True),
        apps=_apps(settings),
        kiosk=Kiosk(said("kiosk.url", ""), said("kiosk.app", "")),
        updates=Updates(
            said("updates.auto", ""),
            said("updates.deadline"),
            _window(said("updates.window")),
            said("updates.min_os", ""),
        ),
        time_zone=said("time.zone", ""),
        raw=tuple(raw),
        keys=SUPPORTED & settings.keys(),
        more=dict(settings),
    )


def _passcode(settings: Mapping[str, Any]) -> Passcode | None:
    if not any(key.startswith("passcode.") for key in settings):
        return None
    said = settings.get
    return Passcode(
        bool(said("passcode.required", False)),
        said("passcode.min_length"),
        said("passcode.complexity", "any"),
        said("passcode.max_age"),
        said("passcode.history"),
        said("passcode.max_failed"),
    )


def _wifi(one: Mapping[str, Any]) -> Wifi:
    return Wifi(
        one["ssid"],
        one["security"],
        one.get("passphrase", ""),
        one.get("identity", ""),
        one.get("domain", ""),
        one.get("hidden", False),
        one.get("autoconnect", True),
    )


def _links(records: Iterable[Mapping[str, Any]]) -> tuple[Link, ...]:
    return tuple(Link(one["name"], one["url"], one.get("comment", "")) for one in records)


def _browser(settings: Mapping[str, Any]) -> Browser:
    said = settings.get
    return Browser(
        said("browser.home_page", ""),
        tuple(said("browser.url_allow", ())),
        tuple(said("browser.url_block", ())),
        _links(said("browser.bookmarks", ())),
        said("browser.incognito"),
        said("browser.password_manager"),
        said("browser.downloads", ""),
        said("browser.popups"),
    )


def _apps(settings: Mapping[str, Any]) -> Apps:
    def names(key: str) -> tuple[str, ...]:
        return tuple(settings.get(key, ()))

    return Apps(
        required=names("apps.required"),
        available=names("apps.available"),
        allow_only=bool(settings.get("apps.allow_only", False)),
        allowed=names("apps.allowed"),
        blocked=names("apps.blocked"),
        at_boot=names("apps.at_boot"),
        permissions={one["app"]: one["answer"] for one in settings.get("apps.permissions", ())},
        settings=tuple(_app_setting(one) for one in settings.get("apps.settings", ())),
    )


def _app_setting(one: Mapping[str, Any]) -> AppSetting:
    # Named "package/name", so that several policies can add to one application and each value has one owner.
    app, _, name = str(one["item"]).partition("/")
    return AppSetting(app, name, one.get("value", ""), one.get("kind", "text"))


def _window(value: Mapping[str, Any] | None) -> Window | None:
    return Window(tuple(value["days"]), value["from"], value["to"]) if value else None
