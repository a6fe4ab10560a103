"""From reports to a caption set: read, extract, verify, write; each text once, in the input's order, on all cores."""

from __future__ import annotations

import itertools
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from curation.caption_set.fingerprint import fingerprint, stamp
from curation.caption_set.manifest import Manifest, Settings, load_manifest
from curation.caption_set.publishing import Published
from curation.caption_set.sharding import Shard
from curation.caption_set.shards import GROUP_CHARACTERS, GROUP_REPORTS
from curation.caption_set.writer import PROMPT, CaptionSet, check_usable, complete, locked, open_set, resumable
from curation.extraction.outcome_store import OutcomeStore, text_key
from curation.extraction.recipe import BATCH_REPORTS, OpenPool, Pool, Recipe
from curation.readers.reports import read_reports
from curation.readers.rows import Problems
from curation.runtime.errors import InputError, RunError
from curation.runtime.files import write_text
from curation.runtime.processes import available_cores, result_of
from curation.runtime.progress import Progress
from curation.runtime.provenance import data_hash, ovct_version

from .caption import Columns, Outcome, Reason
from .report import Report, Skipped

BATCH_CHARACTERS = 1_000_000
INLINE_REPORTS = 200  # up to so many, starting worker processes takes longer than the work
LICENSE = re.compile(r"[a-z0-9.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Job:
    """One call of ``ovct curate``. ``license`` is that of the reports. Raises ``InputError`` where it can be none."""

    reports: Path
    out: Path
    id_column: str | None = None
    text_columns: tuple[str, ...] = ()
    limit: int | None = None
    overwrite: bool = False
    workers: int = field(default_factory=available_cores)
    reports_per_part: int | None = None  # as the engine has it
    license: str | None = None
    shard: Shard | None = None
    publish: Published | None = None  # a store that the set goes to; ``out`` is where it is made

    def __post_init__(self) -> None:
        if self.license is not None and not LICENSE.fullmatch(self.license):
            raise InputError(
                f"--license {self.license!r}: expected the id that Hugging Face has for it, of lower-case letters, "
                "digits, dots and hyphens, such as cc-by-nc-sa-4.0, or other"
            )


@dataclass(frozen=True, slots=True)
class Result:
    """What a run ended with.

    ``already_done``: an earlier run had finished the set, and this one changed no row; ``relicensed``: but it stated
    another licence.
    """

    manifest: Manifest
    problems: tuple[Skipped, ...] = ()
    already_done: bool = False
    relicensed: bool = False


def first_group(reports: Iterator[Report]) -> list[Report]:
    """The reports of the first row group: few, but enough to see which columns the input has."""
    head: list[Report] = []
    characters = 0
    for report in reports:
        head.append(report)
        characters += len(report.text)
        if len(head) >= GROUP_REPORTS or characters >= GROUP_CHARACTERS:
            break
    return head


def source_columns(head: Sequence[Report]) -> list[str]:
    """Names of the columns carried through, in order of appearance."""
    return list(dict.fromkeys(itertools.chain.from_iterable(report.source for report in head)))


def note_late_columns(
    reports: Iterable[Report], columns: Sequence[str], problems: Problems, file: str
) -> Iterator[Report]:
    """Pass reports on; a column that the first ones lack cannot be carried through, and is reported once."""
    known = set(columns)
    for report in reports:
        if not known.issuperset(report.source):
            late = [name for name in report.source if name not in known]
            known.update(late)
            problem = f"{', '.join(late)}: not carried into reports/, for the first {GROUP_REPORTS:,} reports lack it"
            problems(Skipped(file, report.row, problem, kept=True))
        yield report


def batches(reports: Iterable[Report], reports_per_part: int, size: int = BATCH_REPORTS) -> Iterator[list[Report]]:
    """Batches for a worker. They end where parts end, so that a resumed run asks for the same ones."""
    batch: list[Report] = []
    characters = 0
    for number, report in enumerate(reports, 1):
        batch.append(report)
        characters += len(report.text)
        if len(batch) == size or characters >= BATCH_CHARACTERS or number % reports_per_part == 0:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


class _UnderWay(NamedTuple):
    """A batch whose new texts are being worked on."""

    batch: list[Report]
    keys: list[bytes]
    fresh: list[bytes]
    answer: Future[list[tuple[bytes, bool]]] | None


def outcomes(
    batched: Iterable[list[Report]],
    store: OutcomeStore,
    pool: Pool,
    check: Callable[[], None],
) -> Iterator[tuple[Report, Columns]]:
    """Each report with its outcome, in order; a text that came before, in whatever part, is not extracted again."""
    window: deque[_UnderWay] = deque()
    asked: set[bytes] = set()
    for batch in batched:
        check()
        keys = [text_key(report) for report in batch]
        fresh = {key: report for key, report in zip(keys, batch, strict=True) if key not in asked and key not in store}
        asked.update(fresh)
        answer = pool.submit(list(fresh.values())) if fresh else None
        window.append(_UnderWay(batch, keys, list(fresh), answer))
        if len(window) > pool.ahead:
            yield from _answered(window.popleft(), store, asked, check)
    while window:
        yield from _answered(window.popleft(), store, asked, check)


def _answered(
    one: _UnderWay, store: OutcomeStore, asked: set[bytes], check: Callable[[], None]
) -> Iterator[tuple[Report, Columns]]:
    if one.answer is not None:
        packed = result_of(one.answer, check)
        if len(packed) > 9 and all(failed for _, failed in packed):
            found = [Columns.unpack(one).rows() for one, _ in packed]
            if not any(map(_has_something, found)):
                raise RunError(f"the engine failed on every report of a batch: {found[0].refused[0].detail}")
        store.keep(dict(zip(one.fresh, packed, strict=True)))
        asked.difference_update(one.fresh)
    for report, key in zip(one.batch, one.keys, strict=True):
        yield report, store[key]


def _has_something(outcome: Outcome) -> bool:
    """Whether a report got anything but failures of the engine."""
    return bool(outcome.accepted) or any(row.reason != Reason.ENGINE_ERROR for row in outcome.refused)


def _after_finished_parts(
    reports: Iterator[Report], captions: CaptionSet, check: Callable[[], None]
) -> Iterator[Report]:
    last = 0
    for report in itertools.islice(reports, captions.reports_done):
        check()
        last = report.row
    if last != captions.last_row:
        raise RunError(
            f"the input no longer gives the same reports: row {last} stands where row {captions.last_row} was"
        )
    yield from reports


def _settings(job: Job, recipe: Recipe) -> Settings:
    return Settings(
        ovct=ovct_version(),
        **recipe.made_by._asdict(),
        options=dict(recipe.options),
        vocabulary=data_hash("prompts", "organs.yaml"),
        lexicon=data_hash("curation.language", "lexicon.yaml"),
        id_column=job.id_column,
        text_columns=job.text_columns,
        limit=job.limit,
        reports_per_part=job.reports_per_part or recipe.reports_per_part,
        shard=None if job.shard is None else str(job.shard),
    )


def curate(job: Job, recipe: Recipe, progress: Progress | None = None) -> Result:
    """Make a caption set, or go on with one.

    Raises ``InputError`` and ``SetError`` for what the caller can put right, ``RunError`` and ``OSError`` when the run
    cannot go on; finished parts stay then, and the same call resumes.
    """
    progress, started = progress or Progress(), time.monotonic()
    if job.publish:
        job.publish.begin()
    check_usable(job.out)
    seen = stamp(job.reports)
    with closing(Problems()) as problems:
        reader = partial(read_reports, id_column=job.id_column, text_columns=job.text_columns, limit=job.limit)
        reports = reader(job.reports, on_skip=problems)
        head = first_group(reports)
        if not head:
            raise InputError(_nothing_read(job.reports, problems))
        source, rows = fingerprint(job.reports, progress.raise_if_interrupted)
        columns = source_columns(head)
        settings = _settings(job, recipe)
        before = None if job.overwrite else resumable(job.out, source, settings, job.publish)
        if before is not None and before.complete:
            if job.license in (None, before.license):
                return Result(before, already_done=True)
            return Result(_with_license(job.out, job.license, job.publish), already_done=True, relicensed=True)
        with (
            recipe.started(progress) as open_pool,
            open_set(
                job.out,
                source,
                settings,
                columns,
                license=job.license,
                overwrite=job.overwrite,
                since=started,
                publish=job.publish,
            ) as captions,
        ):
            if recipe.prompt_file is not None:
                write_text(captions.root / PROMPT, recipe.prompt_file.decode())
            total = rows if job.limit is None or rows is None else min(rows, job.limit)
            stream = note_late_columns(itertools.chain(head, reports), columns, problems, job.reports.name)
            if job.shard is not None:
                stream = job.shard.own(stream, settings.reports_per_part)
                total = None if total is None else job.shard.size(total, settings.reports_per_part)
            progress.start(total, captions.reports_done)
            left = _after_finished_parts(stream, captions, progress.raise_if_interrupted)
            count = 0 if len(head) <= INLINE_REPORTS else job.workers
            _write(open_pool, batches(left, settings.reports_per_part, recipe.batch_reports), captions, count, progress)
            if stamp(job.reports) != seen:
                raise RunError(f"{job.reports} changed while it was read; start again with --overwrite")
            captions.finish(problems.skipped, problems.warnings, problems.lines())
            return Result(captions.manifest, tuple(problems.first))


def _with_license(root: Path, license: str | None, publish: Published | None) -> Manifest:
    """State the licence of a finished set: manifest and data card are written anew."""
    with locked(root):
        manifest = load_manifest(root).model_copy(update={"license": license})
        complete(root, manifest, publish)
    return manifest


def _write(
    open_pool: OpenPool, batched: Iterator[list[Report]], captions: CaptionSet, count: int, progress: Progress
) -> None:
    store = OutcomeStore(captions.work / "outcomes.sqlite", captions.manifest.settings.digest())
    with closing(store), open_pool(captions, count) as pool:
        for report, outcome in outcomes(batched, store, pool, progress.raise_if_interrupted):
            captions.add(report, outcome)
            progress.advance()


def _nothing_read(path: Path, problems: Problems) -> str:
    first = "".join(f"\n  {problem.file}:{problem.row or '?'}: {problem.problem}" for problem in problems.first)
    return f"{path}: no report could be read ({problems.skipped:,} rows not used){first}"
