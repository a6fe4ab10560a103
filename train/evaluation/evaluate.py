"""`ovct evaluate`: Dice and NSD of a checkpoint on a labelled data set, case by case, and the report of it.

A finished case is stored at once, so that a run that was stopped goes on where it was. A case that cannot be read is
named and left out; it is tried again when the command is.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from curation.runtime.errors import RunError
from curation.runtime.files import named_in_errors
from curation.runtime.progress import Progress
from train.config.options import LabelledBy
from train.data.cases import Case, DataError, DataSet
from train.data.dataset import open_dataset, read_case, read_labels
from train.data.labelling.label_counts import LabelCount, StructureCount, has_mask, report_structures
from train.data.labelling.labelled import labelled_fingerprint, labelled_names
from train.data.structure_prompts import StructurePrompts
from train.inference.options import SegmentOptions
from train.scans.errors import ScanError
from train.scans.scan import Scan

from .case import Predictor, References, measure
from .case_selection import SelectedCases, select_cases
from .model import CheckpointPredictor
from .previews import Previews
from .questions import QuestionSet, build_questions
from .record import (
    CASES_FILE,
    CaseResult,
    EvaluationError,
    EvaluationHeader,
    EvaluationSettings,
    append_case,
    lock_folder,
    made_files,
    prepare_folder,
)
from .report import write_results
from .results import EvaluationSummary, SkippedCase
from .summary import summarise


@dataclass(frozen=True)
class EvaluationJob:
    """What is evaluated, and where the results go. `split` None: see `train.evaluation.case_selection`."""

    dataset: Path | None
    checkpoint: Path | None
    out: Path
    split: str | None = None
    limit: int | None = None
    layout: str | None = None
    labelled: LabelledBy = "auto"
    settings: EvaluationSettings = field(default_factory=EvaluationSettings)
    device: str = SegmentOptions.device
    precision: str = SegmentOptions.precision
    overwrite: bool = False

    def segment_options(self) -> SegmentOptions:
        """Return the options to segment with. Raises SegmentError as `SegmentOptions` does."""
        return self.settings.segment_options(self.device, self.precision)


class MeasuredCases(NamedTuple):
    """The cases that are finished, and those that could not be measured."""

    cases: list[CaseResult]
    left_out: list[SkippedCase]


def evaluate(job: EvaluationJob, progress: Progress) -> EvaluationSummary:
    """Evaluate a checkpoint, and write report, tables and pictures to `job.out`; `progress` counts cases.

    Returns the content of `summary.json`.

    Raises:
        EvaluationError, DataError, CheckpointError, SegmentError: what was asked cannot be evaluated.
        RunError: not one case could be.
    """
    if job.dataset is None or job.checkpoint is None:
        raise EvaluationError("evaluate needs DATASET and --checkpoint DIR, or --compare A B")
    options = job.segment_options()
    dataset = open_dataset(job.dataset, job.layout, labelled=job.labelled)
    predictor = CheckpointPredictor(job.checkpoint, options, progress)
    record = predictor.record
    selected = select_cases(dataset, record.trained_on, job.split, job.limit)
    trained = StructurePrompts.from_training_record(record.trained_on)
    questions = _readable(build_questions(tuple(dataset.structures), trained), predictor, progress)
    header = EvaluationHeader(
        dataset=str(dataset.root.resolve()),
        layout=dataset.layout,
        checkpoint=str(job.checkpoint),
        weights=record.weights,
        text=record.text.fingerprint if record.text else None,
        settings=job.settings,
        known=questions.training_recorded,
        questions=questions.questions,
        labelled_by=dataset.labelled_by,
        labelled=labelled_fingerprint(dataset),
    )
    with lock_folder(job.out):
        finished = prepare_folder(job.out, header, job.overwrite, progress.warning)
        for problem in dataset.problems:
            progress.warning(f"left out: {problem}")
        measured = measure_cases(dataset, selected, header, predictor, finished, job.out, progress)
        if not measured.cases:
            raise RunError(f"none of {len(selected.cases):,} cases could be evaluated: {measured.left_out[0].what}")
        unreadable = [SkippedCase(case=problem.case_id, what=str(problem)) for problem in dataset.problems]
        left_out = [*unreadable, *measured.left_out]
        report_structures(progress, [_count_structures(dataset, measured.cases)])
        summary = summarise(header, measured.cases, selected.split, selected.seen, left_out)
        write_results(job.out, summary, measured.cases)
    return summary


def measure_cases(
    dataset: DataSet,
    selected: SelectedCases,
    header: EvaluationHeader,
    predict: Predictor,
    finished: Sequence[CaseResult],
    folder: Path,
    progress: Progress,
) -> MeasuredCases:
    """Measure the selected cases that are not among the `finished`, and add each to the file in `folder`."""
    results = {result.case: result for result in finished}
    remaining = [case for case in selected.cases if case.id not in results]
    previews = Previews(made_files(folder), finished)
    left_out = []
    progress.start(len(selected.cases), len(selected.cases) - len(remaining))
    with (folder / CASES_FILE).open("a", encoding="utf-8") as file:
        for case in remaining:
            progress.raise_if_interrupted()
            try:
                results[case.id] = _measure_case(dataset, case, header, predict, previews)
                with named_in_errors(folder / CASES_FILE):
                    append_case(file, results[case.id])
            except (ScanError, DataError, OSError, torch.OutOfMemoryError) as error:
                if _is_of_output(error, folder):  # a full disk is no fault of the case
                    raise
                left_out.append(SkippedCase(case=case.id, what=str(error)))
                progress.warning(f"left out: {case.id}: {error}")
            progress.advance()
    return MeasuredCases([results[case.id] for case in selected.cases if case.id in results], left_out)


def _is_of_output(error: Exception, folder: Path) -> bool:
    """Whether a file below the output folder could not be written."""
    name = error.filename if isinstance(error, OSError) else None
    return isinstance(name, (str, Path)) and Path(name).is_relative_to(folder)


def _measure_case(
    dataset: DataSet, case: Case, header: EvaluationHeader, predict: Predictor, previews: Previews
) -> CaseResult:
    started = time.monotonic()
    scan = read_case(case)
    labels = read_labels(case, dataset, scan)
    references = References(labels, scan.spacing_mm, dataset.structures, dataset.ignored)
    ids = frozenset(np.flatnonzero(np.bincount(labels.ravel())).tolist()) if case.labelled_if_present else None
    labelled = labelled_names(case, dataset.structures, ids)
    questions = [question for question in header.questions if labelled.issuperset(question.members) and labelled]
    previews.start(case.id)
    tolerance_mm = header.settings.nsd_tolerance_mm
    rows = measure(scan, references, questions, predict, tolerance_mm, previews.observe) if questions else []
    with named_in_errors(previews.folder):
        previews.draw(scan)
    return CaseResult(
        case=case.id,
        patient=case.patient,
        shape=_shape(scan),
        spacing_mm=scan.spacing_mm,
        seconds=round(time.monotonic() - started, 2),
        rows=tuple(rows),
        warnings=scan.warnings,
    )


def _count_structures(dataset: DataSet, cases: Sequence[CaseResult]) -> LabelCount:
    """Count in how many measured cases each structure was looked for and is, by the questions for it by name."""
    by_id, ids = {case.id: case for case in dataset.cases}, dataset.structures
    rows = [(by_id[case.case], row.subject, row.present) for case in cases for row in case.rows if row.kind == "name"]
    labelled = Counter(name for _, name, _ in rows)
    present = Counter(name for _, name, is_present in rows if is_present)
    assumed = Counter(name for case, name, is_present in rows if not is_present and not has_mask(case, ids[name]))
    counts = tuple(StructureCount(name, labelled[name], present[name], assumed[name]) for name in ids)
    return LabelCount(dataset.root, dataset.labelled_by, counts, len(cases), len(cases), "evaluated cases")


def _shape(scan: Scan) -> tuple[int, int, int]:
    x, y, z = scan.voxels.shape
    return x, y, z


def _readable(questions: QuestionSet, predictor: CheckpointPredictor, progress: Progress) -> QuestionSet:
    """Return the questions that the text encoder can read to their end. Raises EvaluationError if there are none."""
    too_long = predictor.too_long(questions.prompts)
    for prompt in sorted(too_long):
        progress.warning(f"not asked: {prompt!r} has more tokens than this checkpoint's text encoder reads")
    readable = tuple(question for question in questions.questions if question.prompt not in too_long)
    if not readable:
        raise EvaluationError("every prompt is longer than this checkpoint's text encoder reads")
    return questions._replace(questions=readable)
