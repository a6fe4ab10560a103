"""The records of a finished evaluation, as `summary.json` holds them."""

from typing import Literal

from .bootstrap import BootstrapEstimate
from .questions import Kind
from .record import EvaluationRecord, EvaluationSettings


class ScoreEstimate(EvaluationRecord):
    """Dice and NSD, each a mean with its interval."""

    dice: BootstrapEstimate
    nsd: BootstrapEstimate


class MeanScore(EvaluationRecord):
    """The mean over `structures` of each one's mean over its cases."""

    key: str
    title: str
    structures: int
    score: ScoreEstimate


class SubjectScore(EvaluationRecord):
    """The scores of a structure or group, averaged over `prompts` on each case.

    It was asked for `present` times where the reference has it, `missed` of them without a mask, and `absent` times
    where it has not, of which `false_masks` got one; each prompt on each case counts.
    """

    kind: Kind
    name: str
    members: tuple[str, ...]
    prompts: tuple[str, ...]
    trained: bool | None
    present: int
    missed: int
    absent: int
    false_masks: int
    score: ScoreEstimate


class PresenceRates(EvaluationRecord):
    """Shares of prompts: with a mask for an absent structure, and without one for a structure that is there.

    `median_ml` is the median volume of the masks for absent structures, in ml.
    """

    kind: Kind
    false_masks: BootstrapEstimate
    missed: BootstrapEstimate
    median_ml: float | None


class ListedFailure(EvaluationRecord):
    """A row among the worst, and the file of its picture in `previews`."""

    case: str
    structure: str
    prompt: str
    dice: float | None
    nsd: float | None
    reference_ml: float
    predicted_ml: float
    picture: str


class SkippedCase(EvaluationRecord):
    """A case that could not be evaluated, and why."""

    case: str
    what: str


class EvaluationSummary(EvaluationRecord):
    """All results of an evaluation, which is the content of `summary.json`.

    `known`: the checkpoint records which prompts it was trained with. `seen` of the `cases` were trained on.
    """

    format: Literal["ovct evaluation summary 1"] = "ovct evaluation summary 1"
    made: str
    ovct: str
    dataset: str
    layout: str
    split: str
    checkpoint: str
    weights: str
    settings: EvaluationSettings
    known: bool
    cases: int
    patients: int
    seen: int
    left_out: tuple[SkippedCase, ...]
    resamples: int
    means: tuple[MeanScore, ...]
    bands: tuple[MeanScore, ...]
    presence: tuple[PresenceRates, ...]
    subjects: tuple[SubjectScore, ...]
    prompts: tuple[SubjectScore, ...]
    worst: tuple[ListedFailure, ...]
    false_masks: tuple[ListedFailure, ...]
    warnings: tuple[str, ...]
