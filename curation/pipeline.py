"""The curation run: reads reports, extracts and verifies captions, writes a caption set; resumes where it stopped."""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from curation.caption_set.fingerprint import WatchedInput, fingerprint
from curation.caption_set.kept_files import keep_site_words, refuse_foreign_files
from curation.caption_set.manifest import CurationSettings, InputFingerprint, Manifest, load_manifest
from curation.caption_set.privacy_check import count_written, is_checked
from curation.caption_set.publishing import StorePublisher
from curation.caption_set.resuming import manifest_to_resume
from curation.caption_set.set_files import PROMPT_FILE
from curation.caption_set.sharding import Shard
from curation.caption_set.shards import GROUP_CHARACTERS, GROUP_REPORTS
from curation.caption_set.work_folder import check_usable, lock_set, remove_left_work
from curation.caption_set.writer import CaptionSetWriter, complete_set, open_set
from curation.extraction.outcome_store import OutcomeStore
from curation.extraction.outcomes import batches, outcomes
from curation.extraction.recipe import OpenPool, Recipe
from curation.privacy.blanking import blank_outcome, blank_problems, blank_report
from curation.readers.problems import ProblemLog, problem_lines
from curation.readers.reports import ColumnsRead, read_reports
from curation.readers.site_headings import site_headings
from curation.runtime.errors import InputError, RunError
from curation.runtime.files import write_text
from curation.runtime.processes import available_cores
from curation.runtime.progress import Progress
from curation.runtime.provenance import data_hashes, ovct_version

from .report import Modality, Report, RowProblem

INLINE_REPORTS = 200  # up to so many, starting worker processes takes longer than the work
LICENSE = re.compile(r"[a-z0-9.-]{1,64}")


@dataclass(frozen=True, slots=True)
class CurateJob:
    """The arguments of a curation run. Raises ``InputError`` for a ``limit`` below 1 or a ``license`` that is no id."""

    reports: Path
    out: Path
    id_column: str | None = None
    text_columns: tuple[str, ...] = ()
    limit: int | None = None
    overwrite: bool = False
    workers: int = field(default_factory=available_cores)
    reports_per_part: int | None = None  # None: the recipe's number
    license: str | None = None  # of the reports
    shown: str | None = None  # what to call the reports, where their file was written for this call
    modality: Modality | None = None  # reports of others are left out
    shard: Shard | None = None
    publish: StorePublisher | None = None  # a store that the set goes to; ``out`` is where it is made
    check_phi: bool = False  # count the names, dates and numbers that are written; no row changes
    drop_phi: bool = False  # blank them, and refuse captions that rest on them

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise InputError(f"limit {self.limit}: expected at least one report, or none for all of them")
        if self.license is not None and not LICENSE.fullmatch(self.license):
            raise InputError(
                f"--license {self.license!r}: expected the id that Hugging Face has for it, of lower-case letters, "
                "digits, dots and hyphens, such as cc-by-nc-sa-4.0, or other"
            )


@dataclass(frozen=True, slots=True)
class CurateResult:
    """The result of a curation run.

    ``problems`` are the first rows of the input that were not used as they are. ``already_done``: an earlier run had
    finished the set, and this one changed no row; ``relicensed``: it only stated another licence.
    """

    manifest: Manifest
    problems: tuple[RowProblem, ...] = ()
    already_done: bool = False
    relicensed: bool = False


def _ignore_input(columns: ColumnsRead, head: Sequence[Report]) -> None:
    """Do nothing: the default of ``on_input``."""


def curate(
    job: CurateJob,
    recipe: Recipe,
    progress: Progress | None = None,
    on_input: Callable[[ColumnsRead, Sequence[Report]], None] = _ignore_input,
) -> CurateResult:
    """Make a caption set, or resume one that was begun.

    ``on_input`` is called once, before any work is done, with the columns that are read and the first reports.

    Raises ``InputError`` and ``SetError`` for what the caller can put right, ``RunError`` and ``OSError`` when the run
    cannot go on; finished parts stay then, and the same call resumes.
    """
    progress, started = progress or Progress(), time.monotonic()
    if job.publish:
        job.publish.begin()
    check_usable(job.out)
    watched = WatchedInput(job.reports)
    with closing(ProblemLog()) as problems:
        columns_read: list[ColumnsRead] = []
        examinations = Counter[str]()
        reports = read_reports(
            job.reports,
            name=job.shown,
            id_column=job.id_column,
            text_columns=job.text_columns,
            limit=job.limit,
            modality=job.modality,
            headings=site_headings(recipe.words.headings),
            on_problem=blank_problems(problems) if job.drop_phi else problems,
            on_columns=columns_read.append,
            on_examination=lambda examination: examinations.update([examination.name]),
            check=progress.raise_if_interrupted,
        )
        if job.drop_phi:
            reports = map(blank_report, reports)
        head = first_group(reports)
        if not head:
            raise InputError(_nothing_read(job.shown or str(job.reports), problems))
        on_input(columns_read[0], head)
        source, rows = fingerprint(job.reports, progress.raise_if_interrupted)
        if watched.has_changed():
            raise RunError(f"{job.reports} changed while it was read, before any work was done: call it again")
        watched.content = source
        rows = rows if columns_read[0].line_column is None else None  # they are lines, not reports
        settings = _settings(job, recipe)
        finished = None if job.overwrite else _finished(job, source, settings, progress)
        if finished is not None:
            return finished
        carried_columns = source_columns(head)
        with (
            recipe.started(progress) as open_pool,
            open_set(
                job.out,
                source,
                settings,
                carried_columns,
                license=job.license,
                overwrite=job.overwrite,
                since=started,
                publisher=job.publish,
                check_privacy=job.check_phi or job.drop_phi,
                checked=not job.overwrite,
            ) as captions,
        ):
            if recipe.prompt_file is not None:
                write_text(captions.root / PROMPT_FILE, recipe.prompt_file.decode())
            keep_site_words(captions.root, recipe.words)
            stream = note_late_columns(
                itertools.chain(head, reports), carried_columns, problems, job.shown or job.reports.name
            )
            if job.shard is not None:
                stream = job.shard.select(stream, settings.reports_per_part)
            progress.start(_total(job, rows, settings.reports_per_part), captions.reports_done)
            rest = _after_finished_parts(stream, captions, progress.raise_if_interrupted)
            captions.watched = watched
            processes = 0 if len(head) <= INLINE_REPORTS else job.workers
            batched = batches(rest, settings.reports_per_part, recipe.batch_reports)
            _write(open_pool, batched, captions, processes, progress)
            captions.finish(problems.skipped, problems.warnings, problems.lines(), dict(examinations.most_common()))
            return CurateResult(captions.manifest, tuple(problems.first))


def first_group(reports: Iterator[Report]) -> list[Report]:
    """Take the reports of the first row group: few, but enough to see which columns the input has."""
    head: list[Report] = []
    characters = 0
    for report in reports:
        head.append(report)
        characters += len(report.text)
        if len(head) >= GROUP_REPORTS or characters >= GROUP_CHARACTERS:
            break
    return head


def source_columns(head: Sequence[Report]) -> list[str]:
    """Return the names of the columns carried through, in order of appearance."""
    return list(dict.fromkeys(itertools.chain.from_iterable(report.source for report in head)))


def note_late_columns(
    reports: Iterable[Report], columns: Sequence[str], problems: ProblemLog, file: str
) -> Iterator[Report]:
    """Pass reports on; a column that the first ones lack cannot be carried through, and is reported once."""
    seen = set(columns)
    for report in reports:
        if not seen.issuperset(report.source):
            late = [name for name in report.source if name not in seen]
            seen.update(late)
            problem = f"{', '.join(late)}: not carried into reports/, for the first {GROUP_REPORTS:,} reports lack it"
            problems(RowProblem(file, report.row, problem, kept=True))
        yield report


def _settings(job: CurateJob, recipe: Recipe) -> CurationSettings:
    return CurationSettings(
        ovct=ovct_version(),
        **recipe.made_by._asdict(),
        options=dict(recipe.options),
        **data_hashes()._asdict(),
        **recipe.words.hashes._asdict(),
        id_column=job.id_column,
        text_columns=job.text_columns,
        limit=job.limit,
        reports_per_part=job.reports_per_part or recipe.reports_per_part,
        shard=None if job.shard is None else str(job.shard),
        drop_phi=job.drop_phi,
        language=recipe.language,
        modality=None if job.modality is None else job.modality.lower(),
    )


def _finished(
    job: CurateJob, source: InputFingerprint, settings: CurationSettings, progress: Progress
) -> CurateResult | None:
    """Return the result where an earlier run has finished the set, None where there is something to do.

    Another licence is stated in the finished set, and what it tells is counted (``check_phi``) if it was not.

    Raises ``SetError`` for a set that was made otherwise.
    """
    check = progress.raise_if_interrupted
    manifest = manifest_to_resume(job.out, source, settings, job.publish, check=check, tell=progress.warning)
    if manifest is None or not manifest.complete:
        return None
    changes: dict[str, object] = {}
    if job.license not in (None, manifest.license):
        changes["license"] = job.license
    if (job.check_phi or job.drop_phi) and not is_checked(manifest):
        if job.publish:
            progress.warning(f"the set is finished and was not checked: `ovct stats {job.publish.shown} --check-phi`")
        else:
            changes["privacy"] = count_written(job.out, manifest, progress.raise_if_interrupted)
    if not changes:
        remove_left_work(job.out)
        return CurateResult(manifest, already_done=True)
    changed = _with_changes(job.out, changes, job.publish)
    return CurateResult(changed, already_done=True, relicensed="license" in changes)


def _with_changes(root: Path, changes: dict[str, object], publish: StorePublisher | None) -> Manifest:
    """Change what a finished set says of itself, by writing its manifest and data card anew."""
    with lock_set(root) as locked:
        refuse_foreign_files(root, locked.left_behind)
        manifest = load_manifest(root).model_copy(update=changes)
        return complete_set(root, manifest, publish, ours=locked.left_behind)


def _total(job: CurateJob, rows: int | None, reports_per_part: int) -> int | None:
    """Return about how many reports the run works on; None if the number of rows is unknown."""
    total = rows if job.limit is None or rows is None else min(rows, job.limit)
    return total if job.shard is None or total is None else job.shard.size(total, reports_per_part)


def _after_finished_parts(
    reports: Iterator[Report], captions: CaptionSetWriter, check: Callable[[], None]
) -> Iterator[Report]:
    """Pass on the reports behind the finished parts. Raises ``RunError`` if those of the parts are others now."""
    last = 0
    for report in itertools.islice(reports, captions.reports_done):
        check()
        last = report.row
    if last != captions.last_row:
        raise RunError(
            f"the input no longer gives the same reports: row {last} stands where row {captions.last_row} was"
        )
    yield from reports


def _write(
    open_pool: OpenPool, batched: Iterator[list[Report]], captions: CaptionSetWriter, processes: int, progress: Progress
) -> None:
    store = OutcomeStore(captions.work / "outcomes.sqlite", captions.manifest.settings.digest())
    if store.damage:
        progress.warning(store.damage)
    with closing(store), open_pool(captions, processes) as pool:
        for report, outcome in outcomes(batched, store, pool, progress.raise_if_interrupted):
            if captions.manifest.settings.drop_phi:
                outcome = blank_outcome(outcome, report.text)
            captions.add(report, outcome)
            progress.advance()


def _nothing_read(name: str, problems: ProblemLog) -> str:
    first = "".join(f"\n  {line}" for line in problem_lines(problems.first, problems.skipped + problems.warnings))
    return f"{name}: no report could be read ({problems.skipped:,} rows not used){first}"
