"""The numbers of an evaluation, as `summary.json` holds them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from .bootstrap import Estimate
from .questions import Kind
from .record import Settings


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Score(_Record):
    """Dice and NSD, each a mean with its interval."""

    dice: Estimate
    nsd: Estimate


class Mean(_Record):
    """The mean over `structures` of each one's mean over its cases."""

    key: str
    title: str
    structures: int
    score: Score


class Subject(_Record):
    """A structure or group, asked with `prompts`, whose scores are averaged on each case.

    Asked `present` times where the reference has it, `missed` of them without a mask, and `absent` times where it has
    not, of which `false_masks` got one; each prompt on each case counts.
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
    score: Score


class Presence(_Record):
    """Shares of prompts: masks for absent structures, and none for those that are there. `median_ml` of the former."""

    kind: Kind
    false_masks: Estimate
    missed: Estimate
    median_ml: float | None


class Listed(_Record):
    """A row among the worst, and the file of its picture in `previews`."""

    case: str
    structure: str
    prompt: str
    dice: float | None
    nsd: float | None
    reference_ml: float
    predicted_ml: float
    picture: str


class LeftOut(_Record):
    """A case that could not be evaluated, and why."""

    case: str
    what: str


class Summary(_Record):
    """All that the report says; `known`: the checkpoint records which prompts it was trained with.

    `seen` of the `cases` were trained on.
    """

    format: Literal["ovct evaluation summary 1"] = "ovct evaluation summary 1"
    made: str
    ovct: str
    dataset: str
    layout: str
    split: str
    checkpoint: str
    weights: str
    settings: Settings
    known: bool
    cases: int
    patients: int
    seen: int
    left_out: tuple[LeftOut, ...]
    resamples: int
    means: tuple[Mean, ...]
    bands: tuple[Mean, ...]
    presence: tuple[Presence, ...]
    subjects: tuple[Subject, ...]
    prompts: tuple[Subject, ...]
    worst: tuple[Listed, ...]
    false_masks: tuple[Listed, ...]
    warnings: tuple[str, ...]
