"""The questions about a report: which stretches of it, in which words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.llm.questions import Question, halves, split_questions
from curation.readers.sections import split_sections
from curation.report import Report

TEXT = (
    "TECHNIQUE: Axial CT with contrast.\n\nFINDINGS: The liver is normal. A 5 mm cyst in the left kidney. No ascites. "
    "The spleen is enlarged. The pancreas is normal.\n\nIMPRESSION: Splenomegaly. Renal cyst."
)


def report(text: str) -> Report:
    return Report("a", text, split_sections(text), {}, 1)


REPORT = report(TEXT)


def texts(questions: list[Question]) -> list[str]:
    return [question.text(REPORT) for question in questions]


def test_a_report_is_asked_about_as_a_whole_without_its_technique() -> None:
    (question,) = split_questions(REPORT, "report", 1)
    text = question.text(REPORT)
    assert text.startswith("Findings:\nThe liver is normal.") and "\n\nImpression:\nSplenomegaly." in text
    assert "Axial" not in text
    assert TEXT[question.start :].startswith("The liver") and TEXT[: question.end].endswith("cyst.")


def test_section_by_section() -> None:
    questions = split_questions(REPORT, "section", 1)
    assert [question.section for question in questions] == ["findings", "impression"]
    assert texts(questions)[1] == "Splenomegaly. Renal cyst."


@pytest.mark.parametrize(("window", "sizes"), [(1, [1] * 7), (2, [2, 2, 1, 2]), (9, [5, 2])])
def test_windows_of_statements_do_not_cross_sections(window: int, sizes: list[int]) -> None:
    questions = split_questions(REPORT, "statement", window)
    assert [len([part for part in text.split(".") if part.strip()]) for text in texts(questions)] == sizes


def test_technique_alone_is_not_asked_about() -> None:
    assert split_questions(report("TECHNIQUE: Axial CT of the chest."), "report", 1) == []


def test_halves_are_cut_between_statements() -> None:
    (question,) = split_questions(REPORT, "report", 1)
    cut = halves(REPORT, question)
    assert cut is not None
    first, second = texts(list(cut))
    assert first.endswith(".") and not first.startswith("Findings")
    assert second.startswith(("Findings", "The spleen", "No ascites")) and "Impression:\nSplenomegaly." in second
    together = f"{first} {second}"
    assert all(word in together for word in ("liver", "left kidney", "ascites", "spleen", "pancreas", "Renal cyst"))


def test_one_statement_is_not_cut() -> None:
    alone = report("A cyst of 5 mm in the left kidney is seen.")
    assert halves(alone, split_questions(alone, "report", 1)[0]) is None


@given(
    st.lists(
        st.sampled_from(["The liver is normal. ", "\n\nIMPRESSION: ", "A 3.5 cm mass\n", "FINDINGS: ", "x " * 900])
    )
)
def test_cutting_comes_to_an_end_and_loses_no_word(parts: list[str]) -> None:
    whole_report = report("".join(parts))

    def cut_up(question: Question) -> list[Question]:
        both = halves(whole_report, question)
        return [question] if both is None else [end for half in both for end in cut_up(half)]

    for question in split_questions(whole_report, "section", 1):
        ends = cut_up(question)
        assert " ".join(end.text(whole_report) for end in ends).split() == question.text(whole_report).split()
