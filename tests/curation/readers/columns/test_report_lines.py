"""Tables with one row for each line of a report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.readers.columns.choice import choose_columns
from curation.readers.columns.report_lines import LineJoiner
from curation.readers.layouts import ColumnLayout, TextColumn
from curation.readers.rows import TableRow

from .tables_of_text import choose, read

LINES = ["FINDINGS: The gallbladder", "is not", "dilated.", "IMPRESSION: No", "stone."]


def test_lines_are_joined_by_report_in_their_order_and_this_is_said(tmp_path: Path) -> None:
    order = [(name, number) for number in (3, 1, 2, 5, 4) for name in ("a", "b")]
    rows = "".join(f"{name},{number},{LINES[number - 1]},CT\n" for name, number in order)
    (first, second), problems = read(tmp_path, f"ORDER_KEY,LINE,REPORT_LINE_TEXT,KIND\n{rows}")
    assert (first.report_id, first.text) == ("a", "\n".join(LINES))
    assert (second.report_id, second.text, second.row) == ("b", first.text, 2)
    assert first.source == {"KIND": "CT"} and [section.name for section in first.sections] == ["findings", "impression"]
    told = [problem.problem for problem in problems]
    assert "each row is a line of a report: lines are joined by ORDER_KEY, in order of LINE" in told
    assert told[-1] == "joined 10 lines to 2 reports, by ORDER_KEY"
    assert all(problem.kept and problem.row is None for problem in problems)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("MRN,ACC,OBX_SET_ID,OBX_5\n1,A,1,The left\n1,A,2,kidney is normal.\n1,B,1,No\n1,B,2,mass.\n", "OBX_SET_ID"),
        ("Exam,LINE_NUM,LINE_TEXT\nA,1,The left kidney\nB,1,No mass in the\n", "LINE_NUM"),
        ("report,zeile,text\nA,1,The left\nA,2,kidney is normal.\nB,1,No mass.\n", "zeile"),
        ("acc,n,words\nA,1,The left kidney is\nA,2,normal. There is no\nA,3,mass.\nB,1,No mass.\n", "n"),
    ],
)
def test_lines_are_told_by_a_column_that_counts_up(text: str, line: str) -> None:
    layout = choose(text).layout
    assert layout.line == line and layout.text_columns == (text.partition("\n")[0].rpartition(",")[2],)


@pytest.mark.parametrize(
    "text",
    [
        "PatientID,SEQ,Report\n1,1,The liver is normal.\n1,2,The liver is large.\n2,1,Clear.\n",
        "PatientID,visit,Report\n1,1,The liver is normal.\n1,2,The liver is large.\n1,3,Clear.\n",
        "id,seq,report\na,1,The liver is\nb,2,The spleen is\n",
        f"id,seq,report\na,1,{'The liver is normal ' * 20}\na,2,{'The liver is large ' * 20}\n",
        "id,line,report\na,1,The liver is\na,1,The spleen is\n",
    ],
)
def test_reports_that_are_numbered_are_no_lines(text: str) -> None:
    assert choose(text).layout.line is None


def test_sections_in_rows_of_their_own_are_one_report(tmp_path: Path) -> None:
    rows = "a,1,Findings,A stone\nb,1,Findings,Clear lungs.\na,1,Impression,Stone.\na,2,Findings,is seen.\n"
    (first, second), problems = read(tmp_path, f"acc,LINE,SECTION,TEXT\n{rows}")
    assert first.text == "Findings: A stone\nis seen.\n\nImpression: Stone."
    assert [section.name for section in first.sections] == ["findings", "impression"] and first.source == {}
    assert second.text == "Findings: Clear lungs."
    assert problems[-1].problem == "joined 4 lines to 2 reports, by acc"
    chosen = choose("id,part,words\na,FINDINGS,A stone is seen in the left kidney.\na,IMPRESSION,Kidney stone.\n")
    assert (chosen.layout.part, chosen.layout.line, chosen.layout.text_columns) == ("part", None, ("words",))
    assert chosen.notes[0] == "each row is a section of a report: sections are joined by id, under the sections in part"
    assert choose("id,part,report\na,FINDINGS,Clear.\nb,IMPRESSION,Normal.\n").layout.part is None


def test_numbers_need_not_begin_with_one(tmp_path: Path) -> None:
    rows = "A,10,The liver\nA,20,is normal.\nB,10,Clear\nB,20,lungs.\nC,20,mass.\n"
    reports, problems = read(tmp_path, f"acc,LINE,TEXT\n{rows}")
    assert [report.text for report in reports] == ["The liver\nis normal.", "Clear\nlungs.", "mass."]
    assert [problem.problem.partition(":")[0] for problem in problems if problem.row] == [
        "the report C begins with LINE 20"
    ]


LAYOUT = ColumnLayout("id", ((TextColumn("text", "findings"),),), None, "line")


def join(rows: list[tuple[str, str, str]], reach: int = 100) -> tuple[list[tuple[str, str]], list[str], LineJoiner]:
    notes: list[str] = []

    def note(row: int | None, problem: str, *, kept: bool = False, file: str | None = None) -> None:
        notes.append(f"{row}{'' if kept else '!'}: {problem}")

    def stream() -> Iterator[TableRow]:
        for number, cells in enumerate(rows, 1):
            yield TableRow(number, dict(zip(("id", "line", "text"), cells, strict=True)))

    joiner = LineJoiner(LAYOUT, note, reach)
    return [(row.cells["id"], row.cells["text"]) for row in joiner.join(stream())], notes, joiner


def test_what_is_wrong_with_lines_is_noted_and_loses_no_other() -> None:
    reports, notes, joiner = join([
        ("a", "1", "x"), ("a", "1", "y"), ("", "2", "lost"), ("b", "", "z"), ("b", "1", "w"), ("c", "2", "v"),
        ("d", "1", "same"), ("d", "1", "same"),
    ])  # fmt: skip
    assert reports == [("a", "x\ny"), ("b", "w\nz"), ("c", "v"), ("d", "same")]
    assert [note.partition(":")[0] for note in notes] == ["3!", "1", "4", "6"]
    assert (
        "same line; both are read" in notes[1] and "without a number" in notes[2] and "begins with line 2" in notes[3]
    )
    assert joiner.summary() == "joined 7 lines to 4 reports, by id"


def test_memory_is_bounded_by_the_reach_of_lines() -> None:
    rows = [("far", "1", "begin"), *((f"r{number}", "1", "x") for number in range(9)), ("far", "2", "end")]
    assert join(rows)[0][0] == ("far", "begin\nend")
    reports, notes, _ = join(rows, reach=5)
    assert reports[0] == ("far", "begin") and reports[-1] == ("far", "end") and "more than 5 rows away" in notes[-1]


def test_a_report_in_pieces_keeps_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.readers.columns.report_lines.MOST_CHARACTERS", 40)
    rows = "".join(f"{name},1,The liver is not\n{name},2,enlarged today.\n" for name in "abcdefghijk")
    rows += "a,1,The spleen is\na,2,large today.\n"
    reports, problems = read(tmp_path, f"acc,LINE,text\n{rows}")
    assert [report.report_id for report in reports][-1] == "a#2"
    assert any("lines that stand too far from the others of the id a" in problem.problem for problem in problems)


def test_names_alone_decide_without_rows() -> None:
    assert choose_columns(["id", "line", "text"], []).layout.line is None
