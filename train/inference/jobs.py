"""`ovct segment`: prompts and scans of a command line -> jobs, which `run_jobs` carries out, for one scan or for many.

A file of jobs is CSV (columns ct, out and, if prompts differ, prompts separated by |), JSONL, or a JSON list (the same
keys; prompts as a list too). Relative paths count from the current folder. A folder of scans is a job for each. A job
whose files are all there is not done again.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .engines.known_prompts import KnownPrompts
from .errors import SegmentError
from .outputs import ENDINGS, LABEL_MAPS, Outputs
from .prompts import SegmentPrompt, checked_prompts, read_prompts
from .scan_folder import FolderScans


@dataclass(frozen=True)
class SegmentJob:
    """One scan, its prompts and outputs. `source` says where in a file of jobs it stands.

    `problem` is why the scan cannot be read, where that is known before.
    """

    scan: Path
    prompts: tuple[SegmentPrompt, ...]
    outputs: Outputs
    source: str = ""
    problem: str = ""


@dataclass(frozen=True)
class PromptSource:
    """Where the prompts of a command line come from: one by one, from a file, or all that there are."""

    texts: tuple[str, ...] = ()
    file: Path | None = None
    everything: bool = False

    def job(self, scan: Path, outputs: Outputs, known: Callable[[], KnownPrompts]) -> SegmentJob:
        """Return the job for one scan. Raises SegmentError without prompts, and if an output cannot be written."""
        job = SegmentJob(scan, self._some_prompts(known), outputs)
        outputs.prepare(scan, job.prompts)
        return job

    def jobs(self, path: Path, outputs: Outputs, known: Callable[[], KnownPrompts]) -> list[SegmentJob]:
        """Return the jobs of a file; those without prompts of their own get these. Raises as `read_jobs` does."""
        return read_jobs(path, self._prompts(known), outputs)

    def folder_jobs(
        self, scans: FolderScans, folder: Path, out: Path, outputs: Outputs, known: Callable[[], KnownPrompts]
    ) -> list[SegmentJob]:
        """Return a job for each scan of `folder`, with a label map, or a folder of masks, of its name in `out`.

        Raises SegmentError without prompts, and for an `out` that is no folder, or the one of the scans.
        """
        prompts = self._some_prompts(known)
        if not out.is_dir() and (out.exists() or out.name.lower().endswith(ENDINGS)):
            raise SegmentError(
                f"--out {out}: {folder} is a folder of {len(scans.scans)} scans, whose masks need one too"
            )
        if out.exists() and out.samefile(folder):
            raise SegmentError(f"--out {out} is the folder of the scans: name another")
        ending = "" if outputs.separate else LABEL_MAPS[0]
        return [
            SegmentJob(scan.path, prompts, replace(outputs, out=out / (scan.name + ending)), problem=scan.problem)
            for scan in scans.scans
        ]

    def _some_prompts(self, known: Callable[[], KnownPrompts]) -> tuple[SegmentPrompt, ...]:
        prompts = self._prompts(known)
        if not prompts:
            raise SegmentError("nothing to segment: --prompt 'left kidney', --prompts FILE or --all")
        return checked_prompts(prompts)

    def _prompts(self, known: Callable[[], KnownPrompts]) -> list[str | SegmentPrompt]:
        from_file = read_prompts(self.file) if self.file else []
        return [*self.texts, *from_file, *(known().prompts() if self.everything else [])]


def read_jobs(path: Path, prompts: Sequence[str | SegmentPrompt], outputs: Outputs) -> list[SegmentJob]:
    """Read a file of jobs: `prompts` are for jobs that name none, `outputs` says what to write.

    Raises SegmentError, which names file and line, for a job that cannot be done as it is.
    """
    jobs: list[SegmentJob] = []
    sources: dict[Path, str] = {}
    for source, row in _rows(path):
        for column in ("ct", "out"):
            if not isinstance(row.get(column), str) or not row[column].strip() or "\0" in row[column]:
                raise SegmentError(f"{source}: no {column}; a job names ct and out, and prompts if they differ")
        try:
            chosen = checked_prompts(_own_prompts(row.get("prompts")) or prompts)
            job = SegmentJob(Path(row["ct"].strip()), chosen, replace(outputs, out=Path(row["out"].strip())), source)
        except SegmentError as error:
            raise SegmentError(f"{source}: {error}") from error
        earlier = sources.setdefault(job.outputs.table.resolve(), source)
        if earlier != source:
            raise SegmentError(f"{source}: would write what {earlier} does, {row['out']}")
        jobs.append(job)
    if not jobs:
        raise SegmentError(f"{path} holds no job")
    return jobs


def _own_prompts(cell: object) -> list[str] | dict[str, str]:
    """Return the prompts of a job: parted by |, a list, or an object of names and prompts. Raises SegmentError."""
    if isinstance(cell, str):
        return [text for text in cell.split("|") if text.strip()]
    texts = cell.values() if isinstance(cell, dict) else cell if isinstance(cell, list) else [cell]
    if cell is not None and not all(isinstance(text, str) for text in texts):
        raise SegmentError(
            f"prompts are {json.dumps(cell)[:40]}; expected 'liver|spleen', a list of texts, or an object name -> text"
        )
    return cell if isinstance(cell, (dict, list)) else []


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of a file of jobs by column, each with its file and line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SegmentError(f"{path} cannot be read ({error})") from error
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield (source := f"{path}, line {number}"), _json_row(source, _json_value(source, line))
        return
    if path.suffix.lower() == ".json":
        rows = _json_value(str(path), text)
        if not isinstance(rows, list):
            raise SegmentError(f"{path}: a list of objects with ct, out and prompts")
        for number, row in enumerate(rows, 1):
            yield (source := f"{path}, job {number}"), _json_row(source, row)
        return
    if path.suffix.lower() != ".csv":
        raise SegmentError(f"{path}: jobs are a .csv, .jsonl or .json file")
    reader = csv.DictReader(text.splitlines())
    for row in reader:
        yield f"{path}, line {reader.line_num}", {(name or "").strip().lower(): value for name, value in row.items()}


def _json_value(source: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SegmentError(f"{source} is not JSON ({error})") from error


def _json_row(source: str, row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise SegmentError(f"{source}: an object with ct, out and prompts, not {json.dumps(row)[:40]!r}")
    return row
