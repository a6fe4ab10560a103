"""Which structures lie next to each: the other side, the neighbouring level, and what is nearest in space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from prompts.vocabulary import Vocabulary
from train.data.training_set import TrainingSet

# Siblings (levels, lobes) and other structures, by distance, that count as next to one.
NEAREST_SIBLINGS, NEAREST_OTHERS = 2, 3
# Cases of each source that distances are taken from.
MEASURED_CASES = 32


def near_structures(
    names: Mapping[str, str], distances: NDArray[np.float64], vocabulary: Vocabulary
) -> dict[str, tuple[str, ...]]:
    """Return the structures next to each of `names`, structure -> its name in the vocabulary.

    `distances` (S, S) are those between the structures, in their order, NaN where unknown: what is no sibling is not
    near then.
    """
    structures = list(names)
    structure_of = {name: structure for structure, name in names.items()}
    near: dict[str, tuple[str, ...]] = {}
    for number, structure in enumerate(structures):
        others = [
            structures[at]
            for at in np.argsort(np.nan_to_num(distances[number], nan=np.inf), kind="stable")
            if at != number
        ]
        siblings = [other for other in others if _are_siblings(names[structure], names[other], vocabulary)]
        measured = {structures[at] for at in np.flatnonzero(np.isfinite(distances[number]))}
        other_side = structure_of.get(_other_side(names[structure], vocabulary) or "")
        chosen = [*([other_side] if other_side else []), *siblings[:NEAREST_SIBLINGS]]
        chosen += [other for other in others if other in measured and other not in chosen][:NEAREST_OTHERS]
        near[structure] = tuple(dict.fromkeys(chosen))
    return near


def measure_distances(data: TrainingSet) -> NDArray[np.float64]:
    """Return the median distance in voxels of each two structures' centres over some prepared cases, (S, S)."""
    centres = list(_centres(data))
    if not centres:
        return np.full((len(data.structures),) * 2, np.nan)
    between = np.linalg.norm(np.stack([each[:, None] - each[None] for each in centres]), axis=-1)
    known = np.isfinite(between).any(axis=0)
    # A median of nothing warns.
    median = np.nanmedian(np.where(known, between, 0), axis=0)
    return np.asarray(np.where(known, median, np.nan), np.float64)


def _centres(data: TrainingSet) -> Iterator[NDArray[np.float64]]:
    """Yield for each case the centre of each structure (S, 3), NaN for one that it does not show."""
    for number, source in enumerate(data.sources):
        for index in range(min(len(source.train), MEASURED_CASES)):
            voxels = data.cases(number).label_index(index)
            centres = np.full((len(data.structures), 3), np.nan)
            for row, structure in enumerate(data.structures):
                ids = [label for label in source.structures.get(structure, ()) if label in voxels]
                if ids:
                    centres[row] = np.concatenate([voxels[label].positions for label in ids]).mean(axis=0)
            yield centres


def _are_siblings(name: str, other: str, vocabulary: Vocabulary) -> bool:
    if name not in vocabulary.organs or other not in vocabulary.organs:
        return False
    parents = set(vocabulary.organs[name].parents) & set(vocabulary.organs[other].parents)
    return any(not vocabulary.organs[parent].region for parent in parents)


def _other_side(name: str, vocabulary: Vocabulary) -> str | None:
    """Return the organ of the other side, None where there is none."""
    if name not in vocabulary.organs:
        return None
    for parent in vocabulary.organs[name].parents:
        if name in (sides := vocabulary.organs[parent].sides or ()):
            return next(side for side in sides if side != name)
    return None
