"""Replay: makes captions anew from a set's kept answers, with today's verifier and vocabulary, and asks no model.

The words of a site that the set was made with are used again, unless others are given.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from curation.caption_set.finished_set import load_finished, rows_by_report
from curation.caption_set.kept_files import keep_site_words, kept_site_words, refuse_foreign_files
from curation.caption_set.manifest import Counts, Manifest, PartRecord, load_manifest
from curation.caption_set.privacy_check import count_written
from curation.caption_set.resuming import check_parts, lacks_digests
from curation.caption_set.set_files import (
    PROMPT_FILE,
    SITE_LEXICON_FILE,
    SITE_ORGANS_FILE,
    TableName,
    part_path,
    remove_temporary_files,
)
from curation.caption_set.shards import PartWriter, WrittenPart
from curation.caption_set.work_folder import SetError, lock_set
from curation.caption_set.writer import complete_set
from curation.extraction.recipe import BATCH_REPORTS
from curation.language.site_words import OURS, SiteWords
from curation.llm.answer_verification import AnsweredReport, AnswerVerifier
from curation.llm.responses import ModelResponse
from curation.privacy.blanking import blank_outcome
from curation.runtime.errors import InputError
from curation.runtime.files import put_in_place, temporary_name
from curation.runtime.processes import Inline, Processes, available_cores, ordered_results, workers
from curation.runtime.progress import Progress
from curation.runtime.provenance import data_hashes, ovct_version, versions
from prompts.prompt_file import read_prompt

from .caption import MadeBy, OutcomeColumns
from .pipeline import INLINE_REPORTS
from .report import Report, Section

REPLAYED_TABLES: tuple[TableName, ...] = ("captions", "rejects")


class _ReplayedPart(NamedTuple):
    """A part whose files are whole and still have their temporary names."""

    written: WrittenPart
    part: PartRecord


def replay(
    root: Path, progress: Progress | None = None, processes: int | None = None, words: SiteWords = OURS
) -> Manifest:
    """Make captions and rejects of a set anew from its reports and responses, in place, and return its manifest.

    A file of ``words`` takes the place of the one that the set was made with. No file is replaced before all are
    written. Raises ``ManifestError``, ``SetError`` and ``InputError`` where there is nothing to replay.
    """
    progress = progress or Progress()
    _check_replayable(root, load_manifest(root))
    with lock_set(root, progress.raise_if_interrupted) as locked:
        manifest = load_manifest(root)
        check_parts(root, manifest, ("reports", "responses"), check=progress.raise_if_interrupted)
        if note := lacks_digests(root, manifest):
            progress.warning(note)
        words = kept_site_words(root, manifest.settings, words)
        prompt = read_prompt((root / PROMPT_FILE).read_bytes(), PROMPT_FILE, words.vocabulary())
        if prompt.hash != manifest.settings.prompt:
            raise SetError(
                f"{root / PROMPT_FILE} is not the prompt that was asked with (its sha256 has changed): put it back"
            )
        given = {SITE_LEXICON_FILE: words.hashes.site_lexicon, SITE_ORGANS_FILE: words.hashes.site_organs}
        refuse_foreign_files(root, locked.left_behind, given)
        progress.start(manifest.counts.reports, 0)
        count = 0 if manifest.counts.reports <= INLINE_REPORTS else processes or available_cores()
        try:
            build = partial(AnswerVerifier, prompt, language=manifest.settings.language, words=words)
            with workers(build, count) as pool:
                staged = [_replay_part(root, manifest, index, pool, progress) for index in range(len(manifest.parts))]
            locked.lock.raise_if_lost()
            return _put_in_place(root, manifest, staged, words, locked.left_behind)
        finally:
            remove_temporary_files(root)


def _check_replayable(root: Path, manifest: Manifest) -> None:
    """Raise ``InputError`` or ``SetError`` for a set that cannot be replayed, with what to do instead."""
    if manifest.settings.prompt is None:
        raise InputError(
            f"{root} keeps no answers to replay: it was made by the engine {manifest.settings.engine}, which asks no "
            "model; run `ovct curate` again with --overwrite"
        )
    if manifest.audit is not None:
        raise InputError(
            f"{root} holds what an audit has put right, and a replay would undo that: replay the set it was made from, "
            f"{manifest.audit.source}, and audit it again"
        )
    load_finished(root, "replay")
    if not (root / PROMPT_FILE).is_file():
        raise SetError(f"{root / PROMPT_FILE} is missing: the answers cannot be read without the prompt they answer")


def _replay_part(
    root: Path, manifest: Manifest, index: int, pool: Inline | Processes, progress: Progress
) -> _ReplayedPart:
    settings = manifest.settings
    made_by = MadeBy(settings.engine, settings.model, settings.prompt)
    writer = PartWriter(root, index, made_by, (), REPLAYED_TABLES)
    batched = _batches(_answered_reports(root, index))
    try:
        for batch, settled in ordered_results(batched, pool.submit, pool.ahead, progress.raise_if_interrupted):
            for answered, outcome in zip(batch, settled, strict=True):
                columns = OutcomeColumns.unpack(outcome.packed)._replace(responses=())
                if settings.drop_phi:
                    columns = blank_outcome(columns, answered.report.text)
                writer.add(answered.report, columns)
                progress.advance()
        written = writer.close()
    except BaseException:
        writer.discard()
        raise
    before = manifest.parts[index]
    changes = {
        "captions": written.part.captions,
        "rejects": written.part.rejects,
        "bytes": {**before.bytes, **written.part.bytes},
        "sha256": {**before.sha256, **written.part.sha256},
    }
    return _ReplayedPart(written, before.model_copy(update=changes))


def _batches(reports: Iterator[AnsweredReport]) -> Iterator[list[AnsweredReport]]:
    while batch := list(islice(reports, BATCH_REPORTS)):
        yield batch


def _answered_reports(root: Path, index: int) -> Iterator[AnsweredReport]:
    """Yield the reports of a part with their answers. Raises ``SetError`` for answers about another report."""
    for row, answers in rows_by_report(root, index, "responses", ModelResponse._fields, ["text", "sections"]):
        spans = tuple(Section(section["name"], section["start"], section["end"]) for section in row["sections"])
        responses = [ModelResponse(*(answer[name] for name in ModelResponse._fields)) for answer in answers]
        yield AnsweredReport(Report(row["report_id"], row["text"], spans, {}, 0), responses)


def _put_in_place(
    root: Path, manifest: Manifest, staged: list[_ReplayedPart], words: SiteWords, ours: bool
) -> Manifest:
    """Replace the files and write the manifest that says so. If it stops between the two, another replay repairs it.

    ``ours``: see ``write_card``.
    """
    counts = Counts()
    for written, part in staged:
        counts = counts.plus(
            part.reports, written.captions, written.rejects, written.repairs, written.languages, written.bases
        )
    hashes = {**data_hashes()._asdict(), **words.hashes._asdict()}
    settings = manifest.settings.model_copy(update={"ovct": ovct_version(), **hashes})
    changes = {"settings": settings, "versions": versions(), "counts": counts}
    parts = tuple(replayed.part for replayed in staged)
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    done = manifest.model_copy(update={**changes, "parts": parts, "replayed": finished})
    for index in range(len(staged)):
        for table in REPLAYED_TABLES:
            path = part_path(root, table, index)
            put_in_place(temporary_name(path), path)
    keep_site_words(root, words)
    if done.privacy is not None:
        done = done.model_copy(update={"privacy": count_written(root, done)})
    return complete_set(root, done, None, ours=ours)
