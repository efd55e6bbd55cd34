"""What Chromium is told on a kiosk that shows one site: nothing else opens, nothing is kept, nothing is asked.

These are the values where no setting says otherwise. https://chromeenterprise.google/policies/
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from mdm.platforms.linux.idle_page import PAGE_URL, shows_idle_page

KEYS: Final = ("kiosk.url", "kiosk.site_only", "kiosk.idle_page", "kiosk.idle_url")

_CLOSED: Final[Mapping[str, Any]] = {
    "AllowFileSelectionDialogs": False,
    "AudioCaptureAllowed": False,
    "AutofillAddressEnabled": False,
    "AutofillCreditCardEnabled": False,
    "BackgroundModeEnabled": False,
    "BookmarkBarEnabled": False,
    "BrowserAddPersonEnabled": False,
    "BrowserGuestModeEnabled": False,
    "BrowserSignin": 0,
    "BuiltInDnsClientEnabled": False,
    "DefaultBrowserSettingEnabled": False,
    "DefaultFileSystemReadGuardSetting": 2,
    "DefaultFileSystemWriteGuardSetting": 2,
    "DefaultGeolocationSetting": 2,
    "DefaultNotificationsSetting": 2,
    "DefaultPopupsSetting": 2,
    "DefaultSerialGuardSetting": 2,
    "DefaultWebBluetoothGuardSetting": 2,
    "DefaultWebHidGuardSetting": 2,
    "DefaultWebUsbGuardSetting": 2,
    "DeveloperToolsAvailability": 2,
    "DownloadRestrictions": 3,
    "EditBookmarksEnabled": False,
    "ExtensionInstallBlocklist": ["*"],
    "MetricsReportingEnabled": False,
    "PasswordManagerEnabled": False,
    "PrintingEnabled": False,
    "PromotionsEnabled": False,
    "PromptForDownloadLocation": False,
    "SavingBrowserHistoryDisabled": True,
    "ScreenCaptureAllowed": False,
    "SearchSuggestEnabled": False,
    "SyncDisabled": True,
    "TaskManagerEndProcessEnabled": False,
    "TranslateEnabled": False,
    "VideoCaptureAllowed": False,
}
_INNER: Final = ("*", "chrome://*", "devtools://*", "file://*", "javascript://*", "view-source:*")
"""Everything, and by name what a browser shows of itself and of its machine."""


def policies(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The managed policies of a kiosk's one site; empty where there is no kiosk with a web page."""
    url = settings.get("kiosk.url")
    if url is None:
        return {}
    told = {**_CLOSED, "HomepageLocation": url, "NewTabPageLocation": url}
    told |= {"RestoreOnStartup": 4, "RestoreOnStartupURLs": [url]}
    if settings.get("kiosk.site_only", True):
        told["URLBlocklist"] = list(dict.fromkeys((*_INNER, *settings.get("browser.url_block", []))))
        told["URLAllowlist"] = list(dict.fromkeys((*_own(settings), *settings.get("browser.url_allow", []))))
    return told


def _own(settings: Mapping[str, Any]) -> list[str]:
    """What has to open for the kiosk to be one: its site, and what it shows when nobody is there."""
    pages = _site(settings["kiosk.url"])
    if "kiosk.idle_url" in settings:
        pages += _site(settings["kiosk.idle_url"])
    elif shows_idle_page(settings):
        pages.append(PAGE_URL)
    if settings.get("restrictions.printing") is True:
        # The browser prints by a page of its own, also where it asks nothing.
        pages.append("chrome://print")
    return pages


def _site(url: str) -> list[str]:
    """The filter for exactly the host, and the port, of an address; a dot before it leaves out what is below it.

    https://support.google.com/chrome/a/answer/9942583. A site over plain HTTP may send its visitors on to HTTPS. What is
    no address opens nothing.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return []
    if not host:
        return []
    name = f"[{host}]" if ":" in host else f".{host}"
    place = f"{name}:{port}" if port else name
    return [f"https://{place}" if parts.scheme == "https" else place]
