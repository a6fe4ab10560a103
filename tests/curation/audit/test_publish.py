"""The results as files: a report that is one page and needs no other, numbers to read back, and the data card."""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from curation.audit.intervals import estimate
from curation.audit.publish import (
    CSV_FILE,
    REPORT_FILE,
    as_svg,
    faults,
    figures,
    html_report,
    rate_figure,
    save_png,
    score_figure,
    write_results,
)
from curation.audit.reviewer import Correction, Reviewer
from curation.audit.sample import SampleRequest
from curation.audit.store import AuditStore
from curation.audit.summary import summarise
from curation.audit.tables import MAX_ROWS_SHOWN, RateRow
from curation.caption_set.audit_results import (
    AUDIT,
    SUMMARY_FILE,
    AuditSummary,
    ScoreBand,
    Verdict,
    read_summary,
)
from curation.caption_set.card import SCORE_PLOT
from curation.caption_set.manifest import load_manifest
from curation.caption_set.records.estimates import Estimate
from curation.caption_set.set_files import CARD_FILE
from curation.runtime.digests import unsealed
from tests.curation.audit.builders import (
    HtmlPage,
    accepted_caption,
    give_verdicts,
    make_report,
    open_audit,
    plain_reports,
    write_set,
)

MARKUP = '<script>alert("x")</script>'
SAMPLE = SampleRequest(accepted=50, refused=10)


@contextmanager
def judged_audit(root: Path, verdicts: list[str], sample: SampleRequest | None = None) -> Iterator[AuditStore]:
    """Open an audit of a set of 120 accepted and 40 refused captions, with these verdicts."""
    write_set(root, plain_reports(40, refused_each=1))
    with open_audit(root, sample=sample) as store:
        give_verdicts(store, "ann", verdicts)
        yield store


def page(root: Path) -> HtmlPage:
    return HtmlPage((root / AUDIT / REPORT_FILE).read_text(encoding="utf-8"))


def card(root: Path) -> str:
    return (root / CARD_FILE).read_text(encoding="utf-8")


def hostile(root: Path) -> None:
    """A set whose every word is markup, reviewed by somebody whose name and notes are, too."""
    text = f"The liver {MARKUP} is normal."
    caption = accepted_caption(text, text, f"liver {MARKUP}", f"Liver is normal {MARKUP}")
    write_set(root, [(make_report(0, text), [caption], [])], engine="vllm", model=f"model {MARKUP}")
    with open_audit(root, f"ann {MARKUP}") as store:
        corrected = Correction(f"spleen {MARKUP}", f"Spleen {MARKUP}", "normal")
        Reviewer(store, f"ann {MARKUP}").save_review(1, 0, Verdict.WRONG_ORGAN, f"note {MARKUP}", corrected)
        write_results(root, store)


def test_all_files_are_written_and_nothing_else(tmp_path: Path) -> None:
    with judged_audit(tmp_path, ["supported"] * 10) as store:
        before = {path.name for path in (tmp_path / AUDIT).iterdir()}
        write_results(tmp_path, store)
        after = {path.name for path in (tmp_path / AUDIT).iterdir()}
    assert after - before == {SUMMARY_FILE, CSV_FILE, REPORT_FILE, SCORE_PLOT}


def test_the_report_needs_no_other_file(tmp_path: Path) -> None:
    with judged_audit(tmp_path, ["hallucinated", *["supported"] * 59], SAMPLE) as store:
        write_results(tmp_path, store)
    report_page = page(tmp_path)
    assert report_page.tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "form", "image"})
    targets = [
        value for name, value in report_page.attributes if name.rpartition(":")[2] in ("src", "href", "srcset", "data")
    ]
    assert targets and all(target.startswith("#") for target in targets)
    text = (tmp_path / AUDIT / REPORT_FILE).read_text(encoding="utf-8")
    assert all(target.startswith("#") for target in re.findall(r"url\(['\"]?([^)]*)", text))
    assert "@import" not in text


def test_the_report_is_well_formed_and_has_every_table_and_plot(tmp_path: Path) -> None:
    with judged_audit(tmp_path, ["hallucinated", *["supported"] * 59], SAMPLE) as store:
        results = write_results(tmp_path, store)
    report_page = page(tmp_path)
    assert report_page.open == []
    titles = ("Hallucination rate", "Verdicts", "By status", "By organ", "By score", "The verifier", "What was wrong")
    assert all(title in report_page.text for title in titles)
    assert (tmp_path / AUDIT / REPORT_FILE).read_text(encoding="utf-8").count("<svg") == 5
    assert f"of {results.hallucination.reviewed} judged captions" in report_page.text


def test_a_long_table_is_cut_in_the_report(tmp_path: Path) -> None:
    with judged_audit(tmp_path, ["supported"] * 5) as store:
        results = summarise(store, "g")
    organs = {f"organ {number:02d}": results.hallucination for number in range(MAX_ROWS_SHOWN + 3)}
    text = HtmlPage(html_report("set", results.model_copy(update={"by_organ": organs}), [])).text
    assert "3 more in summary.csv" in text
    assert [name in text for name in organs] == [True] * MAX_ROWS_SHOWN + [False] * 3


def test_the_report_of_the_same_verdicts_is_the_same(tmp_path: Path) -> None:
    with judged_audit(tmp_path, ["supported", "incomplete"] * 5) as store:
        write_results(tmp_path, store)
        first = (tmp_path / AUDIT / REPORT_FILE).read_bytes()
        write_results(tmp_path, store)
    assert (tmp_path / AUDIT / REPORT_FILE).read_bytes() == first


def test_markup_in_captions_names_and_notes_stays_text(tmp_path: Path) -> None:
    root = tmp_path / "set <b>&"
    root.mkdir()
    hostile(root)
    report_page = page(root)
    assert "script" not in report_page.tags
    for words in ("Liver is normal", "The liver", "liver", "spleen", "Spleen", "note", "ann", "model"):
        assert f"{words} {MARKUP}" in report_page.text
    assert "Hallucination audit of set <b>&" in report_page.text


def test_summary_and_csv_are_read_back_as_they_were(tmp_path: Path) -> None:
    with judged_audit(tmp_path, ["hallucinated", "supported", "unsure"] * 20, SAMPLE) as store:
        results = write_results(tmp_path, store)
    text = (tmp_path / AUDIT / SUMMARY_FILE).read_text(encoding="utf-8")
    assert AuditSummary.model_validate_json(unsealed(text.encode())[0]) == results
    assert json.loads(text)["hallucination"]["rate"] == results.hallucination.rate
    assert read_summary(tmp_path, load_manifest(tmp_path)) == results
    with (tmp_path / AUDIT / CSV_FILE).open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    assert (first["group"], float(first["value"])) == ("rate", results.hallucination.rate)


def test_the_data_card_says_the_rate(tmp_path: Path) -> None:
    write_set(tmp_path, plain_reports(40))
    assert "**Audit:** not audited" in card(tmp_path)
    with open_audit(tmp_path) as store:
        give_verdicts(store, "ann", ["supported"] * 100)
        write_results(tmp_path, store)
    assert "0 of 100 reviewed captions, 0.0 % (95 % interval 0.0 to 3.7 %)" in card(tmp_path)
    assert f"({AUDIT}/{SCORE_PLOT})" in card(tmp_path)
    assert (tmp_path / AUDIT / SCORE_PLOT).exists()


def test_a_sample_of_which_nothing_is_judged_is_no_audit(tmp_path: Path) -> None:
    with judged_audit(tmp_path, []) as store:
        write_results(tmp_path, store)
    assert "**Audit:** not audited" in card(tmp_path)
    assert "No caption has been judged yet." in page(tmp_path).text


def test_faults_are_what_reviewers_did_not_support_each_with_its_evidence(tmp_path: Path) -> None:
    write_set(tmp_path, plain_reports(1, refused_each=1))
    with open_audit(tmp_path, "ann", "ben", sample=SampleRequest(accepted=3, refused=1)) as store:
        item = {
            organ: number
            for number, organ, kind in store.rows("SELECT id, organ, kind FROM item")
            if kind == "accepted"
        }
        (refused,) = [number for (number,) in store.rows("SELECT id FROM item WHERE kind = 'refused'")]
        ann, ben = Reviewer(store, "ann"), Reviewer(store, "ben")
        ann.save_review(item["liver"], 0, Verdict.SUPPORTED)
        ann.save_review(
            item["left kidney"], 0, Verdict.WRONG_MEASUREMENT, "3 mm", Correction("liver", "cyst", "abnormal")
        )
        ben.save_review(item["left kidney"], 0, Verdict.UNSURE)
        ben.save_review(item["spleen"], 0, None, "only a note")
        ben.save_review(refused, 0, Verdict.HALLUCINATED)
        fault_list = faults(store)
    assert [(fault.organ, fault.verdict, fault.note, fault.corrected) for fault in fault_list] == [
        ("left kidney", "wrong measurement", "3 mm", "liver, abnormal: cyst"),
        ("left kidney", "unsure", "", ""),
    ]
    assert {(fault.report_id, fault.caption, fault.evidence) for fault in fault_list} == {
        ("scan-0000", "2 mm cyst in the left kidney", "There is an 2 mm cyst in the left kidney.")
    }


# -- plots ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> AuditSummary:
    """30 accepted and 6 refused captions, every third of them hallucinated."""
    root = tmp_path_factory.mktemp("plots")
    write_set(root, plain_reports(40, refused_each=1))
    with open_audit(root, sample=SampleRequest(accepted=30, refused=6)) as store:
        give_verdicts(store, "ann", ["hallucinated", "supported", "supported"] * 12)
        return summarise(store, "g")


def seen(hits: int, reviewed: int) -> Estimate:
    return estimate((number < hits, 1.0) for number in range(reviewed))


def with_bands(results: AuditSummary, bands: Sequence[ScoreBand]) -> AuditSummary:
    return results.model_copy(update={"calibration": tuple(bands)})


def axes_of(figure: Figure) -> Axes:
    (axes,) = figure.axes
    return axes


def points(line: Line2D) -> list[list[float]]:
    return [[float(x), float(y)] for x, y in np.asarray(line.get_xydata())]


def legend(axes: Axes) -> set[str]:
    box = axes.get_legend()
    return {text.get_text() for text in box.get_texts()} if box else set()


BANDS = [
    ScoreBand(above=0, upto=70, captions=50, hallucinated=seen(1, 4)),
    ScoreBand(above=90, upto=99.9, captions=150, hallucinated=seen(0, 0)),
    ScoreBand(above=99.9, upto=100, captions=800, hallucinated=seen(0, 20)),
]


def test_bars_are_the_set_and_points_are_the_hallucinated(results: AuditSummary) -> None:
    axes = axes_of(score_figure(with_bands(results, BANDS)))
    assert [bar.get_height() for bar in axes.patches if isinstance(bar, Rectangle)] == pytest.approx([5, 15, 80])
    assert [point for line in axes.lines if line.get_marker() == "o" for point in points(line)] == [[0, 25], [2, 0]]
    assert legend(axes) == {"captions of the set", "hallucinated"}


def test_each_band_says_how_many_were_judged(results: AuditSummary) -> None:
    axes = axes_of(score_figure(with_bands(results, BANDS)))
    assert [text.get_text() for text in axes.get_xticklabels()] == [
        "0 to 70\n1 of 4", "90 to 99.9\n0 of 0", "100\n0 of 20",
    ]  # fmt: skip


def test_the_legend_is_whole_where_the_first_band_was_not_judged(results: AuditSummary) -> None:
    axes = axes_of(score_figure(with_bands(results, BANDS[1:])))
    assert legend(axes) == {"captions of the set", "hallucinated"}


def test_bands_can_be_drawn_before_anything_was_judged(results: AuditSummary) -> None:
    bands = [band.model_copy(update={"hallucinated": seen(0, 0)}) for band in BANDS]
    assert legend(axes_of(score_figure(with_bands(results, bands)))) == {"captions of the set"}


def test_a_rate_is_a_point_on_its_interval(results: AuditSummary) -> None:
    share = seen(2, 8)
    axes = axes_of(rate_figure([RateRow("liver", share), RateRow("spleen", seen(0, 0))]))
    axis_line, bar, point = axes.lines
    assert [text.get_text() for text in axes.get_yticklabels()] == ["spleen (0)", "liver (8)"]
    assert points(axis_line) == [[0, 0], [100, 0]]
    assert points(bar) == [[pytest.approx(100 * end), 1] for end in (share.low, share.high)]
    assert points(point) == [[25, 1]]


def test_a_plot_has_as_many_rows_as_a_table(results: AuditSummary) -> None:
    rows = [RateRow(f"organ {number}", seen(1, 9)) for number in range(MAX_ROWS_SHOWN + 5)]
    names = [text.get_text() for text in axes_of(rate_figure(rows)).get_yticklabels()]
    assert names == [f"organ {number} (9)" for number in reversed(range(MAX_ROWS_SHOWN))]


def test_there_is_a_plot_for_each_table_worth_one(results: AuditSummary) -> None:
    assert set(figures(results)) == {"verdict", "status", "organ", "reason", "score"}
    assert "score" not in figures(with_bands(results, []))


def test_the_same_results_give_the_same_text_without_a_date(results: AuditSummary) -> None:
    first, second = ({key: as_svg(figure) for key, figure in figures(results).items()} for _ in range(2))
    assert first == second
    for text in first.values():
        assert "date" not in text
        assert not re.search(r"\b20\d\d-\d\d-\d\d", text)


def test_a_plot_is_one_svg_element_with_its_words_as_text(results: AuditSummary) -> None:
    text = as_svg(rate_figure([RateRow('<b>liver</b> & "spleen"', seen(1, 3))]))
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert '<b>liver</b> & "spleen" (3)' in list(root.itertext())


def test_a_png_is_written_as_a_whole(results: AuditSummary, tmp_path: Path) -> None:
    save_png(score_figure(results), tmp_path / "score.png")
    assert (tmp_path / "score.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["score.png"]
