"""The command `ovct evaluate`: one checkpoint, or two side by side."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from rich.console import Console

from curation.runtime.progress import Progress

from .compare import Side, compare, is_evaluation, publish_comparison, read_side, show_comparison
from .evaluate import EvaluationJob, evaluate
from .record import EvaluationError
from .tables import show


@dataclass(frozen=True)
class Request:
    """What was asked for: the evaluation of one checkpoint, or of two in place of it."""

    job: EvaluationJob
    compare: tuple[Path, Path] | None = None


def run(request: Request, progress: Progress, console: Console) -> None:
    """Evaluates or compares, prints the tables, and says where the results are."""
    job = _checked(request)
    if request.compare is None:
        summary = evaluate(job, progress)
        show(summary, console)
        said = f"In {job.out}: report.html, summary.json, summary.csv, prompts.csv"
        if summary.left_out:
            said += f"; {len(summary.left_out):,} cases were left out"
    else:
        first, second = _sides(request, job, progress)
        comparison = compare(first, second)
        publish_comparison(job.out, comparison)
        show_comparison(comparison, console)
        said = f"In {job.out}: comparison.html, comparison.json, comparison.csv"
    console.print(said, markup=False, highlight=False, soft_wrap=True)


def _checked(request: Request) -> EvaluationJob:
    if request.compare is not None and request.job.checkpoint is not None:
        raise EvaluationError("--compare A B names both checkpoints; --checkpoint is for one alone")
    if request.job.device is not None:
        try:
            torch.empty(0, device=request.job.device)
        except (RuntimeError, AssertionError) as error:
            raise EvaluationError(f"--device {request.job.device} cannot be used: {error}") from error
    return request.job


def _sides(request: Request, job: EvaluationJob, progress: Progress) -> tuple[Side, Side]:
    assert request.compare is not None
    if is_evaluation(job.out):
        raise EvaluationError(f"{job.out} holds an evaluation; name another folder for the comparison with --out")
    names = [path.resolve().name for path in request.compare]
    if names[0] == names[1]:
        names = [f"{path.resolve().parent.name}-{name}" for path, name in zip(request.compare, names, strict=True)]
    if names[0] == names[1]:
        names = [f"{name}-{number}" for number, name in enumerate(names, 1)]
    first, second = (
        _side(request, job, path, name, progress) for path, name in zip(request.compare, names, strict=True)
    )
    return first, second


def _side(request: Request, job: EvaluationJob, path: Path, name: str, progress: Progress) -> Side:
    """An evaluation that is there, or that of a checkpoint, made in a folder of its own."""
    if is_evaluation(path):
        return read_side(path, name)
    if request.job.dataset is None:
        raise EvaluationError(f"{path} is no finished evaluation; to evaluate a checkpoint, name the DATASET too")
    evaluate(replace(job, checkpoint=path, out=job.out / name), progress)
    return read_side(job.out / name, name)
