"""Verification of a table of captions, wherever they come from, against their reports: ``ovct verify``."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from curation.caption_set.fingerprint import WatchedInput
from curation.caption_set.resuming import check_named_parts
from curation.caption_set.schemas import parquet_schema
from curation.caption_set.shards import parquet_file, table_of
from curation.extraction.recipe import CaptionVerifier
from curation.language.site_words import OURS, SiteWords
from curation.readers.captions import (
    CaptionClaim,
    ClaimBatch,
    ReportIndex,
    ReportText,
    batches_of,
    caption_files,
    read_claims,
)
from curation.readers.problems import ProblemLog
from curation.readers.reports import read_reports
from curation.readers.site_headings import site_headings
from curation.runtime.errors import InputError, RunError
from curation.runtime.files import whole_file
from curation.runtime.processes import available_cores, ordered_results, workers
from curation.runtime.progress import Progress

from .caption import Reason, Spans
from .report import RowProblem, Section

GROUP_ROWS = 10_000
CACHED_REPORTS = 256
FIRST_REFUSALS = 3  # that a person is shown
INLINE_BATCHES = 2  # up to so many, starting worker processes takes longer than the work


@dataclass(frozen=True, slots=True)
class VerifyJob:
    """The arguments of a verification run."""

    reports: Path
    captions: Path
    out: Path
    id_column: str | None = None
    text_columns: tuple[str, ...] = ()
    workers: int = field(default_factory=available_cores)
    words: SiteWords = OURS  # of a site, beside ours


class VerifiedRow(NamedTuple):
    """A row of the output; its fields are the columns, in their order."""

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
    evidence_spans: Spans | None


class Refusal(BaseModel):
    """A refused caption: why, and the passage of its report that comes nearest (None where none does)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    report_id: str
    organ: str
    caption: str
    reason: str
    detail: str | None
    nearest: str | None

    @classmethod
    def of(cls, row: VerifiedRow) -> Refusal:
        """Return the refusal that a row of the output holds."""
        return cls(
            report_id=row.report_id,
            organ=row.organ,
            caption=row.caption,
            reason=str(row.reason),
            detail=row.detail,
            nearest=row.evidence,
        )


class VerifyFigures(BaseModel):
    """What `ovct verify --json` prints: counts of the captions, and the first that were refused.

    ``problem_rows`` counts rows of both inputs that could not be used as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    captions: int
    accepted: int
    refused: int
    refused_by_reason: dict[str, int]
    first_refusals: list[Refusal]
    problem_rows: int


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """The result of a verification run.

    ``refused`` counts rows by reason; ``first_refusals`` are the first of them. ``problems`` are the first of both
    inputs, and ``problem_count`` is that of all.
    """

    accepted: int
    refused: Counter[str]
    first_refusals: tuple[VerifiedRow, ...]
    problems: tuple[RowProblem, ...]
    problem_count: int

    def figures(self, out: Path) -> VerifyFigures:
        """Return the figures as one record; ``out`` is the file that was written."""
        return VerifyFigures(
            file=str(out),
            captions=self.accepted + self.refused.total(),
            accepted=self.accepted,
            refused=self.refused.total(),
            refused_by_reason=dict(sorted(self.refused.items())),
            first_refusals=[Refusal.of(row) for row in self.first_refusals],
            problem_rows=self.problem_count,
        )


class ClaimVerifier:
    """Verifies batches of claims, in a worker process or in this one."""

    def __init__(self, build_verifier: Callable[[], CaptionVerifier]) -> None:
        self._verifier = build_verifier()
        self._prepared: dict[str, Any] = {}

    def __call__(self, batch: ClaimBatch) -> list[VerifiedRow]:
        """Verify the claims of a batch and return a row for each, in order."""
        return [self._verify(claim, batch.texts) for claim in batch.claims]

    def _verify(self, claim: CaptionClaim, texts: dict[str, ReportText]) -> VerifiedRow:
        columns = (claim.report_id, claim.organ, claim.caption)
        if claim.problem is not None:
            return VerifiedRow(*columns, False, Reason.SCHEMA, claim.problem, None, None, None, 0.0, None)
        text, sections = texts[claim.report_id]
        try:
            report = self._prepare(claim.report_id, text, sections)
            verdict = self._verifier.verify(report, claim.organ, claim.caption)
        except Exception as error:  # one caption that the verifier cannot take must not lose the others
            detail = f"{type(error).__name__}: {error}"
            return VerifiedRow(*columns, False, Reason.ENGINE_ERROR, detail, None, None, None, 0.0, None)
        reason = None if verdict.accepted else verdict.reason
        start, end = (verdict.start, verdict.end) if verdict.start >= 0 else (None, None)
        evidence = None if start is None else text[start:end]
        return VerifiedRow(
            *columns,
            verdict.accepted,
            reason,
            verdict.detail,
            evidence,
            start,
            end,
            verdict.score,
            verdict.spans or None,
        )

    def _prepare(self, report_id: str, text: str, sections: tuple[Section, ...]) -> Any:
        """Prepare a report, or take it from the cache of those that were prepared last."""
        if report_id not in self._prepared:
            if len(self._prepared) >= CACHED_REPORTS:
                del self._prepared[next(iter(self._prepared))]
            self._prepared[report_id] = self._verifier.read(text, sections)
        return self._prepared[report_id]


def _verified_rows(
    batched: Iterator[ClaimBatch], build_verifier: Callable[[], CaptionVerifier], processes: int, progress: Progress
) -> Generator[VerifiedRow, None, None]:
    head = list(itertools.islice(batched, INLINE_BATCHES + 1))
    count = 0 if len(head) <= INLINE_BATCHES else processes
    with workers(partial(ClaimVerifier, build_verifier), count) as pool:
        all_batches = itertools.chain(head, batched)
        for _, rows in ordered_results(all_batches, pool.submit, pool.ahead, progress.raise_if_interrupted):
            yield from rows


def _write(
    rows: Iterator[VerifiedRow], path: Path, progress: Progress, check: Callable[[], None]
) -> tuple[int, Counter[str], tuple[VerifiedRow, ...]]:
    """Write rows as Parquet; return how many were accepted, how many refused, by reason, and the first of these.

    ``check`` is called before the file gets its name, and may raise.
    """
    schema = parquet_schema("verified")
    accepted, refused, first = 0, Counter[str](), list[VerifiedRow]()
    with whole_file(path) as temporary:
        with parquet_file(temporary, schema) as file:
            while group := list(itertools.islice(rows, GROUP_ROWS)):
                file.write_table(table_of(zip(*group, strict=True), schema))
                for row in group:
                    progress.advance()
                    accepted += row.accepted
                    if row.reason is not None:
                        refused[str(row.reason)] += 1
                        if len(first) < FIRST_REFUSALS:
                            first.append(row)
        check()
    return accepted, refused, tuple(first)


def _refuse_changed(watched: Sequence[WatchedInput]) -> None:
    """Raise ``RunError`` where an input is not what it was when the run began: nothing is written then."""
    for source in watched:
        if source.has_changed():
            raise RunError(f"{source.path} changed while it was read; nothing is written. Run the same command again")


def _check_output(job: VerifyJob) -> None:
    if job.out.suffix.lower() != ".parquet":
        raise InputError(f"{job.out}: the output is Parquet; give it a name that ends in .parquet")
    if job.out.is_dir():
        raise InputError(f"{job.out} is a folder; name a file")
    if not job.out.absolute().parent.is_dir():
        raise InputError(f"{job.out.parent}: no such folder")
    for source in (job.reports, *caption_files(job.captions)):
        if job.out.exists() and source.exists() and job.out.samefile(source):
            raise InputError(f"{job.out} is an input too; name another file with --out")
    if job.out.exists() and not _is_verified_table(job.out):
        raise InputError(
            f"{job.out} is there already, and was not written by `ovct verify`: name another file with --out"
        )


def _is_verified_table(path: Path) -> bool:
    """Return whether a file is a table that an earlier run has written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = pq.read_schema(path).names
    except (OSError, pa.ArrowException):
        return False
    # Earlier versions had no column for the passages.
    return set(VerifiedRow._fields) - {"evidence_spans"} <= set(names) <= set(VerifiedRow._fields)


def verify_table(
    job: VerifyJob, build_verifier: Callable[[], CaptionVerifier], progress: Progress | None = None
) -> VerifyResult:
    """Verify a table of captions and write a row for each, in its order. Memory does not grow with either input.

    Raises ``InputError`` for what the caller can put right, ``SetError`` for a part of a caption set that was changed
    since it was written, ``RunError`` and ``OSError`` when the run cannot go on; the output file appears only when it
    is whole.
    """
    progress = progress or Progress()
    _check_output(job)
    for path in (job.reports, job.captions):
        check_named_parts(path, progress.raise_if_interrupted)
    watched = [WatchedInput(path) for path in (job.reports, job.captions) if path.is_file() or path.is_dir()]
    with ExitStack() as stack:
        problems = stack.enter_context(closing(ProblemLog()))
        index = stack.enter_context(closing(ReportIndex()))
        reports = read_reports(
            job.reports,
            id_column=job.id_column,
            text_columns=job.text_columns,
            headings=site_headings(job.words.headings),
            on_problem=problems,
            check=progress.raise_if_interrupted,
        )
        if not index.fill(reports):
            raise InputError(f"{job.reports}: no report could be read")
        progress.start(None, 0)
        claims = read_claims(job.captions, problems)
        batched = batches_of(claims, index, job.reports.name)
        rows = stack.enter_context(closing(_verified_rows(batched, build_verifier, job.workers, progress)))
        accepted, refused, first = _write(rows, job.out, progress, lambda: _refuse_changed(watched))
        return VerifyResult(accepted, refused, first, tuple(problems.first), problems.skipped + problems.warnings)
