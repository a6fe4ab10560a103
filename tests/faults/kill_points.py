"""Kills a run before each of its changes to the disk, one after another, and lets the same call go on after each.

    python -m tests.faults.kill_points FOLDER OPERATION NUMBER...      prints what went wrong, a line of JSON for each

Everything is imported once; each trial is a fork of that process. ``NUMBER`` 0 counts the changes.
"""

from __future__ import annotations

import builtins
import hashlib
import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from curation.api.plot import draw_plot
from curation.caption_set.manifest import load_manifest
from curation.caption_set.merging import merge
from curation.caption_set.resuming import check_set
from curation.caption_set.set_files import tables_of
from curation.caption_set.sharding import Shard
from curation.pipeline import CurateJob, curate
from tests.curation.fakes import fake_recipe, write_reports

# What changes the disk, as Python calls it. What pyarrow writes between two of these is under a temporary name.
CHANGES = ("replace", "rename", "fsync", "unlink", "remove", "mkdir", "rmdir", "link", "truncate")
Operation = Callable[[Path], object]


def curated(root: Path, out: str = "out", **changes: Any) -> None:
    """Make a set of three parts, with its plot."""
    job = CurateJob(root / "reports.csv", root / out, workers=1, reports_per_part=4)
    result = curate(replace(job, **changes), fake_recipe())
    if not (job.out / "captions.png").exists():
        draw_plot(root / out, result.manifest)


def merged(root: Path) -> None:
    """Join two shards to a set, with its plot."""
    manifest = merge([root / "shard-1", root / "shard-2"], root / "out")
    if not (root / "out" / "captions.png").exists():
        draw_plot(root / "out", manifest)


OPERATIONS: dict[str, Operation] = {
    "curate": curated,
    "overwrite": lambda root: curated(root, overwrite=True),
    "licence": lambda root: curated(root, license="cc0-1.0"),
    "merge": merged,
}


def prepare(root: Path, operation: str) -> None:
    """Make what an operation starts from."""
    write_reports(root / "reports.csv", 12)
    if operation == "merge":
        for number in (1, 2):
            curated(root, f"shard-{number}", shard=Shard(number, 2))
    if operation in ("overwrite", "licence"):
        curated(root)


def in_child(work: Callable[[], None]) -> int:
    """Run something in a fork and return its exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        work()
    except BaseException as error:  # the parent tells what went wrong
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(1)
    os._exit(0)


def kill_before(number: int) -> Callable[[], int]:
    """Let this process die before its ``number``-th change of the disk, as SIGKILL would; 0 lets it live.

    Return a function that returns how many there were.
    """
    return before_change(number, lambda: os._exit(9))


def before_change(number: int, act: Callable[[], None]) -> Callable[[], int]:
    """Do something before this process' ``number``-th change of the disk. Return what returns how many there were."""
    seen, acting = 0, False

    def note() -> None:
        nonlocal seen, acting
        if acting:
            return
        seen += 1
        if seen == number:
            acting = True
            act()
            acting = False

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            note()
            return original(*args, **options)

        return call

    def opened(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        if set(mode) & set("wax+"):
            note()
        return plain_open(file, mode, *args, **options)

    plain_open = builtins.open
    for name in CHANGES:
        setattr(os, name, counted(getattr(os, name)))
    io.open = builtins.open = opened
    return lambda: seen


def tables(root: Path) -> dict[str, str]:
    """The rows of a set, and what else lies in its folder."""
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.suffix == ".parquet"
        else ""
        for path in paths
    }


def problem_of(root: Path, operation: str, number: int, reference: dict[str, str], start: Path) -> str | None:
    """Kill an operation before one change, call it again, and say what is not as without the kill."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(start, root)

    def killed() -> None:
        kill_before(number)
        OPERATIONS[operation](root)

    if in_child(killed) not in (9, 0):
        return "it did not get to its kill"
    if in_child(lambda: (OPERATIONS[operation](root), None)[1]) != 0:
        return f"the same call failed, with {sorted(path.name for path in (root / 'out').iterdir())}"
    if (found := tables(root / "out")) != reference:
        return f"other files: {sorted(found.items() ^ reference.items())[:4]}"
    told = list[str]()
    manifest = load_manifest(root / "out")
    check_set(root / "out", manifest, tables_of(manifest.settings), tell=told.append)
    return told[0] if told or not manifest.complete else None


def main(folder: Path, operation: str, numbers: list[int]) -> None:
    """Print the number of changes for 0, and the problems of the others."""
    start, whole, count = folder / "start", folder / "whole", folder / "count"
    # In this process: what these import and draw is there for all forks.
    start.mkdir(parents=True, exist_ok=True)
    prepare(start, operation)
    shutil.rmtree(whole, ignore_errors=True)
    shutil.copytree(start, whole)
    OPERATIONS[operation](whole)
    reference = tables(whole / "out")
    for number in numbers:
        if number:
            print(json.dumps([number, problem_of(folder / "trial", operation, number, reference, start)]), flush=True)
            continue
        shutil.copytree(start, folder / "counted")

        def counting() -> None:
            changes = kill_before(0)
            OPERATIONS[operation](folder / "counted")
            count.write_text(str(changes()), encoding="utf-8")

        assert in_child(counting) == 0
        print(json.dumps(int(count.read_text(encoding="utf-8"))), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [int(number) for number in sys.argv[3:]])
