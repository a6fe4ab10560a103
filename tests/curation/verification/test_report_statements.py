"""Reports read once: statements, sections, and the organ that a sentence without one goes on about."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.language.parser import StatementParser
from curation.report import READ_SECTIONS, Section
from curation.verification.report_statements import ReadReport, ReportReader, ReportStatement, normalised
from curation.verification.verifier import Verifier


@cache
def reader() -> ReportReader:
    return ReportReader(StatementParser())


def read(text: str, *sections: Section) -> ReadReport:
    return reader().read(text, sections)


def about(statement: ReportStatement) -> set[str]:
    """Organs of a statement, its own or those of its context."""
    return set(statement.organs or statement.context)


@pytest.mark.parametrize(
    ("text", "organs"),
    [
        pytest.param(
            "The liver is large. No mass.", [{"liver"}, {"liver"}], id="a sentence goes on about the organ before"
        ),
        pytest.param(
            "The liver is large. No mass. No cyst. The spleen is small. No mass.",
            [{"liver"}, {"liver"}, {"liver"}, {"spleen"}, {"spleen"}],
            id="until another is named",
        ),
        pytest.param("No mass. The liver is large.", [set(), {"liver"}], id="nothing before it"),
        pytest.param(
            "Both kidneys are small. No stone.",
            [{"left kidney", "right kidney"}, {"left kidney", "right kidney"}],
            id="both sides",
        ),
        pytest.param("Cardiomegaly. No calcification.", [{"heart"}, {"heart"}], id="an organ implied by its finding"),
        pytest.param(
            "Cyst in the left kidney. Nodule adjacent to the spleen.",
            [{"left kidney"}, {"left kidney"}],
            id="a place is no new organ",
        ),
        pytest.param(
            "Liver: normal. Spleen: large. Accessory spleen.",
            [{"liver"}, {"spleen"}, {"accessory spleen"}],
            id="headed lines",
        ),
    ],
)
def test_which_organs_a_statement_is_about(text: str, organs: list[set[str]]) -> None:
    assert [about(statement) for statement in read(text).statements] == organs


def test_the_anchor_is_the_statement_that_named_the_organ() -> None:
    statements = read("The spleen is small. The liver is large. No mass. No cyst.").statements
    assert [statement.anchor for statement in statements] == [None, None, 1, 1]
    assert all(statement.context == () for statement in statements[:2])


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("Airways: Right: consolidation.", "airways"),
        ("Lymph nodes: Both: consolidation.", "lymph nodes"),
        ("Trachea: Left: pneumothorax.", "trachea"),
        ("Spleen unremarkable. Airways: Left: atelectasis.", "airways"),
    ],
)
def test_a_form_line_may_find_what_is_of_another_organ_than_its_heading(text: str, heading: str) -> None:
    assert heading in read(text).statements[-1].organs


def sections(text: str, *spans: tuple[str, str]) -> list[Section]:
    return [Section(name, text.index(body), text.index(body) + len(body)) for name, body in spans]


TEXT = "Thin slices of the aorta. History of gastritis. The liver is large. No mass here. Splenomegaly. Look again."


def test_only_sections_with_findings_are_read() -> None:
    spans = sections(
        TEXT,
        ("technique", "Thin slices of the aorta."),
        ("history", "History of gastritis."),
        ("findings", "The liver is large."),
        ("impression", "Splenomegaly."),
        ("recommendation", "Look again."),
    )
    statements = read(TEXT, *spans).statements
    assert [(TEXT[s.start : s.end], s.section) for s in statements] == [
        ("The liver is large.", "findings"),
        ("Splenomegaly.", "impression"),
    ]
    assert {s.section for s in statements} <= set(READ_SECTIONS)


def test_the_context_ends_with_its_section() -> None:
    spans = sections(TEXT, ("findings", "The liver is large."), ("impression", "No mass here."))
    assert [about(statement) for statement in read(TEXT, *spans).statements] == [{"liver"}, set()]


def test_without_sections_the_whole_text_is_read() -> None:
    assert len(read(TEXT).statements) == 6


def test_sections_without_findings_leave_nothing() -> None:
    assert read(TEXT, Section("technique", 0, len(TEXT))).statements == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The liver is large.", "the LIVER  is\nlarge"),
        ("“The liver is large”", "The liver is large."),
        ("The liver is large;", "The liver is large,"),
    ],
)
def test_equal_words_are_normalised_alike(first: str, second: str) -> None:
    assert normalised(first) == normalised(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [("A 5 mm cyst", "A 5 cm cyst"), ("Left cyst", "Right cyst"), ("Cyst", "No cyst"), ("1.5", "15")],
)
def test_other_words_are_not(first: str, second: str) -> None:
    assert normalised(first) != normalised(second)


WORDS = st.sampled_from(
    (
        "liver|kidneys|No mass.|left|cyst|Pericardial effusion|.|\n|:|and|was not seen|5 mm|\x00|\u00a0|?|(|)|"
        "Both lungs|L4 level|"
        "lymph nodes|hila|status post splenectomy"
    ).split("|")
)


@given(st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=80))
def test_any_text_is_read_in_order_with_context_from_before(text: str) -> None:
    report = read(text)
    assert report.text == text
    at, span = 0, (0, 0)
    for index, statement in enumerate(report.statements):
        assert statement.number == index
        # Two statements of one line of a form have its whole span.
        assert statement.start < statement.end <= len(text)
        assert at <= statement.start or (statement.start, statement.end) == span
        at, span = statement.end, (statement.start, statement.end)
        if statement.anchor is not None:
            named = report.statements[statement.anchor]
            # The context has those of the organs named there that the statement may be about, or none.
            assert statement.anchor <= index and named.organs
        else:
            assert statement.context == ()


def test_a_statement_means_the_same_wherever_it_stands() -> None:
    first, second = (read(text).statements[-1] for text in ("No stone. The liver is large.", "The liver is large."))
    assert (first.organs, first.keys, first.words) == (second.organs, second.keys, second.words)


@pytest.mark.parametrize(
    ("organ", "caption", "accepted"),
    [
        ("spleen", "As far as can be seen; The spleen is enlarged.", True),
        ("left lung", "When examined in the lung parenchyma window; A 4 mm nodule in the left upper lobe.", True),
        ("liver", "As far as can be seen; The spleen is enlarged.", False),  # filed under another organ
        ("spleen", "The pancreas; The spleen is enlarged.", False),  # leads in nothing in the report
        ("spleen", "As far as can be seen; No ascites.", False),  # does not follow it
        ("spleen", "The liver is normal; The spleen is enlarged.", False),  # says something itself
    ],
)
def test_what_leads_in_a_statement_may_be_repeated_with_it(organ: str, caption: str, accepted: bool) -> None:
    text = (
        "The pancreas could not be assessed. As far as can be seen; The spleen is enlarged. The liver is normal. "
        "No ascites. When examined in the lung parenchyma window; A 4 mm nodule in the left upper lobe."
    )
    verifier = Verifier()
    assert verifier.verify(verifier.read(text), organ, caption).accepted == accepted


def test_long_reports_are_kept_by_their_size_and_not_by_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred reports of 100,000 characters would take gigabytes; short ones stay."""
    monkeypatch.setattr("curation.verification.report_statements.RECENT_CHARACTERS", 20_000)
    own = ReportReader(reader().parser)
    first, short = (own.read(text) for text in ("The liver is normal. " * 400, "The spleen is normal."))
    assert own.read("The spleen is normal.") is short and own.read("The liver is normal. " * 400) is first
    own.read("The liver is large. " * 900)
    assert own.read("The liver is normal. " * 400) is not first
