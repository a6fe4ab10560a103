"""What reviewers found is applied: a new caption set without the hallucinations and with the corrections.

The audited set stays as it is.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.caption_set.audit_results import AUDIT, MEANINGS
from curation.caption_set.card import write_card
from curation.caption_set.manifest import AuditChange, CleaningRecord, Counts, Manifest, PartRecord, RepairCounts
from curation.caption_set.schemas import parquet_schema
from curation.caption_set.shards import open_parquet, part_path
from curation.caption_set.writer import PROMPT, SKIPPED, SetError, check_parts, tables_in
from curation.runtime.errors import InputError
from curation.runtime.files import sync
from curation.runtime.progress import Progress

from .decisions import Decision, decisions
from .folder import GUIDELINE, finished_set
from .store import Store
from .summary import guideline_digest, judged, summarise
from .verdicts import HALLUCINATIONS, REASONS

ROWS_IN_GROUP = 50_000
LAST = 2**62
"""In the place of a row: behind all others of its report."""

Table = Literal["captions", "rejects"]


def apply(root: Path, out: Path, store: Store, progress: Progress) -> Manifest:
    """Write the cleaned set to ``out``, as a whole or not at all.

    Raises ``SetError`` where the set has changed since or ``out`` is in use, ``InputError`` where nothing was judged.
    """
    manifest = finished_set(root)
    if manifest.identity() != store.fact("set"):
        raise SetError(f"{root} has changed since it was audited: the verdicts are about other captions")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SetError(f"{out} is there already: name another folder with --out")
    if out.resolve().is_relative_to(root.resolve()):
        raise SetError(f"{out} is within {root}, which is to stay as it is: name another folder with --out")
    check_parts(root, manifest, tables_in(manifest.settings))
    if not judged(store):
        raise InputError(f"no caption of {root} has been judged yet: run `ovct audit {root}` first")
    temporary = out.resolve().with_name(f".{out.resolve().name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        done = _write(root, temporary, manifest, store, progress)
        if out.exists():
            out.rmdir()
        os.replace(temporary, out)
        sync(out.resolve().parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return done


def _write(root: Path, out: Path, manifest: Manifest, store: Store, progress: Progress) -> Manifest:
    for table in tables_in(manifest.settings):
        (out / table).mkdir(parents=True)
    by_part: dict[int, list[Decision]] = defaultdict(list)
    changed = decisions(store)
    for one in changed:
        by_part[one.part].append(one)
    counts, parts = Counts(), []
    progress.start(len(manifest.parts), 0)
    for index, part in enumerate(manifest.parts):
        progress.raise_if_interrupted()
        captions, rejects = _changed(root, index, by_part.get(index, []))
        for table in tables_in(manifest.settings):
            if table not in ("captions", "rejects"):
                _copy(part_path(root, table, index), part_path(out, table, index))
        _save(captions, "captions", part_path(out, "captions", index))
        _save(rejects, "rejects", part_path(out, "rejects", index))
        sizes = {table: part_path(out, table, index).stat().st_size for table in part.bytes}
        changes = {"captions": len(captions), "rejects": len(rejects), "bytes": sizes}
        parts.append(part.model_copy(update=changes))
        counts = counts.plus(part.reports, *_counted(captions, rejects), RepairCounts())
        progress.advance()
    for name in (PROMPT, SKIPPED):
        if (root / name).exists():
            _copy(root / name, out / name)
    returned = {"returned": manifest.counts.returned, "repaired": manifest.counts.repaired}
    return _finish(root, out, manifest, store, changed, counts.model_copy(update=returned), parts)


def _finish(
    root: Path,
    out: Path,
    manifest: Manifest,
    store: Store,
    changed: list[Decision],
    counts: Counts,
    parts: list[PartRecord],
) -> Manifest:
    audit = _record(root, store, changed)
    done = manifest.model_copy(update={"counts": counts, "parts": tuple(parts), "audit": audit})
    write_card(out, done)
    done.save(out)
    return done


def _record(root: Path, store: Store, changed: list[Decision]) -> CleaningRecord:
    results = summarise(store, guideline_digest(root / AUDIT / GUIDELINE))
    rows = judged(store)
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
        changes=tuple(map(_change, changed)),
    )


def _change(one: Decision) -> AuditChange:
    after = one.after and {name: one.after[name] for name in ("organ", "caption", "status", "evidence")}
    return AuditChange(
        report_id=one.report_id,
        organ=one.before["organ"],
        caption=one.before["caption"],
        verdict=one.verdict,
        after=after,
        found=None if one.after is None else one.after["score"] > 0,
    )


def _changed(root: Path, index: int, changed: Sequence[Decision]) -> tuple[pa.Table, pa.Table]:
    """Captions and rejects of a part, as they are to be."""
    captions, rejects = (pq.read_table(part_path(root, table, index)) for table in ("captions", "rejects"))
    if not changed:
        return captions, rejects
    reports = pq.read_table(part_path(root, "reports", index), columns=["report_id"])["report_id"]
    gone = [one.row for one in changed if one.out]
    prompts = captions["prompt"].take(gone).to_pylist() if gone else []
    refused = [
        _refused(one, prompt)
        for one, prompt in zip((one for one in changed if one.out), prompts, strict=True)
        if one.verdict in HALLUCINATIONS
    ]
    added = [(one.after, one.row if one.out else LAST) for one in changed if one.after]
    kept = np.ones(len(captions), bool)
    kept[gone] = False
    return (
        _merged(captions, kept, added, "captions", reports),
        _merged(rejects, np.ones(len(rejects), bool), [(row, LAST) for row in refused], "rejects", reports),
    )


def _refused(one: Decision, prompt: str | None) -> dict[str, Any]:
    """A caption that goes out, as a row of ``rejects``."""
    before = one.before
    names = ("report_id", "organ", "caption", "engine", "model")
    reason = {"reason": REASONS[one.verdict], "detail": f"audit: {MEANINGS[one.verdict].name}"}
    nearest = before["text"][before["evidence_start"] : before["evidence_end"]]
    return {**{name: before[name] for name in names}, **reason, "nearest": nearest, "prompt": prompt}


def _merged(
    table: pa.Table,
    kept: NDArray[np.bool_],
    added: Sequence[tuple[dict[str, Any], int]],
    name: Table,
    reports: pa.ChunkedArray,
) -> pa.Table:
    """The rows that are kept, and others: each among those of its report, in the place of the row that it names."""
    schema = parquet_schema(name)
    new = pa.Table.from_pylist([row for row, _ in added], schema=schema)
    both = pa.concat_tables([table.filter(pa.array(kept)).cast(schema), new]).unify_dictionaries()
    report = pc.index_in(both["report_id"], value_set=reports.combine_chunks()).to_numpy()
    row = np.concatenate([np.flatnonzero(kept), np.array([place for _, place in added], np.int64)])
    return both.take(pa.array(np.lexsort((row, report))))


def _counted(captions: pa.Table, rejects: pa.Table) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    groups = captions.select(["organ", "status"]).group_by(["organ", "status"]).aggregate([([], "count_all")])
    reasons = rejects.select(["reason"]).group_by(["reason"]).aggregate([([], "count_all")])
    return (
        Counter({(row["organ"], row["status"]): row["count_all"] for row in groups.to_pylist()}),
        Counter({row["reason"]: row["count_all"] for row in reasons.to_pylist()}),
    )


def _save(table: pa.Table, name: Table, path: Path) -> None:
    with open_parquet(path, parquet_schema(name)) as writer:
        writer.write_table(table.cast(parquet_schema(name)), row_group_size=ROWS_IN_GROUP)
    sync(path)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    sync(target)
