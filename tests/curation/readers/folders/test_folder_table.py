"""Folders of documents and of tables, and what is left out of them."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from curation.runtime.errors import InputError
from tests.curation.readers.documents.samples import CDA, CDA_TEXT, structured_report, text_item, word_document
from tests.curation.readers.reading import RECORDS, read_table, write_records

PAGE = "<html><body><p>Spleen normal.</p></body></html>"


def write(folder: Path, **files: str | bytes) -> None:
    """Write files by name; ``__`` stands for the dot, ``_in_`` for a slash."""
    for name, content in files.items():
        path = folder / name.replace("_in_", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def test_text_files_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b.txt", "a/2.TXT", "a/1.txt.gz", "c.txt", "a-b.txt", "note.md", ".hidden.txt", "a/~$1.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        raw = f"text of {name}\r\n".encode()
        (tmp_path / name).write_bytes(gzip.compress(raw, mtime=0) if name.endswith(".gz") else raw)
    (tmp_path / "empty.txt").touch()
    rows, problems = read_table(tmp_path)
    assert [row["id"] for row in rows] == ["a-b", "a/1", "a/2", "b", "c"]
    assert rows[1]["text"] == "text of a/1.txt.gz\r\n"
    assert problems == [
        (None, "left out 1 file: note.md (a file named .md is not known)", False),
        (None, "empty.txt: is empty; expected at least one report", False),
    ]


def test_documents_of_every_kind(tmp_path: Path) -> None:
    write(
        tmp_path,
        a__txt="Liver normal.",
        b__dat=r"{\rtf1 Liver {\b large}.}",
        sub_in_c__html=PAGE,
        d__docx=word_document("<w:p><w:r><w:t>Cyst.</w:t></w:r></w:p>"),
        e__xml=CDA,
        f=structured_report(text_item("Finding", "Stone.")),
    )
    rows, problems = read_table(tmp_path)
    assert not problems
    assert [(row["report_id"], row["report"]) for row in rows] == [
        ("a", "Liver normal."),
        ("b", "Liver large."),
        ("d", "Cyst."),
        ("R-17", CDA_TEXT),
        ("ACC-7", "Finding: Stone."),
        ("sub/c", "Spleen normal."),
    ]
    assert rows[4]["examination"] == "CT Abdomen"


def test_what_is_left_out_is_named_by_its_kind(tmp_path: Path) -> None:
    write(
        tmp_path,
        a__txt="Liver normal.",
        README__txt="About.",
        t__csv="id,report\n1,x\n",
        p__txt="%PDF-1.7",
        set_in_manifest__json="{}",
        set_in_x__txt="x",
        Thumbs__db="x",
    )
    for number in range(5):
        (tmp_path / f"{number}.dcm").write_bytes(structured_report(sop_class="1.2.840.10008.5.1.4.1.1.2"))
    (rows, problems) = read_table(tmp_path)
    assert [row["id"] for row in rows] == ["a"]
    ((row, problem, kept),) = problems
    assert (row, kept) == (None, False) and problem.startswith("left out 9 files: ")
    for part in (
        "0.dcm, 1.dcm, 2.dcm and 2 more (DICOM, no report but CT Image)",
        "README.txt (by its name no report)",
        "p.txt (PDF: write its text to a file with pdftotext",
        "set/ (a caption set)",
        "t.csv (CSV beside documents: name the file to read it)",
    ):
        assert part in problem


def test_documents_without_a_word_are_told(tmp_path: Path) -> None:
    write(
        tmp_path, a__rtf="{\\rtf1 }", b__html="<html><p>1.</p></html>", c__txt=" \n", d__txt="Liver normal.", e__xml=CDA
    )
    rows, problems = read_table(tmp_path)
    assert [row["report_id"] for row in rows] == ["d", "R-17"]
    assert problems == [(None, f"{name}: no report text", False) for name in ("a.rtf", "b.html", "c.txt")]


def test_a_damaged_document_is_a_problem_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, a__rtf=r"{\rtf1 No {\b acute", b__rtf=r"{\rtf1 Liver normal.}")
    rows, problems = read_table(tmp_path)
    assert [row["report_id"] for row in rows] == ["b"]
    assert problems == [(None, "a.rtf: RTF cut off at character 19: 2 of its groups are not closed", False)]


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_tables_of_the_same_columns_are_read_one_after_another(tmp_path: Path, kind: str) -> None:
    write_records(tmp_path / f"a.{kind}", RECORDS[:3])
    write_records(tmp_path / f"b.{kind}", RECORDS[3:5])
    (tmp_path / f"c.{kind}").touch()
    rows, problems = read_table(tmp_path)
    assert rows == RECORDS[:5]
    assert problems == [(None, f"c.{kind}: is empty; expected at least one report", False)]


def test_tables_of_different_columns_are_not_guessed_about(tmp_path: Path) -> None:
    write(tmp_path, a__csv="id,report\n1,x\n", b__csv="id,findings\n1,x\n")
    with pytest.raises(InputError, match=r"a\.csv has id, report; b\.csv has id, findings. Name one of them"):
        read_table(tmp_path)


def test_folders_without_reports_and_loops_of_links(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no files"):
        read_table(tmp_path)
    (tmp_path / "x.csv").touch()
    with pytest.raises(InputError, match=r"without reports: .*is empty"):
        read_table(tmp_path)
    (tmp_path / "a.txt").write_text("text")
    os.symlink(tmp_path, tmp_path / "loop")
    assert [row["id"] for row in read_table(tmp_path)[0]] == ["a"]


def message(text: str, status: str, time: str = "20240105") -> str:
    return (
        f"MSH|^~\\&|RIS|H|EHR|H|{time}||ORU^R01|1|P|2.5\rOBR|1|A1|ACC1|CTABD^CT ABDOMEN\r"
        f"OBX|1|TX|&GDT||{text}||||||{status}\r"
    )


def test_of_several_versions_in_a_folder_the_newest_counts(tmp_path: Path) -> None:
    def report(text: str, **fields: str) -> bytes:
        return structured_report(text_item("Finding", text), **fields)

    write(
        tmp_path,
        a1__hl7=message("Liver large.", "P"),
        a2__hl7=message("Liver normal.", "F", "20240106"),
        b1__dcm=report("Stone.", VerificationFlag="VERIFIED"),
        b2__dcm=report("No stone.", ContentTime="130000"),
        c1__xml=CDA.replace('"2"', '"3"'),
        c2__xml=CDA,
    )
    rows, problems = read_table(tmp_path)
    assert [row["report"] for row in rows] == ["FINDINGS:\nLiver normal.", "Finding: Stone.", CDA_TEXT]
    assert [problem for _, problem, _ in problems] == [
        "a1.hl7: a2.hl7 has a newer version of it; left out",
        "b2.dcm: b1.dcm has a newer version of it; left out",
        "c2.xml: c1.xml has a newer version of it; left out",
    ]
