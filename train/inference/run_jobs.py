"""Running the jobs of `ovct segment`, and the reports of what came of them, each one JSON object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Self

from pydantic import BaseModel, ConfigDict

from curation.runtime.progress import Progress
from train.scans.scan import read_scan

from .engines.engine import MaskEngine
from .errors import SegmentError
from .jobs import SegmentJob
from .label_table import LabelRow, LabelTable
from .options import SegmentOptions

WAY_OUT = "see to that, and the same command writes it"
NO_FAILURES: Mapping[Path, str] = MappingProxyType({})


class SegmentReport(BaseModel):
    """What one scan came to: a row for each structure (volume in ml, mean HU), the files, and all warnings.

    `failed` says which files could not be written, and why.
    """

    model_config = ConfigDict(frozen=True)

    scan: str
    weights: str
    threshold: float
    presence_threshold: float
    vocabulary: bool
    labels: tuple[LabelRow, ...]
    files: tuple[str, ...]
    warnings: tuple[str, ...]
    failed: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        job: SegmentJob,
        table: LabelTable,
        warnings: Sequence[str] = (),
        failures: Mapping[Path, str] = NO_FAILURES,
    ) -> Self:
        """Return the report of a job whose files are written, but for those that failed, with the reason.

        `warnings` are those beside the table's.
        """
        return cls(
            scan=table.scan,
            weights=table.weights,
            threshold=table.threshold,
            presence_threshold=table.presence_threshold,
            vocabulary=table.vocabulary,
            labels=table.labels,
            files=tuple(str(path) for path in job.outputs.files(job.prompts) if path not in failures),
            warnings=(*table.warnings, *warnings),
            failed=tuple(f"{path}: {reason}" for path, reason in failures.items()),
        )


class JobFailure(BaseModel):
    """A job that failed, with its scan and the error; `source` says where in the file of jobs it stands."""

    model_config = ConfigDict(frozen=True)

    scan: str
    source: str
    error: str


class JobsReport(BaseModel):
    """What many jobs came to: scans that were segmented, those that earlier runs had segmented, and failures.

    A scan of which a file could not be written is among the first and the last.
    """

    model_config = ConfigDict(frozen=True)

    segmented: tuple[SegmentReport, ...]
    skipped: tuple[SegmentReport, ...]
    failed: tuple[JobFailure, ...]

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many jobs were done, had been done before, and failed."""
        return len(self.segmented), len(self.skipped), len(self.failed)


def run_job(job: SegmentJob, engine: MaskEngine, options: SegmentOptions, progress: Progress) -> SegmentReport:
    """Segment one scan and write its files; `progress` counts windows and gets the warnings.

    Files that cannot be written are in the report. Raises what `segment` does, and SegmentError if that shows before.
    """
    check_job(job, engine, options)
    job.outputs.prepare(job.scan, job.prompts)
    scan = read_scan(job.scan, uneven_slices=options.uneven_slices)
    for warning in scan.warnings:
        progress.warning(warning)
    notices = job.outputs.check_scan(scan, job.prompts)
    for notice in notices:
        progress.warning(notice)
    result = engine.segment(scan, job.prompts, options, progress=progress)
    for warning in result.record.warnings[len(scan.warnings) :]:
        progress.warning(warning)
    warnings, failures = job.outputs.write(result)
    warnings = [warning for warning in warnings if warning not in notices]
    for warning in (*warnings, *(f"{path}: {reason}; {WAY_OUT}" for path, reason in failures.items())):
        progress.warning(warning)
    return SegmentReport.of(job, result.record, [*notices, *warnings], failures)


def run_jobs(jobs: Sequence[SegmentJob], engine: MaskEngine, options: SegmentOptions, progress: Progress) -> JobsReport:
    """Run all jobs in turn; `progress` counts them and gets the errors.

    After an error the next job goes on. A job whose outputs are all there is not done again, if they were made with the
    same prompts, options and weights; else it fails. Raises SegmentError before the first job for prompts and options
    that no scan can be segmented with.
    """
    for job in {job.prompts: job for job in reversed(jobs)}.values():
        check_job(job, engine, options)
    segmented: list[SegmentReport] = []
    skipped: list[SegmentReport] = []
    failed: list[JobFailure] = []
    told: set[str] = set()
    progress.start(len(jobs), 0)
    for job in jobs:
        progress.raise_if_interrupted()
        try:
            if job.problem:
                raise SegmentError(job.problem)
            earlier = None if job.outputs.overwrite else job.outputs.finished(job.prompts)
            if earlier is None:
                report = run_job(job, engine, options, _ScanProgress(progress, job.scan.name, told))
                segmented.append(report)
                if report.failed:
                    failed.append(JobFailure(scan=str(job.scan), source=job.source, error="; ".join(report.failed)))
            else:
                _check_same_run(earlier, job, engine, options)
                skipped.append(SegmentReport.of(job, earlier))
        except (ValueError, OSError, RuntimeError, MemoryError) as error:
            failed.append(JobFailure(scan=str(job.scan), source=job.source, error=str(error)))
            progress.warning(f"{job.source or 'failed'}: {job.scan}: {error}")
        progress.advance()
    return JobsReport(segmented=tuple(segmented), skipped=tuple(skipped), failed=tuple(failed))


def check_job(job: SegmentJob, engine: MaskEngine, options: SegmentOptions) -> None:
    """Raise SegmentError, which says where the job stands, for prompts and options that an engine cannot take."""
    try:
        if job.outputs.probabilities and not engine.has_probabilities:
            raise SegmentError(f"--probabilities: masks of {engine.weights} come without them")
        engine.check(job.prompts, options)
    except SegmentError as error:
        if not job.source:
            raise
        raise SegmentError(f"{job.source}: {error}") from error


def _check_same_run(earlier: LabelTable, job: SegmentJob, engine: MaskEngine, options: SegmentOptions) -> None:
    """Raise SegmentError if earlier outputs were made with other prompts, options or weights."""
    same = (
        [(row.name, row.prompt) for row in earlier.labels] == [(prompt.name, prompt.text) for prompt in job.prompts]
        and earlier.weights == engine.weights
        and (earlier.threshold, earlier.presence_threshold) == (options.threshold, options.presence_threshold)
        and (earlier.vocabulary, earlier.min_volume_ml) == (options.vocabulary, options.min_volume_ml)
        and earlier.upright == job.outputs.upright
    )
    if not same:
        raise SegmentError(
            f"{job.outputs.table} was made with other prompts, thresholds or weights: name another out, or say "
            "--overwrite"
        )


class _ScanProgress(Progress):
    """Shows the windows of one of several scans behind the count of scans; tells once what holds for all of them."""

    def __init__(self, progress: Progress, name: str, told: set[str]) -> None:
        self._progress, self._name, self._told, self._total, self._done = progress, name, told, 0, 0

    def start(self, total: int | None, done: int) -> None:
        self._total, self._done = total or 0, done

    def advance(self) -> None:
        self._done += 1
        self._progress.set_status(f"{self._name}: window {self._done} of {self._total}")

    def message(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._progress.message(text)

    def warning(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._progress.warning(text)

    def raise_if_interrupted(self) -> None:
        self._progress.raise_if_interrupted()
