"""One or several data sets made ready for training: prepared cases, split by patient, under common structure names.

Data sets label different structures. A structure is identified by its prompt (`left kidney`), so that `kidney_left` of
one data set and `left_kidney` of another are one structure; where a data set does not label it, it is unknown there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import JsonValue
from torch import Tensor

from curation.runtime.progress import Progress
from models.preprocessing import Preprocessing
from train.config.options import Data, LabelledBy

from .cases import (
    MAX_LISTED_PROBLEMS,
    Case,
    CaseProblem,
    DataError,
    DataSet,
    OnProblem,
    raise_for_problems,
    split_cases,
)
from .dataset import open_dataset
from .labelling.label_counts import CHECK_SECONDS, LabelCount, count_labels, read_label_ids, report_structures
from .labelling.labelled import labelled_names
from .preparing.in_parallel import Ranks
from .preparing.prepared import PreparedCases
from .structure_prompts import build_structure_prompts


@dataclass(frozen=True)
class TrainingSource:
    """One data set with its prepared cases, to train on and held out.

    `labels`: common name of a structure -> the data set's own labels of it.
    """

    dataset: DataSet
    train: PreparedCases
    held_out: PreparedCases
    labels: dict[str, tuple[str, ...]]

    @property
    def structures(self) -> dict[str, tuple[int, ...]]:
        """Common name of each structure -> its ids in the label maps."""
        ids = self.dataset.structures
        return {
            name: tuple(number for label in labels for number in ids[label]) for name, labels in self.labels.items()
        }

    @property
    def largest_id(self) -> int:
        """The largest id that a label map of the data set may hold, of structures that are trained on or not."""
        ids = self.dataset.structures.values()
        return max([*(number for numbers in ids for number in numbers), *self.dataset.ignored])

    def labelled(self, case: Case, ids: Collection[int] | None) -> frozenset[str]:
        """Return the structures that were looked for in a case, by common name; `ids` are those of its label map.

        Of a structure with several labels, all have to be.
        """
        names = labelled_names(case, self.dataset.structures, ids)
        return frozenset(name for name, labels in self.labels.items() if names.issuperset(labels))

    def count_prepared(self) -> LabelCount:
        """Count each structure over the cases to train on, all of which are prepared."""
        return self._count([(case, self.train.label_ids(index)) for index, case in enumerate(self.train.cases)])

    def count_files(self, seconds: float = CHECK_SECONDS) -> LabelCount:
        """Count by the label files themselves, where nothing is prepared, for so many seconds."""
        return self._count(list(read_label_ids(self.train.cases, seconds)))

    def _count(self, ids_of: Sequence[tuple[Case, frozenset[int]]]) -> LabelCount:
        counts = count_labels(self.structures, [(case, self.labelled(case, ids), ids) for case, ids in ids_of])
        return LabelCount(self.dataset.root, self.dataset.labelled_by, counts, len(ids_of), len(self.train.cases))


@dataclass(frozen=True)
class CaseRef:
    """Refers to a case of a training set: number of the source, index in the source's cases."""

    source: int
    index: int


class TrainingSet:
    """All sources of a training. `structures` are their structures, named by the first source that has them.

    Raises:
        DataError: a source has no labels.
    """

    def __init__(self, sources: Sequence[TrainingSource]) -> None:
        self.sources = tuple(sources)
        # Label ids by source and case id: where they decide what is labelled, every step asks for them.
        self._ids: dict[tuple[int, str], frozenset[int]] = {}
        self.structures = tuple(dict.fromkeys(name for source in sources for name in source.structures))
        for source in sources:
            if not source.structures:
                raise DataError(f"{source.dataset.root} has no labels; this stage needs a labelled data set")

    def prepare(self, on_problem: OnProblem, progress: Progress, *, jobs: int = 1, ranks: Ranks | None = None) -> None:
        """Prepare every case that the cache lacks, as `PreparedCases.prepare` does.

        Cases that cannot be used are left out, or raise `DataError`.
        """
        for source in self.sources:
            incomplete = source.dataset.problems
            if on_problem == "refuse":
                raise_for_problems(source.dataset.root, incomplete, len(source.dataset.cases) + len(incomplete))
            report_problems(progress, incomplete)
            for called, cases in (("training case", source.train), ("held-out case", source.held_out)):
                cases.prepare(on_problem=on_problem, jobs=jobs, ranks=ranks, progress=progress, called=called)
                report_problems(progress, cases.problems)
                report_warnings(progress, [text for index in range(len(cases)) for text in cases.warnings(index)])
        report_structures(progress, [source.count_prepared() for source in self.sources])

    def count_cases(self) -> int:
        """Return how many cases there are, to train on and held out."""
        return sum(len(source.train) + len(source.held_out) for source in self.sources)

    def case_refs(self, *, held_out: bool = False) -> list[CaseRef]:
        """Return references to all cases to train on, or to all held-out ones."""
        return [
            CaseRef(number, index)
            for number, source in enumerate(self.sources)
            for index in range(len(self.cases(number, held_out=held_out)))
        ]

    def cases(self, source: int, *, held_out: bool = False) -> PreparedCases:
        """Return the prepared cases of a source."""
        return self.sources[source].held_out if held_out else self.sources[source].train

    def case(self, case_ref: CaseRef, *, held_out: bool = False) -> Case:
        """Return the case that is referred to."""
        return self.cases(case_ref.source, held_out=held_out).cases[case_ref.index]

    def scans(self) -> list[str]:
        """Return the scan of each case to train on: equal for two reconstructions of one scan."""
        return [f"{case_ref.source}/{self.case(case_ref).scan}" for case_ref in self.case_refs()]

    def labelled_structures(self, case_ref: CaseRef, *, held_out: bool = False) -> frozenset[str]:
        """Return the structures that were looked for in a case: where it has no label of them, they are absent.

        See `train.data.cases.Case.labelled`. Where that depends on the labels, the case is prepared.
        """
        cases = self.cases(case_ref.source, held_out=held_out)
        case = cases.cases[case_ref.index]
        ids = None
        if case.labelled_if_present:
            ids = self._ids.get((case_ref.source, case.id))
            if ids is None:
                ids = self._ids[case_ref.source, case.id] = cases.label_ids(case_ref.index)
        return self.sources[case_ref.source].labelled(case, ids)

    def label_membership(self, source: int, groups: Sequence[tuple[str, ...]]) -> Tensor:
        """Return which of P groups of structures each label id of a source belongs to: (ids, P) bool."""
        ids = self.sources[source].structures
        table = torch.zeros(self.sources[source].largest_id + 1, len(groups), dtype=torch.bool)
        for column, group in enumerate(groups):
            for name in group:
                table[list(ids.get(name, ())), column] = True
        return table

    def describe(self) -> list[JsonValue]:
        """Return what a checkpoint records of its data, an object for each source."""
        return [
            {
                "data": str(source.dataset.root),
                "layout": source.dataset.layout,
                "cases": len(source.train),
                "held_out": len(source.held_out),
                "structures": len(source.structures),
                "labelled": source.dataset.labelled_by,
            }
            for source in self.sources
        ]


def report_problems(progress: Progress, problems: Sequence[CaseProblem]) -> None:
    """Show the first cases that were left out, and how many more there are."""
    for problem in problems[:MAX_LISTED_PROBLEMS]:
        progress.warning(f"left out: {problem}")
    if len(problems) > MAX_LISTED_PROBLEMS:
        progress.warning(f"left out: {len(problems) - MAX_LISTED_PROBLEMS:,} more")


def report_warnings(progress: Progress, warnings: Sequence[str]) -> None:
    """Show the first warnings about volumes that are used all the same, such as that their intensities are no HU."""
    for warning in warnings[:MAX_LISTED_PROBLEMS]:
        progress.warning(f"doubtful: {warning}")
    if len(warnings) > MAX_LISTED_PROBLEMS:
        progress.warning(f"doubtful: {len(warnings) - MAX_LISTED_PROBLEMS:,} more")


def open_training_set(
    paths: Sequence[Path],
    data: Data,
    preprocessing: Preprocessing,
    cache: Path,
    *,
    labelled: LabelledBy = "auto",
    seed: int = 0,
) -> TrainingSet:
    """Open and split each data set; volumes are read later, by `TrainingSet.prepare`. Raises `DataError`.

    `labelled` is as in `open_dataset`. A structure that was looked for in no case to train on is none of the set's.
    """
    names_by_prompt: dict[str, str] = {}
    datasets = [open_dataset(path, data.layout or None, labelled=labelled) for path in paths]
    return TrainingSet([_open_source(each, data, preprocessing, cache, seed, names_by_prompt) for each in datasets])


def _open_source(
    dataset: DataSet, data: Data, preprocessing: Preprocessing, cache: Path, seed: int, names_by_prompt: dict[str, str]
) -> TrainingSource:
    """Split one data set. `names_by_prompt`, prompt -> common name of the structure, gains the structures new in it."""
    splits = split_cases(dataset, data.validation, seed=seed)
    train, held_out = splits["train"], splits.get("val", [])
    train = [case for case in train if case.labels is not None]
    held_out = [case for case in held_out if case.labels is not None]
    if data.limit:
        train, held_out = train[: data.limit], held_out[: data.limit]
    if not train:
        raise DataError(f"{dataset.root} has no labelled case to train on (layout {dataset.layout})")
    looked_for = {name for case in train for name in (dataset.structures if case.labelled is None else case.labelled)}
    prompts = build_structure_prompts(tuple(dataset.structures)).names
    labels: dict[str, tuple[str, ...]] = {}
    for label in dataset.structures:
        # Two labels of one structure are united.
        name = names_by_prompt.setdefault(prompts[label], label)
        labels[name] = (*labels.get(name, ()), label)
    return TrainingSource(
        dataset,
        PreparedCases(dataset, train, preprocessing, cache),
        PreparedCases(dataset, held_out, preprocessing, cache),
        {name: of_structure for name, of_structure in labels.items() if looked_for.issuperset(of_structure)},
    )
