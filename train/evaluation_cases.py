"""Which cases are evaluated, and which of them the model has been trained on, as far as its checkpoint tells."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from .data import SPLITS, Case, DataSet, Split, split_cases
from .evaluation_record import EvaluationError

Trainings = Sequence[Mapping[str, JsonValue]]
WHOLE = "all"


class Chosen(NamedTuple):
    """Labelled cases, the name of their split, and the ids of those that training has seen."""

    cases: tuple[Case, ...]
    split: str
    seen: frozenset[str]


def choose(dataset: DataSet, trainings: Trainings, split: str | None = None, limit: int | None = None) -> Chosen:
    """The cases of a split: `test`, `val`, `train` or `all`.

    None takes the data set's own test cases; without any, those held out of a training on this data set, or all of one
    that no training has seen. A data set without a split of its own is split as in the training.

    Raises:
        EvaluationError: there is no such split, or nothing labelled in it.
    """
    if split not in (*SPLITS, WHOLE, None):
        raise EvaluationError(f"--split {split}: there are {', '.join(SPLITS)} and {WHOLE}")
    if not dataset.structures:
        raise EvaluationError(f"{dataset.root} has no labels to hold masks against (layout {dataset.layout})")
    training = _training_on(dataset.root, trainings)
    parts = _split(dataset, training)
    name = split or ("test" if parts["test"] else "val" if training is not None else WHOLE)
    found = [case for case in _cases(dataset, parts, name) if case.labels is not None]
    if not found:
        counts = ", ".join(f"{part} {len(cases):,}" for part, cases in parts.items())
        raise EvaluationError(
            f"{dataset.root} has no labelled case in its split {name} ({counts}); --split {WHOLE} takes every case"
        )
    seen = frozenset(case.id for case in parts["train"]) if training is not None else frozenset[str]()
    return Chosen(tuple(found[:limit]), name, seen)


def _cases(dataset: DataSet, parts: Mapping[Split, Sequence[Case]], name: str) -> Sequence[Case]:
    return next((cases for part, cases in parts.items() if part == name), dataset.cases)


def _training_on(root: Path, trainings: Trainings) -> Mapping[str, JsonValue] | None:
    """The last training that this data set was part of."""
    for training in reversed(trainings):
        data = training.get("data")
        for one in data if isinstance(data, list) else []:
            if isinstance(one, Mapping) and Path(str(one.get("data"))).resolve() == root.resolve():
                return training
    return None


def _split(dataset: DataSet, training: Mapping[str, JsonValue] | None) -> dict[Split, list[Case]]:
    """As the training split it, so that what was held out there is held out here."""
    options = training.get("options") if training else None
    known = options if isinstance(options, Mapping) else {}
    validation, seed = known.get("validation", 0.1), known.get("seed", 0)
    return split_cases(dataset, float(str(validation)), seed=int(str(seed)))
