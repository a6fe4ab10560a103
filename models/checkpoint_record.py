"""The fields of `checkpoint.json`: enough to build the model again, and to know what it was made of.

The names of the fields are the keys of the file, which ends with the SHA-256 of itself, so that one changed byte is
noticed. Nothing that a save did not make is removed: the record names what it replaced, before that is gone.
"""

import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from .architecture import Architecture, Stride
from .freezing import Stage
from .pooling import Mgcl, Pooling
from .preprocessing import Preprocessing
from .prompt_handling import PromptHandling
from .segmenter import ConnectorRecord
from .stunet import STUNet
from .text import TextEncoder
from .weights_file import digest_of, seal, unseal

_StoredName = Annotated[str, Field(pattern=r"^(\w[\w.-]*/)?\w[\w.-]*$")]
_ReplacedName = Annotated[str, Field(pattern=r"^(weights-[0-9a-f]{16}\.safetensors|text-[0-9a-f]{16})$")]
RECORD = "checkpoint.json"
TEMPORARY = re.compile(r"\.(weights|text-[0-9a-f]{16}|checkpoint\.json)-\d+\.tmp(\.saving)?")
ModelKind = Literal["stunet", "aligner", "segmenter"]


class _StrictRecord(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ImageRecord(_StrictRecord):
    """Describes an STU-Net: blocks, channels and strides (D, H, W) of each stage, input channels, classes and labels.

    `num_classes` and `labels` are None for a network without heads, or without names for them.
    """

    depth: tuple[int, ...]
    dims: tuple[int, ...]
    strides: tuple[Stride, ...]
    in_channels: int
    num_classes: int | None
    labels: tuple[str, ...] | None

    @classmethod
    def of(cls, image: STUNet) -> Self:
        """Return the record of a network."""
        architecture = image.architecture
        return cls(
            depth=architecture.depth,
            dims=architecture.dims,
            strides=architecture.strides,
            in_channels=image.in_channels,
            num_classes=image.num_classes,
            labels=image.labels,
        )

    def build(self) -> STUNet:
        """Build the network, with new weights. Raises ValueError where the sizes do not go together."""
        architecture = Architecture(self.depth, self.dims, self.strides)
        return STUNet(architecture, self.in_channels, self.num_classes, labels=self.labels)


class TextRecord(_StrictRecord):
    """Describes a text encoder: its name, its folder in the checkpoint, its fingerprint, and how prompts are handled.

    A `directory` of None means that it is not stored, but loaded by its name. `max_length` is in tokens. `files` has
    the SHA-256 of each file that is stored, null in records of earlier versions.
    """

    name: str
    directory: str | None = Field(pattern=r"^text-[0-9a-f]{16}$")
    files: dict[_StoredName, str] | None = None
    fingerprint: str
    embedding_dim: int
    template: str
    lower_case: bool
    max_length: int

    @classmethod
    def of(
        cls, text: TextEncoder, directory: str | None, fingerprint: str, files: dict[str, str] | None = None
    ) -> Self:
        """Return the record of an encoder that is stored in `directory`, in these `files`."""
        return cls(
            name=text.name,
            directory=directory,
            files=files,
            fingerprint=fingerprint,
            embedding_dim=text.embedding_dim,
            template=text.handling.template,
            lower_case=text.handling.lower_case,
            max_length=text.max_length,
        )

    def handling(self) -> PromptHandling:
        """Return what is done to a prompt before the tokenizer."""
        return PromptHandling(self.template, self.lower_case, self.max_length)


class CheckpointRecord(_StrictRecord):
    """Holds all of `checkpoint.json`.

    `mgcl` is what an aligner holds captions against, None in earlier records. `stage` is the last one that the model
    was frozen for, `trained_on` the data and settings of each training; `weights` names the file of the weights,
    `replaced` files and folders of checkpoints before this one, or of a save that was killed, which may be removed.
    `sha256` is that of the record. `ovct`, `commit`, `torch` and `created` (UTC) tell what wrote it, and when.
    """

    format: Literal["ovct checkpoint 1"] = "ovct checkpoint 1"
    kind: ModelKind
    image: ImageRecord
    connector: ConnectorRecord | None
    pooling: Pooling | None
    mgcl: Mgcl | None = None
    text: TextRecord | None
    preprocessing: Preprocessing
    stage: Stage | None
    trained_on: tuple[dict[str, JsonValue], ...]
    weights: str = Field(pattern=r"^weights-[0-9a-f]{16}\.safetensors$")
    replaced: tuple[_ReplacedName, ...] = ()
    ovct: str
    commit: str | None
    torch: str
    created: str
    sha256: str | None = Field(default=None, exclude=True)


class TextCheckpointRecord(_StrictRecord):
    """Holds all of `checkpoint.json` where a text encoder alone is stored; fields as in `CheckpointRecord`."""

    format: Literal["ovct checkpoint 1"] = "ovct checkpoint 1"
    kind: Literal["text"] = "text"
    text: TextRecord
    trained_on: tuple[dict[str, JsonValue], ...]
    replaced: tuple[_ReplacedName, ...] = ()
    ovct: str
    commit: str | None
    torch: str
    created: str
    sha256: str | None = Field(default=None, exclude=True)


AnyRecord = CheckpointRecord | TextCheckpointRecord
_ANY_RECORD: TypeAdapter[AnyRecord] = TypeAdapter(Annotated[AnyRecord, Field(discriminator="kind")])


class CheckpointError(ValueError):
    """Raised for a folder that holds no checkpoint, or one that cannot be loaded or written as it is."""

    exit_code = 2


def read_record(directory: Path | str) -> CheckpointRecord:
    """Read the record of the checkpoint of a model in `directory`.

    Raises CheckpointError where there is none, or one of another version, or a text encoder alone.
    """
    record = read_any_record(directory)
    if isinstance(record, TextCheckpointRecord):
        raise CheckpointError(
            f"{directory} holds a text encoder alone (`ovct train words`): give it as --text to `ovct train align` or "
            "`ovct train segment`, and the checkpoint of these here"
        )
    return record


def read_any_record(directory: Path | str) -> AnyRecord:
    """Read the record of a checkpoint, of a model or of a text encoder alone. Raises as `read_record` does."""
    path = Path(directory) / RECORD
    try:
        content, holds = unseal(path.read_bytes())
        if holds is False:
            raise CheckpointError(f"{path} was changed (its sha256 is another): copy the folder again")
        return _ANY_RECORD.validate_json(content)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such file; a checkpoint is a folder that holds {RECORD}") from error
    except NotADirectoryError as error:
        raise CheckpointError(f"{directory} is a file; a checkpoint is the folder that holds {RECORD}") from error
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'it'}: {problem['msg']}" for problem in error.errors()
        )
        raise CheckpointError(f"{path} was not written by this version of ovct, or was changed: {problems}") from error


def earlier_record(directory: Path) -> AnyRecord | None:
    """Return the record of the checkpoint that a save replaces, None without one.

    Raises CheckpointError for a `checkpoint.json` of something else, which is not to be replaced.
    """
    return read_any_record(directory) if (directory / RECORD).exists() else None


def write_record(directory: Path, record: AnyRecord) -> None:
    """Write the record, sealed, in a single step."""
    path = directory / RECORD
    temporary = path.with_name(f".{path.name}-{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(seal(record.model_dump_json(indent=2).encode()))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def check_weights(path: Path) -> None:
    """Raise CheckpointError where the weights are not those that their name has the digest of, or are missing."""
    try:
        digest = digest_of(path)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such file, though {RECORD} names it; copy the whole folder") from error
    if f"weights-{digest[:16]}.safetensors" != path.name:
        raise CheckpointError(f"{path} is not complete, or was changed (its sha256 is another): copy it again")


def check_text(directory: Path, record: AnyRecord) -> None:
    """Raise CheckpointError where a file of the stored text encoder is missing or not as it was written."""
    if record.text is None or record.text.directory is None:
        return
    folder = directory / record.text.directory
    for name, digest in (record.text.files or {}).items():
        if not (folder / name).is_file() or digest_of(folder / name) != digest:
            raise CheckpointError(f"{folder / name} is missing, or was changed (its sha256 is another): copy it again")


def names_of(record: AnyRecord) -> set[str]:
    """Return the weights and the text encoder's folder of a record."""
    weights = record.weights if isinstance(record, CheckpointRecord) else None
    directory = record.text.directory if record.text else None
    return {name for name in (weights, directory) if name}


def remove_replaced(directory: Path, earlier: AnyRecord | None, current: Iterable[str]) -> None:
    """Remove what an earlier checkpoint had and the `current` names are not, and what saves that were killed left."""
    for path in directory.glob(".*.tmp*"):
        if TEMPORARY.fullmatch(path.name):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    if earlier is None:
        return
    for name in ({*names_of(earlier), *earlier.replaced}) - {*current}:
        path = directory / name
        if name.startswith("text-"):
            _remove_text(path, earlier)
        else:
            path.unlink(missing_ok=True)


def remove_checkpoint(directory: Path) -> None:
    """Remove a checkpoint: its record, and what that names. Raises CheckpointError for a record of something else."""
    earlier = earlier_record(directory)
    if earlier is not None:
        (directory / RECORD).unlink()
        remove_replaced(directory, earlier, ())


# The files of a text encoder in a checkpoint of an earlier version, whose record does not list them.
_TEXT_NAMES = re.compile(
    r"(1_Pooling/config|config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|modules|"
    r"sentence_bert_config)\.json|model\.safetensors|vocab\.txt|merges\.txt|sentencepiece\.bpe\.model|spiece\.model"
)


def _remove_text(folder: Path, earlier: AnyRecord) -> None:
    """Remove the files that a save has made in a text encoder's folder, and the folder where nothing else is in it."""
    listed = earlier.text.files if earlier.text and earlier.text.directory == folder.name else None
    for path in sorted(folder.rglob("*"), reverse=True):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and (name in listed if listed is not None else _TEXT_NAMES.fullmatch(name)):
            path.unlink()
    for path in (*sorted((entry for entry in folder.rglob("*") if entry.is_dir()), reverse=True), folder):
        with suppress(OSError):
            path.rmdir()
