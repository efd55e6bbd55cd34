"""Debian's Chromium without a window, in one place: what pages are looked at with.

``chromium-headless-shell`` is the same engine without the browser around it; it starts in a third of the processor time.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

PROGRAM = shutil.which("chromium-headless-shell") or shutil.which("chromium")


@contextmanager
def chromium(arguments: Sequence[str] = ()) -> Iterator[Browser]:
    """A browser for as long as the block lasts; the test is skipped, and says so, where there is none."""
    if PROGRAM is None:
        pytest.skip("Chromium: not installed (apt-get install chromium-headless-shell); no page was looked at")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox", *arguments])
        try:
            yield browser
        finally:
            browser.close()
