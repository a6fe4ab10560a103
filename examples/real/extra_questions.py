"""What `ovct evaluate` does not ask: is a side exchanged, is what lies outside of every scan made up, and wider groups.

Each prompt is asked of the model alone, without the vocabulary's help.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ValidationError

from curation.runtime.progress import Progress
from models.checkpoint_record import CheckpointRecord
from prompts.vocabulary import load_vocabulary
from train.data.cases import Case, DataSet
from train.data.dataset import read_case, read_labels
from train.data.labelling.labelled import labelled_names
from train.evaluation.case import References
from train.evaluation.case_selection import select_cases
from train.evaluation.metrics import dice
from train.evaluation.model import CheckpointPredictor
from train.inference.options import SegmentOptions

QuestionKind = Literal["side", "absent", "new_absent", "group"]
# Scans of head and neck end in the chest. The settings of stage 3 say that no volume shows the pelvis (`not_shown`):
# its words are trained as absent. Those of the abdomen are new to the training.
ABSENT = (
    "urinary bladder", "rectum", "prostate", "uterus", "sacrum", "left hip bone", "right hip bone", "sigmoid colon",
)  # fmt: skip
NEW_ABSENT = (
    "left kidney", "right kidney", "spleen", "gallbladder", "pancreas", "liver", "duodenum", "stomach",
    "left adrenal gland", "L3 vertebra",
)  # fmt: skip
# A group of which the data label some members only, each asked against these.
WIDER_GROUPS = {"salivary glands": ("parotid_gland_left", "parotid_gland_right")}


class Answer(BaseModel):
    """What came of one prompt: ml of its mask, Dice with what it means and, of a side, with the other side."""

    kind: QuestionKind
    prompt: str
    subject: str
    ml: float
    dice: float | None = None
    dice_of_other_side: float | None = None

    @property
    def exchanged(self) -> bool:
        """Whether the mask of a side lies more on the other side."""
        return self.dice_of_other_side is not None and self.dice_of_other_side > (self.dice or 0)


class CaseAnswers(BaseModel):
    """All answers of one case, by the checkpoint with these weights."""

    case: str
    weights: str
    answers: tuple[Answer, ...]


def ask_extra_questions(dataset: DataSet, checkpoint: Path, file: Path, progress: Progress) -> list[CaseAnswers]:
    """Ask a checkpoint about each held-out case of a data set, or about all of one that it has never seen.

    `file` gains a line of JSON for each finished case; those that it has of the same weights are not asked again.
    """
    predictor = CheckpointPredictor(checkpoint, SegmentOptions(vocabulary=False), progress)
    cases = select_cases(dataset, predictor.record.trained_on).cases
    finished = {answers.case: answers for answers in _read(file, predictor.record)}
    progress.start(len(cases), len(finished.keys() & {case.id for case in cases}))
    for case in cases:
        progress.raise_if_interrupted()
        if case.id not in finished:
            answers = tuple(_ask(dataset, case, predictor))
            finished[case.id] = CaseAnswers(case=case.id, weights=predictor.record.weights, answers=answers)
            with file.open("a", encoding="utf-8") as stored:
                stored.write(finished[case.id].model_dump_json() + "\n")
            progress.advance()
    return [finished[case.id] for case in cases]


def _read(file: Path, record: CheckpointRecord) -> Iterator[CaseAnswers]:
    """Yield the stored cases of this checkpoint; a line cut short by an interruption is passed over."""
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            answers = CaseAnswers.model_validate_json(line)
        except ValidationError:
            continue
        if answers.weights == record.weights:
            yield answers


def _ask(dataset: DataSet, case: Case, predictor: CheckpointPredictor) -> Iterator[Answer]:
    scan = read_case(case)
    labels = read_labels(case, dataset, scan)
    references = References(labels, scan.spacing_mm, dataset.structures, dataset.ignored)
    ids = frozenset(np.flatnonzero(np.bincount(labels.ravel())).tolist()) if case.labelled_if_present else None
    labelled = labelled_names(case, dataset.structures, ids)
    sides = {
        prompt: (structure, other)
        for prompt, structure, other in _sided(tuple(dataset.structures))
        if {structure, other} <= labelled
    }
    groups = {prompt: members for prompt, members in WIDER_GROUPS.items() if labelled.issuperset(members)}
    for prediction in predictor(scan, [*sides, *groups, *ABSENT, *NEW_ABSENT]):
        mask, prompt = references.counted_part(prediction.mask), prediction.prompt
        ml = mask.count * references.voxel_ml
        if prompt in sides:
            own, other = (dice(mask, references.mask((structure,))) for structure in sides[prompt])
            yield Answer(
                kind="side", prompt=prompt, subject=sides[prompt][0], ml=ml, dice=own, dice_of_other_side=other
            )
        elif prompt in groups:
            overlap = dice(mask, references.mask(groups[prompt]))
            yield Answer(kind="group", prompt=prompt, subject=prompt, ml=ml, dice=overlap)
        else:
            yield Answer(kind="absent" if prompt in ABSENT else "new_absent", prompt=prompt, subject=prompt, ml=ml)


def _sided(structures: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield the name, structure and structure of the other side, of each structure of which the data have both."""
    vocabulary = load_vocabulary()
    structure_of = {vocabulary.resolve(structure): structure for structure in structures}
    for organ in vocabulary.organs.values():
        left, right = organ.sides or (None, None)
        if left in structure_of and right in structure_of:
            yield from (
                (str(name), structure_of[name], structure_of[other]) for name, other in ((left, right), (right, left))
            )
