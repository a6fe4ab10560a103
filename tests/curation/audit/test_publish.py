"""The results as files: a report that is one page and needs no other, numbers to read back, and the data card."""

import csv
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import pytest

from curation.audit.drawing import Wanted
from curation.audit.publish import CSV_FILE, REPORT_FILE, faults, publish
from curation.audit.publish import report as write_report
from curation.audit.reviews import Correction, Reviews
from curation.audit.store import Store
from curation.audit.summary import summarise
from curation.audit.tables import SHOWN
from curation.caption_set.audit_results import AUDIT, SUMMARY_FILE, AuditResults, Verdict, known_results
from curation.caption_set.card import CARD, SCORE_PLOT, write_card
from curation.caption_set.manifest import load_manifest
from tests.curation.audit.making import Made, accepted, opened, plain, report, say_all, write_set

MARKUP = '<script>alert("x")</script>'
SAMPLE = Wanted(accepted=50, refused=10)
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """What stands on a page: its words, its tags, all attributes, and what is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@contextmanager
def judged(root: Path, verdicts: list[str], wanted: Wanted | None = None) -> Iterator[Store]:
    """An audit of a set of 120 accepted and 40 refused captions, with these verdicts."""
    write_set(root, plain(40, refused_each=1))
    with opened(root, wanted=wanted) as store:
        say_all(store, "ann", verdicts)
        yield store


def page(root: Path) -> Page:
    return Page((root / AUDIT / REPORT_FILE).read_text(encoding="utf-8"))


def card(root: Path) -> str:
    return (root / CARD).read_text(encoding="utf-8")


def hostile(root: Path) -> None:
    """A set whose every word is markup, reviewed by somebody whose name and notes are, too."""
    text = f"The liver {MARKUP} is normal."
    made: Made = (report(0, text), [accepted(text, text, f"liver {MARKUP}", f"Liver is normal {MARKUP}")], [])
    write_set(root, [made], engine="vllm", model=f"model {MARKUP}")
    with opened(root, f"ann {MARKUP}") as store:
        corrected = Correction(f"spleen {MARKUP}", f"Spleen {MARKUP}", "normal")
        Reviews(store, f"ann {MARKUP}").say(1, 0, Verdict.WRONG_ORGAN, f"note {MARKUP}", corrected)
        publish(root, store)


def test_all_files_are_written_and_nothing_else(tmp_path: Path) -> None:
    with judged(tmp_path, ["supported"] * 10) as store:
        before = {path.name for path in (tmp_path / AUDIT).iterdir()}
        publish(tmp_path, store)
        after = {path.name for path in (tmp_path / AUDIT).iterdir()}
    assert after - before == {SUMMARY_FILE, CSV_FILE, REPORT_FILE, SCORE_PLOT}


def test_the_report_needs_no_other_file(tmp_path: Path) -> None:
    with judged(tmp_path, ["hallucinated", *["supported"] * 59], SAMPLE) as store:
        publish(tmp_path, store)
    found = page(tmp_path)
    assert found.tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "form", "image"})
    targets = [
        value for name, value in found.attributes if name.rpartition(":")[2] in ("src", "href", "srcset", "data")
    ]
    assert targets and all(target.startswith("#") for target in targets)
    text = (tmp_path / AUDIT / REPORT_FILE).read_text(encoding="utf-8")
    assert all(target.startswith("#") for target in re.findall(r"url\(['\"]?([^)]*)", text))
    assert "@import" not in text


def test_the_report_is_well_formed_and_has_every_table_and_plot(tmp_path: Path) -> None:
    with judged(tmp_path, ["hallucinated", *["supported"] * 59], SAMPLE) as store:
        results = publish(tmp_path, store)
    found = page(tmp_path)
    assert found.open == []
    titles = ("Hallucination rate", "Verdicts", "By status", "By organ", "By score", "The verifier", "What was wrong")
    assert all(title in found.text for title in titles)
    assert (tmp_path / AUDIT / REPORT_FILE).read_text(encoding="utf-8").count("<svg") == 5
    assert f"of {results.hallucination.reviewed} judged captions" in found.text


def test_a_long_table_is_cut_in_the_report(tmp_path: Path) -> None:
    with judged(tmp_path, ["supported"] * 5) as store:
        results = summarise(store, "g")
    organs = {f"organ {number:02d}": results.hallucination for number in range(SHOWN + 3)}
    text = Page(write_report("set", results.model_copy(update={"by_organ": organs}), [])).text
    assert "3 more in summary.csv" in text
    assert [name in text for name in organs] == [True] * SHOWN + [False] * 3


def test_the_report_of_the_same_verdicts_is_the_same(tmp_path: Path) -> None:
    with judged(tmp_path, ["supported", "incomplete"] * 5) as store:
        publish(tmp_path, store)
        first = (tmp_path / AUDIT / REPORT_FILE).read_bytes()
        publish(tmp_path, store)
    assert (tmp_path / AUDIT / REPORT_FILE).read_bytes() == first


def test_markup_in_captions_names_and_notes_stays_text(tmp_path: Path) -> None:
    root = tmp_path / "set <b>&"
    root.mkdir()
    hostile(root)
    found = page(root)
    assert "script" not in found.tags
    for words in ("Liver is normal", "The liver", "liver", "spleen", "Spleen", "note", "ann", "model"):
        assert f"{words} {MARKUP}" in found.text
    assert "Hallucination audit of set <b>&" in found.text


def test_summary_and_csv_are_read_back_as_they_were(tmp_path: Path) -> None:
    with judged(tmp_path, ["hallucinated", "supported", "unsure"] * 20, SAMPLE) as store:
        results = publish(tmp_path, store)
    text = (tmp_path / AUDIT / SUMMARY_FILE).read_text(encoding="utf-8")
    assert AuditResults.model_validate_json(text) == results
    assert json.loads(text)["hallucination"]["rate"] == results.hallucination.rate
    assert known_results(tmp_path, load_manifest(tmp_path)) == results
    with (tmp_path / AUDIT / CSV_FILE).open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    assert (first["group"], float(first["value"])) == ("rate", results.hallucination.rate)


def test_the_data_card_says_the_rate(tmp_path: Path) -> None:
    write_set(tmp_path, plain(40))
    assert "**Audit:** not audited" in card(tmp_path)
    with opened(tmp_path) as store:
        say_all(store, "ann", ["supported"] * 100)
        publish(tmp_path, store)
    assert "0 of 100 reviewed captions, 0.0 % (95 % interval 0.0 to 3.7 %)" in card(tmp_path)
    assert f"({AUDIT}/{SCORE_PLOT})" in card(tmp_path)
    assert (tmp_path / AUDIT / SCORE_PLOT).exists()


def test_a_sample_of_which_nothing_is_judged_is_no_audit(tmp_path: Path) -> None:
    with judged(tmp_path, []) as store:
        publish(tmp_path, store)
    assert "**Audit:** not audited" in card(tmp_path)
    assert "No caption has been judged yet." in page(tmp_path).text


def test_a_set_that_has_changed_does_not_get_the_rate_of_what_it_was(tmp_path: Path) -> None:
    with judged(tmp_path, ["supported"] * 100) as store:
        publish(tmp_path, store)
        manifest = load_manifest(tmp_path)
        known = manifest.model_copy(update={"parts": (*manifest.parts, manifest.parts[0])})
        known.save(tmp_path)
        publish(tmp_path, store)
    assert known_results(tmp_path, known) is None
    assert "**Audit:** not audited" in card(tmp_path)
    assert "3.7 %" not in card(tmp_path)


@pytest.mark.parametrize("text", ["", "{", '{"format": "ovct audit 0"}', "[]"])
def test_a_summary_that_is_damaged_or_of_another_version_is_none(tmp_path: Path, text: str) -> None:
    manifest = write_set(tmp_path, plain(2))
    (tmp_path / AUDIT).mkdir()
    (tmp_path / AUDIT / SUMMARY_FILE).write_text(text, encoding="utf-8")
    assert known_results(tmp_path, manifest) is None
    write_card(tmp_path, manifest)
    assert "**Audit:** not audited" in card(tmp_path)


def test_faults_are_what_reviewers_did_not_support_each_with_its_evidence(tmp_path: Path) -> None:
    write_set(tmp_path, plain(1, refused_each=1))
    with opened(tmp_path, "ann", "ben", wanted=Wanted(accepted=3, refused=1)) as store:
        item = {
            organ: number
            for number, organ, kind in store.rows("SELECT id, organ, kind FROM item")
            if kind == "accepted"
        }
        (refused,) = [number for (number,) in store.rows("SELECT id FROM item WHERE kind = 'refused'")]
        ann, ben = Reviews(store, "ann"), Reviews(store, "ben")
        ann.say(item["liver"], 0, Verdict.SUPPORTED)
        ann.say(item["left kidney"], 0, Verdict.WRONG_MEASUREMENT, "3 mm", Correction("liver", "cyst", "abnormal"))
        ben.say(item["left kidney"], 0, Verdict.UNSURE)
        ben.say(item["spleen"], 0, None, "only a note")
        ben.say(refused, 0, Verdict.HALLUCINATED)
        found = faults(store)
    assert [(one.organ, one.verdict, one.note, one.corrected) for one in found] == [
        ("left kidney", "wrong measurement", "3 mm", "liver, abnormal: cyst"),
        ("left kidney", "unsure", "", ""),
    ]
    assert {(one.report_id, one.caption, one.evidence) for one in found} == {
        ("scan-0000", "2 mm cyst in the left kidney", "There is an 2 mm cyst in the left kidney.")
    }
