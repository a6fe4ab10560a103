"""The reports of a set, read from disk one at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.caption_set.set_files import part_path
from curation.caption_set.work_folder import SetError
from curation.runtime.errors import InputError
from curation.show import set_reports
from curation.show.filters import ReportFilter
from curation.show.set_reports import FoundReport, SetReports
from tests.curation.audit.builders import plain_reports, write_set


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A set of 25 reports in parts of four, each with three captions and two refused ones."""
    write_set(tmp_path / "set", plain_reports(25, refused_each=2), reports_per_part=4)
    return tmp_path / "set"


def found(reports: SetReports, **wanted: Any) -> Iterator[int]:
    """Yield the places of all reports that pass a filter."""
    place: int | None = 0
    while (place := reports.find(place or 0, 1, ReportFilter(**wanted)).place) is not None:
        yield place


def test_a_report_comes_with_all_of_its_captions(root: Path) -> None:
    reports = SetReports(root)
    assert reports.total == 25
    for place in (1, 4, 5, 25):
        view = reports.view(place)
        assert view["id"] == f"scan-{place - 1:04d}"
        kidney = next(caption for caption in view["captions"] if caption["organ"] == "left kidney")
        ((start, end),) = kidney["marks"]
        assert view["text"][start:end] == f"There is an {place + 1} mm cyst in the left kidney."
        assert (kidney["status"], kidney["system"]) == ("abnormal", "urinary")
        refused = [caption for caption in view["captions"] if caption["kind"] == "refused"]
        assert [caption["reason"] for caption in refused] == ["negation", "not_grounded"]
        assert view["bare"] == []
    for place in (0, 26):
        with pytest.raises(LookupError, match="there are 25"):
            reports.view(place)


def test_reports_are_found_by_organ_status_and_words(root: Path) -> None:
    reports = SetReports(root)
    assert list(found(reports, organs=frozenset({"liver"}))) == list(range(1, 26))
    assert list(found(reports, organs=frozenset({"liver"}), statuses=frozenset({"abnormal"}))) == []
    assert list(found(reports, organs=frozenset({"spleen"}), statuses=frozenset({"refused"}))) == list(range(1, 26))
    assert list(found(reports, words=("12 MM",))) == [11]
    assert list(found(reports, words=("scan-0007", "liver"))) == [8]
    assert list(found(reports, words=("scan-0007", "pancreas"))) == []
    assert list(found(reports, words=("[",))) == []
    assert reports.find(26, -1, ReportFilter(words=("2 mm",))).place == 21  # 22 mm
    assert reports.find(11, -1, ReportFilter(words=("12 mm",))) == FoundReport(None, 1, True)
    assert reports.find(11, 1, ReportFilter(words=("12 mm",))) == FoundReport(None, 25, True)


def test_a_long_search_tells_how_far_it_is_and_goes_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_reports, "SEARCH_SECONDS", -1)
    reports = SetReports(root)
    last, asked = ReportFilter(words=("26 mm",)), 0
    answer = reports.find(0, 1, last)
    while not answer.finished:
        asked += 1
        answer = reports.find(answer.reached, 1, last)
    assert (answer.place, asked) == (25, 6)  # seven parts
    first, answer = ReportFilter(words=(" 2 mm",)), reports.find(26, -1, ReportFilter(words=(" 2 mm",)))
    while not answer.finished:
        answer = reports.find(answer.reached, -1, first)
    assert answer.place == 1


def test_named_reports_alone_are_shown_in_their_order(root: Path) -> None:
    reports = SetReports(root, ["scan-0020", "scan-0003", "scan-0020"])
    assert (reports.total, reports.are_named) == (2, True)
    assert [reports.view(place)["id"] for place in (1, 2)] == ["scan-0020", "scan-0003"]
    assert list(found(reports, organs=frozenset({"liver"}))) == [1, 2]
    assert list(found(reports, words=("5 mm",))) == [2]
    assert reports.find(2, -1, ReportFilter()).place == 1


def test_an_unknown_report_is_told_with_near_ones(root: Path) -> None:
    with pytest.raises(InputError, match="no report 'scan-003': did you mean scan-00"):
        SetReports(root, ["scan-0001", "scan-003"])
    with pytest.raises(InputError, match=r"no report 'x': `ovct show .*` goes through all"):
        SetReports(root, ["x"])


@pytest.mark.parametrize("table", ["reports", "captions", "rejects"])
def test_a_damaged_part_is_told_before_any_of_it_is_shown(root: Path, table: str) -> None:
    path = part_path(root, table, 2)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    reports = SetReports(root)
    assert reports.view(8)["id"] == "scan-0007"
    with pytest.raises(SetError, match=r"part-00002\.parquet is missing or not as it was written"):
        reports.view(9)
    path.unlink()
    with pytest.raises(SetError, match="it is not there"):
        SetReports(root)


def test_a_set_without_reports_has_none(tmp_path: Path) -> None:
    write_set(tmp_path / "set", [])
    reports = SetReports(tmp_path / "set")
    assert reports.total == 0 and reports.find(0, 1, ReportFilter()).place is None
