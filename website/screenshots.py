"""The picture of the review page in README and docs: `python -m website.screenshots`. Needs Chromium and Playwright.

The picture is the page as it opens, of the sample that seed 0 draws from the captions of the example reports.
"""

from __future__ import annotations

import io
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "review.png"
WIDTH, HEIGHT = 1200, 720
COLOURS = 48


def picture_of(link: str) -> bytes:
    """Return a page as Chromium draws it, as PNG with few colours."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(link)
        page.wait_for_function("/\\d+ of \\d+/.test(document.querySelector('#place').textContent)")
        page.wait_for_load_state("networkidle")
        picture = page.screenshot()
        browser.close()
    small = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()


def main() -> None:
    """Curate the example reports, open their review, and write the picture of it."""
    ovct = [sys.executable, "-m", "ovct"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*ovct, "curate", ROOT / "examples/reports.csv", "-o", f"{folder}/captions", "-q"], check=True)
        review = subprocess.Popen(
            [
                *ovct,
                "audit",
                f"{folder}/captions",
                "--sample",
                "100",
                "--reviewer",
                "ann",
                "--no-browser",
                "--port",
                "0",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert review.stdout is not None
            told = iter(review.stdout.readline, "")
            link = next(found[0] for line in told if (found := re.search(r"http://\S+", line)))
            picture = picture_of(link)
        finally:
            review.send_signal(signal.SIGTERM)
            review.wait(timeout=60)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_bytes(picture)
    print(f"{PICTURE}: {len(picture) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
