"""Writes a data set, in whatever layout ovct reads it, as nnU-Net's raw data (v2).

OUT/dataset.json, imagesTr, labelsTr     training and validation cases
OUT/imagesTs, labelsTs                   cases of the data set's own test split
OUT/splits_final.json                    its own validation split, for nnUNet_preprocessed/DATASET
OUT/labelled.json, patients.csv          what ovct knows beside: structures looked for, cases of one patient
"""

from __future__ import annotations

import csv
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from curation.runtime.errors import InputError, RunError
from curation.runtime.files import whole_file, write_text
from curation.runtime.processes import available_cores, ordered_results, workers
from curation.runtime.progress import Progress
from curation.runtime.provenance import ovct_version
from train.config.options import LabelledBy
from train.data.cases import Case, CaseProblem, DataError, DataSet, OnProblem, raise_for_problems
from train.data.dataset import PATIENTS, open_dataset
from train.data.labelling.labelled import LABELLED

from .nnunet_case import FILE_ENDING, CaseWriter, Unknown, WrittenCase, consecutive_ids, region_order
from .whole_folder import check_replaceable, whole_folder

KIND = "nnU-Net data set"
# By this name nnU-Net finds a data set and its number.
FOLDER_NAME = re.compile(r"Dataset\d{3}_[A-Za-z0-9][\w-]*")
BACKGROUND, IGNORE = "background", "ignore"
MOST_NAMED = 5
# So many seconds of work are done in this process: others take as long to start.
ALONE_SECONDS = 5.0


@dataclass(frozen=True)
class NnunetExport:
    """What was written: training and test cases, names of structures, and what there is to tell of it."""

    training: int
    test: int
    structures: tuple[str, ...]
    notices: tuple[str, ...] = ()
    problems: tuple[CaseProblem, ...] = ()


@dataclass(frozen=True)
class NnunetOptions:
    """How a data set is read and written; `layout`, `labelled` and `on_problem` as for training."""

    layout: str | None = None
    labelled: LabelledBy = "auto"
    unknown: Unknown = "ignore"
    on_problem: OnProblem = "refuse"
    workers: int = 0
    overwrite: bool = False


@dataclass
class _Told:
    """What the cases come to, together."""

    unknown: Counter[str] = field(default_factory=Counter)
    overlaps: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    ignoring: int = 0

    def add(self, case: WrittenCase) -> None:
        """Add a case."""
        self.unknown.update(case.unknown)
        self.ignoring += case.ignored > 0
        for first, second, voxels in case.overlaps:
            cases, before = self.overlaps.get((first, second), (0, 0))
            self.overlaps[first, second] = cases + 1, before + voxels

    def notices(self, unknown: Unknown) -> Iterator[str]:
        """Yield what a user has to know, a sentence each."""
        if self.unknown:
            names = _listed([f"{name} in {count:,}" for name, count in self.unknown.most_common()])
            what = (
                f"background of {self.ignoring:,} cases has nnU-Net's label `{IGNORE}`, as it may be one of these"
                if unknown == IGNORE
                else "their background says that they are absent"
            )
            yield f"not looked for: {names}; {what}"
        if self.overlaps:
            names = _listed(
                [
                    f"{first} and {second} in {cases:,} ({voxels:,} voxels)"
                    for (first, second), (cases, voxels) in sorted(self.overlaps.items(), key=lambda item: -item[1][1])
                ]
            )
            yield f"masks that overlap: {names}; a voxel of both belongs to the second, as it does in training"


def export_nnunet(
    source: Path, out: Path, options: NnunetOptions = NnunetOptions(), progress: Progress | None = None
) -> NnunetExport:
    """Write the labelled cases of the data set `source` into `out`, a folder called as nnU-Net has it.

    Raises InputError for another name of `out`, or where it is there already, and DataError for a data set that cannot
    be read, has no labels, or of which a case cannot be used, unless such cases are to be skipped.
    """
    progress = progress or Progress()
    if not FOLDER_NAME.fullmatch(out.name):
        raise InputError(f"--out {out}: nnU-Net finds a data set as nnUNet_raw/Dataset123_Name (three digits)")
    check_replaceable(out, KIND, overwrite=options.overwrite)
    dataset = open_dataset(source, options.layout, labelled=options.labelled)
    _check(dataset)
    labelled = [case for case in dataset.cases if case.labels is not None]
    if not labelled:
        raise DataError(f"{source} has no labels (layout {dataset.layout}): nnU-Net trains on cases with label maps")
    names = _file_names(labelled)
    ids, ignore = consecutive_ids(dataset)
    writer = CaseWriter(dataset, ids, ignore, options.unknown)
    told, problems, written = _Told(), list(dataset.problems), dict[str, tuple[Case, WrittenCase]]()
    with whole_folder(out, KIND, overwrite=options.overwrite) as folder:
        for part in ("imagesTr", "labelsTr", *(("imagesTs", "labelsTs") if _tests(labelled) else ())):
            (folder / part).mkdir()
        jobs = [(case, names[case.id], *_folders(folder, case)) for case in labelled]
        progress.start(len(jobs), 0)
        for (case, *_), outcome in _outcomes(writer, jobs, options.workers, progress):
            if outcome.error:
                problems.append(CaseProblem(case.id, case.image, outcome.error))
            else:
                told.add(outcome)
                written[names[case.id]] = case, outcome
            progress.advance()
        if options.on_problem == "refuse":
            raise_for_problems(dataset.root, problems, len(dataset.cases) + len(dataset.problems))
        training = sum(case.split != "test" for case, _ in written.values())
        if not training:
            raise DataError(f"{source}: no case to train on is left; nothing was written")
        uses_ignore = bool(dataset.ignored) or told.ignoring > 0
        content = _description(dataset, ids, ignore if uses_ignore else None, training)
        write_text(folder / "dataset.json", json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        _write_beside(folder, dataset, written)
    left = [case.id for case in dataset.cases if case.labels is None]
    notices = [*told.notices(options.unknown), *([f"without labels, and left out: {_listed(left)}"] if left else [])]
    changed = [f"{case_id} as {name}" for case_id, name in names.items() if case_id != name]
    notices += [f"names that no file may have: {_listed(changed)}"] if changed else []
    return NnunetExport(training, len(written) - training, tuple(dataset.structures), tuple(notices), tuple(problems))


def _check(dataset: DataSet) -> None:
    """Raise DataError for structures that nnU-Net would take for something else."""
    for name in dataset.structures:
        if name in (BACKGROUND, IGNORE):
            raise DataError(f"{dataset.root}: a structure is called {name!r}, which means another thing to nnU-Net")
    by_ids: dict[frozenset[int], str] = {}
    for name, numbers in dataset.structures.items():
        if (other := by_ids.setdefault(frozenset(numbers), name)) != name:
            raise DataError(f"{dataset.root}: {other} and {name} have the same ids, and nnU-Net one name for each")


def _tests(cases: Sequence[Case]) -> bool:
    return any(case.split == "test" for case in cases)


def _folders(folder: Path, case: Case) -> tuple[Path, Path]:
    part = "Ts" if case.split == "test" else "Tr"
    return folder / f"images{part}", folder / f"labels{part}"


def _file_names(cases: Sequence[Case]) -> dict[str, str]:
    """Return a name for the files of each case, by its id: the id, without what a file's name cannot have."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for case in cases:
        plain = re.sub(r"[^\w.-]+", "_", case.id).strip("._") or "case"
        name, number = plain, 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain}_{number}"
        taken.add(name.casefold())
        names[case.id] = name
    return names


def _outcomes(
    writer: CaseWriter, jobs: Sequence[tuple[Case, str, Path, Path]], count: int, progress: Progress
) -> Iterator[tuple[tuple[Case, str, Path, Path], WrittenCase]]:
    """Yield each case and what it came to: the first ones written here, the others in processes where that is slow."""
    count = count or available_cores()
    began, done = time.monotonic(), 0
    for job in jobs:
        if count > 1 and time.monotonic() - began > ALONE_SECONDS:
            break
        progress.raise_if_interrupted()
        yield job, writer.write(*job)
        done += 1
    left = jobs[done:]
    if not left:
        return
    try:
        with workers(partial(_worker, writer.for_other_process()), min(count, len(left))) as pool:
            yield from ordered_results(iter(left), pool.submit, pool.ahead, progress.raise_if_interrupted)
    except RunError as error:
        raise RunError(
            "a process that wrote cases died (killed, or out of memory?); run the same command again, or with fewer "
            "--workers"
        ) from error


def _worker(writer: CaseWriter) -> Any:
    return partial(_write_job, writer)


def _write_job(writer: CaseWriter, job: tuple[Case, str, Path, Path]) -> WrittenCase:
    return writer.write(*job)


def _description(dataset: DataSet, ids: dict[int, int], ignore: int | None, training: int) -> dict[str, Any]:
    """Return `dataset.json`. Structures of several ids, or that share one, are regions, larger ones first."""
    numbers = {
        name: [ids[number] for number in of_name if number in ids] for name, of_name in dataset.structures.items()
    }
    counts = Counter(number for of_name in numbers.values() for number in of_name)
    regions = any(len(of_name) > 1 for of_name in numbers.values()) or max(counts.values()) > 1
    ordered = sorted(numbers.items(), key=lambda item: -len(item[1])) if regions else list(numbers.items())
    labels: dict[str, Any] = {BACKGROUND: 0}
    labels |= {name: of_name if len(of_name) > 1 else of_name[0] for name, of_name in ordered}
    labels |= {IGNORE: ignore} if ignore is not None else {}
    return {
        "channel_names": {"0": "CT"},
        "labels": labels,
        **({"regions_class_order": region_order([of_name for _, of_name in ordered])} if regions else {}),
        "numTraining": training,
        "file_ending": FILE_ENDING,
        "description": f"Written by ovct {ovct_version()} from {dataset.root.name} (layout {dataset.layout})",
    }


def _write_beside(folder: Path, dataset: DataSet, written: Mapping[str, tuple[Case, WrittenCase]]) -> None:
    """Write the split, the patients and what was looked for, by the names of the cases' files, where there is need."""
    splits = {name: case.split or "train" for name, (case, _) in written.items()}
    if "val" in splits.values():
        fold = {part: [name for name, split in splits.items() if split == part] for part in ("train", "val")}
        write_text(folder / "splits_final.json", json.dumps([fold], indent=1) + "\n")
    patients = {name: case.patient for name, (case, _) in written.items() if case.patient != case.id}
    if patients:
        rows = [(name, case.patient) for name, (case, _) in written.items()]
        with whole_file(folder / PATIENTS) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("id", "patient"), *rows])
    if any(outcome.unknown for _, outcome in written.values()):
        looked_for = {
            name: [structure for structure in dataset.structures if structure not in outcome.unknown]
            for name, (_, outcome) in written.items()
        }
        write_text(folder / LABELLED, json.dumps(looked_for, indent=1, ensure_ascii=False) + "\n")


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
