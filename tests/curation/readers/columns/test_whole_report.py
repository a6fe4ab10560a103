"""A column with the whole report beside columns with parts of it."""

from __future__ import annotations

from pathlib import Path

from .tables_of_text import choose, read

WHOLE = "HISTORY: Pain. FINDINGS: The left kidney holds a stone. IMPRESSION: Renal stone."


def test_the_column_that_holds_the_impression_and_more_is_used(tmp_path: Path) -> None:
    rows = f'1,RENAL  STONE.,"{WHOLE}"\n2,,"{WHOLE} "\n3,renal stone,\n'
    (held, alone, part), problems = read(tmp_path, f"acc,Impression,Dictation_1\n{rows}")
    assert problems[0].problem == "Dictation_1 holds Impression and more; it was used"
    assert (held.text, alone.text, part.text) == (WHOLE, f"{WHOLE} ", "renal stone")
    assert held.source == {"Impression": "RENAL  STONE."}


def test_a_row_whose_whole_report_lacks_the_impression_gets_it_too(tmp_path: Path) -> None:
    rows = "".join(f'{number},Renal stone.,"{WHOLE}"\n' for number in range(4))
    reports, _ = read(tmp_path, f'acc,Impression,Body\n{rows}9,Ureter is wide.,"{WHOLE} Addendum."\n')
    assert reports[0].text == WHOLE
    assert reports[-1].text == f"{WHOLE} Addendum.\n\nUreter is wide."
    assert reports[-1].sections[-1].name == "impression"


def test_findings_and_impression_apart_are_read_together_and_the_rest_is_told() -> None:
    chosen = choose(f"id,body,findings,impression\n1,{WHOLE},The left kidney holds a stone.,Renal stone.\n")
    assert [text.name for text in chosen.layout.texts[0]] == ["findings", "impression"]
    assert chosen.notes == (
        "body holds findings, impression and more; findings, impression were read (--text-column body reads it all)",
    )


def test_findings_alone_give_way_to_the_whole_report() -> None:
    chosen = choose(f"id,report,findings,impression\n1,{WHOLE},The left kidney holds a stone.,\n")
    assert chosen.layout.texts[0][0].name == "report" and "report holds findings and more" in chosen.notes[0]


def test_a_far_longer_column_with_headings_is_the_report() -> None:
    chosen = choose(f"id,body,impression\n1,{WHOLE} {'The rest is normal. ' * 9},Nephrolithiasis on the left.\n")
    assert chosen.layout.texts[0][0].name == "body" and "far longer than impression" in chosen.notes[0]
    note = "HPI: Came with pain. PMH: None. FINDINGS: " + "He was seen by us. " * 20
    assert choose(f"id,body,impression\n1,{note},Nephrolithiasis.\n").layout.text_columns == ("impression",)


def test_empty_columns_of_known_names_leave_the_row_to_the_text() -> None:
    chosen = choose(f"id,memo,impression\n1,{WHOLE},\n2,{WHOLE},\n")
    assert [text.name for text in chosen.layout.texts[-1]] == ["memo"] and "mostly empty" in chosen.notes[0]


def test_another_text_is_left_where_it_is() -> None:
    chosen = choose("id,findings,memo\n1,The liver is normal.,The patient fell off a bicycle on Monday.\n")
    assert chosen.layout.text_columns == ("findings",) and not chosen.notes


def test_findings_that_say_what_the_impression_says_are_a_part() -> None:
    chosen = choose("id,findings,impression\n1,A renal stone of 3 mm is seen today.,Renal stone.\n")
    assert not any(text.held for text in chosen.layout.texts[0]) and not chosen.notes
