"""The pictures of pages in README and docs: `python -m website.screenshots [NAME ...]`. Needs Chromium and Playwright.

The review is shown as it opens, of the sample that seed 0 draws from the captions of the example reports, and
`ovct show` with one of these reports.
"""

from __future__ import annotations

import io
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "images"
OVCT = [sys.executable, "-m", "ovct"]
WIDTH, HEIGHT = 1200, 720
COLOURS = 128


@dataclass(frozen=True)
class Picture:
    """A picture: the command that serves the page, its arguments behind the set's folder, and what is pointed at."""

    command: str
    arguments: tuple[str, ...]
    pointed_at: str | None = None


ALL = {
    "review": Picture("audit", ("--sample", "100", "--reviewer", "ann")),
    "show": Picture("show", ("abdomen-07",), "Vesicle without lithiasis"),
}


@contextmanager
def served(picture: Picture, captions: Path) -> Iterator[str]:
    """Run the command of a picture, and yield the link of its page."""
    command = [*OVCT, picture.command, str(captions), *picture.arguments, "--no-browser", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = iter(process.stdout.readline, "")
        yield next(found[0] for line in told if (found := re.search(r"http://\S+", line)))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def drawn(page: Page, picture: Picture, link: str) -> bytes:
    """Return a page as Chromium draws it, as PNG with few colours."""
    page.goto(link)
    expect(page.locator("#place")).to_have_text(re.compile(r"\d+ of \d+"))
    page.wait_for_load_state("networkidle")
    if picture.pointed_at:
        page.locator(".evidence", has_text=picture.pointed_at).hover()
    small = io.BytesIO()
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()


def main(names: list[str]) -> None:
    """Curate the example reports, open the pages, and write the pictures of them; without names all."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        captions = Path(folder) / "captions"
        subprocess.run([*OVCT, "curate", ROOT / "examples/reports.csv", "-o", captions, "-q"], check=True)
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name in names or ALL:
            with served(ALL[name], captions) as link:
                page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
                picture = drawn(page, ALL[name], link)
            path = PICTURES / f"{name}.png"
            path.write_bytes(picture)
            print(f"{path}: {len(picture) / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
