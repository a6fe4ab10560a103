"""Finished cases with scores by hand, for the tests of what is made of them."""

from collections.abc import Sequence

from tests.train.evaluation.evaluations import SHAPE
from train.evaluation.compare import FinishedEvaluation
from train.evaluation.questions import EvaluationQuestion
from train.evaluation.record import CaseResult, EvaluationHeader, EvaluationSettings, ScoreRow
from train.evaluation.results import EvaluationSummary, MeanScore, SubjectScore


def row(kind: str, subject: str, prompt: str, dice: float | None, **changes: object) -> ScoreRow:
    """A row; NSD is Dice and a tenth of what lacks."""
    values: dict[str, object] = {
        "kind": kind, "subject": subject, "prompt": prompt, "dice": dice,
        "nsd": None if dice is None else dice + 0.1 * (1 - dice),
        "reference_ml": 0.0 if dice is None else 10.0, "predicted_ml": 0.0 if dice is None else 9.0, "presence": 0.5,
    }  # fmt: skip
    return ScoreRow.model_validate(values | changes)


def result(case: str, rows: Sequence[ScoreRow], patient: str | None = None) -> CaseResult:
    """A finished case."""
    return CaseResult(
        case=case, patient=patient or case, shape=SHAPE, spacing_mm=(1.5, 1.5, 1.5), seconds=1.0, rows=tuple(rows)
    )


LIVER, SPLEEN, KIDNEYS = ("liver",), ("spleen",), ("kidney_left", "kidney_right")
QUESTIONS = (
    EvaluationQuestion("name", "liver", "liver", LIVER, True),
    EvaluationQuestion("name", "spleen", "spleen", SPLEEN, True),
    EvaluationQuestion("synonym", "liver", "hepatic organ", LIVER, False),
    EvaluationQuestion("synonym", "liver", "hepar", LIVER, False),
    EvaluationQuestion("group", "kidneys", "kidneys", KIDNEYS, False),
    EvaluationQuestion("group", "kidneys", "renal organ", KIDNEYS, False),
)


def header_of_questions(**changes: object) -> EvaluationHeader:
    """The header of an evaluation with `QUESTIONS`."""
    header = EvaluationHeader(
        dataset="/data/set", layout="msd", checkpoint="/models/one", weights="weights-1", text=None,
        settings=EvaluationSettings(), known=True, questions=QUESTIONS,
    )  # fmt: skip
    return header.model_copy(update=changes)


def case(name: str, liver: float | None, spleen: float | None, words: Sequence[float] = (0.5, 0.7)) -> CaseResult:
    """A case with these Dice by name and, with a liver, by its synonyms; None where the structure is absent."""

    def where_present(dice: float) -> float | None:
        return None if liver is None else dice

    return result(name, [
        row("name", "liver", "liver", liver),
        row("name", "spleen", "spleen", spleen),
        row("synonym", "liver", "hepatic organ", where_present(words[0])),
        row("synonym", "liver", "hepar", where_present(words[1])),
        row("group", "kidneys", "kidneys", 0.8),
        row("group", "kidneys", "renal organ", 0.6),
    ])  # fmt: skip


CASES = [case("a", 0.9, 0.6), case("b", 0.7, None, (0.4, 0.6)), case("c", None, None), case("d", 0.8, None)]


def mean(summary: EvaluationSummary, key: str) -> MeanScore:
    """The mean of a summary with this key."""
    return next(mean for mean in summary.means if mean.key == key)


def subject(summary: EvaluationSummary, kind: str, name: str) -> SubjectScore:
    """The scores of a structure or group for one kind of prompt."""
    return next(subject for subject in summary.subjects if (subject.kind, subject.name) == (kind, name))


def evaluation_of(name: str, cases: list[CaseResult], **changes: object) -> FinishedEvaluation:
    """A finished evaluation of these cases."""
    return FinishedEvaluation(name, header_of_questions(**changes), {case.case: case for case in cases})


def changed(cases: list[CaseResult], by: float) -> list[CaseResult]:
    """The cases with every Dice changed by as much."""
    return [
        case.model_copy(
            update={
                "rows": tuple(
                    row if row.dice is None else row.model_copy(update={"dice": row.dice + by}) for row in case.rows
                )
            }
        )
        for case in cases
    ]
