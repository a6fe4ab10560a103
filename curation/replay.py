"""A caption set made anew from the answers that were kept: other verification, other vocabulary, no model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from curation.caption_set.card import write_card
from curation.caption_set.manifest import Counts, Manifest, Part, load_manifest
from curation.caption_set.shards import PartWriter, Table, Written, part_path
from curation.caption_set.writer import PROMPT, SetError, check_parts, locked, remove_temporary
from curation.extraction.recipe import BATCH_REPORTS
from curation.llm.responses import Response
from curation.llm.settling import Asked, Settler
from curation.runtime.errors import InputError
from curation.runtime.files import put_in_place, temporary_name
from curation.runtime.processes import Inline, Processes, available_cores, result_of, workers
from curation.runtime.progress import Progress
from curation.runtime.provenance import data_hash, ovct_version, versions
from prompts.prompt_file import read_prompt

from .caption import Columns, MadeBy
from .pipeline import INLINE_REPORTS
from .report import Report, Section

MADE_ANEW: tuple[Table, ...] = ("captions", "rejects")


class _Staged(NamedTuple):
    """A part whose files are whole and still have their temporary names."""

    written: Written
    part: Part


def replay(root: Path, progress: Progress | None = None, processes: int | None = None) -> Manifest:
    """Make captions and rejects of a set anew from its reports and responses, in place.

    Nothing is replaced before all is done. Raises ``ManifestError``, ``SetError`` and ``InputError`` where there is
    nothing to replay.
    """
    progress = progress or Progress()
    _check(root, load_manifest(root))
    with locked(root):
        manifest = load_manifest(root)
        check_parts(root, manifest, ("reports", "responses"))
        prompt = read_prompt((root / PROMPT).read_bytes(), PROMPT)
        if prompt.hash != manifest.settings.prompt:
            raise SetError(
                f"{root / PROMPT} is not the prompt that was asked with (its sha256 has changed): put it back"
            )
        progress.start(manifest.counts.reports, 0)
        count = 0 if manifest.counts.reports <= INLINE_REPORTS else processes or available_cores()
        try:
            with workers(partial(Settler, prompt), count) as pool:
                staged = [_stage(root, manifest, index, pool, progress) for index in range(len(manifest.parts))]
            return _put_in_place(root, manifest, staged)
        finally:
            remove_temporary(root)


def _check(root: Path, manifest: Manifest) -> None:
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
    if not manifest.complete:
        raise SetError(f"{root} is unfinished; run the same `ovct curate` again to finish it, then replay it")
    if not (root / PROMPT).is_file():
        raise SetError(f"{root / PROMPT} is missing: the answers cannot be read without the prompt they answer")


def _stage(root: Path, manifest: Manifest, index: int, pool: Inline | Processes, progress: Progress) -> _Staged:
    settings = manifest.settings
    made_by = MadeBy(settings.engine, settings.model, settings.prompt)
    writer = PartWriter(root, index, made_by, (), MADE_ANEW)
    try:
        for asked, packed in _settled(_asked(root, index), pool, progress.raise_if_interrupted):
            writer.add(asked.report, Columns.unpack(packed)._replace(responses=()))
            progress.advance()
        written = writer.close()
    except BaseException:
        writer.discard()
        raise
    before = manifest.parts[index]
    changes = {"captions": written.part.captions, "rejects": written.part.rejects}
    return _Staged(written, before.model_copy(update={**changes, "bytes": {**before.bytes, **written.part.bytes}}))


def _settled(
    asked: Iterator[Asked], pool: Inline | Processes, check: Callable[[], None]
) -> Iterator[tuple[Asked, bytes]]:
    window: deque[tuple[list[Asked], Future[Any]]] = deque()
    while batch := list(islice(asked, BATCH_REPORTS)):
        check()
        window.append((batch, pool.submit(batch)))
        if len(window) > pool.ahead:
            yield from _packed(*window.popleft(), check)
    while window:
        yield from _packed(*window.popleft(), check)


def _packed(batch: list[Asked], future: Future[Any], check: Callable[[], None]) -> Iterator[tuple[Asked, bytes]]:
    settled = result_of(future, check)
    yield from zip(batch, (one.packed for one in settled), strict=True)


def _asked(root: Path, index: int) -> Iterator[Asked]:
    """Reports of a part with their answers; both files have the reports in the same order."""
    responses = _rows(part_path(root, "responses", index), ["report_id", *Response._fields])
    row = next(responses, None)
    for report_id, text, sections in _rows(part_path(root, "reports", index), ["report_id", "text", "sections"]):
        found: list[Response] = []
        while row is not None and row[0] == report_id:
            found.append(Response(*row[1:]))
            row = next(responses, None)
        spans = tuple(Section(one["name"], one["start"], one["end"]) for one in sections)
        yield Asked(Report(report_id, text, spans, {}, 0), found)
    if row is not None:
        raise SetError(f"{part_path(root, 'responses', index)}: answers about {row[0]}, of which there is no report")


def _rows(path: Path, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=256, columns=columns):
            yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)


def _put_in_place(root: Path, manifest: Manifest, staged: list[_Staged]) -> Manifest:
    """Replace the files and say so in the manifest. Stopped between the two, another replay sets it right."""
    counts = Counts()
    for _, (written, part) in enumerate(staged):
        counts = counts.plus(part.reports, written.captions, written.rejects, written.repairs)
    settings = manifest.settings.model_copy(
        update={
            "ovct": ovct_version(),
            "vocabulary": data_hash("prompts", "organs.yaml"),
            "lexicon": data_hash("curation.language", "lexicon.yaml"),
        }
    )
    changes = {"settings": settings, "versions": versions(), "counts": counts}
    parts = tuple(one.part for one in staged)
    replayed = datetime.now(UTC).isoformat(timespec="seconds")
    done = manifest.model_copy(update={**changes, "parts": parts, "replayed": replayed})
    for index in range(len(staged)):
        for table in MADE_ANEW:
            path = part_path(root, table, index)
            put_in_place(temporary_name(path), path)
    write_card(root, done)
    done.save(root)
    return done
