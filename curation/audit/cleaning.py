"""The cleaned set: a copy of an audited caption set without the hallucinations, and with the reviewers' corrections.

The audited set stays as it is.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.caption_set.audit_results import AUDIT, Verdict, verdict_name
from curation.caption_set.card import write_card
from curation.caption_set.kept_files import kept_files
from curation.caption_set.manifest import Counts, Manifest, ManifestError, PartRecord, RepairCounts, load_manifest
from curation.caption_set.privacy_check import count_written
from curation.caption_set.records.cleaning import AuditChange, CleaningRecord
from curation.caption_set.resuming import check_parts, lacks_digests
from curation.caption_set.schemas import in_schema, parquet_schema
from curation.caption_set.set_files import TableName, part_path, tables_of
from curation.caption_set.shards import parquet_file
from curation.caption_set.work_folder import SetError
from curation.runtime.digests import file_digest
from curation.runtime.errors import InputError
from curation.runtime.files import sync
from curation.runtime.progress import Progress

from .agreement import HALLUCINATIONS
from .decisions import REJECT_REASONS, Decision, decisions
from .folder import GUIDELINE_FILE, finished_set
from .omissions.results import judged_statements
from .store import AuditStore
from .summary import guideline_digest, judged_captions, summarise

ROW_GROUP_SIZE = 50_000
UNFINISHED = ".ovct-unfinished"  # by which the temporary folder is told from one of other hands
LAST_ROW = 2**62
"""As the number of a row: behind all others of its report."""

ChangedTable = Literal["captions", "rejects"]
Draw = Callable[[Path, Manifest], Manifest]


def write_cleaned_set(
    root: Path, out: Path, store: AuditStore, progress: Progress, draw: Draw = lambda folder, manifest: manifest
) -> Manifest:
    """Write the cleaned set to ``out``, as a whole or not at all, and return its manifest.

    ``draw`` adds pictures to the folder of the set, before that gets its name, and returns its manifest with them.
    Raises ``SetError`` where the set has changed since or ``out`` is in use, ``InputError`` where nothing was judged.
    """
    manifest = finished_set(root)
    _check(root, out, manifest, store, progress)
    temporary = out.resolve().with_name(f".{out.resolve().name}.tmp")
    if temporary.exists() and not (temporary / UNFINISHED).is_file() and not _is_cleaned_set(temporary):
        raise SetError(f"{temporary} is in the way, and was made by no run: move it away")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir()
        (temporary / UNFINISHED).touch()
        cleaned = draw(temporary, _write(root, temporary, manifest, store, progress))
        (temporary / UNFINISHED).unlink()
        if out.exists():
            out.rmdir()
        os.replace(temporary, out)
        sync(out.resolve().parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return cleaned


def _is_cleaned_set(folder: Path) -> bool:
    """Whether a folder holds a set that was cleaned: one that a killed run had finished, and not yet named."""
    try:
        return load_manifest(folder).audit is not None
    except ManifestError:
        return False


def _check(root: Path, out: Path, manifest: Manifest, store: AuditStore, progress: Progress) -> None:
    if manifest.identity() != store.fact("set"):
        raise SetError(f"{root} has changed since it was audited: the verdicts are about other captions")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SetError(f"{out} is there already: name another folder with --out")
    if out.resolve().is_relative_to(root.resolve()):
        raise SetError(f"{out} is within {root}, which is to stay as it is: name another folder with --out")
    check_parts(root, manifest, tables_of(manifest.settings), check=progress.raise_if_interrupted)
    if note := lacks_digests(root, manifest):
        progress.warning(note)
    if not judged_captions(store) and not judged_statements(store):
        raise InputError(f"no caption of {root} has been judged yet: run `ovct audit {root}` first")


def _write(root: Path, out: Path, manifest: Manifest, store: AuditStore, progress: Progress) -> Manifest:
    changed = decisions(store)
    by_part: dict[int, list[Decision]] = defaultdict(list)
    for decision in changed:
        by_part[decision.part].append(decision)
    for table in tables_of(manifest.settings):
        (out / table).mkdir(parents=True)
    counts, parts = Counts(), []
    progress.start(len(manifest.parts), 0)
    for index, part in enumerate(manifest.parts):
        progress.raise_if_interrupted()
        captions, rejects = _cleaned_tables(root, index, by_part.get(index, []))
        parts.append(_write_part(root, out, index, part, captions, rejects, tables_of(manifest.settings)))
        counts = counts.plus(part.reports, *_count(captions, rejects), RepairCounts(), bases=_bases(captions))
        progress.advance()
    kept_digests = kept_files(root, manifest, progress.raise_if_interrupted)
    for name in kept_digests:
        _copy(root / name, out / name)
    before = manifest.counts
    kept = {"languages": before.languages, "returned": before.returned, "repaired": before.repaired}
    counts = counts.model_copy(update=kept)
    changes = {"counts": counts, "parts": tuple(parts), "audit": _audit_record(root, store, changed)}
    cleaned = manifest.model_copy(update={**changes, "files": kept_digests})
    if manifest.privacy is not None:
        cleaned = cleaned.model_copy(update={"privacy": count_written(out, cleaned, progress.raise_if_interrupted)})
    cleaned = write_card(out, cleaned)
    cleaned.save(out)
    return cleaned


def _write_part(
    root: Path,
    out: Path,
    index: int,
    part: PartRecord,
    captions: pa.Table,
    rejects: pa.Table,
    tables: Sequence[TableName],
) -> PartRecord:
    """Write one part, copying the tables that are not changed, and return its record."""
    for table in tables:
        if table not in ("captions", "rejects"):
            _copy(part_path(root, table, index), part_path(out, table, index))
    _save(captions, "captions", part_path(out, "captions", index))
    _save(rejects, "rejects", part_path(out, "rejects", index))
    paths = {table: part_path(out, table, index) for table in part.bytes}
    changes = {
        "captions": len(captions),
        "rejects": len(rejects),
        "bytes": {table: path.stat().st_size for table, path in paths.items()},
        "sha256": {table: file_digest(path) for table, path in paths.items()},
    }
    return part.model_copy(update=changes)


def _audit_record(root: Path, store: AuditStore, changed: list[Decision]) -> CleaningRecord:
    results = summarise(store, guideline_digest(root / AUDIT / GUIDELINE_FILE))
    rows = judged_captions(store)
    return CleaningRecord(
        source=root.resolve().name,
        set=results.set,
        applied=datetime.now(UTC).isoformat(timespec="seconds"),
        captions=results.captions,
        sample=results.sample + results.sample_refused,
        reviewed=len(rows),
        reviewers=sum(count > 0 for count in results.reviewers.values()),
        guideline=results.guideline,
        rate=results.hallucination.rate,
        low=results.hallucination.low,
        high=results.hallucination.high,
        verdicts=dict(Counter(str(row.verdict) for row in rows)),
        changes=tuple(map(_change_record, changed)),
    )


def _change_record(decision: Decision) -> AuditChange:
    row = decision.after
    return AuditChange(
        report_id=decision.report_id,
        organ=decision.before["organ"],
        caption=decision.before["caption"],
        verdict=decision.verdict,
        after=row and {name: row[name] for name in ("organ", "caption", "status", "evidence")},
        found=None if row is None else row["score"] > 0,
    )


def _cleaned_tables(root: Path, index: int, changed: Sequence[Decision]) -> tuple[pa.Table, pa.Table]:
    """Return captions and rejects of a part with the changes made."""
    captions, rejects = (pq.read_table(part_path(root, table, index)) for table in ("captions", "rejects"))
    if not changed:
        return captions, rejects
    reports = pq.read_table(part_path(root, "reports", index), columns=["report_id"])["report_id"]
    removed = [decision for decision in changed if decision.removed]
    removed_rows = [decision.row for decision in removed]
    prompts = captions["prompt"].take(removed_rows).to_pylist() if removed else []
    new_rejects = [
        (_reject_row(decision, prompt), LAST_ROW)
        for decision, prompt in zip(removed, prompts, strict=True)
        if decision.verdict in HALLUCINATIONS
    ]
    new_captions = [
        (decision.after, decision.row if decision.removed else LAST_ROW) for decision in changed if decision.after
    ]
    remains = np.ones(len(captions), bool)
    remains[removed_rows] = False
    return (
        _merge(captions, remains, new_captions, "captions", reports),
        _merge(rejects, np.ones(len(rejects), bool), new_rejects, "rejects", reports),
    )


def _reject_row(decision: Decision, prompt: str | None) -> dict[str, Any]:
    """Return the row of ``rejects`` for a caption that is removed."""
    before = decision.before
    names = ("report_id", "organ", "caption", "engine", "model")
    return {
        **{name: before[name] for name in names},
        "reason": REJECT_REASONS[Verdict(decision.verdict)],
        "detail": f"audit: {verdict_name(decision.verdict)}",
        "nearest": before["text"][before["evidence_start"] : before["evidence_end"]],
        "prompt": prompt,
    }


def _merge(
    table: pa.Table,
    remains: NDArray[np.bool_],
    new_rows: Sequence[tuple[dict[str, Any], int]],
    name: ChangedTable,
    reports: pa.ChunkedArray,
) -> pa.Table:
    """Return the rows that remain with the new ones, each of which takes the place of the row whose number it has."""
    schema = parquet_schema(name)
    added = pa.Table.from_pylist([row for row, _ in new_rows], schema=schema)
    remaining = in_schema(table.filter(pa.array(remains)), schema)
    merged = pa.concat_tables([remaining, added]).unify_dictionaries()
    report = pc.index_in(merged["report_id"], value_set=reports.combine_chunks()).to_numpy()
    row_number = np.concatenate([np.flatnonzero(remains), np.array([number for _, number in new_rows], np.int64)])
    return merged.take(pa.array(np.lexsort((row_number, report))))


def _count(captions: pa.Table, rejects: pa.Table) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """Return captions by organ and status, and rejects by reason."""
    groups = captions.select(["organ", "status"]).group_by(["organ", "status"]).aggregate([([], "count_all")])
    reasons = rejects.select(["reason"]).group_by(["reason"]).aggregate([([], "count_all")])
    return (
        Counter({(row["organ"], row["status"]): row["count_all"] for row in groups.to_pylist()}),
        Counter({row["reason"]: row["count_all"] for row in reasons.to_pylist()}),
    )


def _bases(captions: pa.Table) -> Counter[str]:
    """Return the captions that do not rest on the verifier's reading, by what they rest on."""
    return Counter(basis for basis in captions["basis"].to_pylist() if basis not in (None, "rules"))


def _save(table: pa.Table, name: ChangedTable, path: Path) -> None:
    with parquet_file(path, parquet_schema(name)) as writer:
        writer.write_table(in_schema(table, parquet_schema(name)), row_group_size=ROW_GROUP_SIZE)
    sync(path)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    sync(target)
