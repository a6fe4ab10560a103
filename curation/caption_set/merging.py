"""``ovct merge``: join the caption sets of all shards (``--shard I/N``) to the set that a single run would make."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from curation.runtime.errors import InputError
from curation.runtime.files import whole_file
from curation.runtime.progress import Progress
from curation.runtime.provenance import versions

from .kept_files import kept_files, refuse_foreign_files
from .manifest import Counts, Manifest, RepairCounts, Usage, is_caption_set, load_manifest
from .publishing import StorePublisher
from .records.privacy_counts import PrivacyCounts
from .resuming import check_set, check_stored, differences
from .set_files import SKIPPED_FILE, part_path, remove_leftovers, tables_of
from .sharding import Shard
from .work_folder import SetError, lock_set, remove_left_work
from .writer import complete_set


def merge(
    folders: Sequence[Path],
    out: Path,
    progress: Progress | None = None,
    *,
    overwrite: bool = False,
    publisher: StorePublisher | None = None,
) -> Manifest:
    """Join the finished sets of all shards into ``out``, and from there into a store; they stay as they are.

    Stopped at any moment, the same call makes it anew. Returns the manifest of the merged set.

    Raises ``InputError``, ``SetError`` and ``ManifestError`` for sets that do not belong together, are unfinished,
    missing or there twice.
    """
    progress = progress or Progress()
    shards = _ordered_shards(folders, progress)
    merged = _merged_manifest([manifest for _, manifest in shards])
    kept = kept_files(*shards[0], progress.raise_if_interrupted)
    if publisher:
        publisher.begin()
    if any(folder.resolve() == out.resolve() for folder in folders):
        raise InputError(f"--out {out} is one of the sets to merge: name another folder")
    if not overwrite and is_caption_set(out) and (before := load_manifest(out)).complete:
        if before.identity() != merged.identity():
            raise SetError(f"{out} holds another caption set: name another folder with --out, or say --overwrite")
        if _is_whole(out, before, progress, publisher):
            remove_left_work(out)
            return before
    with lock_set(out, progress.raise_if_interrupted) as locked:
        refuse_foreign_files(out, locked.left_behind)
        _begin(out, merged)
        if publisher:
            publisher.put_manifest()
            publisher.remove_leftovers(0)
        progress.start(len(merged.parts), 0)
        for index in range(len(merged.parts)):
            progress.raise_if_interrupted()
            folder, _ = shards[index % len(shards)]
            for table in tables_of(merged.settings):
                _link_or_copy(part_path(folder, table, index // len(shards)), part_path(out, table, index))
            if publisher:
                publisher.put_part(index, tables_of(merged.settings))
                publisher.drop_part(index, tables_of(merged.settings))
            progress.advance()
        for name in kept:
            _link_or_copy(shards[0][0] / name, out / name)
        return complete_set(out, merged, publisher, ours=True)


def _is_whole(out: Path, before: Manifest, progress: Progress, publisher: StorePublisher | None) -> bool:
    """Return whether a set that was merged before has all its files as they were written; else it is made anew."""
    try:
        check = progress.raise_if_interrupted
        if publisher:
            check_stored(out, before, publisher, tell=progress.warning)
            return True
        check_set(out, before, tables_of(before.settings), check=check, tell=progress.warning)
    except SetError as error:
        progress.warning(f"{error.args[0].partition(';')[0]}; the set is made anew from the shards")
        return False
    return True


def _begin(out: Path, merged: Manifest) -> None:
    """Prepare the folder: it says that it is an unfinished set before it holds any rows."""
    merged.model_copy(update={"complete": False, "parts": (), "counts": Counts()}).save(out)
    remove_leftovers(out, 0)
    for table in tables_of(merged.settings):
        (out / table).mkdir(exist_ok=True)


def _link_or_copy(source: Path, target: Path) -> None:
    """Link a file where that can be, since nothing writes into a finished part; else copy it.

    Of a link, the file that it leads to is taken: its way there may not hold from another folder.
    """
    with whole_file(target) as temporary:
        temporary.unlink(missing_ok=True)
        try:
            os.link(source.resolve(), temporary)
        except OSError:
            shutil.copyfile(source, temporary)


def _ordered_shards(folders: Sequence[Path], progress: Progress) -> list[tuple[Path, Manifest]]:
    """Return folder and manifest of every shard, ordered by number; raise where one is missing, unfinished or twice."""
    by_number: dict[int, tuple[Path, Manifest]] = {}
    first: tuple[Path, Manifest] | None = None
    for folder in folders:
        manifest = load_manifest(folder)
        shard_text = manifest.settings.shard
        if shard_text is None:
            raise InputError(f"{folder} is no shard: it was made without --shard I/N")
        if not manifest.complete:
            raise SetError(
                f"{folder} (shard {shard_text}) is unfinished: run its `ovct curate --shard {shard_text}` again"
            )
        shard = Shard.read(shard_text)
        first = first or (folder, manifest)
        _check_alike(*first, folder, manifest, shard)
        if shard.number in by_number:
            raise InputError(f"{by_number[shard.number][0]} and {folder} are both shard {shard_text}")
        check, tables = progress.raise_if_interrupted, tables_of(manifest.settings)
        check_set(folder, manifest, tables, check=check, tell=progress.warning)
        by_number[shard.number] = folder, manifest
    if first is None:
        raise InputError("no caption sets to merge: name the folder of every shard")
    count = Shard.read(str(first[1].settings.shard)).count
    if missing := [f"{number}/{count}" for number in range(1, count + 1) if number not in by_number]:
        raise InputError(f"shards are missing: {', '.join(missing[:10])}{' and more' if len(missing) > 10 else ''}")
    return [by_number[number] for number in range(1, count + 1)]


def _check_alike(first: Path, expected: Manifest, folder: Path, manifest: Manifest, shard: Shard) -> None:
    """Raise ``SetError`` where a shard was made from another input or otherwise than the first one."""
    count = Shard.read(str(expected.settings.shard)).count
    settings = manifest.settings.model_copy(update={"shard": expected.settings.shard})
    changes = differences(expected, manifest.input, settings)
    if shard.count != count:
        changes.append(f"shards: {count} there, {shard.count} here")
    if manifest.source_columns != expected.source_columns:
        changes.append("the columns carried through differ")
    if manifest.audit:
        changes.append("one was cleaned after an audit: merge first, then audit")
    if changes:
        lines = "".join(f"\n  {change}" for change in changes)
        raise SetError(
            f"{folder} was made otherwise than {first}:{lines}\nRun the shards again with the same settings."
        )


def _merged_manifest(manifests: Sequence[Manifest]) -> Manifest:
    """Return the manifest of all shards together."""
    total = sum(len(manifest.parts) for manifest in manifests)
    lengths = [len(range(place, total, len(manifests))) for place in range(len(manifests))]
    if lengths != [len(manifest.parts) for manifest in manifests]:
        raise SetError("the shards' parts do not add up to one set: run the shards again with --overwrite")
    first = manifests[0]
    changes = {
        "settings": first.settings.model_copy(update={"shard": None}),
        "versions": versions(),
        "counts": _counts(manifests),
        "usage": _usage([manifest.usage for manifest in manifests if manifest.usage]),
        "privacy": _privacy([manifest.privacy for manifest in manifests]),
        "seconds": round(sum(manifest.seconds for manifest in manifests), 3),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "replayed": max((manifest.replayed for manifest in manifests if manifest.replayed), default=None),
        "license": next((manifest.license for manifest in manifests if manifest.license), None),
        "files": {},
        "parts": tuple(manifests[place % len(manifests)].parts[place // len(manifests)] for place in range(total)),
    }
    return first.model_copy(update=changes)


def _counts(manifests: Sequence[Manifest]) -> Counts:
    total = Counts()
    for counts in (manifest.counts for manifest in manifests):
        repairs = RepairCounts(counts.returned, counts.repaired)
        rejects = Counter(counts.rejects)
        total = total.plus(
            counts.reports, counts.by_organ_and_status(), rejects, repairs, counts.languages, counts.bases
        )
    return total


def _privacy(counts: Sequence[PrivacyCounts | None]) -> PrivacyCounts | None:
    """Return the sums, None where a shard was not checked. The problem rows are the same in every shard."""
    total = PrivacyCounts()
    for place, one in enumerate(counts):
        if one is None:
            return None
        places = {name: kinds for name, kinds in one.places.items() if not place or name != SKIPPED_FILE}
        total = total.plus(one.model_copy(update={"places": places}))
    return total


def _usage(usages: Sequence[Usage]) -> Usage | None:
    """Return the sums. The first and last captions of the whole are not those of a shard: their rates are left out."""
    if not usages:
        return None
    names = ("questions", "retries", "repairs", "failures", "prompt_tokens", "completion_tokens", "seconds")
    sums = {name: sum(getattr(usage, name) for usage in usages) for name in names}
    costs = [usage.cost for usage in usages]
    return usages[0].model_copy(
        update={
            **sums,
            "tokens_per_second": round(sums["completion_tokens"] / sums["seconds"], 1) if sums["seconds"] else None,
            "first_accept_rate": None,
            "last_accept_rate": None,
            "cost": None if None in costs else round(sum(cost or 0 for cost in costs), 6),
        }
    )
