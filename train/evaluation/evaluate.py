"""`ovct evaluate`: Dice and NSD of a checkpoint on a labelled data set, case by case, and the report of it.

A finished case is kept at once, so that a run that was stopped goes on where it was. A case that cannot be read is
named and left out; it is tried again when the command is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, get_args

import torch
from pydantic import JsonValue

from curation.runtime.errors import RunError
from curation.runtime.progress import Progress
from models.inference import Precision
from train.data.cases import SPLITS, Case, DataError, DataSet, Split, split_cases
from train.data.dataset import open_dataset, read_case, read_labels
from train.data.structure_prompts import StructurePrompts
from train.scans.formats import ScanError
from train.scans.scan import Scan

from .case import Predictor, References, measure
from .model import Model
from .previews import Previews
from .questions import Questions, questions
from .record import CASES_FILE, PREVIEWS, CaseResult, EvaluationError, Header, Settings, append, locked, prepare_folder
from .report import publish
from .results import LeftOut, Summary
from .summary import summarise


@dataclass(frozen=True)
class EvaluationJob:
    """What is evaluated, and where the results go. `split` None: see `train.evaluation.evaluate.choose`."""

    dataset: Path | None
    checkpoint: Path | None
    out: Path
    split: str | None = None
    limit: int | None = None
    layout: str | None = None
    settings: Settings = field(default_factory=Settings)
    device: str | None = None
    precision: str = "auto"
    overwrite: bool = False


class Measured(NamedTuple):
    """The cases that are finished, those that could not be, and how many earlier runs had done."""

    cases: list[CaseResult]
    left_out: list[LeftOut]
    earlier: int


def evaluate(job: EvaluationJob, progress: Progress) -> Summary:
    """Evaluates a checkpoint, and writes report, tables and pictures to `job.out`.

    Raises:
        EvaluationError, DataError, CheckpointError, SegmentError: what was asked cannot be evaluated.
        RunError: not one case could be.
    """
    if job.dataset is None or job.checkpoint is None:
        raise EvaluationError("evaluate needs DATASET and --checkpoint DIR, or --compare A B")
    dataset = open_dataset(job.dataset, job.layout)
    model = Model(job.checkpoint, job.settings, progress, device=job.device, precision=_precision(job.precision))
    record = model.record
    chosen = choose(dataset, record.trained_on, job.split, job.limit)
    asked = questions(tuple(dataset.structures), StructurePrompts.from_training_record(record.trained_on))
    asked = _readable(asked, model, progress)
    header = Header(
        dataset=str(dataset.root.resolve()),
        layout=dataset.layout,
        checkpoint=str(job.checkpoint),
        weights=record.weights,
        text=record.text.fingerprint if record.text else None,
        settings=job.settings,
        known=asked.known,
        questions=asked.asked,
    )
    with locked(job.out):
        done = prepare_folder(job.out, header, job.overwrite)
        for problem in dataset.problems:
            progress.message(f"left out: {problem}")
        measured = measure_cases(dataset, chosen, header, model, done, job.out, progress)
        if not measured.cases:
            raise RunError(f"none of {len(chosen.cases):,} cases could be evaluated: {measured.left_out[0].what}")
        left_out = [*(LeftOut(case=problem.case_id, what=str(problem)) for problem in dataset.problems), *measured.left_out]
        summary = summarise(header, measured.cases, chosen.split, chosen.seen, left_out)
        publish(job.out, summary, measured.cases)
    return summary


def measure_cases(
    dataset: DataSet,
    chosen: Chosen,
    header: Header,
    predict: Predictor,
    done: Sequence[CaseResult],
    folder: Path,
    progress: Progress,
) -> Measured:
    """Measures the chosen cases that are not among the `done`, and adds each to the file in `folder`."""
    known = {result.case: result for result in done}
    todo = [case for case in chosen.cases if case.id not in known]
    previews = Previews(folder / PREVIEWS, done)
    left_out = []
    progress.start(len(chosen.cases), len(chosen.cases) - len(todo))
    with (folder / CASES_FILE).open("a", encoding="utf-8") as file:
        for case in todo:
            progress.raise_if_interrupted()
            try:
                known[case.id] = _measure_case(dataset, case, header, predict, previews)
                append(file, known[case.id])
            except (ScanError, DataError, OSError, torch.OutOfMemoryError) as error:
                left_out.append(LeftOut(case=case.id, what=str(error)))
                progress.message(f"left out: {case.id}: {error}")
            progress.advance()
    finished = [known[case.id] for case in chosen.cases if case.id in known]
    return Measured(finished, left_out, len(chosen.cases) - len(todo))


def _measure_case(dataset: DataSet, case: Case, header: Header, predict: Predictor, previews: Previews) -> CaseResult:
    started = time.monotonic()
    scan = read_case(case)
    labels = read_labels(case, dataset, scan)
    references = References(labels, scan.spacing_mm, dataset.structures, dataset.ignored)
    labelled = set(dataset.structures if case.labelled is None else case.labelled)
    asked = [question for question in header.questions if labelled.issuperset(question.members)]
    previews.start(case.id)
    rows = measure(scan, references, asked, predict, header.settings.nsd_tolerance_mm, previews.look)
    previews.draw(scan)
    return CaseResult(
        case=case.id,
        patient=case.patient,
        shape=_three(scan),
        spacing_mm=scan.spacing_mm,
        seconds=round(time.monotonic() - started, 2),
        rows=tuple(rows),
        warnings=scan.warnings,
    )


def _three(scan: Scan) -> tuple[int, int, int]:
    x, y, z = scan.voxels.shape
    return x, y, z


def _precision(name: str) -> Precision:
    known: tuple[Precision, ...] = get_args(Precision)
    for one in known:
        if one == name:
            return one
    raise EvaluationError(f"--precision {name}: there are {', '.join(known)}")


def _readable(asked: Questions, model: Model, progress: Progress) -> Questions:
    """The questions that the text encoder can read to their end."""
    too_long = model.too_long(asked.prompts)
    for prompt in sorted(too_long):
        progress.message(f"not asked: {prompt!r} has more tokens than this checkpoint's text encoder reads")
    kept = tuple(question for question in asked.asked if question.prompt not in too_long)
    if not kept:
        raise EvaluationError("every prompt is longer than this checkpoint's text encoder reads")
    return asked._replace(asked=kept)


Trainings = Sequence[Mapping[str, JsonValue]]
WHOLE = "all"


class Chosen(NamedTuple):
    """Labelled cases, the name of their split, and the ids of those that training has seen."""

    cases: tuple[Case, ...]
    split: str
    seen: frozenset[str]


def choose(dataset: DataSet, trainings: Trainings, split: str | None = None, limit: int | None = None) -> Chosen:
    """The cases of a split: `test`, `val`, `train` or `all`.

    None takes the data set's own test cases; without any, those held out of a training on this data set, or all of one
    that no training has seen. A data set without a split of its own is split as in the training.

    Raises:
        EvaluationError: there is no such split, or nothing labelled in it.
    """
    if split not in (*SPLITS, WHOLE, None):
        raise EvaluationError(f"--split {split}: there are {', '.join(SPLITS)} and {WHOLE}")
    if not dataset.structures:
        raise EvaluationError(f"{dataset.root} has no labels to hold masks against (layout {dataset.layout})")
    training = _training_on(dataset.root, trainings)
    parts = _split(dataset, training)
    name = split or ("test" if parts["test"] else "val" if training is not None else WHOLE)
    found = [case for case in _cases(dataset, parts, name) if case.labels is not None]
    if not found:
        counts = ", ".join(f"{part} {len(cases):,}" for part, cases in parts.items())
        raise EvaluationError(
            f"{dataset.root} has no labelled case in its split {name} ({counts}); --split {WHOLE} takes every case"
        )
    seen = frozenset(case.id for case in parts["train"]) if training is not None else frozenset[str]()
    return Chosen(tuple(found[:limit]), name, seen)


def _cases(dataset: DataSet, parts: Mapping[Split, Sequence[Case]], name: str) -> Sequence[Case]:
    return next((cases for part, cases in parts.items() if part == name), dataset.cases)


def _training_on(root: Path, trainings: Trainings) -> Mapping[str, JsonValue] | None:
    """The last training that this data set was part of."""
    for training in reversed(trainings):
        data = training.get("data")
        for one in data if isinstance(data, list) else []:
            if isinstance(one, Mapping) and Path(str(one.get("data"))).resolve() == root.resolve():
                return training
    return None


def _split(dataset: DataSet, training: Mapping[str, JsonValue] | None) -> dict[Split, list[Case]]:
    """As the training split it, so that what was held out there is held out here."""
    options = training.get("options") if training else None
    known = options if isinstance(options, Mapping) else {}
    validation, seed = known.get("validation", 0.1), known.get("seed", 0)
    return split_cases(dataset, float(str(validation)), seed=int(str(seed)))
