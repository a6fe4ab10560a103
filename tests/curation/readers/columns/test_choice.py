"""Columns of names that are not known, chosen by what stands in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.readers.columns.choice import choose_columns
from curation.readers.columns.samples import ColumnSample
from curation.runtime.errors import InputError

from .tables_of_text import choose, read

WHOLE = "FINDINGS: Both kidneys are small. IMPRESSION: Atrophy."


def test_the_one_column_of_prose_is_the_report(tmp_path: Path) -> None:
    chosen = choose(f"Register_No,Age,Memo\nx1,44,{WHOLE}\nx2,51,The spleen is large and the liver is normal.\n")
    assert (chosen.layout.id_column, chosen.layout.text_columns) == ("Register_No", ("Memo",))
    assert "Memo, which holds it by its contents, was used" in chosen.notes[0]
    assert "Register_No" in chosen.notes[1]
    (report,), problems = read(tmp_path, f"Register_No,Age,Memo\nx1,44,{WHOLE}\n")
    assert (report.report_id, report.text, report.source) == ("x1", WHOLE, {"Age": "44"})
    assert [(problem.row, problem.kept) for problem in problems] == [(None, True), (None, True)]


def test_of_several_columns_of_prose_contents_or_a_name_must_tell() -> None:
    first, second = "The liver is normal and the spleen large.", "He fell off a bicycle on Monday morning."
    with pytest.raises(InputError, match=r"several columns could hold the reports: One, Two\..*--text-column"):
        choose(f"id,One,Two\n1,{first},{second}\n")
    assert choose(f"id,One,Two\n1,{WHOLE},{second}\n").layout.text_columns == ("One",)
    assert choose(f"id,One,Rad_Report_1\n1,{first},{second}\n").layout.text_columns == ("Rad_Report_1",)
    assert choose(f"id,One,Two\n1,{first},{first} {second}\n").layout.text_columns == ("Two",)


def test_text_beside_a_report_is_none() -> None:
    prose = "Painful swelling of the left leg since three days."
    with pytest.raises(InputError, match="no column is known to hold report text"):
        choose(f"id,Indication\n1,{prose}\n")
    assert choose(f"id,Clinical_History,Memo\n1,{prose},{WHOLE}\n").layout.text_columns == ("Memo",)


def test_a_named_column_is_taken_as_it_is() -> None:
    chosen = choose("no,words\n1,yes\n", "no", "words")
    assert (chosen.layout.id_column, chosen.layout.text_columns, chosen.notes) == ("no", ("words",), ())


def test_a_known_name_that_holds_paths_gives_way_to_the_text() -> None:
    chosen = choose(f"id,report,Memo\n1,reports/1.txt,{WHOLE}\n2,reports/2.txt,{WHOLE}\n")
    assert chosen.layout.texts[0][0].name == "Memo" and "report holds codes and no text" in chosen.notes[0]
    chosen = choose("Report,Report Text\nR1,The liver is normal.\nR2,The spleen is large.\n")
    assert (chosen.layout.id_column, chosen.layout.text_columns) == ("Report", ("Report Text",))


def test_names_decide_where_there_are_no_rows() -> None:
    assert choose_columns(["id", "report"], []).layout.text_columns == ("report",)
    with pytest.raises(InputError, match="no column is known"):
        choose_columns(["id", "Memo"], [])


def test_columns_of_one_name_are_told(tmp_path: Path) -> None:
    (first, second), problems = read(tmp_path, "id,Findings,Findings\n1,Liver normal.,Spleen large.\n2,None,Clear.\n")
    assert (first.text, second.text) == ("Liver normal.\n\nSpleen large.", "Clear.")
    assert problems[0].problem == "2 columns are named Findings; all of them are read, in their order"
    (report,), problems = read(tmp_path, "id,id,report\n1,2,Liver normal.\n")
    assert report.report_id == "1" and "2 columns are named id; the first" in problems[0].problem


def test_ids_that_are_patients_or_values_are_no_ids_of_reports() -> None:
    chosen = choose(f"Patient_No,Order_No,Date,report\n1,a,2020-01-01,{WHOLE}\n2,b,2020-01-02,{WHOLE}\n")
    assert chosen.layout.id_column == "Order_No"
    assert choose(f"Date,report\n2020-01-01,{WHOLE}\n2020-01-02,{WHOLE}\n").layout.id_column is None


def test_whole_numbers_with_odd_white_space() -> None:
    """A separator of files (U+001C) is white space to a pattern and to ``strip``, and none to ``float``."""
    assert ColumnSample("line", ("1\x1c", "\x1d+2.0")).integers() == [1, 2]
