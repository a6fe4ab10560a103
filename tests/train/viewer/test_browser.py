"""The page in a real Chromium: planes, windows, structures on and off, and where left and right are."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import highdicom
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from curation.runtime.digests import do_nothing
from curation.runtime.local_server.serving import LocalServer, bind_port
from tests.curation.chromium import SOFTWARE_DRAWING, launched_browser, needs_chromium
from tests.train.inference.segment_cases import dicom_series
from tests.train.viewer.view_cases import (
    BLOCKS,
    block_mask,
    hounsfield_blocks,
    oblique_affine,
    place_of,
    write_case,
    write_other_seg,
)
from train.scans.scan import read_scan
from train.viewer.content import ViewContent, load_content
from train.viewer.page import write_page
from train.viewer.server import create_app

pytestmark = needs_chromium
# A small picture is drawn sooner: without a graphics card, 3-D takes a second.
DESKTOP = {"width": 900, "height": 640}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched_browser(*SOFTWARE_DRAWING) as chromium:
        yield chromium


@contextmanager
def opened(browser: Browser, link: str, **context: Any) -> Iterator[Page]:
    """A page that is drawn; nothing may be asked of another place, and nothing may go wrong on it."""
    reading = browser.new_context(**context)
    page, wrong = reading.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: None if is_ours(request.url, link) else wrong.append(request.url))
    page.goto(link)
    page.wait_for_selector("body[data-ready], #message.problem", timeout=90_000)
    assert page.inner_text("#message") == ""
    yield page
    reading.close()
    assert wrong == []


def is_ours(url: str, link: str) -> bool:
    return url.startswith(("data:", "blob:", link.split("?")[0]))


@contextmanager
def served(content: ViewContent) -> Iterator[str]:
    """Serve the page as `ovct view` does; yields its link."""
    with bind_port(0, 0) as listener:
        port = listener.getsockname()[1]
        config = uvicorn.Config(create_app(content, "token-of-the-link", port), log_level="warning")
        server = LocalServer(config, do_nothing)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}/?token=token-of-the-link"
        finally:
            server.should_exit = True
            thread.join()


def in_plane(page: Page, plane: str, name: str) -> tuple[float, float]:
    """Where the middle of a block is drawn, in pixels from the left and the top of a plane."""
    page.keyboard.press({"axial": "a", "coronal": "c", "sagittal": "s"}[plane])
    place = place_of(name, oblique_affine()).tolist()
    page.evaluate("place => picture.goTo(place)", place)
    x, y = page.evaluate("picture.nv.frac2canvasPos(picture.nv.scene.crosshairPos)")
    return x, y


def test_an_oblique_scan_in_one_file_lies_as_radiologists_see_it(browser: Browser, tmp_path: Path) -> None:
    scan, mask = write_case(tmp_path)
    write_page(tmp_path / "page.html", load_content(scan, [mask], 10**6, tmp_path))
    with opened(browser, (tmp_path / "page.html").as_uri()) as page:
        for name in BLOCKS:
            page.evaluate("place => picture.goTo(place)", place_of(name, oblique_affine()).tolist())
            expect(page.locator("#readout")).to_contain_text(f"{BLOCKS[name][3]} HU  ·  {name}")
        page.keyboard.press("a")
        page.evaluate("place => picture.goTo(place)", place_of("liver", oblique_affine()).tolist())
        filled = coloured(page)
        page.keyboard.press("o")
        assert 0.02 * filled < coloured(page) < 0.9 * filled, "outlines, and nothing within them"
        # The liver lies to the right of the spleen and behind it: left in the picture, and below.
        liver, spleen = in_plane(page, "axial", "liver"), in_plane(page, "axial", "spleen")
        assert liver[0] < spleen[0] and liver[1] > spleen[1]
        assert in_plane(page, "coronal", "liver")[0] < in_plane(page, "coronal", "spleen")[0]
        # The front is on the left, and the head above, at the true proportions of 2 x 2 x 5 mm.
        page.keyboard.press("s")
        shares = "share => picture.nv.frac2canvasPos([picture.nv.scene.crosshairPos[0], share, 1 - share])"
        back, front = page.evaluate(shares, 0.1), page.evaluate(shares, 0.9)
        assert front[0] < back[0] and back[1] < front[1]
        assert (back[0] - front[0]) / (front[1] - back[1]) == pytest.approx(36 * 2 / (20 * 5), rel=0.02)


@pytest.mark.filterwarnings("ignore")
def test_a_dicom_series_and_its_seg_show_names_colours_volumes_and_sides(browser: Browser, tmp_path: Path) -> None:
    scan = read_scan(dicom_series(tmp_path / "series", hounsfield_blocks(), oblique_affine()))
    colour = highdicom.color.CIELabColor.from_rgb(0, 160, 0)
    masks = {name: block_mask(name) for name in BLOCKS}
    seg = write_other_seg(tmp_path / "seg.dcm", scan.dicom_files, masks, colour=colour)
    write_page(tmp_path / "page.html", load_content(scan.path, [seg], 10**6, tmp_path))
    with opened(browser, (tmp_path / "page.html").as_uri()) as page:
        for number, name in enumerate(BLOCKS, 1):
            page.evaluate("place => picture.goTo(place)", place_of(name, oblique_affine()).tolist())
            expect(page.locator("#readout")).to_contain_text(f"{BLOCKS[name][3]} HU  ·  {name}")
            row = page.locator(f"#structures li:nth-child({number})")
            expect(row).to_contain_text(f"{block_mask(name).sum() * 0.02:.3g} ml")
        assert in_plane(page, "axial", "liver")[0] < in_plane(page, "axial", "spleen")[0]
        assert page.locator("#structures li:nth-child(1) svg rect").get_attribute("fill") == "rgb(0 160 0)"


def test_a_real_ct_by_keyboard_and_by_thumb(browser: Browser, shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "volumes/totalsegmentator"
    mask = folder / "example_ct_seg.nii.gz"
    content = load_content(folder / "example_ct.nii.gz", [mask], 10**8, tmp_path, "totalsegmentator")
    with served(content) as link:
        with opened(browser, link, viewport=DESKTOP) as page:
            assert "token" not in page.url and is_drawn(page)
            page.keyboard.press("a")
            expect(page.locator("#shown")).to_have_text("61 of 61 shown")
            started = page.inner_text("#readout")
            assert "colon" in started  # the largest
            page.keyboard.press("ArrowUp")
            expect(page.locator("#readout")).not_to_have_text(started)
            page.keyboard.press("ArrowDown")
            expect(page.locator("#readout")).to_have_text(started)
            slices = page.inner_text("#slice-told")
            assert re.fullmatch(r"Axial \d+ / 112", slices)
            page.get_by_role("button", name="Slice after").click()
            expect(page.locator("#slice-told")).to_have_text(f"Axial {int(slices.split()[1]) + 1} / 112")
            page.get_by_role("button", name="Slice before").click()
            expect(page.locator("#readout")).to_have_text(started)
            for key, level, width in (("2", "-600", "1500"), ("5", "60", "160"), ("1", "40", "400")):
                page.keyboard.press(key)
                assert (page.input_value("#level"), page.input_value("#width")) == (level, width)
            page.locator("#canvas").focus()
            page.keyboard.press("Space")
            expect(page.locator("#shown")).to_have_text("60 of 61 shown")
            expect(page.locator("#readout")).not_to_contain_text("colon")
            page.keyboard.press("Space")
            expect(page.locator("#readout")).to_have_text(started)
            page.keyboard.press("x")
            expect(page.locator("#shown")).to_have_text("1 of 61 shown")
            page.fill("#search", "liver")
            page.get_by_role("button", name="liver", exact=True).click()
            expect(page.locator("#structures li.current")).to_contain_text("1,126 ml")
        with opened(browser, link, viewport=PHONE, color_scheme="dark", has_touch=True) as page:
            page.get_by_role("button", name="Axial").tap()
            assert page.locator("#edges span").all_inner_texts() == ["R", "L", "A", "P"]
            page.locator("#slice-number").fill("30")
            expect(page.locator("#slice-told")).to_have_text("Axial 30 / 112")
            page.get_by_role("button", name="Bone").tap()
            expect(page.locator("#level")).to_have_value("400")
            page.get_by_role("checkbox", name="Show spleen", exact=True).tap()
            expect(page.locator("#shown")).to_have_text("60 of 61 shown")
            page.get_by_role("checkbox", name="Show urinary_bladder", exact=True).scroll_into_view_if_needed()
            top = page.locator("#picture").bounding_box()
            assert top is not None and top["y"] >= 0, "the picture stays in view while structures are chosen"
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            assert is_drawn(page)


def coloured(page: Page) -> int:
    """How many pixels of the canvas are clearly no grey."""
    return int(
        page.evaluate(
            """() => {
                picture.nv.drawScene();
                const { gl } = picture.nv, size = [gl.drawingBufferWidth, gl.drawingBufferHeight];
                const pixels = new Uint8Array(size[0] * size[1] * 4);
                gl.readPixels(0, 0, ...size, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
                let count = 0;
                for (let at = 0; at < pixels.length; at += 4) {
                    const colour = pixels.subarray(at, at + 3);
                    count += Math.max(...colour) - Math.min(...colour) > 25;
                }
                return count;
            }"""
        )
    )


def is_drawn(page: Page) -> bool:
    """Whether the canvas has many different values: something was drawn on it."""
    return bool(
        page.evaluate(
            """() => {
                picture.nv.drawScene();
                const { gl } = picture.nv, size = [gl.drawingBufferWidth, gl.drawingBufferHeight];
                const pixels = new Uint8Array(size[0] * size[1] * 4);
                gl.readPixels(0, 0, ...size, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
                return new Set(pixels.filter((_, place) => place % 4 === 0)).size > 30;
            }"""
        )
    )
