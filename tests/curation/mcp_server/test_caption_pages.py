"""Pages of a caption set: everything comes once, and no answer grows beyond its bound."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.mcp_server.caption_pages import EVERYTHING, read_page
from curation.mcp_server.results import ANSWER_CHARACTERS, CaptionPage
from curation.runtime.errors import InputError
from curation.show.filters import ReportFilter
from curation.show.set_reports import SetReports
from tests.curation.audit.builders import accepted_caption, make_report, plain_reports, write_set


def all_pages(reports: SetReports, most: int = 10, wanted: ReportFilter = EVERYTHING) -> Iterator[CaptionPage]:
    start: str | None = "1"
    while start is not None:
        page = read_page(reports, start, most, wanted, lambda: None)
        assert page.reports
        yield page
        start = page.next


def test_pages_hold_all_reports_once(tmp_path: Path) -> None:
    write_set(tmp_path / "set", plain_reports(25, refused_each=2), reports_per_part=4)
    pages = list(all_pages(SetReports(tmp_path / "set")))
    assert [len(page.reports) for page in pages] == [10, 10, 5] and pages[0].total_reports == 25
    assert [report.report_id for page in pages for report in page.reports] == [f"scan-{i:04d}" for i in range(25)]
    report = pages[0].reports[3]
    assert report.text is not None and not report.text_cut and report.total_captions == 5
    (kidney,) = (one for one in report.captions if one.organ == "left kidney")
    assert kidney.accepted and kidney.status == "abnormal" and kidney.score == 87
    (passage,) = kidney.evidence
    assert report.text[passage.start : passage.end] == passage.text == "There is an 5 mm cyst in the left kidney."
    refused = [one for one in report.captions if not one.accepted]
    assert [one.reason for one in refused] == ["negation", "not_grounded"] and all(one.detail for one in refused)


def test_a_report_larger_than_an_answer_comes_in_parts(tmp_path: Path) -> None:
    text = " ".join(f"There is a {number} mm cyst in the liver." for number in range(1, 900))
    captions = [
        accepted_caption(text, sentence + ".", "liver", sentence, "abnormal") for sentence in text[:-1].split(". ")
    ]
    write_set(tmp_path / "set", [*plain_reports(1), (make_report(7, text), captions, []), *plain_reports(1)])
    pages = list(all_pages(SetReports(tmp_path / "set")))
    big = [report for page in pages for report in page.reports if report.report_id == "scan-0007"]
    assert big[0].text == text[:20_000] and big[0].text_cut and {report.text for report in big[1:]} == {None}
    told = [one.caption for report in big for one in report.captions]
    assert told == [caption.caption for caption in captions]
    assert [report.first_caption for report in big[:2]] == [1, 1 + len(big[0].captions)]
    assert max(len(page.model_dump_json()) for page in pages) < 2 * ANSWER_CHARACTERS
    assert pages[-1].reports[-1].report_id == "scan-0000"


def test_offsets_count_characters_behind_wide_ones(tmp_path: Path) -> None:
    text = "😀 The liver is normal."
    caption = accepted_caption(text, "The liver is normal.", "liver", "The liver is normal")
    write_set(tmp_path / "set", [(make_report(0, text), [caption], [])])
    (page,) = all_pages(SetReports(tmp_path / "set"))
    (passage,) = page.reports[0].captions[0].evidence
    assert (passage.start, passage.text) == (text.index("The"), "The liver is normal.")


def test_filters_choose_reports(tmp_path: Path) -> None:
    write_set(tmp_path / "set", plain_reports(25), reports_per_part=4)
    reports = SetReports(tmp_path / "set")
    pages = list(all_pages(reports, 1, ReportFilter(words=("13 mm",))))
    assert [report.report_id for page in pages for report in page.reports] == ["scan-0011"]
    page = read_page(reports, "1", 5, ReportFilter(organs=frozenset(["pancreas"])), lambda: None)
    assert page.reports == () and page.next is None


@pytest.mark.parametrize("start", ["0", "26", "-1", "x", "1:0", "1:", "", "9" * 50, "1;2"])
def test_a_start_that_there_is_not_is_told(tmp_path: Path, start: str) -> None:
    write_set(tmp_path / "set", plain_reports(25))
    with pytest.raises(InputError, match="expected `next` of the last answer"):
        read_page(SetReports(tmp_path / "set"), start, 5, EVERYTHING, lambda: None)


def test_a_caption_behind_the_last_is_no_caption(tmp_path: Path) -> None:
    write_set(tmp_path / "set", plain_reports(2))
    page = read_page(SetReports(tmp_path / "set"), "1:99", 5, EVERYTHING, lambda: None)
    assert [len(report.captions) for report in page.reports] == [0, 3]
