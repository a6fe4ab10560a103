"""The numbers of an evaluation as CSV; an empty cell for what is not known."""

from collections.abc import Iterable

from curation.runtime.csv_text import csv_text

from .bootstrap import BootstrapEstimate
from .record import CaseResult
from .results import EvaluationSummary


def summary_csv(summary: EvaluationSummary) -> str:
    """Return all means as CSV, one a line; `kind` prompt has each wording by itself."""
    header = "table,name,prompts,trained,structures,present,missed,absent,false_masks"
    scores = "dice,dice_low,dice_high,nsd,nsd_low,nsd_high"
    rows: list[list[object]] = [
        [table, mean.key, "", "", mean.structures, "", "", "", "", *_cells(mean.score.dice), *_cells(mean.score.nsd)]
        for table, means in (("mean", summary.means), ("prevalence", summary.bands))
        for mean in means
    ]
    for prefix, subjects in (("", summary.subjects), ("prompt_", summary.prompts)):
        rows += [
            [
                f"{prefix}{subject.kind}", subject.name, " | ".join(subject.prompts), _yes_or_no(subject.trained),
                len(subject.members), subject.present, subject.missed, subject.absent, subject.false_masks,
                *_cells(subject.score.dice), *_cells(subject.score.nsd),
            ]
            for subject in subjects
        ]  # fmt: skip
    return csv_text([*header.split(","), *scores.split(",")], rows)


def prompts_csv(cases: Iterable[CaseResult]) -> str:
    """Return every case and prompt as CSV, one a line; where the reference is empty Dice and NSD are too."""
    header = "case,patient,kind,structure,prompt,present,dice,nsd,reference_ml,predicted_ml,presence"
    rows = (
        [
            case.case, case.patient, row.kind, row.subject, row.prompt, int(row.present), row.dice, row.nsd,
            row.reference_ml, row.predicted_ml, row.presence,
        ]
        for case in cases
        for row in case.rows
    )  # fmt: skip
    return csv_text(header.split(","), rows)


def _cells(estimate: BootstrapEstimate) -> tuple[float | None, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high


def _yes_or_no(trained: bool | None) -> str:
    return "" if trained is None else "yes" if trained else "no"
