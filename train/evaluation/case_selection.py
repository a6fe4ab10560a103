"""Which cases of a data set are evaluated, and which of them training has seen."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from train.data.cases import SPLITS, Case, DataSet, Split, split_cases

from .record import EvaluationError

TrainingRecord = Mapping[str, JsonValue]
ALL_CASES = "all"


class SelectedCases(NamedTuple):
    """Labelled cases, the name of their split, and the ids of those that training has seen."""

    cases: tuple[Case, ...]
    split: str
    seen: frozenset[str]


def select_cases(
    dataset: DataSet, trainings: Sequence[TrainingRecord], split: str | None = None, limit: int | None = None
) -> SelectedCases:
    """Return the cases of a split: `test`, `val`, `train` or `all`, and of these the first `limit`.

    `split` None takes the data set's own test cases; without any, those held out of a training on this data set, or all
    of one that no training has seen. A data set without a split of its own is split as in the training. `trainings` are
    what the checkpoint records.

    Raises:
        EvaluationError: there is no such split, or nothing labelled in it.
    """
    _check_split(split)
    if not dataset.structures:
        raise EvaluationError(f"{dataset.root} has no labels to hold masks against (layout {dataset.layout})")
    training = _training_on(dataset.root, trainings)
    by_split = _split_as_trained(dataset, training)
    name = split or ("test" if by_split["test"] else "val" if training is not None else ALL_CASES)
    labelled = [case for case in _cases_of(dataset, by_split, name) if case.labels is not None]
    if not labelled:
        counts = ", ".join(f"{part} {len(cases):,}" for part, cases in by_split.items())
        raise EvaluationError(
            f"{dataset.root} has no labelled case in its split {name} ({counts}); --split {ALL_CASES} takes every case"
        )
    seen = frozenset(case.id for case in by_split["train"]) if training is not None else frozenset[str]()
    return SelectedCases(tuple(labelled[:limit]), name, seen)


def select_volumes(
    dataset: DataSet, trainings: Sequence[TrainingRecord], split: str | None = None, limit: int | None = None
) -> SelectedCases:
    """Return the volumes of a split, labelled or not, as `select_cases` does.

    `split` None takes all that stage 2 holds out, which is validation and test cases together; of a data set without a
    split that no training has seen, all.

    Raises:
        EvaluationError: there is no such split, or nothing in it.
    """
    _check_split(split)
    training = _training_on(dataset.root, trainings)
    by_split = _split_as_trained(dataset, training)
    own_split = any(case.split is not None for case in dataset.cases)
    if split is None and (training is not None or own_split):
        name, cases = "val and test", [*by_split["val"], *by_split["test"]]
    else:
        name = split or ALL_CASES
        cases = list(_cases_of(dataset, by_split, name))
    if not cases:
        counts = ", ".join(f"{part} {len(of_part):,}" for part, of_part in by_split.items())
        raise EvaluationError(
            f"{dataset.root} has no volume in its split {name} ({counts}); --split {ALL_CASES} takes every one"
        )
    seen = frozenset(case.id for case in by_split["train"]) if training is not None else frozenset[str]()
    return SelectedCases(tuple(cases[:limit]), name, seen)


def _check_split(split: str | None) -> None:
    if split not in (*SPLITS, ALL_CASES, None):
        raise EvaluationError(f"--split {split}: there are {', '.join(SPLITS)} and {ALL_CASES}")


def _cases_of(dataset: DataSet, by_split: Mapping[Split, Sequence[Case]], name: str) -> Sequence[Case]:
    return next((cases for split, cases in by_split.items() if split == name), dataset.cases)


def _training_on(root: Path, trainings: Sequence[TrainingRecord]) -> TrainingRecord | None:
    """Return the last training that this data set was part of, as labelled cases or as volumes beside reports."""
    for training in reversed(trainings):
        sources = training.get("data")
        for source in sources if isinstance(sources, list) else []:
            folder = (source.get("data") or source.get("volumes")) if isinstance(source, Mapping) else None
            if folder is not None and Path(str(folder)).resolve() == root.resolve():
                return training
    return None


def _split_as_trained(dataset: DataSet, training: TrainingRecord | None) -> dict[Split, list[Case]]:
    """Split as the training did, so that what was held out there is held out here."""
    recorded = training.get("options") if training else None
    options = recorded if isinstance(recorded, Mapping) else {}
    validation, seed = options.get("validation", 0.1), options.get("seed", 0)
    return split_cases(dataset, float(str(validation)), seed=int(str(seed)))
