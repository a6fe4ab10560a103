"""Captions with the reports that carry them or do not: tables become parameters of tests, and the two checks.

Whole reports and captions go through the verifier, as they do in a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import pytest
from _pytest.mark import ParameterSet

from curation.caption import Reason
from curation.report import Section
from curation.verification.answers import Verification
from curation.verification.report_statements import ReadReport
from curation.verification.verifier import Verifier

PLACE = (Reason.WRONG_ORGAN, Reason.LATERALITY)
"""A wrong lobe, segment or level may count as either."""
FOREIGN = (Reason.NOT_GROUNDED, Reason.WRONG_ORGAN)
UNSAID = (Reason.NOT_GROUNDED, Reason.MODIFIER)
SIZED = (Reason.MEASUREMENT, Reason.MODIFIER)
TURNED = (Reason.NEGATION, Reason.MODIFIER)
CROSSED = (Reason.MEASUREMENT, Reason.MODIFIER, Reason.NOT_GROUNDED, Reason.LATERALITY, Reason.WRONG_ORGAN)

PairTable = tuple[str, tuple[Reason, ...], Sequence[tuple[str, str, str, str]]]
"""Name of a table, reasons that a refusal may have, and rows of report, organ, faithful and unfaithful caption."""


@cache
def verifier() -> Verifier:
    return Verifier()


@cache
def read(text: str, *sections: Section) -> ReadReport:
    return verifier().read(text, sections)


def verify(report: str, organ: str, caption: str) -> Verification:
    return verifier().verify(read(report), organ, caption)


def evidence(report: str, verdict: Verification) -> str:
    """Return the passage that a verdict gives as evidence, or as the nearest."""
    return report[verdict.start : verdict.end]


def cases(name: str, rows: Iterable[tuple[object, ...]], known_failures: Mapping[str, str]) -> list[ParameterSet]:
    """Return the parameters of a table; the caption, third in each row, gives the id."""
    parameters = []
    for row in rows:
        key = f"{name}: {row[2]}"
        marks = [pytest.mark.xfail(strict=True, reason=known_failures[key])] if key in known_failures else []
        parameters.append(pytest.param(*row, id=key, marks=marks))
    return parameters


def accepted_of_pairs(tables: Iterable[PairTable], known_failures: Mapping[str, str]) -> list[ParameterSet]:
    """Return report, organ and faithful caption of each row."""
    return [
        case
        for name, _, rows in tables
        for case in cases(name, ((report, organ, faithful) for report, organ, faithful, _ in rows), known_failures)
    ]


def refused_of_pairs(tables: Iterable[PairTable], known_failures: Mapping[str, str]) -> list[ParameterSet]:
    """Return report, organ, unfaithful caption and reasons of each row."""
    return [
        case
        for name, reasons, rows in tables
        for case in cases(
            f"not {name}", ((report, organ, wrong, reasons) for report, organ, _, wrong in rows), known_failures
        )
    ]


def assert_accepted(report: str, organ: str, caption: str) -> None:
    verdict = verify(report, organ, caption)
    assert verdict.accepted, f"{verdict.reason}: {verdict.detail}"


def assert_refused(report: str, organ: str, caption: str, reasons: tuple[Reason, ...]) -> None:
    verdict = verify(report, organ, caption)
    assert not verdict.accepted
    assert verdict.reason in reasons, f"{verdict.reason}: {verdict.detail}"
    assert verdict.detail


def assert_names_one_case_each(known_failures: Mapping[str, str], parameters: Iterable[ParameterSet]) -> None:
    ids = [case.id for case in parameters]
    assert {name: ids.count(name) for name in known_failures} == dict.fromkeys(known_failures, 1)
