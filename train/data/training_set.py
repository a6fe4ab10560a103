"""One or several data sets made ready for training: prepared cases, their split by patient, what each labels.

Data sets label different structures. A structure is known by its prompt (`left kidney`), so that `kidney_left` of one
data set and `left_kidney` of another are one; where a data set does not label it, nothing is known of it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import JsonValue
from torch import Tensor

from curation.runtime.progress import Progress
from models.preprocessing import Preprocessing
from train.config import Data

from .cases import PROBLEMS_TOLD, Case, DataError, DataSet, OnProblem, Problem, split_cases
from .dataset import open_dataset
from .prepared import PreparedCases
from .structure_prompts import prompt_book


@dataclass(frozen=True)
class Source:
    """One data set, prepared: cases to train on and held-out ones; `labels`: name of a structure -> its own labels."""

    dataset: DataSet
    train: PreparedCases
    held_out: PreparedCases
    labels: dict[str, tuple[str, ...]]

    @property
    def structures(self) -> dict[str, tuple[int, ...]]:
        """Name of a structure -> ids in the label maps."""
        ids = self.dataset.structures
        return {name: tuple(number for label in own for number in ids[label]) for name, own in self.labels.items()}


@dataclass(frozen=True)
class Place:
    """A case: number of the source, index in its cases."""

    source: int
    index: int


class TrainingSet:
    """All sources. `structures` are the labels of all, under the name that the first data set to have them gives."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = tuple(sources)
        self.structures = tuple(dict.fromkeys(name for source in sources for name in source.structures))
        for source in sources:
            if not source.structures:
                raise DataError(f"{source.dataset.root} has no labels; this stage needs a labelled data set")

    def prepare(self, on_problem: OnProblem, progress: Progress) -> None:
        """Make every case that the cache lacks; what cannot be used is left out, or ends the run."""
        for source in self.sources:
            for cases in (source.train, source.held_out):
                cases.prepare(on_problem=on_problem, progress=progress)
                tell_problems(progress, cases.problems)
                tell_warnings(progress, [text for index in range(len(cases)) for text in cases.warnings(index)])

    def places(self, *, held_out: bool = False) -> list[Place]:
        """Every case to train on, or every held-out one."""
        return [
            Place(number, index)
            for number, source in enumerate(self.sources)
            for index in range(len(self.cases(number, held_out=held_out)))
        ]

    def cases(self, source: int, *, held_out: bool = False) -> PreparedCases:
        """The prepared cases of a source."""
        return self.sources[source].held_out if held_out else self.sources[source].train

    def case(self, place: Place, *, held_out: bool = False) -> Case:
        """What is at a place."""
        return self.cases(place.source, held_out=held_out).cases[place.index]

    def scans(self) -> list[str]:
        """The scan of each place to train on: two reconstructions of one have the same."""
        return [f"{place.source}/{self.case(place).scan}" for place in self.places()]

    def labelled(self, place: Place, *, held_out: bool = False) -> frozenset[str]:
        """The structures that were looked for in a case."""
        known = self.sources[place.source].labels
        own = self.case(place, held_out=held_out).labelled
        return frozenset(name for name, labels in known.items() if own is None or set(labels) <= set(own))

    def members(self, source: int, groups: Sequence[tuple[str, ...]]) -> Tensor:
        """For each label id of a source, which groups of structures it belongs to: (ids, P) bool."""
        ids, ignored = self.sources[source].structures, self.sources[source].dataset.ignored
        most = max([*(number for numbers in ids.values() for number in numbers), *ignored])
        table = torch.zeros(most + 1, len(groups), dtype=torch.bool)
        for column, group in enumerate(groups):
            for name in group:
                table[list(ids.get(name, ())), column] = True
        return table

    def describe(self) -> list[JsonValue]:
        """What a checkpoint records of its data."""
        return [
            {
                "data": str(source.dataset.root),
                "layout": source.dataset.layout,
                "cases": len(source.train),
                "held_out": len(source.held_out),
                "structures": len(source.structures),
            }
            for source in self.sources
        ]


def tell_problems(progress: Progress, problems: Sequence[Problem]) -> None:
    """The first cases that were left out, and how many more there are."""
    for problem in problems[:PROBLEMS_TOLD]:
        progress.message(f"left out: {problem}")
    if len(problems) > PROBLEMS_TOLD:
        progress.message(f"left out: {len(problems) - PROBLEMS_TOLD:,} more")


def tell_warnings(progress: Progress, warnings: Sequence[str]) -> None:
    """What was doubtful about volumes that are used all the same, such as intensities that are no HU."""
    for warning in warnings[:PROBLEMS_TOLD]:
        progress.message(f"doubtful: {warning}")
    if len(warnings) > PROBLEMS_TOLD:
        progress.message(f"doubtful: {len(warnings) - PROBLEMS_TOLD:,} more")


def open_training_set(
    paths: Sequence[Path], data: Data, preprocessing: Preprocessing, cache: Path, *, seed: int = 0
) -> TrainingSet:
    """Opens and splits each data set. Raises DataError."""
    named: dict[str, str] = {}
    return TrainingSet([_open(path, data, preprocessing, cache, seed, named) for path in paths])


def _open(
    path: Path, data: Data, preprocessing: Preprocessing, cache: Path, seed: int, named: dict[str, str]
) -> Source:
    dataset = open_dataset(path, data.layout or None)
    splits = split_cases(dataset, data.validation, seed=seed)
    train, held_out = splits["train"], splits.get("val", [])
    train = [case for case in train if case.labels is not None]
    held_out = [case for case in held_out if case.labels is not None]
    if data.limit:
        train, held_out = train[: data.limit], held_out[: data.limit]
    if not train:
        raise DataError(f"{path} has no labelled case to train on (layout {dataset.layout})")
    names = prompt_book(tuple(dataset.structures)).names
    labels: dict[str, tuple[str, ...]] = {}
    for label in dataset.structures:
        # Two labels that mean one structure are both it.
        name = named.setdefault(names[label], label)
        labels[name] = (*labels.get(name, ()), label)
    return Source(
        dataset,
        PreparedCases(dataset, train, preprocessing, cache),
        PreparedCases(dataset, held_out, preprocessing, cache),
        labels,
    )
