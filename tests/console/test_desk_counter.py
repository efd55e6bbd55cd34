"""A clerk at the counter, in a real browser: a hand scanner, a camera, a line that drops, and no mouse."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import segno
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import create_engine, select, text, update
from sqlalchemy.orm import Session

from mdm.access import service as access
from mdm.access.places import Place
from mdm.core.actor import command_line
from mdm.core.clock import utcnow
from mdm.core.permissions import Role
from mdm.enrollment import service as enrollment
from mdm.enrollment.links import Links
from mdm.enrollment.model import Invitation
from mdm.inventory.model import Device
from mdm.policies.model import Cohort
from mdm.settings import Settings
from mdm.storage.call import Call
from mdm.storage.engine import make_engine, transaction
from tests.chromium import PROGRAM, chromium
from tests.conftest import alone
from tests.console.browser import come_by_link, listening
from tests.console.desk_stock import lay_ready
from web.build import build

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = "axe.run(document.querySelector('#main'), {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})"
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 760}
IN_FIELD = "document.activeElement !== null && document.activeElement.matches('[data-field], [data-focus]')"
PATIENT = 60_000
HELD = (
    "SELECT tag FROM device WHERE state = 'handed_out' AND service_point_id = 1 AND tag IS NOT NULL"
    " ORDER BY id DESC LIMIT 20"
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("desk")]


@dataclass
class Counter:
    """A console that listens, a browser in front of it, and what is in stock."""

    settings: Settings
    browser: Browser
    state: Path

    def rows(self, query: str, **values: object) -> list[tuple[object, ...]]:
        engine = create_engine(self.settings.database)
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.execute(text(query), values)]
        engine.dispose()
        return found

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """What the worker and the gateway do meanwhile."""
        engine = make_engine(self.settings.database)
        with transaction(engine, write=True) as session:
            yield session
        engine.dispose()

    def free(self) -> str:
        """The tag of a device that is in stock now."""
        found = self.rows("SELECT tag FROM device WHERE state = 'in_stock' AND tag LIKE 'FREE-%' ORDER BY id LIMIT 1")
        return str(found[0][0])

    def somebody(self) -> tuple[str, str]:
        """Number and name of an employee."""
        found = self.rows(
            "SELECT number, name FROM person WHERE service_point_id = 1 AND left_on IS NULL ORDER BY id LIMIT 1"
        )
        return str(found[0][0]), str(found[0][1])

    def window(self, **options: object) -> BrowserContext:
        """A window of the clerk, who has signed in."""
        context = self.browser.new_context(
            base_url=self.settings.console_base,
            storage_state=self.state,
            viewport=options.pop("viewport", WIDE),
            **options,
        )  # type: ignore[arg-type]
        context.set_default_timeout(PATIENT)
        return context


@pytest.fixture(scope="module")
def counter(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    build()
    home = tmp_path_factory.mktemp("counter")
    for file in filled.parent.glob("havenmeester.db*"):
        shutil.copy(file, home / file.name)
    wanted = Settings(home=home, database_url=f"sqlite:///{home}/havenmeester.db", language="en")
    engine = make_engine(wanted.database)
    with transaction(engine) as session:
        call = Call(command_line("tests"), session, utcnow(), alone())
        made = access.ensure_operator(call, email="clerk@stad.example", name="Clerk", language="en")
        access.add_grant(call, made.id, Role.DESK_CLERK, Place(service_point_id=1))
        lay_ready(session)
        # A box is fuller here than one service point of the pilot.
        session.execute(text("UPDATE device SET service_point_id = 1 WHERE state = 'handed_out'"))
    engine.dispose()
    with listening(wanted) as settings, chromium() as browser:
        context = browser.new_context(base_url=settings.console_base)
        context.set_default_timeout(PATIENT)
        come_by_link(context.new_page(), settings, "clerk@stad.example")
        context.storage_state(path=home / "state.json")
        context.close()
        yield Counter(settings, browser, home / "state.json")


class Keys:
    """A clerk without a mouse: counts every entry and every key beside what the scanner types."""

    def __init__(self, page: Page) -> None:
        self.page, self.inputs, self.most = page, 0, 0

    def scan(self, code: str, until: str) -> None:
        """The scanner types a code and Enter."""
        self._at_field()
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Enter")
        self._then(until, 1)

    def press(self, letter: str, until: str) -> None:
        """A letter and Enter, or Enter alone."""
        self._at_field()
        if letter:
            self.page.keyboard.press(letter)
        self.page.keyboard.press("Enter")
        self._then(until, 1 + len(letter))

    def draw(self) -> None:
        """A signature with the pen."""
        box = self.page.locator("canvas").bounding_box()
        assert box is not None
        mouse = self.page.mouse
        mouse.move(box["x"] + 30, box["y"] + 30)
        mouse.down()
        for step in range(12):
            mouse.move(box["x"] + 30 + 15 * step, box["y"] + 30 + 20 * (step % 3))
        mouse.up()
        self.inputs += 1

    def _at_field(self) -> None:
        self.page.wait_for_function(IN_FIELD)

    def _then(self, until: str, keys: int) -> None:
        self.page.wait_for_selector(until)
        self.inputs += 1
        self.most = max(self.most, keys)


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1440", "360"])
def test_a_prepared_phone_goes_out_with_six_inputs_and_two_keys_a_step_at_most(
    counter: Counter, viewport: dict[str, int]
) -> None:
    (number, name), tag = counter.somebody(), counter.free()
    context = counter.window(viewport=viewport)
    page = context.new_page()
    page.goto("/desk")
    keys = Keys(page)

    keys.scan(tag, f"#card-title:has-text('{tag}')")
    keys.scan(number, f".hm-thing:has-text('{name}')")
    keys.press("1", ".hm-thing:has-text('Charger')")
    keys.press("", "canvas")
    keys.draw()
    before = counter.rows("SELECT count(*) FROM desk_paper")[0][0]
    page.evaluate("['first', 'second'].forEach(() => document.querySelector('#signing').requestSubmit())")
    keys.press("", "#receipt")
    page.keyboard.press("Enter")

    # Enter was pressed three times, and counts once.
    assert counter.rows("SELECT count(*) FROM desk_paper")[0][0] == before + 1
    assert (keys.inputs, keys.most) == (6, 2)
    assert f"Handed out to {name}" in page.inner_text("h1")
    assert "/desk/papers/" in page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.wait_for_function(IN_FIELD)
    assert counter.rows("SELECT how FROM desk_signature ORDER BY id DESC LIMIT 1") == [("clerk_screen",)]
    context.close()


def test_the_paper_shows_the_enrollment_live_until_it_is_green(counter: Counter) -> None:
    (number, name), tag = counter.somebody(), counter.free()
    context = counter.window()
    page = context.new_page()
    page.goto(f"/desk/hand-out?code={tag}")
    keys = Keys(page)
    keys.scan(number, f".hm-thing:has-text('{name}')")
    keys.press("", "canvas")
    keys.draw()
    keys.press("", "#receipt")
    assert page.is_visible("text=Not managed yet, and nobody is invited.")

    with counter.writing() as session:
        device = session.scalars(select(Device).where(Device.tag == tag)).one()
        invitation, _ = enrollment.invite(
            Call(command_line("tests"), session, utcnow(), alone()),
            Links.of(counter.settings, "0" * 64),
            email="",
            person_id=device.person_id,
            platform=device.platform,
            service_point_code="WERKHAVEN",
            device_uid=device.uid,
        )
        uid = invitation.uid
    page.reload()
    page.wait_for_selector(".hm-state .is-now:has-text('opened')")
    with counter.writing() as session:
        session.execute(update(Invitation).where(Invitation.uid == uid).values(opened_at=utcnow()))
    page.wait_for_selector(".hm-state .is-done:has-text('opened')")
    with counter.writing() as session:
        now = utcnow()
        done = {"used_at": now, "certified_at": now, "reported_at": now}
        session.execute(update(Invitation).where(Invitation.uid == uid).values(**done))
        device = session.scalars(select(Device).where(Device.tag == tag)).one()
        device.enrolled_at = device.last_report_at = now
        cohort = Cohort(key="counter", platform=device.platform, assignments=[], desired_digest="0123456789abcdef")
        session.add(cohort)
        session.flush()
        device.cohort_id, device.applied_digest = cohort.id, cohort.desired_digest
    page.wait_for_selector(".hm-state.is-green >> text=Ready. The device is managed now.")

    assert page.locator("[data-poll]").count() == 0
    context.close()


def test_what_is_signed_while_the_line_is_down_is_kept_said_and_sent_once_when_it_is_back(counter: Counter) -> None:
    (number, name), tag = counter.somebody(), counter.free()
    before = counter.rows("SELECT count(*) FROM desk_paper")[0][0]
    context = counter.window()
    page = context.new_page()
    page.goto(f"/desk/hand-out?code={tag}")
    keys = Keys(page)
    keys.scan(number, f".hm-thing:has-text('{name}')")
    keys.press("", "canvas")
    keys.draw()
    context.set_offline(True)

    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-line]:visible >> text=The line is down")
    kept = page.input_value("[data-sign-strokes]")
    assert counter.rows("SELECT count(*) FROM desk_paper")[0][0] == before

    # The answer of the first sending is lost on its way: the same form goes out again, and is done once.
    lost = []
    page.route("**/desk/hand-out**", lambda route: (lost.append(route.fetch(max_retries=3)), route.abort())[1], times=1)
    context.set_offline(False)
    page.wait_for_selector("#receipt")

    assert len(lost) == 1
    assert kept.startswith("[[[")
    assert "nothing was done twice" in page.inner_text("main")
    assert page.is_visible("text=The line is back")
    assert counter.rows("SELECT count(*) FROM desk_paper")[0][0] == before + 1
    context.close()


def test_a_half_drawn_signature_outlives_a_page_that_is_loaded_anew(counter: Counter) -> None:
    (number, _), tag = counter.somebody(), counter.free()
    context = counter.window()
    page = context.new_page()
    page.goto(f"/desk/hand-out?code={tag}")
    keys = Keys(page)
    keys.scan(number, ".hm-keys a[data-key='']")
    keys.press("", "canvas")
    keys.draw()
    drawn = page.input_value("[data-sign-strokes]")

    page.reload()
    page.wait_for_selector(".hm-sign.is-signed")

    assert page.input_value("[data-sign-strokes]") == drawn
    context.close()


def test_a_scan_in_the_middle_of_typing_somewhere_else_is_caught_and_offered(counter: Counter) -> None:
    (number, _), tag = counter.somebody(), counter.free()
    context = counter.window()
    page = context.new_page()
    page.goto(f"/desk/hand-out?code={tag}")
    keys = Keys(page)
    keys.scan(number, ".hm-keys a[data-key='']")
    keys.press("", "canvas")
    page.focus("#note")
    page.keyboard.type("cracked at the", delay=90)

    # As fast as a scanner: faster than the test's own way to the browser.
    page.evaluate(
        """(code) => { const at = document.activeElement;
          for (const key of [...code, 'Enter']) {
            const event = new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true});
            if (at.dispatchEvent(event) && key.length === 1) at.value += key; } }""",
        tag,
    )
    page.wait_for_selector("[data-offer]:visible")

    assert page.input_value("#note") == "cracked at the"
    assert page.inner_text("[data-offer-code]") == tag
    assert page.evaluate("document.activeElement.id") == "note"
    page.keyboard.press("F2")
    page.wait_for_selector(f"#card-title:has-text('{tag}')")
    context.close()


def test_the_camera_reads_a_code_in_the_page_and_asks_no_other_host(counter: Counter, tmp_path: Path) -> None:
    tag = counter.free()
    video = tmp_path / "camera.y4m"
    film(tag, video)
    browser = counter.browser.browser_type.launch(
        executable_path=PROGRAM,
        args=[
            "--no-sandbox",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={video}",
        ],
    )
    context = browser.new_context(
        base_url=counter.settings.console_base, storage_state=counter.state, permissions=["camera"]
    )
    context.set_default_timeout(PATIENT)
    asked: list[str] = []
    wrong: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.goto("/desk")
    page.click("[data-camera]")
    page.wait_for_selector(f"#card-title:has-text('{tag}')")

    assert [url for url in asked if not url.startswith((counter.settings.console_base, "data:", "blob:"))] == []
    assert any("zxing_reader" in url for url in asked)
    assert wrong == []
    browser.close()


def film(code: str, video: Path) -> None:
    """A film of one frame with the QR code in it, in the plain format that Chromium takes for a camera."""
    scale, border = 8, 6
    rows = [bytes(row) for row in segno.make(code, error="m", micro=False).matrix_iter(scale=scale, border=border)]
    width, height = 640, 480
    side = len(rows)
    assert side <= height
    left, top = (width - side) // 2, (height - side) // 2
    luma = bytearray(b"\xeb" * (width * height))
    for number, row in enumerate(rows):
        at = (top + number) * width + left
        luma[at : at + side] = bytes(16 if dark else 235 for dark in row)
    chroma = b"\x80" * (width * height // 2)
    frame = b"FRAME\n" + bytes(luma) + chroma
    video.write_bytes(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420\n".encode() + frame * 5)


def test_a_box_of_twenty_devices_is_taken_in_scan_by_scan_with_errors_on_top_and_a_sound(counter: Counter) -> None:
    tags = [str(row[0]) for row in counter.rows(HELD)]
    assert len(tags) == 20
    context = counter.window()
    page = context.new_page()
    page.goto("/desk/box")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Scan the next one")
    keys = Keys(page)

    for number, tag in enumerate(tags, 1):
        keys.scan(tag, f".hm-counts:has-text('Taken in: {number}')")
    assert page.evaluate("document.documentElement.dataset.sounded") == "good"
    keys.scan(tags[3], ".hm-counts:has-text('Laid aside: 1')")
    assert page.evaluate("document.documentElement.dataset.sounded") == "bad"
    keys.scan("nothing-has-this", ".hm-counts:has-text('Laid aside: 2')")
    first = page.locator(".hm-box li").first
    assert "nothing-has-this" in first.inner_text()
    assert "is-bad" in str(first.get_attribute("class"))
    keys.press("u", ".hm-counts:has-text('Taken in: 19')")
    assert counter.rows("SELECT state FROM device WHERE tag = :tag", tag=tags[-1]) == [("handed_out",)]
    keys.press("f", "#receipt")

    assert keys.most == 2
    assert page.locator("#receipt ~ *, .hm-pairs dt:has-text('Back')").count() >= 19
    states = counter.rows(f"SELECT count(*) FROM device WHERE state = 'returned' AND tag IN {tuple(tags)}")
    assert states == [(19,)]
    context.close()


def test_axe_finds_nothing_on_the_pages_of_the_counter_light_or_dark_and_none_scrolls_sideways(
    counter: Counter,
) -> None:
    held = counter.rows(HELD)[-1][0]
    uid = counter.rows("SELECT uid FROM device WHERE tag = :tag", tag=held)[0][0]
    person = counter.rows("SELECT id FROM person WHERE service_point_id = 1 AND left_on IS NULL ORDER BY id LIMIT 1")[
        0
    ][0]
    free = counter.rows("SELECT uid FROM device WHERE tag = :tag", tag=counter.free())[0][0]
    context = counter.window(bypass_csp=True)
    page = context.new_page()
    found = {}
    for address in (
        f"/desk?code={held}",
        "/desk?code=nothing-has-this",
        "/desk?code=an",
        f"/desk/hand-out?person={person}&device={free}",
        f"/desk/hand-out?person={person}&device={free}&step=sign",
        f"/desk/take-in?device={uid}",
        f"/desk/swap?device={uid}&loaner={free}&step=sign",
        "/desk/box",
    ):
        page.set_viewport_size(WIDE)
        page.goto(address)
        page.wait_for_function("document.activeElement !== document.body")
        page.add_script_tag(path=AXE)
        # A colour on its way to another one is neither.
        page.add_style_tag(content="* { transition: none !important; }")
        for scheme in ("light", "dark"):
            page.evaluate("scheme => document.documentElement.setAttribute('data-bs-theme', scheme)", scheme)
            wrong = page.evaluate(RULES)["violations"]
            if wrong:
                found[address, scheme] = [(one["id"], [node["target"] for node in one["nodes"]]) for one in wrong]
        page.set_viewport_size(NARROW)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[address, "sideways"] = []
    context.close()

    assert found == {}
