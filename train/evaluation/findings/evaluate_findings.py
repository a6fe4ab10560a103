"""`ovct evaluate --findings`: zero-shot findings of a checkpoint of stage 2, scored by labels.

A volume goes through the image encoder once; its vector is kept in OUT/vectors, so that a run that was stopped goes on
where it was, or in the cache of the alignment, which has the same vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import JsonValue
from torch import Tensor

from curation.runtime.errors import InputError, RunError
from curation.runtime.locks import LockedError, locked
from curation.runtime.made_files import MadeFiles
from curation.runtime.progress import Progress
from models.aligner import Aligner
from models.checkpoint import load_checkpoint
from train.alignment.pooled_volumes import POOLED, PooledVolumes, pool_volume, read_volume
from train.config.options import Alignment
from train.data.cases import Case
from train.data.dataset import open_dataset
from train.inference.options import SegmentOptions
from train.loop.precision import dtype_for

from ..bootstrap import Bootstrap
from ..case_selection import select_volumes
from ..record import LOCK_FILE, EvaluationError
from .auc import areas
from .finding_prompts import load_finding_prompts
from .labels import read_labels_file
from .results import RESULTS_FILE, SCORES_FILE, TABLE_FILE, Area, FindingResult, FindingSummary, write_findings
from .zero_shot import score_findings

KIND = "evaluation of findings"
VECTORS = "vectors"


@dataclass(frozen=True)
class FindingsJob:
    """What is scored by which labels, and where the results go.

    `prompts` is a site's own file of findings, `cache` the cache of an alignment.
    """

    dataset: Path
    checkpoint: Path
    labels: Path
    out: Path
    options: SegmentOptions
    prompts: Path | None = None
    cache: Path | None = None
    split: str | None = None
    limit: int | None = None
    layout: str | None = None
    overwrite: bool = False


def evaluate_findings(job: FindingsJob, progress: Progress) -> FindingSummary:
    """Score the findings of a file of labels and write the results to `job.out`.

    Raises:
        EvaluationError, DataError, CheckpointError, SegmentError: what was asked cannot be scored.
        RunError: not one volume could be read.
    """
    prompts = load_finding_prompts(job.prompts)
    labels = read_labels_file(job.labels, prompts)
    dataset = open_dataset(job.dataset, job.layout)
    device = job.options.torch_device()
    model, record = load_checkpoint(job.checkpoint, device)
    if not isinstance(model, Aligner):
        raise EvaluationError(
            f"{job.checkpoint} is a {record.kind}: findings are scored by a checkpoint of `ovct train align`"
        )
    selected = select_volumes(dataset, record.trained_on, job.split, job.limit)
    labels.of_all(selected.cases)
    with _claimed(job) as made:
        folder = job.cache / POOLED if job.cache else job.out / VECTORS
        store = PooledVolumes(folder, model, record.preprocessing, _window(record.trained_on))
        with made.noting(VECTORS):
            vectors, left_out = _vectors(selected.cases, store, job.options, progress)
        cases = [case for case in selected.cases if case.id in vectors]
        if not cases:
            raise RunError(f"none of {len(selected.cases):,} volumes could be read: {left_out[0]}")
        chosen = {name: prompts[name] for name in labels.findings}
        scores = score_findings(model, torch.stack([vectors[case.id] for case in cases]).to(device), chosen)
        truth = np.array(labels.of_all(cases))
        bootstrap = Bootstrap([case.patient for case in cases])
        measured = areas(scores.probabilities, truth, bootstrap)
        summary = FindingSummary(
            dataset=str(dataset.root),
            checkpoint=str(job.checkpoint),
            weights=record.weights,
            labels=str(job.labels),
            split=selected.split,
            mgcl=model.mgcl,
            cases=len(cases),
            patients=bootstrap.patients,
            seen=sum(case.id in selected.seen for case in cases),
            left_out=tuple(left_out),
            findings=tuple(
                FindingResult(
                    finding=name,
                    organ=finding.organ,
                    present_prompt=finding.present,
                    absent_prompt=finding.absent,
                    read_from=classes,
                    positive=int(truth[:, column].sum()),
                    negative=int((~truth[:, column]).sum()),
                    auc=Area.of(measured.findings[column]),
                )
                for column, ((name, finding), classes) in enumerate(zip(chosen.items(), scores.classes, strict=True))
            ),
            mean_auc=Area.of(measured.mean),
        )
        write_findings(job.out, summary, [case.id for case in cases], scores.probabilities)
    return summary


@contextmanager
def _claimed(job: FindingsJob) -> Iterator[MadeFiles]:
    """Hold the lock of OUT; give the list of what is made there.

    Raises EvaluationError where OUT holds something else or finished results, and where another run holds the lock.
    """
    try:
        MadeFiles(job.out, KIND)
        job.out.mkdir(parents=True, exist_ok=True)
        with locked(job.out / LOCK_FILE):
            made = MadeFiles(job.out, KIND)
            if (job.out / RESULTS_FILE).exists() and not job.overwrite:
                raise EvaluationError(
                    f"{job.out} holds finished results; --overwrite replaces them, or name another folder with --out"
                )
            made.claim(RESULTS_FILE, TABLE_FILE, SCORES_FILE, VECTORS)
            made.remove([RESULTS_FILE, TABLE_FILE, SCORES_FILE])
            yield made
    except InputError as error:
        raise EvaluationError(str(error)) from None
    except (FileExistsError, NotADirectoryError) as error:
        raise EvaluationError(f"{job.out}: a file is in the way; name a folder with --out") from error
    except LockedError as error:
        raise EvaluationError(f"{error.holder} is evaluating into {job.out}; wait for it to end") from error


def _window(trainings: Sequence[dict[str, JsonValue]]) -> tuple[int, int, int]:
    """Return the window of the alignment, as the checkpoint records it."""
    for training in reversed(trainings):
        options = training.get("options")
        window = options.get("window") if isinstance(options, dict) else None
        if isinstance(window, list) and len(window) == 3:
            deep, high, wide = (int(str(side)) for side in window)
            return deep, high, wide
    return Alignment().window


@torch.no_grad()
def _vectors(
    cases: Sequence[Case], store: PooledVolumes, options: SegmentOptions, progress: Progress
) -> tuple[dict[str, Tensor], list[str]]:
    """Return the vectors of cases by id, made where they are not kept, and sentences on those that cannot be read."""
    device = options.torch_device()
    dtype = dtype_for(device, options.precision)
    vectors, left_out = dict[str, Tensor](), list[str]()
    progress.start(len(cases), sum(case in store for case in cases))
    for case in cases:
        progress.raise_if_interrupted()
        if case not in store:
            read = read_volume(case, store.preprocessing, store.aligner.reads_hounsfield)
            for warning in read.warnings:
                progress.warning(f"{case.id}: {warning}")
            if read.problem:
                left_out.append(f"{case.id}: {read.problem}")
                progress.warning(f"left out: {case.id}: {read.problem}")
                progress.advance()
                continue
            with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
                store.keep(case, pool_volume(store.aligner, read.volume.to(device), store.window))
            progress.advance()
        vectors[case.id] = store[case]
    return vectors, left_out
