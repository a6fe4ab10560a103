"""A reviewer at the keyboard of a real Chromium, for tests of the review's page."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REQUIRED = bool(os.environ.get("OVCT_CHROMIUM_REQUIRED"))
needs_chromium = pytest.mark.skipif(CHROMIUM is None and not REQUIRED, reason="no Chromium on this machine")

expect.set_options(timeout=20_000)  # a busy machine is not an error


# Drawing in three dimensions (WebGL 2) without a graphics card.
SOFTWARE_DRAWING = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


@contextmanager
def launched_browser(*drawing: str) -> Iterator[Browser]:
    """Launch Chromium, which draws without a graphics card.

    It fails where there is none, which is an error only with OVCT_CHROMIUM_REQUIRED.
    """
    assert CHROMIUM, "OVCT_CHROMIUM_REQUIRED is set, and there is no Chromium"
    with sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", *(drawing or ["--disable-gpu"])]
        )
        yield chromium
        chromium.close()


class PageReader:
    """A reviewer who reads the page and presses its keys."""

    def __init__(self, browser: Browser, link: str, **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(link)
        self.shows("#place", r"\d+ of \d+")

    def shows(self, selector: str, pattern: str) -> None:
        expect(self.page.locator(selector)).to_have_text(re.compile(pattern))

    def press(self, key: str, selector: str, pattern: str) -> None:
        """Press a key, and wait until an element has the text that it should bring."""
        self.page.keyboard.press(key)
        self.shows(selector, pattern)
        self.page.wait_for_load_state("networkidle")

    def place(self) -> int:
        return int(self.page.inner_text("#place").split()[0].replace(",", ""))

    def judge(self, key: str) -> None:
        self.press(key, "#message-text", rf"^{self.place()}: ")

    def close(self) -> None:
        self.context.close()
        assert self.errors == []
