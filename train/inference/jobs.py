"""`ovct segment`: prompts and scans of a command line -> jobs, which `run_jobs` carries out, for one scan or for many.

A file of jobs is CSV (columns ct, out and, if prompts differ, prompts separated by |) or JSONL (the same keys; prompts
as a list too). Relative paths count from the current folder. A job whose files are all there is not done again.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.checkpoint import read_record

from .errors import SegmentError
from .outputs import Outputs
from .prompts import SegmentPrompt, all_prompts, checked_prompts, read_prompts


@dataclass(frozen=True)
class SegmentJob:
    """One scan, its prompts and outputs. `source` says where in a file of jobs it stands."""

    scan: Path
    prompts: tuple[SegmentPrompt, ...]
    outputs: Outputs
    source: str = ""


@dataclass(frozen=True)
class PromptSource:
    """Where the prompts of a command line come from: one by one, from a file, or all that there are."""

    texts: tuple[str, ...] = ()
    file: Path | None = None
    everything: bool = False

    def job(self, scan: Path, outputs: Outputs, checkpoint: Path) -> SegmentJob:
        """Return the job for one scan. Raises SegmentError without prompts, and if an output cannot be written."""
        prompts = self._prompts(checkpoint)
        if not prompts:
            raise SegmentError("nothing to segment: --prompt 'left kidney', --prompts FILE or --all")
        job = SegmentJob(scan, checked_prompts(prompts), outputs)
        outputs.prepare(scan, job.prompts)
        return job

    def jobs(self, path: Path, outputs: Outputs, checkpoint: Path) -> list[SegmentJob]:
        """Return the jobs of a file; those without prompts of their own get these. Raises as `read_jobs` does."""
        return read_jobs(path, self._prompts(checkpoint), outputs)

    def _prompts(self, checkpoint: Path) -> list[str | SegmentPrompt]:
        from_file = read_prompts(self.file) if self.file else []
        return [*self.texts, *from_file, *(all_prompts(read_record(checkpoint)) if self.everything else [])]


def read_jobs(path: Path, prompts: Sequence[str | SegmentPrompt], outputs: Outputs) -> list[SegmentJob]:
    """Read a file of jobs: `prompts` are for jobs that name none, `outputs` says what to write.

    Raises SegmentError, which names file and line, for a job that cannot be done as it is.
    """
    jobs: list[SegmentJob] = []
    sources: dict[Path, str] = {}
    for source, row in _rows(path):
        for column in ("ct", "out"):
            if not isinstance(row.get(column), str) or not row[column].strip():
                raise SegmentError(f"{source}: no {column}; a job names ct and out, and prompts if they differ")
        cell = row.get("prompts") or []
        texts = [text for text in cell.split("|") if text.strip()] if isinstance(cell, str) else cell
        try:
            chosen = checked_prompts(texts or prompts)
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


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of a file of jobs by column, each with its file and line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SegmentError(f"{path} cannot be read ({error})") from error
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield f"{path}, line {number}", _json_row(path, number, line)
        return
    if path.suffix.lower() != ".csv":
        raise SegmentError(f"{path}: jobs are a .csv or .jsonl file")
    reader = csv.DictReader(text.splitlines())
    for row in reader:
        yield f"{path}, line {reader.line_num}", {(name or "").strip().lower(): value for name, value in row.items()}


def _json_row(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise SegmentError(f"{path}, line {number} is not JSON ({error})") from error
    if not isinstance(row, dict):
        raise SegmentError(f"{path}, line {number}: an object with ct, out and prompts, not {line.strip()[:40]!r}")
    return row
