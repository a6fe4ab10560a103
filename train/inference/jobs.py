"""One scan or many with one model: what is asked, what is written, what is told, and where a run goes on.

A file of jobs is CSV (columns ct, out and, if prompts differ, prompts separated by |) or JSONL (the same keys; prompts
as a list too). Relative paths count from the current folder.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

import torch

from curation.runtime.progress import Progress
from models.checkpoint import Checkpoint, read_record
from models.inference import Precision, dtype_for
from train.scans.scan import read_scan

from .label_table import LabelTable
from .outputs import Outputs
from .prompts import Prompt, SegmentError, all_prompts, checked_prompts, read_prompts
from .segmenting import Segmented, best_device, segment, text_segmenter


@dataclass(frozen=True)
class Settings:
    """How to segment, and where, the same for all jobs."""

    threshold: float = 0.5
    presence_threshold: float = 0.5
    overlap: float = 0.5
    precision: Precision = "auto"
    device: str = "cpu"
    vocabulary: bool = True

    def load(self, checkpoint: Path) -> Checkpoint:
        """A text-guided segmenter on its device."""
        return Checkpoint(*text_segmenter(checkpoint, self.device))


def settings_of(
    threshold: float, presence_threshold: float, overlap: float, precision: str, device: str, vocabulary: bool = True
) -> Settings:
    """From what was said on the command line; SegmentError for a device that is not here or a precision it lacks."""
    try:
        where = best_device() if device == "auto" else torch.device(device)
        torch.empty(1, device=where)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise SegmentError(f"--device {device}: no such device here ({reason}); --device cpu is") from error
    if precision not in get_args(Precision):
        raise SegmentError(f"--precision {precision}: {', '.join(get_args(Precision))}")
    chosen = cast(Precision, precision)
    try:
        dtype_for(where, chosen)
    except ValueError as error:
        raise SegmentError(f"--precision {precision}: {error}") from error
    return Settings(threshold, presence_threshold, overlap, chosen, str(where), vocabulary)


@dataclass(frozen=True)
class Job:
    """A scan, what is asked of it, and what becomes of that. `place` says where in a file it stands."""

    scan: Path
    prompts: tuple[Prompt, ...]
    outputs: Outputs
    place: str = ""


@dataclass(frozen=True)
class Asked:
    """The prompts of a command line: one by one, in a file, or all that there are."""

    texts: tuple[str, ...] = ()
    file: Path | None = None
    everything: bool = False

    def job(self, scan: Path, outputs: Outputs, checkpoint: Path) -> Job:
        """That of one scan. SegmentError without prompts, and for outputs that cannot be written."""
        prompts = self._prompts(checkpoint)
        if not prompts:
            raise SegmentError("nothing to segment: --prompt 'left kidney', --prompts FILE or --all")
        job = Job(scan, checked_prompts(prompts), outputs)
        outputs.prepare(scan, job.prompts)
        return job

    def jobs(self, path: Path, outputs: Outputs, checkpoint: Path) -> list[Job]:
        """Those of a file, where jobs without prompts of their own are asked these."""
        return read_jobs(path, self._prompts(checkpoint), outputs)

    def _prompts(self, checkpoint: Path) -> list[str | Prompt]:
        listed = read_prompts(self.file) if self.file else []
        return [*self.texts, *listed, *(all_prompts(read_record(checkpoint)) if self.everything else [])]


def read_jobs(path: Path, prompts: Sequence[str | Prompt], outputs: Outputs) -> list[Job]:
    """The jobs of a file; `prompts` are asked where one names none of its own, `outputs` says what to write.

    SegmentError names file and row.
    """
    jobs: list[Job] = []
    places: dict[Path, str] = {}
    for place, row in _rows(path):
        for column in ("ct", "out"):
            if not isinstance(row.get(column), str) or not row[column].strip():
                raise SegmentError(f"{place}: no {column}; a job names ct and out, and prompts if they differ")
        own = row.get("prompts") or []
        asked = [text for text in own.split("|") if text.strip()] if isinstance(own, str) else own
        try:
            chosen = checked_prompts(asked or prompts)
            job = Job(Path(row["ct"].strip()), chosen, replace(outputs, out=Path(row["out"].strip())), place)
        except SegmentError as error:
            raise SegmentError(f"{place}: {error}") from error
        other = places.setdefault(job.outputs.table.resolve(), place)
        if other != place:
            raise SegmentError(f"{place}: would write what {other} does, {row['out']}")
        jobs.append(job)
    if not jobs:
        raise SegmentError(f"{path} holds no job")
    return jobs


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
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


def do_job(job: Job, model: Checkpoint, settings: Settings, progress: Progress) -> Segmented:
    """Segment one scan and write all that is wanted of it."""
    job.outputs.prepare(job.scan, job.prompts)
    scan = read_scan(job.scan)
    for warning in scan.warnings:
        progress.message(warning)
    job.outputs.suit(scan)
    found = segment(
        scan,
        job.prompts,
        model,
        threshold=settings.threshold,
        presence_threshold=settings.presence_threshold,
        overlap=settings.overlap,
        precision=settings.precision,
        progress=progress,
        vocabulary=settings.vocabulary,
    )
    for warning in found.record.warnings[len(scan.warnings) :]:
        progress.message(warning)
    for said in job.outputs.write(found):
        progress.message(said)
    return found


def do_jobs(jobs: Sequence[Job], model: Checkpoint, settings: Settings, progress: Progress) -> tuple[int, int, int]:
    """All jobs in turn: how many were done, were done before, and failed.

    What goes wrong with one is told, and the others go on. One whose outputs are all there is not done again.
    """
    done = before = failed = 0
    progress.start(len(jobs), 0)
    for job in jobs:
        progress.raise_if_interrupted()
        try:
            earlier = None if job.outputs.overwrite else job.outputs.finished(job.prompts)
            if earlier is None:
                do_job(job, model, settings, _OfOne(progress, job.scan.name))
                done += 1
            else:
                _refuse_another(earlier, job, model, settings)
                before += 1
        except (ValueError, OSError, RuntimeError, MemoryError) as error:
            failed += 1
            progress.message(f"{job.place}: {job.scan}: {error}")
        progress.advance()
    return done, before, failed


def _refuse_another(earlier: LabelTable, job: Job, model: Checkpoint, settings: Settings) -> None:
    asked = [(prompt.name, prompt.text) for prompt in job.prompts]
    same = (
        [(row.name, row.prompt) for row in earlier.labels] == asked
        and earlier.weights == model.record.weights
        and (earlier.threshold, earlier.presence_threshold) == (settings.threshold, settings.presence_threshold)
        and earlier.vocabulary == settings.vocabulary
    )
    if not same:
        raise SegmentError(
            f"{job.outputs.table} was made with other prompts, thresholds or weights: name another out, or say "
            "--overwrite"
        )


class _OfOne(Progress):
    """The windows of one of several scans: told behind the count of scans."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress, self._name, self._total, self._done = progress, name, 0, 0

    def start(self, total: int | None, done: int) -> None:
        self._total, self._done = total or 0, done

    def advance(self) -> None:
        self._done += 1
        self._progress.set_status(f"{self._name}: window {self._done} of {self._total}")

    def message(self, what: str) -> None:
        self._progress.message(what)

    def raise_if_interrupted(self) -> None:
        self._progress.raise_if_interrupted()
