"""The pictures of pages in README and docs: `python -m website.screenshots [NAME ...]`. Needs Chromium and Playwright.

The review is shown as it opens, of the sample that seed 0 draws from the captions of the example reports, `ovct show`
with one of these reports, the viewer with the first phantom and its own masks, a terminal after `make demo`. The
report of an evaluation is that of a finished `make train-demo` (`--demo FOLDER` where it is not in runs/demo); without
one the picture stays as it is.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from website.terminal import terminal_page

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "images"
DEMO = ROOT / "runs" / "demo"
OVCT = [sys.executable, "-m", "ovct"]
WIDTH, HEIGHT = 1200, 720
COLOURS = 128
# A page of docs loads all of its pictures.
MOST_BYTES = 250_000
# WebGL 2 without a graphics card takes its time.
DRAWING = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
DRAWN_MS = 300_000


class Material:
    """What is shown, made in a folder when a picture first asks for it."""

    def __init__(self, folder: Path, demo: Path) -> None:
        self.folder, self.demo = folder, demo

    @cached_property
    def captions(self) -> Path:
        """The captions of the example reports."""
        captions = self.folder / "captions"
        subprocess.run([*OVCT, "curate", ROOT / "examples/reports.csv", "-o", captions, "-q"], check=True)
        return captions

    def terminal(self) -> Path:
        """A page with what `make demo` prints."""
        shutil.copytree(ROOT / "examples", self.folder / "clone" / "examples")
        (self.folder / "clone" / ".venv").symlink_to(sys.prefix)
        command = [".venv/bin/ovct", "curate", "examples/reports.csv"]
        page = self.folder / "terminal.html"
        page.write_text(terminal_page(command, "make demo", self.folder / "clone"), encoding="utf-8")
        return page

    @cached_property
    def phantom(self) -> Path:
        """The folder of a phantom, with its scan and its masks."""
        phantoms = self.folder / "phantoms"
        command = [sys.executable, "-m", "examples.phantoms", str(phantoms), "--count", "1", "--jobs", "1"]
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return phantoms / "dataset" / "s0001"

    @property
    def evaluation(self) -> Path:
        """The report of the demo's evaluation."""
        return self.demo / "evaluation" / "report.html"

    def evaluation_without_place(self) -> Path:
        """Return a copy of the report in which the demo lies where `make train-demo` puts it."""
        text = self.evaluation.read_text(encoding="utf-8")
        copy = self.folder / "report.html"
        copy.write_text(text.replace(str(self.demo.resolve()), DEMO.relative_to(ROOT).as_posix()), encoding="utf-8")
        return copy


@dataclass(frozen=True)
class Picture:
    """A picture: the command that serves its page, or the page's file; when it is drawn, and what is pointed at."""

    source: Callable[[Material], list[object] | Path]
    ready: Callable[[Page], None]
    pointed_at: str | None = None
    drawing: Sequence[str] = ("--disable-gpu",)
    colours: int | None = COLOURS


def first_report(page: Page) -> None:
    """Wait until a page that goes through reports or captions shows one."""
    expect(page.locator("#place")).to_have_text(re.compile(r"\d+ of \d+"))
    page.wait_for_load_state("networkidle")


def printed(page: Page) -> None:
    """Wait until a terminal's text is there."""
    expect(page.locator("pre")).to_contain_text("Next:")


def scan_drawn(page: Page) -> None:
    """Wait until the viewer has drawn the planes."""
    page.wait_for_selector("body[data-ready]", timeout=DRAWN_MS)


def tables_there(page: Page) -> None:
    """Wait until the report of an evaluation has its tables."""
    expect(page.locator("h2").first).to_be_visible()


def worst_cases(page: Page) -> None:
    """Go to the first of the cases with the lowest Dice of which something was found."""
    found = page.locator("figure").filter(has_not_text="Dice 0.000")
    found.first.evaluate("figure => figure.scrollIntoView()")


ALL = {
    "terminal": Picture(Material.terminal, printed),
    "review": Picture(
        lambda material: ["audit", material.captions, "--sample", "100", "--reviewer", "ann"], first_report
    ),
    "show": Picture(
        lambda material: ["show", material.captions, "abdomen-07"], first_report, "Vesicle without lithiasis"
    ),
    "viewer": Picture(
        lambda material: ["view", material.phantom / "ct.nii.gz", material.phantom / "segmentations"],
        scan_drawn,
        drawing=DRAWING,
        colours=None,  # structures are told apart by theirs
    ),
    "evaluation": Picture(Material.evaluation_without_place, tables_there),
    "worst_cases": Picture(Material.evaluation_without_place, worst_cases, colours=None),  # outlines are thin
}

OF_DEMO = ("evaluation", "worst_cases")


@contextmanager
def opened(picture: Picture, material: Material) -> Iterator[str]:
    """Yield the address of a picture's page; a command that serves it runs as long."""
    source = picture.source(material)
    if isinstance(source, Path):
        yield source.resolve().as_uri()
        return
    command = [*OVCT, *map(str, source), "--no-browser", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = iter(process.stdout.readline, "")
        yield next(found[0] for line in told if (found := re.search(r"http://\S+", line)))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def drawn(page: Page, picture: Picture, address: str) -> bytes:
    """Return a page as Chromium draws it, as PNG."""
    page.goto(address)
    picture.ready(page)
    if picture.pointed_at:
        page.locator(".evidence", has_text=picture.pointed_at).hover()
    small = io.BytesIO()
    shot = Image.open(io.BytesIO(page.screenshot(timeout=DRAWN_MS))).convert("RGB")
    (shot.quantize(picture.colours) if picture.colours else shot).save(small, "PNG", optimize=True)
    return small.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """Open the pages and write the pictures of them; without names all."""
    parser = argparse.ArgumentParser(prog="python -m website.screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ALL)}; without one, all")
    parser.add_argument("--demo", type=Path, default=DEMO, metavar="FOLDER", help="a finished `make train-demo`")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(ALL):
        parser.error(f"no picture is called {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        material = Material(Path(folder), options.demo)
        for name in options.names or ALL:
            picture, path = ALL[name], PICTURES / f"{name}.png"
            if name in OF_DEMO and not material.evaluation.is_file():
                print(f"{path}: kept, for {material.evaluation} is not there: `make train-demo` makes it")
                continue
            browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", *picture.drawing])
            with opened(picture, material) as address:
                page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
                shot = drawn(page, picture, address)
            browser.close()
            if len(shot) > MOST_BYTES:
                raise SystemExit(f"{path}: {len(shot) / 1000:.0f} kB, more than {MOST_BYTES / 1000:.0f}")
            path.write_bytes(shot)
            print(f"{path}: {len(shot) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
