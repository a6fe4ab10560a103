"""Stores a model on disk: `checkpoint.json`, with all that is needed to build it again, and safetensors beside it.

    DIR/checkpoint.json            written last: what it names is the checkpoint
    DIR/weights-HASH.safetensors   everything but the text encoder
    DIR/text-HASH/                 the text encoder as Hugging Face lays it out, where it is stored

Weights are named by their content and the JSON replaces the old one in a single step, so a run killed while it saves
leaves the old checkpoint or the new one. Nothing is unpickled.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import torch
from pydantic import JsonValue, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from .aligner import Aligner
from .checkpoint_record import CheckpointRecord, ConnectorRecord, ImageRecord, ModelKind, TextRecord
from .preprocessing import Preprocessing
from .segmenter import TextSegmenter
from .stunet import STUNet
from .text import TextEncoder
from .weights_file import describe_mismatches

RECORD = "checkpoint.json"
Model = STUNet | Aligner | TextSegmenter


class CheckpointError(ValueError):
    """Raised for a folder that holds no checkpoint, or one that cannot be loaded or written as it is."""

    exit_code = 2


class Checkpoint(NamedTuple):
    """A model that was loaded, in evaluation mode, and its record."""

    model: Model
    record: CheckpointRecord


def save_checkpoint(
    model: Model,
    directory: Path | str,
    preprocessing: Preprocessing,
    *,
    trained_on: Sequence[dict[str, JsonValue]] = (),
    store_text: bool = True,
) -> CheckpointRecord:
    """Write `model` to `directory`, replacing the checkpoint that is there; return what was recorded.

    `trained_on` lists data and settings of each training so far, as JSON. Without `store_text` the text encoder is
    recorded by its name and fingerprint alone: for one that was not trained, and whose licence does not let it be
    passed on (BioLORD). Raises CheckpointError where the folder cannot be made.
    """
    directory = Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(f"{directory} cannot be a checkpoint's folder ({error}); name another") from error
    record = CheckpointRecord(
        kind=_kind(model),
        image=ImageRecord.of(model if isinstance(model, STUNet) else model.image),
        connector=ConnectorRecord.of(model) if isinstance(model, TextSegmenter) else None,
        pooling=model.pooling if isinstance(model, Aligner) else None,
        text=_save_text(model, directory, store_text),
        preprocessing=preprocessing,
        stage=model.stage,
        trained_on=tuple(trained_on),
        weights=_save_weights(model, directory),
        ovct=_version(),
        commit=_commit(),
        torch=torch.__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    _replace(directory / RECORD, record.model_dump_json(indent=2).encode() + b"\n")
    _remove_superseded(directory, record)
    return record


def load_checkpoint(directory: Path | str, device: torch.device | str = "cpu") -> Checkpoint:
    """Build the model of `directory` on `device` and load its weights.

    Raises CheckpointError where there is no usable checkpoint; the message lists all weights that are missing or do not
    fit.
    """
    directory = Path(directory)
    record = read_record(directory)
    text = _load_text(record, directory) if record.text else None
    try:
        with torch.device("meta"):
            model = _build(record, text)
    except ValueError as error:
        raise CheckpointError(f"{directory / RECORD}: {error}") from error
    weights = _load_weights(directory / record.weights)
    expected = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("text.")}
    problems = describe_mismatches(expected, weights)
    if problems:
        raise CheckpointError(f"{directory / record.weights} does not fit {RECORD}: {problems}")
    model.load_state_dict(weights, assign=True, strict=False)
    return Checkpoint(model.to(device).eval(), record)


def read_record(directory: Path | str) -> CheckpointRecord:
    """Read the record of the checkpoint in `directory`.

    Raises CheckpointError where there is none, or one of another version.
    """
    path = Path(directory) / RECORD
    try:
        return CheckpointRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such file; a checkpoint is a folder that holds {RECORD}") from error
    except NotADirectoryError as error:
        raise CheckpointError(f"{directory} is a file; a checkpoint is the folder that holds {RECORD}") from error
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'it'}: {problem['msg']}" for problem in error.errors()
        )
        raise CheckpointError(f"{path} was not written by this version of ovct, or was changed: {problems}") from error


def _kind(model: Model) -> ModelKind:
    if isinstance(model, STUNet):
        return "stunet"
    return "aligner" if isinstance(model, Aligner) else "segmenter"


def _build(record: CheckpointRecord, text: TextEncoder | None) -> Model:
    image = record.image.build()
    if record.kind == "stunet":
        return image
    if record.kind == "aligner" and text is not None and record.pooling is not None:
        return Aligner(image, text, pooling=record.pooling)
    if record.kind == "segmenter" and record.connector is not None:
        return record.connector.build(image, text)
    raise ValueError(f"calls this a {record.kind} and lacks what that consists of")


def _save_weights(model: Model, directory: Path) -> str:
    state = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("text.")}
    temporary = directory / f".weights-{os.getpid()}.tmp"
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}, temporary)
    with temporary.open("rb") as file:
        name = f"weights-{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}.safetensors"
        os.fsync(file.fileno())
    temporary.replace(directory / name)
    return name


def _load_weights(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such file, though {RECORD} names it; copy the whole folder") from error
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not complete ({error}); copy it again") from error


def _save_text(model: Model, directory: Path, store: bool) -> TextRecord | None:
    text = None if isinstance(model, STUNet) else model.text
    if text is None:
        return None
    fingerprint = text.fingerprint()
    name = f"text-{fingerprint[:16]}"
    if store and not (directory / name).is_dir():
        temporary = directory / f".{name}-{os.getpid()}.tmp"
        text.save(temporary)
        temporary.replace(directory / name)
    return TextRecord.of(text, name if store else None, fingerprint)


def _load_text(record: CheckpointRecord, directory: Path) -> TextEncoder:
    assert record.text is not None
    source = directory / record.text.directory if record.text.directory else record.text.name
    text = TextEncoder.from_pretrained(source, record.text.handling())
    if text.fingerprint() != record.text.fingerprint:
        raise CheckpointError(
            f"the text encoder {source} is not the one that {directory} was made with: its weights, tokenizer or "
            "prompt handling differ, and masks would be wrong"
        )
    text.name = record.text.name
    return text


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}-{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _remove_superseded(directory: Path, record: CheckpointRecord) -> None:
    current = {record.weights, record.text.directory if record.text else None}
    for path in directory.iterdir():
        if path.name not in current and path.name.startswith(("weights-", "text-", ".weights-", ".text-")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _version() -> str:
    try:
        return version("ovct")
    except PackageNotFoundError:
        return "unknown"


def _commit() -> str | None:
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
