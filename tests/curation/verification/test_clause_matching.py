"""Clauses kept apart: a caption that mixes what two clauses or statements say is refused."""

from __future__ import annotations

import pytest

from curation.caption import Reason
from curation.language.parser import StatementParser
from curation.verification.clause_matching import ClauseMatcher, lacks_a_word
from curation.verification.organs import OrganRelations
from curation.verification.report_statements import ReportReader

from .caption_cases import (
    CROSSED,
    FOREIGN,
    UNSAID,
    PairTable,
    accepted_of_pairs,
    assert_accepted,
    assert_names_one_case_each,
    assert_refused,
    cases,
    refused_of_pairs,
)

MERGED = [
    (
        "There is a cyst in the liver. The spleen is enlarged.",
        "liver",
        "Cyst in the liver.",
        "The liver is enlarged.",
    ),
    (
        "A 5 mm stone in the left kidney. A 12 mm cyst in the left kidney.",
        "left kidney",
        "5 mm stone in the left kidney",
        "A 12 mm stone in the left kidney.",
    ),
    (
        "There is a mass in the colon. There is a 9 mm cyst in the liver.",
        "colon",
        "Mass in the colon.",
        "A 9 mm mass in the colon.",
    ),
    (
        "A calcified nodule in the left lung. Emphysema in the right lung.",
        "left lung",
        "Calcified nodule in the left lung.",
        "Calcified emphysema in the left lung.",
    ),
]

SWAPPED = [
    (
        "A 5 mm nodule in the right upper lobe and a 3 mm nodule in the left lower lobe.",
        "right upper lobe",
        "5 mm nodule in the right upper lobe.",
        "3 mm nodule in the right upper lobe.",
    ),
    (
        "There is a stone in the right kidney and a cyst in the left kidney.",
        "left kidney",
        "Cyst in the left kidney.",
        "Stone in the left kidney.",
    ),
    (
        "Mild emphysema in the right lung and severe bronchiectasis in the left lung.",
        "right lung",
        "Mild emphysema in the right lung.",
        "Severe emphysema in the right lung.",
    ),
    (
        "A calcified nodule in the right lung and a cavitary mass in the left lung.",
        "left lung",
        "Cavitary mass in the left lung.",
        "Calcified mass in the left lung.",
    ),
    (
        "No stone in the right kidney but a 5 mm stone in the left kidney.",
        "right kidney",
        "No stone in the right kidney.",
        "5 mm stone in the right kidney.",
    ),
]

UNFAITHFUL = [
    # too many
    ("Cyst in the liver.", "liver", "Cyst in the liver and spleen.", FOREIGN),
    (
        "Cyst in the left kidney. Stone in the right kidney.",
        "left kidney",
        "Cyst and stone in the left kidney.",
        UNSAID,
    ),
    ("Stone in the left kidney.", "left kidney", "Stones in both kidneys.", (Reason.LATERALITY,)),
]

PAIRS: list[PairTable] = [
    ("merged", (Reason.MEASUREMENT, *UNSAID, Reason.WRONG_ORGAN), MERGED),
    ("swapped", (*CROSSED, Reason.NEGATION), SWAPPED),
]
KNOWN_FAILURES: dict[str, str] = {
    "unfaithful: Stones in both kidneys.": "refused as not_grounded, not as laterality",
}
"""Cases that the code gets wrong, with the reason."""

ACCEPTED = accepted_of_pairs(PAIRS, KNOWN_FAILURES)
REFUSED = refused_of_pairs(PAIRS, KNOWN_FAILURES) + cases("unfaithful", UNFAITHFUL, KNOWN_FAILURES)


@pytest.mark.parametrize(("report", "organ", "caption"), ACCEPTED)
def test_what_the_report_says_is_accepted(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption", "reasons"), REFUSED)
def test_what_it_does_not_say_is_refused(report: str, organ: str, caption: str, reasons: tuple[Reason, ...]) -> None:
    assert_refused(report, organ, caption, reasons)


def test_each_known_failure_names_one_case() -> None:
    assert_names_one_case_each(KNOWN_FAILURES, ACCEPTED + REFUSED)


PARSER = StatementParser()
READER, MATCHER = ReportReader(PARSER), ClauseMatcher(PARSER, OrganRelations(PARSER))


@pytest.mark.parametrize(("report", "organ", "caption"), ACCEPTED)
def test_no_word_of_a_clause_that_a_segment_carries_is_lacking_in_its_statement(
    report: str, organ: str, caption: str
) -> None:
    """On this rests that the whole statement is not looked at where a segment carries the clause."""
    carried = 0
    for statement in READER.read(report).statements:
        for clause in MATCHER.clauses(caption):
            for index in range(len(statement.parse.segments)):
                if not MATCHER.match_segment(clause, statement.parse.text, index, statement.context).mismatches:
                    carried += 1
                    assert not lacks_a_word(MATCHER.match_anywhere(clause, statement.parse.text, statement.context))
    assert carried


def test_a_clause_is_matched_with_a_segment_once() -> None:
    (clause,) = MATCHER.clauses("Cyst in the liver")
    first = MATCHER.match_segment(clause, "A cyst in the liver, a stone in the left kidney.", 0, ())
    assert MATCHER.match_segment(clause, "A cyst in the liver, a stone in the left kidney.", 0, ()) is first
