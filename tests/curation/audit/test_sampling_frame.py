"""The sampling frame read from a set: which captions are in it, where they stand, and their bands."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from curation.audit.sampling_frame import SCORE_EDGES, TABLE_OF_KIND, CaptionKind, SamplingFrame, read_frame
from curation.caption import RefusedCaption
from curation.caption_set.set_files import part_path
from tests.curation.audit.builders import ReportCaptions, accepted_caption, make_report, plain_reports, write_set

TEXT = "The liver is normal. The spleen is enlarged."


def scored(*scores: float) -> SamplingFrame:
    """A frame with these scores and nothing else of interest."""
    none = np.zeros(len(scores), np.int32)
    return SamplingFrame("accepted", ["liver"], ["normal"], none, none, np.array(scores, np.float32), none, none)


def refused(*reasons: str) -> list[RefusedCaption]:
    return [
        RefusedCaption(f"organ {place}", "Spleen is enlarged", reason, "", None) for place, reason in enumerate(reasons)
    ]


@pytest.mark.parametrize("kind", ["accepted", "refused"])
def test_each_caption_is_found_again_in_its_row_of_its_part(tmp_path: Path, kind: CaptionKind) -> None:
    manifest = write_set(tmp_path, plain_reports(8, refused_each=2), reports_per_part=3)
    frame = read_frame(tmp_path, manifest, kind)
    tables = [pq.read_table(part_path(tmp_path, TABLE_OF_KIND[kind], part)).to_pylist() for part in range(3)]
    assert len(frame) == sum(map(len, tables)) == (24 if kind == "accepted" else 16)
    assert sorted(frame.location(index) for index in range(len(frame))) == [
        (part, row) for part, table in enumerate(tables) for row in range(len(table))
    ]
    for index in range(len(frame)):
        part, row = frame.location(index)
        caption_row = tables[part][row]
        assert frame.organs[frame.organ[index]] == caption_row["organ"]
        assert frame.groups[frame.group[index]] == caption_row["status" if kind == "accepted" else "reason"]
        assert frame.score[index] == (caption_row["score"] if kind == "accepted" else 0)


def test_a_part_of_many_batches_is_read_as_one(tmp_path: Path) -> None:
    captions = [accepted_caption(TEXT, "The liver is normal.", "liver", "Liver is normal")] * 70_000
    frame = read_frame(tmp_path, write_set(tmp_path, [(make_report(0, TEXT), captions, [])]), "accepted")
    assert (frame.row == np.arange(70_000)).all()


def test_names_are_in_order_whatever_order_they_come_in(tmp_path: Path) -> None:
    frame = read_frame(tmp_path, write_set(tmp_path, plain_reports(2)), "accepted")
    assert frame.organs == ["left kidney", "liver", "spleen"]
    assert frame.groups == ["abnormal", "normal", "uncertain"]


def test_nobody_is_asked_about_refusals_that_judge_nothing(tmp_path: Path) -> None:
    rows: list[ReportCaptions] = [
        (
            make_report(0, TEXT),
            [],
            refused("duplicate", "negation", "schema", "truncated", "engine_error", "laterality"),
        ),
        (make_report(1, TEXT), [], refused("duplicate", "duplicate")),
        (make_report(2, TEXT), [], refused("engine_error", "negation")),
    ]
    frame = read_frame(tmp_path, write_set(tmp_path, rows, reports_per_part=1), "refused")
    assert [frame.groups[group] for group in frame.group] == ["negation", "laterality", "negation"]
    assert [frame.organs[organ] for organ in frame.organ] == ["organ 1", "organ 5", "organ 1"]
    assert [frame.location(index) for index in range(3)] == [(0, 1), (0, 5), (2, 1)]


@pytest.mark.parametrize("kind", ["accepted", "refused"])
def test_a_set_without_such_captions_has_an_empty_frame(tmp_path: Path, kind: CaptionKind) -> None:
    rows: list[ReportCaptions] = [(make_report(0, TEXT), [], refused("schema"))]
    frame = read_frame(tmp_path, write_set(tmp_path, rows), kind)
    assert len(frame) == len(frame.bands()) == 0


def test_a_set_without_parts_has_an_empty_frame(tmp_path: Path) -> None:
    assert len(read_frame(tmp_path, write_set(tmp_path, []), "accepted")) == 0


def test_reading_can_be_given_up(tmp_path: Path) -> None:
    def stop() -> None:
        raise InterruptedError

    manifest = write_set(tmp_path, plain_reports(1))
    with pytest.raises(InterruptedError):
        read_frame(tmp_path, manifest, "accepted", stop)


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (0, 0), (69.9, 0), (70, 0), (70.1, 1), (80, 1), (80.1, 2), (90, 2), (90.1, 3), (99.8, 3), (99.9, 3), (100, 4),
    ],
)  # fmt: skip
def test_a_band_ends_with_its_upper_edge(score: float, band: int) -> None:
    assert scored(score).bands().tolist() == [band]


def test_every_score_of_one_decimal_is_in_the_band_that_its_edges_say() -> None:
    tenths = [number / 10 for number in range(1, 1001)]
    for score, band in zip(tenths, scored(*tenths).bands().tolist(), strict=True):
        assert SCORE_EDGES[band] < score <= SCORE_EDGES[band + 1], score


def test_bands_of_a_written_set_are_those_of_its_captions(tmp_path: Path) -> None:
    captions = [
        accepted_caption(TEXT, "The liver is normal.", f"organ {place}", "Liver is normal", "normal", score)
        for place, score in enumerate((100.0, 99.9, 90.0, 70.1, 70.0))
    ]
    frame = read_frame(tmp_path, write_set(tmp_path, [(make_report(0, TEXT), captions, [])]), "accepted")
    assert frame.bands().tolist() == [4, 3, 2, 1, 0]
