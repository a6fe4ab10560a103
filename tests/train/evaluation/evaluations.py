"""Small data sets and models that know the answer, for the tests of the evaluation."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import nibabel
import numpy as np

from train.data.cases import DataSet
from train.data.dataset import open_dataset, read_labels
from train.data.structure_prompts import StructurePrompts, build_structure_prompts
from train.evaluation.case import Prediction
from train.evaluation.case_selection import SelectedCases, select_cases
from train.evaluation.metrics import Mask
from train.evaluation.questions import build_questions
from train.evaluation.record import EvaluationHeader, EvaluationSettings
from train.scans.scan import Scan

SHAPE = (24, 20, 16)
AFFINE = np.array([[-1.5, 0, 0, 18], [0, -1.5, 0, 15], [0, 0, 1.5, -12], [0, 0, 0, 1]])
# First voxel of a cube of six.
PLACES = {"liver": (2, 2, 2), "spleen": (14, 2, 2), "kidney_left": (14, 10, 8), "kidney_right": (2, 10, 8)}
STRUCTURE_PROMPTS = build_structure_prompts(tuple(PLACES))
WHOLE = tuple(PLACES)
Change = Callable[[Mask], Mask]
Changes = Mapping[tuple[str, str], Change]


def cube(name: str) -> Mask:
    """The mask of a structure, (X, Y, Z)."""
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(first, first + 6) for first in PLACES[name])] = True
    return mask


def data_set(root: Path, cases: Mapping[str, Sequence[str]]) -> DataSet:
    """TotalSegmentator's layout: each case with the structures named; all of them are labels of the data set."""
    for seed, (case, present) in enumerate(cases.items()):
        (root / case / "segmentations").mkdir(parents=True)
        voxels = np.random.default_rng(seed).normal(40, 10, SHAPE)
        voxels[:, :1] = -1000
        save(root / case / "ct.nii.gz", voxels.astype(np.int16))
        for name in PLACES:
            mask = cube(name) if name in present else np.zeros(SHAPE, bool)
            save(root / case / "segmentations" / f"{name}.nii.gz", mask.astype(np.uint8))
    return open_dataset(root)


def save(path: Path, array: np.ndarray) -> None:
    """As NIfTI."""
    nibabel.save(nibabel.Nifti1Image(array, AFFINE), path)


def header_of(
    dataset: DataSet, structure_prompts: StructurePrompts | None = STRUCTURE_PROMPTS, /, **changes: object
) -> EvaluationHeader:
    """The header of an evaluation of a model trained with `structure_prompts`."""
    questions = build_questions(tuple(dataset.structures), structure_prompts)
    header = EvaluationHeader(
        dataset=str(dataset.root.resolve()), layout=dataset.layout, checkpoint="model",
        weights="weights-0", text="text-0", settings=EvaluationSettings(), known=questions.training_recorded,
        questions=questions.questions,
    )  # fmt: skip
    return header.model_copy(update=changes)


def all_of(dataset: DataSet) -> SelectedCases:
    """Every case."""
    return select_cases(dataset, (), "all")


class Oracle:
    """A model that knows the labels, and gets wrong what `changes` say: (case, prompt) -> a change.

    `history` are the cases that it was run on.
    """

    def __init__(self, dataset: DataSet, changes: Changes | None = None) -> None:
        self._dataset, self._changes = dataset, dict(changes or {})
        questions = build_questions(tuple(dataset.structures), None).questions
        self._members = {question.prompt: question.members for question in questions}
        self.history: list[tuple[str, tuple[str, ...]]] = []

    def __call__(self, scan: Scan, prompts: Sequence[str]) -> Iterator[Prediction]:
        case = next(case for case in self._dataset.cases if case.image == scan.path)
        self.history.append((case.id, tuple(prompts)))
        labels = read_labels(case, self._dataset, scan)
        for prompt in prompts:
            ids = [number for member in self._members[prompt] for number in self._dataset.structures[member]]
            mask: Mask = np.isin(labels, ids)
            change = self._changes.get((case.id, prompt), same)
            yield Prediction(prompt, change(mask), 0.9)


def same(mask: Mask) -> Mask:
    """As it is."""
    return mask


def nothing(mask: Mask) -> Mask:
    """No mask."""
    return np.zeros_like(mask)


def shifted(mask: Mask) -> Mask:
    """Two of six voxels further on: Dice 2/3; 3 mm, so NSD 1."""
    return np.roll(mask, 2, axis=0)


def corner(mask: Mask) -> Mask:
    """Eight voxels where nothing is."""
    moved = np.zeros_like(mask)
    moved[10:12, 17:19, 0:2] = True
    return moved
