"""The folder of an evaluation: a line of JSON for each finished case, and a header that says what was evaluated.

OUT/evaluation.json    the header: model, data set, settings and questions; cases of another header do not mix
OUT/cases.jsonl        one finished case a line; a line cut short by an interruption is measured again
OUT/previews/          pictures of the worst masks so far
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TextIO

from pydantic import BaseModel, ConfigDict, ValidationError

from curation.runtime.errors import OvctError
from curation.runtime.files import write_text
from curation.runtime.locks import LockedError, lock_file
from train.inference.options import AUTO, SegmentOptions, precision_named

from .questions import EvaluationQuestion, Kind

HEADER_FILE = "evaluation.json"
CASES_FILE = "cases.jsonl"
LOCK_FILE = ".lock"
PREVIEWS = "previews"
RESULT_FILES = ("summary.json", "summary.csv", "prompts.csv", "report.html")


class EvaluationError(OvctError, ValueError):
    """An evaluation that cannot start or go on as asked; the text says what to do."""

    exit_code = 2


class EvaluationRecord(BaseModel):
    """Base of what an evaluation stores: no other keys, and nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EvaluationSettings(EvaluationRecord):
    """The settings that change the numbers; `nsd_tolerance_mm` in mm, the others as in `SegmentOptions`."""

    threshold: float = SegmentOptions.threshold
    presence_threshold: float = SegmentOptions.presence_threshold
    nsd_tolerance_mm: float = 3.0
    vocabulary: bool = False

    def segment_options(self, device: str = AUTO, precision: str = AUTO) -> SegmentOptions:
        """Return the options to segment with. Raises SegmentError as `SegmentOptions` does."""
        return SegmentOptions(
            threshold=self.threshold,
            presence_threshold=self.presence_threshold,
            precision=precision_named(precision),
            device=device,
            vocabulary=self.vocabulary,
        )


class ScoreRow(EvaluationRecord):
    """The scores of one prompt on one case. Without a reference, Dice and NSD are null; `presence` is a probability."""

    kind: Kind
    subject: str
    prompt: str
    dice: float | None
    nsd: float | None
    reference_ml: float
    predicted_ml: float
    presence: float | None

    @property
    def present(self) -> bool:
        """Whether the reference has the structure."""
        return self.reference_ml > 0

    @property
    def false_mask(self) -> bool:
        """Whether an absent structure got a mask."""
        return not self.present and self.predicted_ml > 0

    @property
    def missed(self) -> bool:
        """Whether a structure that is there got no mask."""
        return self.present and self.predicted_ml == 0


class CaseResult(EvaluationRecord):
    """A measured case; a question about structures that its labels do not cover has no row."""

    case: str
    patient: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    seconds: float
    rows: tuple[ScoreRow, ...]
    warnings: tuple[str, ...] = ()


class EvaluationHeader(EvaluationRecord):
    """What is evaluated. `weights` and `text` are hashes; `known`: the checkpoint records its training prompts."""

    format: Literal["ovct evaluation 1"] = "ovct evaluation 1"
    dataset: str
    layout: str
    checkpoint: str
    weights: str
    text: str | None
    settings: EvaluationSettings
    known: bool
    questions: tuple[EvaluationQuestion, ...]

    def fingerprint(self) -> str:
        """Return a hash that is equal for runs whose cases may be mixed; where the checkpoint lies does not matter."""
        content = self.model_dump(mode="json", exclude={"checkpoint"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_header(folder: Path) -> EvaluationHeader | None:
    """Return the header of an evaluation, None if there is none. Raises EvaluationError for that of another version."""
    path = folder / HEADER_FILE
    try:
        return EvaluationHeader.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValidationError as error:
        raise EvaluationError(
            f"{path} was not written by this version of ovct, or was changed; --overwrite starts anew"
        ) from error


def read_cases(folder: Path) -> list[CaseResult]:
    """Return the finished cases; a cut or damaged line is left out, and of a case that stands twice the last counts."""
    cases: dict[str, CaseResult] = {}
    try:
        lines = (folder / CASES_FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    for line in lines:
        try:
            case = CaseResult.model_validate_json(line)
        except ValidationError:
            continue
        cases[case.case] = case
    return list(cases.values())


def prepare_folder(folder: Path, header: EvaluationHeader, overwrite: bool) -> list[CaseResult]:
    """Make `folder` ready for the run and return the cases that need not be measured again.

    Raises:
        EvaluationError: the folder holds something else, or the cases of another model, data set or other settings.
    """
    earlier = None if overwrite else read_header(folder)
    if earlier and earlier.fingerprint() != header.fingerprint():
        raise EvaluationError(
            f"{folder} holds an evaluation with {_what_differs(earlier, header)}; name another folder with --out, "
            "or --overwrite it"
        )
    if earlier is None:
        _clear(folder, overwrite)
        write_text(folder / HEADER_FILE, header.model_dump_json(indent=1) + "\n")
    _drop_cut_line(folder / CASES_FILE)
    return read_cases(folder)


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`, which is made if it is missing.

    Raises EvaluationError if another run holds it, or if a file is in the way.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise EvaluationError(f"{folder}: a file is in the way; name a folder with --out") from error
    with (folder / LOCK_FILE).open("a+") as file:
        try:
            lock_file(file)
        except LockedError as error:
            raise EvaluationError(f"process {error.holder} is evaluating into {folder}; wait for it to end") from error
        yield


def append_case(file: TextIO, case: CaseResult) -> None:
    """Write a finished case; it is on disk when this returns."""
    file.write(case.model_dump_json() + "\n")
    file.flush()
    os.fsync(file.fileno())


def _clear(folder: Path, overwrite: bool) -> None:
    """Remove an earlier evaluation, its header first. Raises EvaluationError if the folder holds anything else."""
    ours = (HEADER_FILE, CASES_FILE, *RESULT_FILES)
    others = sorted(path.name for path in folder.iterdir() if path.name not in {*ours, PREVIEWS, LOCK_FILE})
    if others:
        raise EvaluationError(f"{folder} holds other files ({', '.join(others[:3])}); name another folder with --out")
    if (folder / CASES_FILE).exists() and not overwrite:
        raise EvaluationError(f"{folder} holds cases without {HEADER_FILE}; --overwrite starts anew")
    for name in ours:
        (folder / name).unlink(missing_ok=True)
    for path in (folder / PREVIEWS).glob("*.png"):
        path.unlink()


def _drop_cut_line(path: Path) -> None:
    """Cut off half a line that an interrupted run left, to which the next line would be appended."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)


def _what_differs(earlier: EvaluationHeader, header: EvaluationHeader) -> str:
    """Say in words what an earlier evaluation was made with."""
    if earlier.weights != header.weights or earlier.text != header.text:
        return f"another model ({earlier.checkpoint}, {earlier.weights})"
    if earlier.dataset != header.dataset or earlier.layout != header.layout:
        return f"another data set ({earlier.dataset}, read as {earlier.layout})"
    if earlier.settings != header.settings:
        return f"other settings ({earlier.settings!r})".replace("EvaluationSettings", "")
    return "other prompts"
