"""A statement without a caption on the review's page: what the server sends, and what a reviewer does with it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect
from typer.testing import CliRunner

import ovct
from tests.curation.audit.builders import review_process
from tests.curation.audit.omissions.omission_sets import ADVICE, MISSED, audited, write_incomplete_set
from tests.curation.audit.test_server import Page, context_of
from tests.curation.chromium import PageReader, launched_browser, needs_chromium

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_incomplete_set(tmp_path / "set")
    return tmp_path / "set"


@pytest.mark.parametrize("blind", [False, True])
def test_a_statement_has_a_question_and_verdicts_of_its_own(root: Path, blind: bool) -> None:
    with audited(root, 6) as store:
        page = Page(context_of(root, store, "ann", blind=blind))
        session = page.get("session")
        assert {one["id"] for one in session["omission_verdicts"]} >= {"missed_finding", "no_finding"}
        caption, statement = page.get("item/1"), page.get("item/5")
        assert (caption["is_omission"], statement["is_omission"]) == (False, True)
        text, (start, end) = statement["report"]["text"], statement["statement"][0]
        assert text[start:end] == statement["caption"]
        assert len(statement["captions"]) == 2 and "verifier" not in statement
        answer = page.post("review", status=422, place=5, last_event=0, verdict="supported")
        assert "supported is no verdict on a statement that no caption covers" in answer["detail"]
        answer = page.post("review", status=422, place=1, last_event=0, verdict="missed_finding")
        assert "missed_finding is no verdict on a caption" in answer["detail"]
        saved = page.post("review", place=5, last_event=0, verdict="missed_finding")
        assert saved["review"]["verdict"] == "missed_finding" and saved["reviewed"] == 1
        assert page.get("find?place=0&step=1&verdict=missed_finding")["place"] == 5


@needs_chromium
def test_from_a_statement_to_a_caption_in_the_set(root: Path) -> None:
    with launched_browser() as browser, review_process(root, "--sample", "2", "--omissions", "12") as server:
        reader = PageReader(browser, server.links[0], viewport=PHONE)
        page = reader.page
        expect(page.locator("#question")).to_contain_text("Does the report say this, and of the ")
        reader.judge("s")
        reader.judge("s")
        expect(page.locator("#question")).to_contain_text("Should there have been one?")
        page.keyboard.press("s")  # a verdict on captions is none here
        for _ in range(12):
            assert page.inner_text("#text mark") == page.inner_text("#caption")
            place, text = reader.place(), page.inner_text("#caption")
            if text != MISSED:
                reader.judge("x" if text == ADVICE else "e")
                continue
            page.keyboard.press("c")
            expect(page.locator("#correction-title")).to_have_text("Write the missing caption")
            assert "missed finding" in page.inner_text("#correction-verdict")
            assert "hallucinated" not in page.inner_text("#correction-verdict")
            page.select_option("#correction-verdict", "missed_finding")
            page.fill("#correction-organ", "gallbladder")
            page.fill("#correction-caption", "Calculus in the gallbladder")
            reader.shows("#correction-check", "The report carries this")
            reader.press("Control+Enter", "#message-text", f"^{place}: missed finding")
        reader.shows("#count", "14 of 14 reviewed")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.keyboard.press("?")
        reader.shows("#keys", "missed normality")
        reader.close()
        output = server.stop()
    assert "of the statements worth a caption have none" in output
    summary = json.loads((root / "audit/summary.json").read_text())
    assert summary["omissions"]["missed"]["hits"] == summary["omissions"]["written"] == 4
    done = CliRunner().invoke(ovct.app, ["audit", str(root), "--apply"])
    assert done.exit_code == 0 and "4 added" in done.output, done.output
    cleaned = pq.read_table(root.with_name("set-audited") / "captions").to_pylist()
    assert sum(row["caption"] == "Calculus in the gallbladder" for row in cleaned) == 4


def test_a_second_reader_has_no_use_for_it(root: Path) -> None:
    done = CliRunner().invoke(ovct.app, ["audit", str(root), "--second-reader", "openai", "--omissions", "5"])
    assert done.exit_code == 2 and "--omissions: of no use to --second-reader" in done.output
