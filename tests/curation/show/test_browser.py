"""The page of `ovct show` in a real Chromium: served from a set on disk, and as one file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

import ovct
from curation.caption import AcceptedCaption, RefusedCaption
from curation.report import Report, Section
from curation.show.page import write_page
from curation.show.set_reports import SetReports
from tests.curation.audit.builders import accepted_caption, make_report, page_process, plain_reports, write_set
from tests.curation.chromium import launched_browser, needs_chromium

pytestmark = needs_chromium

PHONE = {"width": 390, "height": 844}
STATUSES = ("normal", "abnormal", "uncertain", "refused")
EVIL = "<img src=x onerror=\"document.title='owned'\"></script><script>document.title='owned'</script>"
TEXT = (
    f"FINDINGS: Liver and spleen are normal. A cyst of 12 mm in the left kidney. {EVIL} \N{GRINNING FACE} "
    "The cyst may be complicated. The bladder is empty.\nTECHNIQUE: With contrast."
)
CYST, DOUBT = "A cyst of 12 mm in the left kidney.", "The cyst may be complicated."


def one_report() -> tuple[Report, list[AcceptedCaption], list[RefusedCaption]]:
    """Return a report with captions of two organs on one passage, of two passages, and a refused one."""
    technique = TEXT.index("TECHNIQUE")
    sections = (Section("findings", 10, technique), Section("technique", technique + 11, len(TEXT)))
    both = "Liver and spleen are normal."
    cyst = accepted_caption(TEXT, CYST, "left kidney", "Cyst of 12 mm, which may be complicated", "uncertain")
    spans = tuple((TEXT.index(words), TEXT.index(words) + len(words)) for words in (CYST, DOUBT))
    captions = [
        accepted_caption(TEXT, both, "liver", "The liver is normal"),
        accepted_caption(TEXT, both, "spleen", "The spleen is normal"),
        accepted_caption(TEXT, CYST, "left kidney", "Cyst in the left kidney", "abnormal"),
        cyst._replace(spans=spans),
    ]
    detail = "“right kidney” where the evidence has left kidney"
    refused = [RefusedCaption("right kidney", "Cyst of 12 mm in the right kidney", "laterality", detail, CYST)]
    return Report("evil", TEXT, sections, {}, 1), captions, refused


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched_browser() as chromium:
        yield chromium


def is_foreign(url: str, link: str) -> bool:
    """Tell whether a request leads to another place than the page's own."""
    return not url.startswith("data:") and urlsplit(url)[:2] != urlsplit(link)[:2]


@contextmanager
def opened(browser: Browser, link: str, **context: Any) -> Iterator[Page]:
    """Open a page. No error may come of it, and nothing is asked of another place."""
    opened_context = browser.new_context(**context)
    page = opened_context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    page.on("request", lambda request: problems.append(request.url) if is_foreign(request.url, link) else None)
    page.goto(link)
    expect(page.locator("#place")).to_have_text(re.compile(r"^\d+ of"))
    yield page
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "wider than the window"
    opened_context.close()
    assert problems == []


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The link of a page in a file, with one report that holds HTML and four plain ones."""
    folder = tmp_path_factory.mktemp("show")
    write_set(folder / "set", [one_report(), *plain_reports(4)])
    write_page(folder / "page.html", SetReports(folder / "set"), 100)
    return (folder / "page.html").as_uri()


def passage(page: Page, words: str) -> Any:
    return page.locator("#text .evidence", has_text=words).first


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_shows_what_each_caption_rests_on_and_what_has_none(
    browser: Browser, page_file: str, scheme: str
) -> None:
    with opened(browser, page_file, color_scheme=scheme) as page:
        expect(page.locator("#text")).to_have_text(TEXT, use_inner_text=False)  # as text, whatever it holds
        assert page.title() == "set: reports and captions"
        assert "The bladder is empty." in page.locator("#text .bare").all_inner_texts()
        assert page.locator("#text .evidence.bare").count() == 0
        assert page.locator("#text .unread").inner_text().strip() == "With contrast."
        both = passage(page, "Liver and spleen")
        assert both.get_attribute("data-system") == "digestive"
        assert both.locator(".under").get_attribute("data-system") == "lymphatic"
        line = "one => getComputedStyle(one).borderBottomColor"
        assert passage(page, "Liver").evaluate(line) != passage(page, CYST).evaluate(line)
        shape = "one => getComputedStyle(one, '::before').content"
        marks = [page.locator(f"#captions .glyph.{status}").first.evaluate(shape) for status in STATUSES]
        assert len(set(marks)) == 4
        refused = page.locator("#captions li", has_text="right kidney").first
        assert refused.locator("s").inner_text() == "Cyst of 12 mm in the right kidney"
        assert refused.locator(".wrong").inner_text() == "right kidney"
        assert "where the evidence has left kidney" in refused.locator(".why").inner_text()


def test_all_captions_of_a_passage_are_listed_beside_it_and_chosen_together(browser: Browser, page_file: str) -> None:
    with opened(browser, page_file) as page:
        panel = page.locator(".passage-panel")
        expect(panel).to_be_hidden()
        passage(page, CYST).hover()
        expect(panel.locator("li")).to_have_count(3)
        assert "where the evidence has left kidney" in panel.inner_text()
        page.mouse.move(5, 5)
        expect(panel).to_be_hidden()
        passage(page, CYST).focus()
        expect(panel).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.locator("#captions .chosen")).to_have_count(3)
        assert page.evaluate("document.activeElement.className").startswith(
            "evidence"
        )  # the keyboard goes on from there
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()

        page.locator("#captions button", has_text="may be complicated").click()
        expect(page.locator("#captions .chosen")).to_have_count(1)
        assert page.locator("#text mark").all_inner_texts() == [CYST, DOUBT]  # both of its passages
        page.keyboard.press("[")
        expect(page.locator("#captions .chosen")).to_have_count(1)
        page.keyboard.press("u")
        assert "bare" in page.evaluate("document.activeElement.className")


def test_organs_statuses_and_words_choose_the_reports(browser: Browser, page_file: str) -> None:
    with opened(browser, page_file) as page:
        place = page.locator("#place")
        page.locator("#statuses button", has_text="uncertain").click()
        page.locator("#organs button", has_text="spleen").click()
        expect(place).to_have_text("2 of 5")
        assert page.locator("#captions li:not(.faded)").count() == 1
        page.keyboard.press("k")
        expect(page.locator("#message")).to_have_text("No other report on this side passes the filter.")
        page.keyboard.press("Escape")
        expect(page.locator("#captions .faded")).to_have_count(0)
        page.keyboard.press("/")
        page.keyboard.type("scan-0002 CYST")
        expect(place).to_have_text("4 of 5")
        assert page.evaluate("CSS.highlights.get('found').size") >= 1
        page.fill("#words", "")
        page.locator("#statuses button", has_text=re.compile("^normal")).click()
        expect(page.locator("#captions .faded")).to_have_count(2)
        expect(place).to_have_text("4 of 5")  # it passes, and stays
        page.fill("#words", "nowhere")
        expect(page.locator("#message")).to_have_text("No report passes the filter.")
        page.fill("#words", "")
        page.fill("#organ-words", "kid")
        expect(page.locator("#organs ul button:visible")).to_have_count(1)


def test_on_a_phone_a_tap_lists_the_captions_and_nothing_is_wider(browser: Browser, page_file: str) -> None:
    with opened(browser, page_file, viewport=PHONE, has_touch=True, color_scheme="dark") as page:
        passage(page, CYST).tap()
        panel = page.locator(".passage-panel")
        expect(panel).to_be_visible()
        box = panel.bounding_box()
        assert box and box["x"] == 0 and box["width"] == PHONE["width"]
        panel.get_by_role("button", name="Close").tap()
        expect(panel).to_be_hidden()
        expect(page.locator("#filter")).to_be_hidden()
        page.locator("#filter-button").tap()
        page.locator("#organs button", has_text="spleen").tap()
        expect(page.locator("#filter-button")).to_have_text("Filter: spleen")


def test_a_hundred_thousand_captions_are_read_as_they_are_shown(browser: Browser, tmp_path: Path) -> None:
    root = tmp_path / "set"
    text = "The last one has a fracture of the left clavicle."
    fracture = accepted_caption(text, text, "left clavicle", "Fracture of the left clavicle", "abnormal")
    write_set(root, [*plain_reports(33_333), (make_report(33_333, text), [fracture], [])], reports_per_part=3_000)
    with page_process("show", root) as server, opened(browser, server.links[0]) as page:
        assert "token" not in page.url
        place = page.locator("#place")
        expect(place).to_have_text("1 of 33,334")
        page.locator("#organs button", has_text="left clavicle").click()
        expect(place).to_have_text("33,334 of 33,334")
        page.keyboard.press("Escape")
        page.keyboard.press("k")
        expect(place).to_have_text("33,333 of 33,334")
        page.fill("#words", "scan-20000")
        expect(place).to_have_text("20,001 of 33,334")
        page.reload()
        expect(place).to_have_text("20,001 of 33,334")
        server.kill()
        page.keyboard.press("j")
        expect(page.locator("#message")).to_have_text(re.compile("Start `ovct show` again"))


def test_a_notebook_shows_what_the_function_returns(browser: Browser, tmp_path: Path) -> None:
    write_set(tmp_path / "set", [one_report(), *plain_reports(4)])
    shown = ovct.show(tmp_path / "set", ["scan-0002", "evil"])
    assert (shown.reports, shown.total) == (2, 2) and "liver" not in repr(shown)
    page = browser.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.set_content(f"<title>notebook</title>{shown._repr_html_()}")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#place")).to_have_text("1 of 2")
    frame.locator("#next").click()
    expect(frame.locator("#text")).to_contain_text(EVIL)
    assert page.title() == "notebook" and problems == []
    page.close()
    shown.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == shown.page
    assert ovct.show(tmp_path / "set", limit=3).reports == 3
