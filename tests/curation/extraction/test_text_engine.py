from collections import deque
from collections.abc import Sequence
from typing import Any

import pytest

from curation.caption import AcceptedCaption, Draft, MadeBy, OutcomeColumns, ReportOutcome
from curation.extraction.text_engine import Curator, TextRecipe
from curation.report import Report
from tests.curation.fakes import FakeEngine, FakeVerifier


def report(text: str) -> Report:
    return Report("a", text, (), {}, 1)


def curator(engine: FakeEngine, name: str = "fake") -> Curator:
    return Curator(TextRecipe(MadeBy(name, None, None), lambda: (engine, FakeVerifier())))


def outcome(curator: Curator, report: Report) -> ReportOutcome:
    return OutcomeColumns.unpack(curator([report])[0][0]).rows()


def test_drafts_are_verified_against_their_report() -> None:
    engine = FakeEngine(deque([[Draft("liver", "Liver is normal."), Draft("spleen", "Spleen is big.")]]))
    result = outcome(curator(engine), report("Liver is normal. Spleen is normal."))
    assert result.accepted == [AcceptedCaption("liver", "Liver is normal.", "normal", 0, 16, "findings", 100.0)]
    assert [(row.organ, row.reason, row.detail) for row in result.refused] == [
        ("spleen", "not_grounded", "not in the report")
    ]
    assert engine.history == [["a"]]


@pytest.mark.parametrize(("engine", "refused"), [("fake", ["duplicate"]), ("rules", [])])
def test_a_repeat_is_dropped_and_shown_for_a_model(engine: str, refused: list[str]) -> None:
    drafts = [
        Draft("liver", "Liver is normal."),
        Draft("liver", "Liver is normal"),
        Draft("spleen", "Liver is normal."),
    ]
    result = outcome(curator(FakeEngine(deque([drafts])), engine), report("Liver is normal."))
    assert [(row.organ, row.caption) for row in result.accepted] == [
        ("liver", "Liver is normal."),
        ("spleen", "Liver is normal."),
    ]
    assert [row.reason for row in result.refused] == refused


def test_a_report_that_breaks_the_engine_harms_no_other() -> None:
    engine = FakeEngine()
    packed = curator(engine)([report("Liver is normal."), report("CRASH."), report("Spleen is normal.")])
    outcomes = [OutcomeColumns.unpack(columns).rows() for columns, _ in packed]
    assert [failed for _, failed in packed] == [False, True, False]
    assert [len(outcome.accepted) for outcome in outcomes] == [1, 0, 1]
    assert outcomes[1].refused[0].reason == "engine_error"
    assert outcomes[1].refused[0].detail == "RuntimeError: the fake engine crashed"


def test_an_engine_that_answers_too_few_reports_is_asked_again_one_by_one() -> None:
    class IncompleteEngine(FakeEngine):
        def extract(self, reports: Sequence[Report]) -> Any:
            yield from list(super().extract(reports))[:1]

    engine = IncompleteEngine()
    packed = curator(engine)([report("Liver is normal."), report("Spleen is normal.")])
    assert [len(OutcomeColumns.unpack(columns).rows().accepted) for columns, _ in packed] == [1, 1]
    assert [len(ids) for ids in engine.history] == [2, 1, 1]
