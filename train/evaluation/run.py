"""The command `ovct evaluate`: one checkpoint, or two side by side."""

from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from curation.runtime.progress import Progress

from .compare import Comparison, FinishedEvaluation, compare, is_evaluation, read_evaluation
from .comparison_report import claim_comparison, print_comparison, write_comparison
from .evaluate import EvaluationJob, evaluate
from .record import EvaluationError
from .results import EvaluationSummary
from .tables import print_summary


@dataclass(frozen=True)
class EvaluationRequest:
    """The evaluation of one checkpoint, or with `compare` of two in place of it.

    Each of `compare` is a checkpoint, or the folder of a finished evaluation.
    """

    job: EvaluationJob
    compare: tuple[Path, Path] | None = None


def run_request(request: EvaluationRequest, progress: Progress) -> EvaluationSummary | Comparison:
    """Evaluate or compare, and write the results. Returns the content of `summary.json`, or of `comparison.json`.

    Raises:
        EvaluationError, DataError, CheckpointError, SegmentError: what was asked cannot be evaluated or compared.
        RunError: not one case could be.
    """
    if request.compare is not None and request.job.checkpoint is not None:
        raise EvaluationError("--compare A B names both checkpoints; --checkpoint is for one alone")
    # Checked before anything is read or written, also where finished evaluations are compared.
    request.job.segment_options()
    if request.compare is None:
        return evaluate(request.job, progress)
    comparison = compare(*_evaluations(request.compare, request.job, progress))
    write_comparison(request.job.out, comparison)
    return comparison


def print_results(results: EvaluationSummary | Comparison, out: Path, console: Console) -> None:
    """Print the tables of an evaluation or a comparison, and that its files are in `out`."""
    if isinstance(results, EvaluationSummary):
        print_summary(results, console)
        files = "report.html, summary.json, summary.csv, prompts.csv"
        left_out = f"; {len(results.left_out):,} cases were left out" if results.left_out else ""
    else:
        print_comparison(results, console)
        files, left_out = "comparison.html, comparison.json, comparison.csv", ""
    console.print(f"In {out}: {files}{left_out}", markup=False, highlight=False, soft_wrap=True)


def _evaluations(
    paths: tuple[Path, Path], job: EvaluationJob, progress: Progress
) -> tuple[FinishedEvaluation, FinishedEvaluation]:
    if is_evaluation(job.out):
        raise EvaluationError(f"{job.out} holds an evaluation; name another folder for the comparison with --out")
    names = [path.resolve().name for path in paths]
    if names[0] == names[1]:
        names = [f"{path.resolve().parent.name}-{name}" for path, name in zip(paths, names, strict=True)]
    if names[0] == names[1]:
        names = [f"{name}-{number}" for number, name in enumerate(names, 1)]
    claim_comparison(job.out, *(name for path, name in zip(paths, names, strict=True) if not is_evaluation(path)))
    first, second = (_evaluation(path, name, job, progress) for path, name in zip(paths, names, strict=True))
    return first, second


def _evaluation(path: Path, name: str, job: EvaluationJob, progress: Progress) -> FinishedEvaluation:
    """Return the evaluation in `path`, or that of the checkpoint there, made in a folder of its own."""
    if is_evaluation(path):
        return read_evaluation(path, name)
    if job.dataset is None:
        raise EvaluationError(f"{path} is no finished evaluation; to evaluate a checkpoint, name the DATASET too")
    evaluate(replace(job, checkpoint=path, out=job.out / name), progress)
    return read_evaluation(job.out / name, name)
