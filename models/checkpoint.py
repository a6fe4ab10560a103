"""Stores a model on disk: `checkpoint.json`, with all that is needed to build it again, and safetensors beside it.

    DIR/checkpoint.json            written last: what it names is the checkpoint
    DIR/weights-HASH.safetensors   everything but the text encoder
    DIR/text-HASH/                 the text encoder as Hugging Face lays it out, where it is stored

`save_text` stores a text encoder alone in the same way, without weights beside it.

Weights are named by their content and the JSON replaces the old one in a single step, so a run killed while it saves
leaves the old checkpoint or the new one. Nothing is unpickled.
"""

import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import torch
from pydantic import JsonValue
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from .aligner import Aligner
from .checkpoint_record import (
    RECORD,
    AnyRecord,
    CheckpointError,
    CheckpointRecord,
    ImageRecord,
    ModelKind,
    TextCheckpointRecord,
    TextRecord,
    check_text,
    check_weights,
    earlier_record,
    names_of,
    read_any_record,
    read_record,
    remove_replaced,
    write_record,
)
from .preprocessing import Preprocessing
from .segmenter import ConnectorRecord, TextSegmenter
from .stunet import STUNet
from .text import TextEncoder
from .weights_file import describe_mismatches, digest_of, write_tensors

__all__ = [
    "RECORD",
    "Checkpoint",
    "CheckpointError",
    "Model",
    "load_checkpoint",
    "open_text",
    "read_record",
    "save_checkpoint",
    "save_text",
]

Model = STUNet | Aligner | TextSegmenter


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
    passed on (BioLORD). Raises CheckpointError where the folder cannot be made, or its `checkpoint.json` is of
    something else.
    """
    directory = _made_directory(directory)
    earlier = earlier_record(directory)
    temporary, weights = _write_weights(model, directory)
    record = CheckpointRecord(
        kind=_kind(model),
        image=ImageRecord.of(model if isinstance(model, STUNet) else model.image),
        connector=ConnectorRecord.of(model) if isinstance(model, TextSegmenter) else None,
        pooling=model.pooling if isinstance(model, Aligner) else None,
        mgcl=model.mgcl if isinstance(model, Aligner) else None,
        text=None if isinstance(model, STUNet) else _save_text(model.text, directory, store_text, earlier),
        preprocessing=preprocessing,
        stage=model.stage,
        trained_on=tuple(trained_on),
        weights=weights,
        **_made_by(),
    )
    if earlier is not None:
        record = record.model_copy(update={"replaced": _replaced(earlier, record)})
        _announce(names_of(record), directory, earlier)
    temporary.replace(directory / weights)
    write_record(directory, record)
    remove_replaced(directory, earlier, names_of(record))
    return record


def save_text(
    text: TextEncoder, directory: Path | str, *, trained_on: Sequence[dict[str, JsonValue]] = ()
) -> TextCheckpointRecord:
    """Write a text encoder alone to `directory`, as `save_checkpoint` writes a model, for `open_text`."""
    directory = _made_directory(directory)
    earlier = earlier_record(directory)
    if earlier is not None:
        _announce({_text_name(text.fingerprint())}, directory, earlier)
    stored = _save_text(text, directory, True, earlier)
    assert stored is not None
    record = TextCheckpointRecord(text=stored, trained_on=tuple(trained_on), **_made_by())
    if earlier is not None:
        record = record.model_copy(update={"replaced": _replaced(earlier, record)})
    write_record(directory, record)
    remove_replaced(directory, earlier, names_of(record))
    return record


class OpenedText(NamedTuple):
    """A text encoder and the trainings that it comes from."""

    encoder: TextEncoder
    trained_on: tuple[dict[str, JsonValue], ...] = ()


def open_text(name_or_directory: str) -> OpenedText:
    """Read the text encoder of a checkpoint's folder, or one by its own folder or name (`TextEncoder.from_pretrained`).

    Raises CheckpointError and TextEncoderError.
    """
    directory = Path(name_or_directory)
    if not (directory / RECORD).is_file():
        return OpenedText(TextEncoder.from_pretrained(name_or_directory))
    record = read_any_record(directory)
    if record.text is None:
        raise CheckpointError(f"{directory} holds no text encoder: give a checkpoint of `ovct train words` or `align`")
    check_text(directory, record)
    return OpenedText(_load_text(record.text, directory), record.trained_on)


def _made_directory(directory: Path | str) -> Path:
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(f"{directory} cannot be a checkpoint's folder ({error}); name another") from error
    return Path(directory)


def _made_by() -> dict[str, Any]:
    """Return what a record says of the program that writes it, and of the time."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return {"ovct": _version(), "commit": _commit(), "torch": torch.__version__, "created": created}


def _announce(names: set[str], directory: Path, earlier: AnyRecord) -> None:
    """Record what a save adds before it is there, so that one that is killed in between leaves nothing unrecorded."""
    if new := names - names_of(earlier) - {*earlier.replaced}:
        write_record(directory, earlier.model_copy(update={"replaced": (*earlier.replaced, *sorted(new))}))


def _replaced(earlier: AnyRecord, record: AnyRecord) -> tuple[str, ...]:
    return tuple(sorted({*names_of(earlier), *earlier.replaced} - names_of(record)))


def load_checkpoint(directory: Path | str, device: torch.device | str = "cpu") -> Checkpoint:
    """Build the model of `directory` on `device` and load its weights.

    Raises CheckpointError where there is no usable checkpoint; the message lists all weights that are missing or do not
    fit.
    """
    directory = Path(directory)
    record = read_record(directory)
    check_weights(directory / record.weights)
    check_text(directory, record)
    text = _load_text(record.text, directory) if record.text else None
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


def _kind(model: Model) -> ModelKind:
    if isinstance(model, STUNet):
        return "stunet"
    return "aligner" if isinstance(model, Aligner) else "segmenter"


def _build(record: CheckpointRecord, text: TextEncoder | None) -> Model:
    image = record.image.build()
    if record.kind == "stunet":
        return image
    if record.kind == "aligner" and text is not None and record.pooling is not None:
        return Aligner(image, text, pooling=record.pooling, mgcl=record.mgcl or "volume")
    if record.kind == "segmenter" and record.connector is not None:
        return record.connector.build(image, text)
    raise ValueError(f"calls this a {record.kind} and lacks what that consists of")


def _write_weights(model: Model, directory: Path) -> tuple[Path, str]:
    """Write the weights under a temporary name; return it, and the name that they get."""
    state = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("text.")}
    temporary = directory / f".weights-{os.getpid()}.tmp"
    write_tensors({name: tensor.detach().cpu() for name, tensor in state.items()}, temporary)
    with temporary.open("r+b") as file:  # Windows flushes no file that is opened for reading alone
        os.fsync(file.fileno())
    return temporary, f"weights-{digest_of(temporary)[:16]}.safetensors"


def _load_weights(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not complete ({error}); copy it again") from error


def _text_name(fingerprint: str) -> str:
    return f"text-{fingerprint[:16]}"


def _save_text(text: TextEncoder | None, directory: Path, store: bool, earlier: AnyRecord | None) -> TextRecord | None:
    if text is None:
        return None
    fingerprint = text.fingerprint()
    name = _text_name(fingerprint)
    if not store:
        return TextRecord.of(text, None, fingerprint)
    before = earlier.text if earlier else None
    if before and before.directory == name and before.files and (directory / name).is_dir():
        return TextRecord.of(text, name, fingerprint, before.files)
    if not (directory / name).is_dir():
        temporary = directory / f".{name}-{os.getpid()}.tmp"
        text.save(temporary)
        temporary.replace(directory / name)
    return TextRecord.of(text, name, fingerprint, _text_files(directory / name))


def _text_files(folder: Path) -> dict[str, str]:
    """Return the digest of each file of a text encoder's folder, by its name below it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): digest_of(path) for path in paths}


def _load_text(record: TextRecord, directory: Path) -> TextEncoder:
    source = directory / record.directory if record.directory else record.name
    text = TextEncoder.from_pretrained(source, record.handling())
    if text.fingerprint() != record.fingerprint:
        raise CheckpointError(
            f"the text encoder {source} is not the one that {directory} was made with: its weights, tokenizer or "
            "prompt handling differ, and masks would be wrong"
        )
    text.name = record.name
    return text


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
