"""Somebody with a keyboard and nothing else: goes with Tab, presses, types; every stop on the way must be seen."""

from playwright.sync_api import BrowserContext, Page

from tests.keyboard.walker import STOPS, where

TABS_MOST = 260
NAME = """() => { const e = document.activeElement;
  const said = e.getAttribute('aria-label') || (e.labels && e.labels[0] && e.labels[0].innerText) || e.innerText || e.value || '';
  return said.replace(/\\s+/g, ' ').trim(); }"""
REACHED = "goal => document.activeElement.matches(goal)"


class Hands:
    """A page, and what is pressed at it. Asserts at each stop that the focus is seen and beneath nothing."""

    def __init__(self, context: BrowserContext, page: Page | None = None) -> None:
        context.add_init_script(STOPS.read_text(encoding="utf-8"))
        self.page = page or context.new_page()

    def open(self, address: str) -> None:
        """Types an address into the bar of the browser."""
        self.page.goto(address)

    def to(self, goal: str, *, key: str = "Tab") -> list[str]:
        """Presses ``key`` until the element is reached: the names of the stops on the way, the goal's at the end."""
        passed: list[str] = []
        for _ in range(TABS_MOST):
            self.page.keyboard.press(key)
            here = where(self.page)
            if here["number"] == -1:
                continue
            assert here["wrong"] == [], f"{self.page.url}: {here['wrong']}"
            passed.append(self.page.evaluate(NAME))
            if self.page.evaluate(REACHED, goal):
                return passed
        raise AssertionError(f"{goal} is not reached at {self.page.url}: {passed}")

    def at(self) -> str:
        """The name of what has the focus."""
        return str(self.page.evaluate(NAME))

    def is_at(self, goal: str) -> bool:
        """Whether that has the focus."""
        return bool(self.page.evaluate(REACHED, goal))

    def press(self, *keys: str) -> None:
        """Presses keys, one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Types into whatever has the focus."""
        self.page.keyboard.type(text)

    def enter(self, until: str) -> None:
        """Presses Enter and waits for the page whose address fits."""
        with self.page.expect_navigation(url=until):
            self.page.keyboard.press("Enter")
