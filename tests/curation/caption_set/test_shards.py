import errno
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.caption import AcceptedCaption, MadeBy, OutcomeColumns, RefusedCaption, ReportOutcome
from curation.caption_set.schemas import in_schema, parquet_schema
from curation.caption_set.set_files import TABLES, part_path
from curation.caption_set.shards import PartWriter, close_parquet, open_parquet, source_names
from curation.report import Report, Section

TEXT = "Liver is normal. Größe 3 µm."
REPORT = Report("a", TEXT, (Section("findings", 0, len(TEXT)),), {"age": "7"}, 3)
OUTCOME = OutcomeColumns.unpack(
    ReportOutcome(
        [AcceptedCaption("liver", "Liver normal.", "normal", 0, 16, "findings", 87.5)],
        [RefusedCaption("spleen", "Spleen big.", "not_grounded", "nothing near", None)],
    ).pack()
)
MADE_BY = MadeBy("fake", "m", None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for table in TABLES:
        (tmp_path / table).mkdir()
    return tmp_path


def read(root: Path, table: str) -> pa.Table:
    return pq.read_table(part_path(root, table, 0))


def written(root: Path, *reports: Report) -> PartWriter:
    writer = PartWriter(root, 0, MADE_BY, ["age"], TABLES)
    for report in reports:
        writer.add(report, OUTCOME)
    return writer


def test_all_passages_of_the_evidence_are_written(root: Path) -> None:
    caption = AcceptedCaption("liver", "Liver large.", "abnormal", 0, 5, "findings", 80.0, spans=((0, 5), (17, 22)))
    packed = ReportOutcome([caption], []).pack()
    assert OutcomeColumns.unpack(packed).rows().accepted == [caption]
    writer = PartWriter(root, 0, MADE_BY, ["age"], TABLES)
    writer.add(REPORT, OutcomeColumns.unpack(packed))
    writer.commit()
    (row,) = read(root, "captions").to_pylist()
    assert row["evidence_spans"] == [{"start": 0, "end": 5}, {"start": 17, "end": 22}]
    assert (row["evidence_start"], row["evidence_end"], row["evidence"]) == (0, 5, "Liver")


def test_a_part_has_what_was_added(root: Path) -> None:
    done = written(root, REPORT, Report("b", TEXT, (), {}, 5)).commit()
    assert (done.part.reports, done.part.captions, done.part.rejects) == (2, 2, 2)
    assert (done.part.first_row, done.part.last_row) == (3, 5)
    assert done.captions == {("liver", "normal"): 2}
    assert done.rejects == {"not_grounded": 2}
    captions = read(root, "captions")
    assert captions.schema.equals(parquet_schema("captions"))
    assert captions.to_pylist()[0] == {
        "report_id": "a", "organ": "liver", "caption": "Liver normal.", "status": "normal",
        "evidence": "Liver is normal.", "evidence_start": 0, "evidence_end": 16, "section": "findings",
        "evidence_spans": [{"start": 0, "end": 16}], "basis": "rules", "score": 87.5, "engine": "fake",
        "model": "m", "prompt": None,
    }  # fmt: skip
    assert read(root, "rejects").schema.equals(parquet_schema("rejects"))
    assert read(root, "rejects").to_pylist()[0]["nearest"] is None
    assert read(root, "reports").to_pylist() == [
        {"report_id": "a", "text": TEXT, "sections": [{"name": "findings", "start": 0, "end": 28}], "age": "7"},
        {"report_id": "b", "text": TEXT, "sections": [], "age": None},
    ]


def test_sizes_are_those_of_the_files(root: Path) -> None:
    part = written(root, REPORT).commit().part
    assert part.bytes == {table: part_path(root, table, 0).stat().st_size for table in TABLES}


def test_nothing_has_its_name_before_the_commit(root: Path) -> None:
    writer = written(root, REPORT)
    assert not list(root.glob("*/part-*"))
    writer.discard()
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_a_part_without_captions_and_rejects_is_a_valid_file(root: Path) -> None:
    writer = PartWriter(root, 0, MADE_BY, [], TABLES)
    writer.add(REPORT, OutcomeColumns([], []))
    writer.commit()
    assert read(root, "captions").num_rows == read(root, "rejects").num_rows == 0
    assert read(root, "captions").schema.equals(parquet_schema("captions"))


def test_row_groups_are_bounded_by_reports_and_by_text(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.caption_set.shards.GROUP_REPORTS", 3)
    monkeypatch.setattr("curation.caption_set.shards.GROUP_CHARACTERS", 200)
    long = Report("long", "x" * 200, (), {}, 9)
    written(root, *[REPORT] * 4, long, REPORT).commit()
    file = pq.ParquetFile(part_path(root, "reports", 0))
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [3, 2, 1]
    assert read(root, "reports").num_rows == 6


def test_source_columns_do_not_hide_ours() -> None:
    assert source_names(["age", "Text", "report_id", "source_text", "Age"]) == {
        "age": "age",
        "Text": "source_Text",
        "report_id": "source_report_id",
        "source_text": "source_source_text",
        "Age": "source_Age",
    }


def test_a_table_of_an_earlier_version_gets_the_columns_that_it_lacks(root: Path) -> None:
    written(root, REPORT).commit()
    schema, table = parquet_schema("captions"), read(root, "captions")
    completed = in_schema(table.drop_columns(["basis"]), schema)
    assert completed.schema.equals(schema)
    assert completed["basis"].to_pylist() == [None] * len(table)
    assert completed["score"].to_pylist() == table["score"].to_pylist()


def test_a_file_whose_footer_cannot_be_written_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrow's writer would try once more when it is freed, and print what happened then."""
    writer = open_parquet(tmp_path / "a.parquet", parquet_schema("captions"))

    class Full:
        def close(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer, "writer", Full())
    with pytest.raises(OSError, match="No space left"):
        close_parquet(writer)
    assert not writer.is_open
