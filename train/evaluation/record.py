"""What was measured, as it is kept: one line of JSON for each finished case, under a header that says of what.

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

from .questions import Kind, Question

HEADER_FILE = "evaluation.json"
CASES_FILE = "cases.jsonl"
LOCK_FILE = ".lock"
PREVIEWS = "previews"
RESULT_FILES = ("summary.json", "summary.csv", "prompts.csv", "report.html")


class EvaluationError(OvctError, ValueError):
    """An evaluation that cannot start or go on as asked; the text says what to do."""

    exit_code = 2


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Settings(_Record):
    """What changes the numbers. Probabilities 0 to 1; `nsd_tolerance_mm` in mm; `vocabulary`: see `segment`."""

    threshold: float = 0.5
    presence_threshold: float = 0.5
    nsd_tolerance_mm: float = 3.0
    vocabulary: bool = False


class Row(_Record):
    """One prompt on one case. Without a reference, Dice and NSD are null; `presence` is a probability."""

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


class CaseResult(_Record):
    """All rows of one case; questions about structures that its labels do not cover have none."""

    case: str
    patient: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    seconds: float
    rows: tuple[Row, ...]
    warnings: tuple[str, ...] = ()


class Header(_Record):
    """Of what the cases are. `weights` and `text` are hashes; `known`: the checkpoint records its training prompts."""

    format: Literal["ovct evaluation 1"] = "ovct evaluation 1"
    dataset: str
    layout: str
    checkpoint: str
    weights: str
    text: str | None
    settings: Settings
    known: bool
    questions: tuple[Question, ...]

    def fingerprint(self) -> str:
        """Equal for runs whose cases may stand in one table; where the checkpoint lies does not matter."""
        content = self.model_dump(mode="json", exclude={"checkpoint"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_header(folder: Path) -> Header | None:
    """The header of an evaluation; None where there is none. EvaluationError for another version's."""
    path = folder / HEADER_FILE
    try:
        return Header.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValidationError as error:
        raise EvaluationError(
            f"{path} was not written by this version of ovct, or was changed; --overwrite starts anew"
        ) from error


def read_cases(folder: Path) -> list[CaseResult]:
    """The finished cases of an evaluation; a cut or damaged line is left out, of a case that stands twice the last."""
    found: dict[str, CaseResult] = {}
    try:
        lines = (folder / CASES_FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    for line in lines:
        try:
            case = CaseResult.model_validate_json(line)
        except ValidationError:
            continue
        found[case.case] = case
    return list(found.values())


def prepare_folder(folder: Path, header: Header, overwrite: bool) -> list[CaseResult]:
    """Make `folder` ready for the run and give the cases that it need not measure again.

    Raises:
        EvaluationError: the folder holds something else, or the cases of another model, data set or other settings.
    """
    before = None if overwrite else read_header(folder)
    if before and before.fingerprint() != header.fingerprint():
        raise EvaluationError(
            f"{folder} holds an evaluation with {_difference(before, header)}; name another folder with --out, "
            "or --overwrite it"
        )
    if before is None:
        _clear(folder, overwrite)
        write_text(folder / HEADER_FILE, header.model_dump_json(indent=1) + "\n")
    _drop_cut_line(folder / CASES_FILE)
    return read_cases(folder)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One run at a time in `folder`, which is made where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise EvaluationError(f"{folder}: a file is in the way; name a folder with --out") from error
    with (folder / LOCK_FILE).open("a+") as file:
        try:
            lock_file(file)
        except LockedError as held:
            raise EvaluationError(f"process {held.holder} is evaluating into {folder}; wait for it to end") from held
        yield


def append(file: TextIO, case: CaseResult) -> None:
    """Add a finished case; it is on disk when this returns."""
    file.write(case.model_dump_json() + "\n")
    file.flush()
    os.fsync(file.fileno())


def _clear(folder: Path, overwrite: bool) -> None:
    """Take away an earlier evaluation, its header first; nothing that is not ours."""
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
    """An interrupted run may leave half a line, to which the next would be glued."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)


def _difference(before: Header, now: Header) -> str:
    """What is another in an earlier evaluation, in words."""
    if before.weights != now.weights or before.text != now.text:
        return f"another model ({before.checkpoint}, {before.weights})"
    if before.dataset != now.dataset or before.layout != now.layout:
        return f"another data set ({before.dataset}, read as {before.layout})"
    if before.settings != now.settings:
        return f"other settings ({before.settings!r})".replace("Settings", "")
    return "other prompts"
