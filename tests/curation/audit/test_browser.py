"""The review in a real Chromium, from the first key to the summary, with a kill on the way."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, expect
from typer.testing import CliRunner

import ovct
from curation.audit.store import STORE_FILE
from curation.caption import RefusedCaption
from tests.curation.audit.builders import (
    accepted_caption,
    make_report,
    plain_reports,
    review_process,
    saved_verdicts,
    write_set,
)
from tests.curation.chromium import PageReader, launched_browser, needs_chromium

pytestmark = needs_chromium

EVIL = "<img src=x onerror=\"document.title='owned'\"><b>bold</b>"
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched_browser() as chromium:
        yield chromium


def test_twenty_captions_by_keyboard_with_a_kill_a_correction_and_a_second_reader(
    browser: Browser, tmp_path: Path, examples: Path
) -> None:
    root = tmp_path / "captions"
    assert CliRunner().invoke(ovct.app, ["curate", str(examples / "reports.csv"), "--out", str(root)]).exit_code == 0

    with review_process(root, "--sample", "20", "--reviewer", "ann") as server:
        ann = PageReader(browser, server.links[0])
        assert "token" not in ann.page.url
        for key in "ssohsi":
            ann.judge(key)
        assert saved_verdicts(root)["ann"] == ["supported"] * 2 + [
            "wrong_organ",
            "hallucinated",
            "supported",
            "incomplete",
        ]

        ann.press("z", "#message-text", "Taken back at 6")  # the last one, and where it was
        assert ann.place() == 6
        assert len(saved_verdicts(root)["ann"]) == 5

        organ, caption = ann.page.inner_text(".tag.organ"), ann.page.inner_text("#caption")
        ann.page.keyboard.press("c")
        expect(ann.page.locator("#correction")).to_be_visible()
        assert ann.page.input_value("#correction-caption") == caption
        ann.page.select_option("#correction-verdict", "incomplete")
        ann.page.fill("#correction-caption", f"{caption} on Mars")
        ann.shows("#correction-check", "does not find this")
        ann.page.fill("#correction-caption", caption.upper())
        ann.shows("#correction-check", "The report carries this")
        ann.press("Control+Enter", "#message-text", "^6: incomplete")

        ann.page.keyboard.press("n")
        ann.page.keyboard.type(EVIL)
        ann.page.keyboard.press("Escape")
        ann.judge("u")
        server.kill()  # with the page open
        ann.page.keyboard.press("s")
        ann.shows("#message-text", "nothing is saved")
        ann.close()

    assert saved_verdicts(root)["ann"] == [
        "supported",
        "supported",
        "wrong_organ",
        "hallucinated",
        "supported",
        "incomplete",
        "unsure",
    ]
    with review_process(root, "--reviewer", "ann") as server:
        ann = PageReader(browser, server.links[0], viewport=PHONE, color_scheme="dark")
        assert ann.place() == 8  # goes on where it was
        ann.press("ArrowLeft", "#place", "^7 of 20")
        assert ann.page.input_value("#note") == EVIL
        ann.press("ArrowLeft", "#place", "^6 of 20")
        ann.shows("#corrected", f"Corrected: {re.escape(organ)}.*{re.escape(caption.upper())}")
        ann.press("Enter", "#place", "^8 of 20")
        for _ in range(13):
            place = ann.place()
            ann.page.get_by_role("button", name=re.compile("^supported")).click()  # by thumb
            ann.shows("#message-text", rf"^{place}: supported")
        ann.shows("#count", "20 of 20 reviewed")
        assert ann.page.title() != "owned"
        width = ann.page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], "the page is wider than a phone"
        ann.close()
        output = server.stop()
    assert "ann: 20 of 20 reviewed" in output and "% of the captions" in output
    assert server.process.returncode == 0

    with review_process(root, "--reviewer", "ben") as server:
        ben = PageReader(browser, server.links[0])
        assert "Corrected" not in ben.page.inner_text("body") and ben.page.inner_text("#count") == "0 of 20 reviewed"
        for key in "1" * 19:
            ben.judge(key)
        ben.shows("#count", "19 of 20 reviewed")
        assert "All captions" not in ben.page.inner_text("#message-text")
        ben.press("1", "#message-text", "^20: supported.*All captions have your verdict")  # without another key
        ben.shows("#count", "20 of 20 reviewed")
        ben.press("z", "#message-text", "^Taken back at 20")
        ben.press("1", "#message-text", "^20: supported.*All captions have your verdict")
        ben.press("Enter", "#message-text", "^All captions have your verdict")
        ben.close()

    done = CliRunner().invoke(ovct.app, ["audit", str(root), "--summary"])
    assert done.exit_code == 0, done.output
    summary = json.loads((root / "audit/summary.json").read_text())
    assert summary["reviewers"] == {"ann": 20, "ben": 20}
    assert (summary["agreement"][0]["reviewed"], summary["agreement"][0]["percent"]["hits"]) == (19, 16)
    assert summary["hallucination"]["hits"] == 2  # of equally frequent verdicts the gravest counts
    page = (root / "audit/report.html").read_text()
    assert EVIL not in page and "&lt;b&gt;bold&lt;/b&gt;" in page

    applied = CliRunner().invoke(ovct.app, ["audit", str(root), "--apply"])
    assert applied.exit_code == 0, applied.output
    cleaned = pq.read_table(tmp_path / "captions-audited/captions").to_pylist()
    assert caption.upper() in [row["caption"] for row in cleaned if row["engine"] == "audit"]
    assert len(cleaned) == pq.read_table(root / "captions").num_rows - 2


def test_html_in_reports_and_captions_is_text(browser: Browser, tmp_path: Path) -> None:
    text = f"Liver {EVIL} is normal. \N{GRINNING FACE}\N{GRINNING FACE} Spleen {EVIL} is large."
    captions = [accepted_caption(text, f"Spleen {EVIL} is large.", f"spleen{EVIL}", f"Spleen {EVIL} is large")]
    write_set(tmp_path / "set", [(make_report(1, text), captions, [])])
    with review_process(tmp_path / "set", "--reviewer", EVIL) as server:
        reader = PageReader(browser, server.links[0])
        assert reader.page.inner_text("#text mark") == f"Spleen {EVIL} is large."  # also behind signs outside the BMP
        assert EVIL in reader.page.inner_text("#caption") and EVIL in reader.page.inner_text("#reviewer")
        assert EVIL in reader.page.inner_text("#captions")
        assert reader.page.locator("img, b").count() == 0
        assert reader.page.title() == "set: audit"
        reader.close()


def test_two_tabs_do_not_overwrite_each_other(browser: Browser, tmp_path: Path) -> None:
    write_set(tmp_path / "set", plain_reports(4))
    with review_process(tmp_path / "set", "--reviewer", "ann") as server:
        first = PageReader(browser, server.links[0])
        second = PageReader(browser, server.links[0])
        first.judge("s")
        second.page.keyboard.press("h")
        second.shows("#message-text", "in another tab")
        supported = second.page.get_by_role("button", name=re.compile("^supported"))
        expect(supported).to_have_attribute("aria-pressed", "true")  # what stands is shown
        assert saved_verdicts(tmp_path / "set") == {"ann": ["supported"]}
        second.press("h", "#message-text", "^1: hallucinated")  # now that it has been seen
        assert saved_verdicts(tmp_path / "set") == {"ann": ["hallucinated"]}
        first.close()
        second.close()


TWICE = """() => { for (const key of ["s", "h"]) {
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
} }"""


def test_a_second_key_does_not_judge_what_was_not_seen(browser: Browser, tmp_path: Path) -> None:
    write_set(tmp_path / "set", plain_reports(4))
    with review_process(tmp_path / "set", "--reviewer", "ann") as server:
        reader = PageReader(browser, server.links[0])
        posted: list[str] = []
        reader.page.on("request", lambda request: posted.append(request.method))
        reader.page.evaluate(TWICE)  # before the server can have answered
        reader.shows("#message-text", "^1: supported")
        assert posted.count("POST") == 1
        reader.judge("u")
        assert saved_verdicts(tmp_path / "set") == {"ann": ["supported", "unsure"]}
        reader.close()


def test_captions_of_a_report_filters_jumps_and_the_guideline(browser: Browser, tmp_path: Path) -> None:
    root = tmp_path / "set"
    write_set(root, plain_reports(10))
    with review_process(root, "--sample", "30", "--reviewer", "ann") as server:
        reader = PageReader(browser, server.links[0])
        page = reader.page
        assert page.locator("#captions li").count() == 3
        before = page.inner_text("#text mark")
        while "preview" not in (page.locator("#captions li").last.get_attribute("class") or ""):
            page.keyboard.press("]")
        assert page.inner_text("#text mark") == before  # only looked at
        page.locator("#captions .go").first.click()
        reader.shows("#place", "^(?!1 )")

        reader.page.keyboard.press("g")
        page.fill("#jump-number", "17")
        reader.press("Enter", "#place", "^17 of 30")

        page.keyboard.press("f")
        page.select_option("#filter select[name=organ]", "spleen")
        page.get_by_role("button", name="Show", exact=True).click()
        reader.shows(".tag.organ", "spleen")
        for _ in range(9):
            reader.judge("s")
        reader.judge("h")
        assert sorted(saved_verdicts(root)["ann"]) == ["hallucinated", *["supported"] * 9]
        with closing(sqlite3.connect(root / "audit" / STORE_FILE)) as base:
            organs = base.execute("SELECT DISTINCT organ FROM review JOIN item ON item.id = item").fetchall()
        assert organs == [("spleen",)]

        (root / "audit/guideline.md").write_text("Be kind.", encoding="utf-8")
        page.keyboard.press("?")
        reader.shows("#guideline", "Be kind.")
        assert "wrong measurement" in page.inner_text("#keys")
        page.keyboard.press("Escape")
        expect(page.locator("#help")).to_be_hidden()
        page.keyboard.press("t")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        reader.close()


def test_blind_nothing_tells_accepted_from_refused(browser: Browser, tmp_path: Path) -> None:
    rows = []
    for number in range(6):
        text = f"The liver is normal. The spleen has {number + 2} cysts."
        good = accepted_caption(text, "The liver is normal.", "liver", "Liver is normal", score=81.0)
        bad = RefusedCaption(
            "spleen",
            f"Spleen has {number + 9} cysts",
            "measurement",
            "SECRET DETAIL",
            f"The spleen has {number + 2} cysts.",
        )
        rows.append((make_report(number, text), [good], [bad]))
    write_set(tmp_path / "set", rows)
    with review_process(tmp_path / "set", "--rejects", "6", "--reviewer", "ann", "--blind") as server:
        reader = PageReader(browser, server.links[0])
        for _ in range(12):
            shown = reader.page.inner_text("main")
            for word in ("SECRET", "refused", "accepted", "measurement", "score", "81"):
                assert word not in shown.replace("wrong measurement", ""), word
            assert reader.page.locator("#text mark").count() == 1  # both have a passage
            assert reader.page.locator("#text .evidence").count() == 1  # of the others none is shown
            reader.judge("s")
            reader.shows("#message-text", "The verifier (accepted|refused) it")
        reader.close()
        server.stop()
    summary = json.loads((tmp_path / "set/audit/summary.json").read_text())
    assert summary["blind"] and summary["verifier"]["precision"]["rate"] == 1.0
    assert summary["verifier"]["rightly_refused"]["rate"] == 0.0 and summary["verifier"]["recall"]["rate"] == 0.5
