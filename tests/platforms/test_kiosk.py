"""A kiosk shows one site and nothing else, and is new for every citizen: the true browser, compositor and watcher say so."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Error, sync_playwright

from agent.apply.engine import Engine
from agent.roots import Root
from agent.state import State
from mdm.platforms.linux import kiosk
from mdm.platforms.linux.render import LinuxInterpreter
from tests.platforms.kiosk_session import BROWSER, PATIENCE, Session, Site, open_folder, wait_for, why_not

URL = "https://loket.stad.example/zuil"


def rendered(settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in LinuxInterpreter().render(settings, [])}


def policy(**settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = rendered({name.replace("__", "."): value for name, value in settings.items()})
    return dict(found["browser.policy"]["content"])


def test_a_page_is_enough_for_a_kiosk_that_is_closed() -> None:
    told = policy(kiosk__url=URL)
    assert told["URLAllowlist"] == ["https://.loket.stad.example"]
    assert {"*", "chrome://*", "file://*", "javascript://*", "view-source:*"} <= set(told["URLBlocklist"])
    assert told["RestoreOnStartupURLs"] == [URL]
    assert (told["DownloadRestrictions"], told["PrintingEnabled"], told["PasswordManagerEnabled"]) == (3, False, False)
    assert (told["DeveloperToolsAvailability"], told["BrowserSignin"], told["AllowFileSelectionDialogs"]) == (
        2,
        0,
        False,
    )


def test_what_a_policy_says_is_stronger_than_what_a_kiosk_would_say() -> None:
    told = policy(kiosk__url=URL, browser__downloads="safe", restrictions__printing=True, browser__popups=True)
    assert (told["DownloadRestrictions"], told["PrintingEnabled"], told["DefaultPopupsSetting"]) == (2, True, 1)
    assert "chrome://print" in told["URLAllowlist"]


def test_further_addresses_are_added_to_the_site_and_blocking_does_not_take_the_site_away() -> None:
    told = policy(kiosk__url=URL, browser__url_allow=["afspraken.stad.example"], browser__url_block=["stad.example"])
    assert told["URLAllowlist"] == ["https://.loket.stad.example", "afspraken.stad.example"]
    assert told["URLBlocklist"][-1] == "stad.example"


def test_a_kiosk_that_may_go_anywhere_has_only_the_browsers_own_lists() -> None:
    assert "URLBlocklist" not in policy(kiosk__url=URL, kiosk__site_only=False)
    assert policy(kiosk__url=URL, kiosk__site_only=False, browser__url_block=["x.be"])["URLBlocklist"] == ["x.be"]


def test_without_a_page_nothing_is_closed() -> None:
    assert "browser.policy" not in rendered({"kiosk.app": "gimp", "kiosk.site_only": True})
    assert policy(browser__url_block=["x.be"]) == {"URLBlocklist": ["x.be"]}


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://10.2.3.4:8080/x", [".10.2.3.4:8080"]),
        ("https://[fd00::1]/x", ["https://[fd00::1]"]),
        ("https://a.be:444/", ["https://.a.be:444"]),
        ("https://[x/", []),
        ("https://a.be:port/", []),
    ],
)
def test_the_filter_is_the_host_and_port_of_the_page(url: str, allowed: list[str]) -> None:
    assert policy(kiosk__url=url)["URLAllowlist"] == allowed


def test_the_citys_own_idle_page_opens_first_and_is_allowed() -> None:
    found = rendered({"kiosk.url": URL, "kiosk.idle_url": "https://welkom.stad.example/", "kiosk.idle_page": "touch"})
    assert found["kiosk.session"]["content"].count('"https://welkom.stad.example/"') == 1
    assert "https://.welkom.stad.example" in found["browser.policy"]["content"]["URLAllowlist"]
    assert "kiosk.idle" not in found


def test_the_idle_page_says_what_it_was_told_and_nothing_of_it_is_markup() -> None:
    page = rendered(
        {"kiosk.url": URL + '?a="><script>', "kiosk.idle_page": "touch", "kiosk.idle_text": "<b>Kom\nVenez"}
    )
    content = page["kiosk.idle"]["content"]
    assert "<p>&lt;b&gt;Kom</p>\n<p>Venez</p>" in content
    assert "<script" not in content
    plain = rendered({"kiosk.url": URL, "kiosk.idle_page": "touch"})["kiosk.idle"]["content"]
    assert [found[1] for found in re.finditer(r'<p lang="(..)">', plain)] == ["nl", "fr", "en"]


def test_a_kiosk_starts_over_although_no_policy_says_when() -> None:
    assert "/session 120 " in rendered({"kiosk.url": URL})["kiosk.session"]["content"]
    assert "/session 45 " in rendered({"kiosk.url": URL, "kiosk.idle_reset": 45})["kiosk.session"]["content"]
    assert "IdleTimeout" not in policy(kiosk__url=URL, kiosk__idle_reset=45)


@pytest.mark.parametrize(
    ("window", "now", "on"),
    [
        ((480, 1080, "1,2,3,4,5"), "1 08 00", True),
        ((480, 1080, "1,2,3,4,5"), "1 07 59", False),
        ((480, 1080, "1,2,3,4,5"), "5 17 59", True),
        ((480, 1080, "1,2,3,4,5"), "5 18 00", False),
        ((480, 1080, "1,2,3,4,5"), "6 09 09", False),
        ((1200, 90, "7"), "7 20 00", True),
        ((1200, 90, "7"), "1 01 29", True),
        ((1200, 90, "7"), "1 01 30", False),
        ((1200, 90, "7"), "7 00 30", False),
        ((1200, 90, "7"), "7 08 08", False),
    ],
)
def test_the_screen_is_on_in_its_hours_also_over_midnight(
    tmp_path: Path, window: tuple[int, int, str], now: str, on: bool
) -> None:
    script = tmp_path / "open"
    script.write_text(kiosk.OPEN)
    answer = subprocess.run(
        ["/bin/sh", str(script), *map(str, window)], env={"KIOSK_NOW": now}, capture_output=True, check=False
    )
    assert (answer.returncode == 0, answer.stderr) == (on, b"")


def test_the_clock_that_switches_off_rings_on_the_day_on_which_the_hours_end() -> None:
    found = rendered({"kiosk.url": URL, "kiosk.screen_hours": {"days": ["sat", "sun"], "from": "20:00", "to": "01:30"}})
    assert "OnCalendar=Sat,Sun *-*-* 20:00:00" in found["kiosk.light-timer"]["content"]
    assert "OnCalendar=Mon,Sun *-*-* 01:30:00" in found["kiosk.dark-timer"]["content"]
    assert "open 1200 90 6,7" in found["kiosk.session"]["content"]


@pytest.fixture
def driven() -> Iterator[tuple[BrowserContext, Site]]:
    """The true browser under the policies of a kiosk. Only the one that forbids to drive it is told otherwise."""
    reason = why_not(BROWSER)
    if reason:
        pytest.skip(reason)
    with open_folder() as folder:
        site = Site()
        root = folder / "root"
        root.mkdir()
        (folder / "state").mkdir()
        resources = LinuxInterpreter().render(
            {"kiosk.url": f"http://127.0.0.1:{site.port}/start", "kiosk.idle_page": "touch"}, []
        )
        for one in resources:
            if one["kind"] == "chromium":
                one["content"]["DeveloperToolsAvailability"] = 1
        Engine(State(folder / "state"), Root(root)).settle({"digest": "d", "resources": resources})
        starter = folder / "chromium"
        starter.write_text(
            '#!/bin/sh\nexec unshare -m -- sh -c \'mount --bind "$0/etc/chromium" /etc/chromium && mount --bind'
            ' "$0/usr/local/share" /usr/local/share && exec chromium "$@"\' '
            f'{root} "$@"\n'
        )
        starter.chmod(0o755)
        with sync_playwright() as play:
            context = play.chromium.launch_persistent_context(
                folder / "profile", executable_path=starter, args=["--no-sandbox"], timeout=PATIENCE * 1000
            )
            yield context, site
            context.close()
        site.close()


def test_the_browser_opens_its_site_and_its_idle_page_and_nothing_else(driven: tuple[BrowserContext, Site]) -> None:
    context, site = driven
    blocked = [
        f"http://localhost:{site.port}/", "file:///etc/passwd", "file:///", "chrome://settings", "chrome://policy",
        "chrome://history", f"view-source:http://127.0.0.1:{site.port}/start", "data:text/html,x",
    ]  # fmt: skip
    for address in blocked:
        page = context.new_page()
        with pytest.raises(Error, match="ERR_BLOCKED_BY_ADMINISTRATOR"):
            page.goto(address)
        page.close()
    assert site.asked == []
    page = context.new_page()
    page.goto("file:///usr/local/share/havenmeester/kiosk/idle.html")
    page.wait_for_function("document.activeElement.tagName === 'A'")
    page.keyboard.press("Enter")
    page.wait_for_url(f"http://127.0.0.1:{site.port}/start")
    assert page.title() == "site"


VISIT = """<title>site</title><iframe src="http://localhost:{port}/frame"></iframe><script>
const left = document.cookie + (localStorage.getItem("who") || "") + (sessionStorage.getItem("who") || "");
document.cookie = "who=first; max-age=9999";
localStorage.setItem("who", "first");
sessionStorage.setItem("who", "first");
window.open("http://localhost:{port}/window");
fetch("/found?" + encodeURIComponent(left)).then(() => {{ location = "http://localhost:{port}/gone"; }});
</script>"""


def found_by(site: Site) -> list[str]:
    """What each visit found of the one before."""
    return [path.partition("?")[2] for _host, path in site.asked if path.startswith("/found")]


def test_after_a_citizen_nothing_is_left_for_the_next_one() -> None:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with open_folder() as folder:
        site = Site()
        site.html = VISIT.format(port=site.port)
        # Without a window that forgets by itself, so that it is the session that forgets.
        session = Session(folder, {"kiosk.url": f"http://127.0.0.1:{site.port}/start", "browser.incognito": False})
        session.shorten(2)
        process = session.begin()
        try:
            wait_for(lambda: len(found_by(site)) == 1, "the first citizen's page")
            session.touch()
            assert process.wait(PATIENCE) == 0, session.log.read_text()
            session.end(process)
            kept = list((session.run_folder / "home").rglob("Cookies"))
            process = session.begin()
            wait_for(lambda: len(found_by(site)) == 2, "the second citizen's page")
        finally:
            session.end(process)
            site.close()
        assert kept, "the browser kept nothing, so that nothing was proved"
        assert found_by(site) == ["", ""]
        assert {host for host, _path in site.asked} == {f"127.0.0.1:{site.port}"}


def run_script(tmp_path: Path, *command: str, watcher: str = "sleep 60") -> tuple[int, str]:
    """The session's script with another watcher; (what its compositor came to, what it said)."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "swayidle").write_text(f"#!/bin/sh\nexec {watcher}\n")
    (programs / "sleep").write_text('#!/bin/sh\ntest "$1" = 4 || exec /bin/sleep "$@"\n')
    for one in programs.iterdir():
        one.chmod(0o755)
    (tmp_path / "session").write_text(kiosk.SCRIPT)
    answer = subprocess.run(
        ["sh", "-c", '"$@"; exit $?', "compositor", "bash", str(tmp_path / "session"), "30", *command],
        env={"PATH": f"{programs}:/usr/bin:/bin", "RUNTIME_DIRECTORY": str(tmp_path)},
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    return answer.returncode, answer.stderr.decode()


def test_a_program_that_a_citizen_closes_is_a_good_end(tmp_path: Path) -> None:
    code, said = run_script(tmp_path, "true")
    assert code == 0
    assert "ended with" not in said


def test_a_program_that_fails_is_seen_from_outside(tmp_path: Path) -> None:
    code, said = run_script(tmp_path, "sh", "-c", "exit 3")
    assert code == -9
    assert "The program of the kiosk ended with 3." in said


def test_without_its_watcher_no_session_goes_on(tmp_path: Path) -> None:
    code, said = run_script(tmp_path, "/bin/sleep", "60", watcher="false")
    assert code == -9
    assert "ended with 70" in said


def test_the_scripts_are_what_their_shells_can_read(tmp_path: Path) -> None:
    for name, shell, text in (("session", "bash", kiosk.SCRIPT), ("open", "sh", kiosk.OPEN)):
        (tmp_path / name).write_text(text)
        assert subprocess.run([shutil.which(shell) or shell, "-n", str(tmp_path / name)], check=False).returncode == 0
