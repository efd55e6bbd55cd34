"""Chromium's managed policies (https://chromeenterprise.google/policies/) and web links as icons."""

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any

from mdm.platforms.linux import kiosk_browser
from mdm.platforms.linux.escape import desktop, desktop_argument, slug
from mdm.platforms.linux.parts import Part, Resources, Settings, file, given

Policies = dict[str, Any]

POLICIES: Mapping[str, Callable[[Any], Policies]] = {
    "browser.home_page": lambda url: {
        "HomepageLocation": url,
        "HomepageIsNewTabPage": False,
        "ShowHomeButton": True,
        "RestoreOnStartup": 4,
        "RestoreOnStartupURLs": [url],
    },
    "browser.url_allow": lambda urls: {"URLAllowlist": urls},
    "browser.url_block": lambda urls: {"URLBlocklist": urls},
    "browser.bookmarks": lambda marks: {
        "ManagedBookmarks": [{"name": mark["name"], "url": mark["url"]} for mark in marks]
    },
    "browser.incognito": lambda allowed: {"IncognitoModeAvailability": 0 if allowed else 1},
    "browser.password_manager": lambda allowed: {"PasswordManagerEnabled": allowed},
    "browser.downloads": lambda choice: {"DownloadRestrictions": {"all": 0, "safe": 2, "none": 3}[choice]},
    "browser.popups": lambda allowed: {"DefaultPopupsSetting": 1 if allowed else 2},
    "browser.extensions": lambda ids: {"ExtensionInstallBlocklist": ["*"], "ExtensionInstallAllowlist": ids},
    "restrictions.camera": lambda allowed: {"VideoCaptureAllowed": allowed},
    "restrictions.microphone": lambda allowed: {"AudioCaptureAllowed": allowed},
    "restrictions.developer_mode": lambda allowed: {"DeveloperToolsAvailability": 1 if allowed else 2},
    "restrictions.screenshots": lambda allowed: {"DisableScreenshots": not allowed},
    "restrictions.printing": lambda allowed: {"PrintingEnabled": allowed},
    "kiosk.idle_reset": lambda seconds: {
        "IdleTimeout": ceil(seconds / 60),
        "IdleTimeoutActions": [
            "clear_browsing_history",
            "clear_cookies_and_other_site_data",
            "clear_cached_images_and_files",
            "clear_autofill",
            "reload_pages",
        ],
    },
}
"""What each key is in the browser's own words. Chromium counts idle time in whole minutes, never less than one."""

PROXY = ("proxy.mode", "proxy.server", "proxy.bypass", "proxy.pac_url")
_MODES = {"direct": "direct", "system": "system", "manual": "fixed_servers", "pac": "pac_script"}


def _proxy(settings: Settings) -> Policies:
    """The proxy as one policy; nothing when the mode lacks what it needs, so that no browser is cut off by half a word."""
    mode = settings.get("proxy.mode")
    needs = {"manual": "proxy.server", "pac": "proxy.pac_url"}.get(str(mode))
    if mode is None or (needs and needs not in settings):
        return {}
    proxy: Policies = {"ProxyMode": _MODES[mode]}
    if mode == "manual":
        proxy["ProxyServer"] = settings["proxy.server"]
        proxy["ProxyBypassList"] = ",".join(settings.get("proxy.bypass", []))
    if mode == "pac":
        proxy["ProxyPacUrl"] = settings["proxy.pac_url"]
    return {"ProxySettings": proxy}


def _policy(settings: Settings) -> Resources:
    kiosk = kiosk_browser.policies(settings)
    content: Policies = kiosk | _proxy(settings)
    for key, write in POLICIES.items():
        # A kiosk starts over with everything it has, not only with what the browser knows how to clear.
        if key in settings and not (kiosk and key == "kiosk.idle_reset"):
            content.update(write(settings[key]))
    # Its own page opens whatever else is blocked, and nothing else does.
    content |= {name: kiosk[name] for name in ("URLBlocklist", "URLAllowlist") if name in kiosk}
    if not content:
        return []
    keys = given(settings, (*POLICIES, *PROXY, *(kiosk_browser.KEYS if kiosk else ())))
    return [{"id": "browser.policy", "kind": "chromium", "keys": keys, "content": content}]


def _links(settings: Settings) -> Resources:
    return [
        file(
            f"web_link.{slug(link['name'])}",
            ["web_links.links"],
            f"/usr/local/share/applications/havenmeester-{slug(link['name'])}.desktop",
            _entry(link),
        )
        for link in settings.get("web_links.links", [])
    ]


def _entry(link: Mapping[str, str]) -> str:
    comment = f"Comment={desktop(link['comment'])}\n" if link.get("comment") else ""
    return (
        f"[Desktop Entry]\nType=Application\nVersion=1.5\nName={desktop(link['name'])}\n{comment}"
        f"Exec=xdg-open {desktop_argument(link['url'])}\nIcon=web-browser\nTerminal=false\nCategories=Network;\n"
    )


PARTS = (Part((*POLICIES, *PROXY, *kiosk_browser.KEYS), _policy), Part(("web_links.links",), _links))
