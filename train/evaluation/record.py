"""The folder of an evaluation: a line of JSON for each finished case, and a header that says what was evaluated.

OUT/evaluation.json    the header: model, data set, settings and questions; cases of another header do not mix
OUT/cases.jsonl        one finished case a line; a line cut short by an interruption is measured again
OUT/previews/          pictures of the worst masks so far
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TextIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curation.runtime.digests import sealed, unsealed
from curation.runtime.errors import InputError, OvctError
from curation.runtime.files import write_text
from curation.runtime.locks import LockedError, locked
from curation.runtime.made_files import MadeFiles
from train.config.options import LabelledBy
from train.inference.options import AUTO, SegmentOptions, precision_named

from .questions import EvaluationQuestion, Kind

HEADER_FILE = "evaluation.json"
CASES_FILE = "cases.jsonl"
LOCK_FILE = ".lock"
PREVIEWS = "previews"
RESULT_FILES = ("summary.json", "summary.csv", "prompts.csv", "report.html")
OUR_FILES = (HEADER_FILE, CASES_FILE, *RESULT_FILES, PREVIEWS)
KIND = "evaluation"


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
    """What is evaluated. `weights` and `text` are hashes; `known`: the checkpoint records its training prompts.

    `labelled_by` and `labelled`, a hash, say which structures were looked for in which case (train/data/labelling).
    """

    format: Literal["ovct evaluation 1"] = "ovct evaluation 1"
    dataset: str
    layout: str
    checkpoint: str
    weights: str
    text: str | None
    settings: EvaluationSettings
    known: bool
    questions: tuple[EvaluationQuestion, ...]
    labelled_by: LabelledBy = "auto"
    labelled: str = ""
    sha256: str | None = Field(default=None, exclude=True)

    def fingerprint(self) -> str:
        """Return a hash that is equal for runs whose cases may be mixed; where the checkpoint lies does not matter."""
        content = self.model_dump(mode="json", exclude={"checkpoint", "labelled_by"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_header(folder: Path) -> EvaluationHeader | None:
    """Return the header of an evaluation, None if there is none. Raises EvaluationError for that of another version."""
    path = folder / HEADER_FILE
    try:
        content, holds = unsealed(path.read_bytes())
        if holds is False:
            raise EvaluationError(f"{path} was changed (its sha256 is another): --overwrite starts anew")
        return EvaluationHeader.model_validate_json(content)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValidationError as error:
        raise EvaluationError(
            f"{path} was not written by this version of ovct, or was changed; --overwrite starts anew"
        ) from error


def read_cases(folder: Path, tell: Callable[[str], None] = lambda text: None) -> list[CaseResult]:
    """Return the finished cases; of a case that stands twice the last counts.

    A cut or damaged line is left out, and `tell` gets a sentence on it.
    """
    cases: dict[str, CaseResult] = {}
    try:
        lines = (folder / CASES_FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    for number, line in enumerate(lines, 1):
        try:
            content, holds = unsealed(line + b"\n")
            if holds is False or (holds is None and b"sha256" in line[-110:]):
                raise ValueError
            case = CaseResult.model_validate_json(content)
        except ValueError:  # a ValidationError is one
            tell(f"{folder / CASES_FILE}, line {number}, is damaged: the case is measured again")
            continue
        cases[case.case] = case
    return list(cases.values())


def made_files(folder: Path) -> MadeFiles:
    """Return the list of what evaluations have made in `folder`. Raises EvaluationError if it holds something else."""
    try:
        header = read_header(folder)
    except EvaluationError:
        header = None
    # An evaluation of an earlier version kept no list.
    earlier = {*OUR_FILES, *(f"{PREVIEWS}/{path.name}" for path in (folder / PREVIEWS).glob("*.png"))}
    try:
        return MadeFiles(folder, KIND, earlier if header else ())
    except InputError as error:
        raise EvaluationError(str(error)) from None


def prepare_folder(
    folder: Path, header: EvaluationHeader, overwrite: bool, tell: Callable[[str], None] = lambda text: None
) -> list[CaseResult]:
    """Make `folder` ready for the run and return the cases that need not be measured again.

    `tell` gets a sentence on each line of the file of cases that is damaged: its case is measured again.

    Raises:
        EvaluationError: the folder holds something else, or the cases of another model, data set or other settings.
    """
    made = made_files(folder)
    earlier = None if overwrite else read_header(folder)
    if earlier and earlier.fingerprint() != header.fingerprint():
        raise EvaluationError(
            f"{folder} holds an evaluation with {_what_differs(earlier, header)}; name another folder with --out, "
            "or --overwrite it"
        )
    if earlier is None:
        _begin(made, overwrite)
        write_text(folder / HEADER_FILE, sealed(header.model_dump(mode="json")))
    _drop_cut_line(folder / CASES_FILE)
    return read_cases(folder, tell)


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`, which is made if it is missing.

    Raises EvaluationError if another run holds it, if a file is in the way, or if something else is in the folder.
    """
    made_files(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise EvaluationError(f"{folder}: a file is in the way; name a folder with --out") from error
    try:
        with locked(folder / LOCK_FILE):
            yield
    except LockedError as error:
        raise EvaluationError(f"{error.holder} is evaluating into {folder}; wait for it to end") from error


def append_case(file: TextIO, case: CaseResult) -> None:
    """Write a finished case; it is on disk when this returns."""
    file.write(sealed(case.model_dump(mode="json"), indent=None))
    file.flush()
    os.fsync(file.fileno())


def _begin(made: MadeFiles, overwrite: bool) -> None:
    """Remove an earlier evaluation, its header first. Raises EvaluationError for files that no evaluation has made."""
    folder = made.folder
    if CASES_FILE in made and (folder / CASES_FILE).exists() and not overwrite:
        raise EvaluationError(f"{folder} holds cases without {HEADER_FILE}; --overwrite starts anew")
    try:
        made.claim(*OUR_FILES)
    except InputError as error:
        raise EvaluationError(str(error)) from None
    pictures = [name for name in made.names() if name.startswith(f"{PREVIEWS}/")]
    made.remove([HEADER_FILE])
    made.remove([*OUR_FILES, *pictures])


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
    if earlier.labelled != header.labelled:
        return f"other structures that count as looked for in its cases (--labelled {earlier.labelled_by})"
    return "other prompts"
