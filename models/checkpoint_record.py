"""The fields of `checkpoint.json`: enough to build the model again, and to know what it was made of.

The names of the fields are the keys of the file.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from .architecture import Architecture, Stride
from .connectors import CONNECTORS
from .freezing import Stage
from .pooling import Pooling
from .preprocessing import Preprocessing
from .prompt_handling import PromptHandling
from .segmenter import TextSegmenter
from .stunet import STUNet
from .text import TextEncoder

_StoredName = Annotated[str, Field(pattern=r"^(\w[\w.-]*/)?\w[\w.-]*$")]
_ReplacedName = Annotated[str, Field(pattern=r"^(weights-[0-9a-f]{16}\.safetensors|text-[0-9a-f]{16})$")]
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


class ConnectorRecord(_StrictRecord):
    """Describes a connector: its kind (`CONNECTORS`), its sizes, and how many decoder levels it has queries for."""

    kind: str
    embedding_dim: int
    hidden: int
    levels: int

    @classmethod
    def of(cls, model: TextSegmenter) -> Self:
        """Return the record of a segmenter's connector."""
        kind = next(name for name, connector_class in CONNECTORS.items() if type(model.connector) is connector_class)
        connector = model.connector
        return cls(kind=kind, embedding_dim=connector.embedding_dim, hidden=connector.hidden, levels=model.levels)

    def build(self, image: STUNet, text: TextEncoder | None) -> TextSegmenter:
        """Build the segmenter around an image network, with new weights. Raises ValueError for an unknown kind."""
        sizes: dict[str, Any] = {"embedding_dim": self.embedding_dim, "hidden": self.hidden, "levels": self.levels}
        return TextSegmenter(image, text, self.kind, **sizes)


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

    `stage` is the last one that the model was frozen for, `trained_on` the data and settings of each training;
    `weights` names the file of the weights, `replaced` files and folders of checkpoints before this one, or of a save
    that was killed, which may be removed. `sha256` is that of the record. `ovct`, `commit`, `torch` and `created` (UTC)
    tell what wrote it, and when.
    """

    format: Literal["ovct checkpoint 1"] = "ovct checkpoint 1"
    kind: ModelKind
    image: ImageRecord
    connector: ConnectorRecord | None
    pooling: Pooling | None
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
