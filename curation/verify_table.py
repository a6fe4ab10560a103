"""Captions from anywhere held against their reports: the table behind ``ovct verify``."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from curation.caption_set.schemas import parquet_schema
from curation.caption_set.shards import open_parquet, table_of
from curation.extraction.recipe import Checker
from curation.readers.captions import Batch, Claim, ReportIndex, Text, batches_of, caption_files, read_claims
from curation.readers.reports import read_reports
from curation.readers.rows import Problems
from curation.runtime.errors import InputError
from curation.runtime.files import whole_file
from curation.runtime.processes import available_cores, result_of, workers
from curation.runtime.progress import Progress

from .caption import Reason
from .report import Report, Section, Skipped

GROUP_ROWS = 10_000
READ_REPORTS = 256
INLINE_BATCHES = 2  # up to so many, starting worker processes takes longer than the work


@dataclass(frozen=True, slots=True)
class VerifyJob:
    """One call of ``ovct verify``."""

    reports: Path
    captions: Path
    out: Path
    id_column: str | None = None
    text_columns: tuple[str, ...] = ()
    workers: int = field(default_factory=available_cores)


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """Rows written, and the problems met in both inputs."""

    accepted: int
    refused: Counter[str]
    problems: tuple[Skipped, ...]
    problem_count: int


class VerifiedRow(NamedTuple):
    """A row of the output, in its columns' order."""

    report_id: str
    organ: str
    caption: str
    accepted: bool
    reason: str | None
    detail: str | None
    evidence: str | None
    evidence_start: int | None
    evidence_end: int | None
    score: float


class Judge:
    """A verifier at work on batches of claims."""

    def __init__(self, checker: Callable[[], Checker]) -> None:
        self._checker = checker()
        self._read: dict[str, Any] = {}

    def __call__(self, batch: Batch) -> list[VerifiedRow]:
        """Verify the claims of a batch, in order."""
        return [self._verified(claim, batch.texts) for claim in batch.claims]

    def _verified(self, claim: Claim, texts: dict[str, Text]) -> VerifiedRow:
        named = (claim.report_id, claim.organ, claim.caption)
        if claim.problem is not None:
            return VerifiedRow(*named, False, Reason.SCHEMA, claim.problem, None, None, None, 0.0)
        text, sections = texts[claim.report_id]
        try:
            verdict = self._checker.verify(self._report(claim.report_id, text, sections), claim.organ, claim.caption)
        except Exception as error:  # one caption that the verifier cannot take must not lose the others
            detail = f"{type(error).__name__}: {error}"
            return VerifiedRow(*named, False, Reason.ENGINE_ERROR, detail, None, None, None, 0.0)
        reason = None if verdict.accepted else verdict.reason
        start, end = (verdict.start, verdict.end) if verdict.start >= 0 else (None, None)
        evidence = None if start is None else text[start:end]
        return VerifiedRow(*named, verdict.accepted, reason, verdict.detail, evidence, start, end, verdict.score)

    def _report(self, report_id: str, text: str, sections: tuple[Section, ...]) -> Any:
        if report_id not in self._read:
            if len(self._read) >= READ_REPORTS:
                del self._read[next(iter(self._read))]
            self._read[report_id] = self._checker.read(text, sections)
        return self._read[report_id]


def _verified(
    job: VerifyJob, checker: Callable[[], Checker], batched: Iterator[Batch], progress: Progress
) -> Generator[VerifiedRow, None, None]:
    head = list(itertools.islice(batched, INLINE_BATCHES + 1))
    count = 0 if len(head) <= INLINE_BATCHES else job.workers
    window: deque[Future[list[VerifiedRow]]] = deque()
    with workers(partial(Judge, checker), count) as pool:
        for batch in itertools.chain(head, batched):
            progress.raise_if_interrupted()
            window.append(pool.submit(batch))
            if len(window) > 4 * count:
                yield from result_of(window.popleft(), progress.raise_if_interrupted)
        while window:
            yield from result_of(window.popleft(), progress.raise_if_interrupted)


def _write(rows: Iterator[VerifiedRow], path: Path, progress: Progress) -> tuple[int, Counter[str]]:
    """Write rows as Parquet; counts of the accepted ones, and of the others by reason."""
    schema = parquet_schema("verified")
    accepted, refused = 0, Counter[str]()
    with whole_file(path) as temporary, open_parquet(temporary, schema) as file:
        while group := list(itertools.islice(rows, GROUP_ROWS)):
            file.write_table(table_of(zip(*group, strict=True), schema))
            for row in group:
                progress.advance()
                accepted += row.accepted
                if row.reason is not None:
                    refused[str(row.reason)] += 1
    return accepted, refused


def _check_out(job: VerifyJob) -> None:
    if job.out.suffix.lower() != ".parquet":
        raise InputError(f"{job.out}: the output is Parquet; give it a name that ends in .parquet")
    if job.out.is_dir():
        raise InputError(f"{job.out} is a folder; name a file")
    if not job.out.absolute().parent.is_dir():
        raise InputError(f"{job.out.parent}: no such folder")
    for source in (job.reports, *caption_files(job.captions)):
        if job.out.exists() and source.exists() and job.out.samefile(source):
            raise InputError(f"{job.out} is an input too; name another file with --out")


def verify_table(job: VerifyJob, checker: Callable[[], Checker], progress: Progress | None = None) -> VerifyResult:
    """Verify a table of captions, row by row in its order. Memory does not grow with either input.

    Raises ``InputError`` for what the caller can put right, ``RunError`` and ``OSError`` when the run cannot go on; the
    output file appears only when it is whole.
    """
    progress = progress or Progress()
    _check_out(job)
    with ExitStack() as stack:
        problems = stack.enter_context(closing(Problems()))
        index = stack.enter_context(closing(ReportIndex()))
        reports = read_reports(job.reports, id_column=job.id_column, text_columns=job.text_columns, on_skip=problems)
        if not index.fill(_checked(reports, progress)):
            raise InputError(f"{job.reports}: no report could be read")
        progress.start(None, 0)
        claims = read_claims(job.captions, problems)
        batched = batches_of(claims, index, job.reports.name)
        rows = stack.enter_context(closing(_verified(job, checker, batched, progress)))
        accepted, refused = _write(rows, job.out, progress)
        return VerifyResult(accepted, refused, tuple(problems.first), problems.skipped + problems.warnings)


def _checked(reports: Iterable[Report], progress: Progress) -> Iterator[Report]:
    for report in reports:
        progress.raise_if_interrupted()
        yield report
