"""What `checkpoint.json` says: enough to build the model again, and to know what it was made of."""

from typing import Any, Literal, Self

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

ModelKind = Literal["stunet", "aligner", "segmenter"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ImageRecord(_Strict):
    """The STU-Net: blocks, channels and strides of each stage, what goes in and what its heads stand for."""

    depth: tuple[int, ...]
    dims: tuple[int, ...]
    strides: tuple[Stride, ...]
    in_channels: int
    num_classes: int | None
    labels: tuple[str, ...] | None

    @classmethod
    def of(cls, image: STUNet) -> Self:
        """That of a network."""
        sizes = image.architecture
        return cls(
            depth=sizes.depth,
            dims=sizes.dims,
            strides=sizes.strides,
            in_channels=image.in_channels,
            num_classes=image.num_classes,
            labels=image.labels,
        )

    def build(self) -> STUNet:
        """The network, with new weights."""
        sizes = Architecture(self.depth, self.dims, self.strides)
        return STUNet(sizes, self.in_channels, self.num_classes, labels=self.labels)


class ConnectorRecord(_Strict):
    """The connector's kind and sizes."""

    kind: str
    embedding_dim: int
    hidden: int
    levels: int

    @classmethod
    def of(cls, model: TextSegmenter) -> Self:
        """That of a segmenter."""
        kind = next(name for name, made in CONNECTORS.items() if type(model.connector) is made)
        connector = model.connector
        return cls(kind=kind, embedding_dim=connector.embedding_dim, hidden=connector.hidden, levels=model.levels)

    def build(self, image: STUNet, text: TextEncoder | None) -> TextSegmenter:
        """The segmenter, with new weights."""
        sizes: dict[str, Any] = {"embedding_dim": self.embedding_dim, "hidden": self.hidden, "levels": self.levels}
        return TextSegmenter(image, text, self.kind, **sizes)


class TextRecord(_Strict):
    """The text encoder: its name, where it is stored (None: it is loaded by its name), and what is done to a prompt."""

    name: str
    directory: str | None = Field(pattern=r"^text-[0-9a-f]{16}$")
    fingerprint: str
    embedding_dim: int
    template: str
    lower_case: bool
    max_length: int

    @classmethod
    def of(cls, text: TextEncoder, directory: str | None, fingerprint: str) -> Self:
        """That of an encoder."""
        return cls(
            name=text.name,
            directory=directory,
            fingerprint=fingerprint,
            embedding_dim=text.embedding_dim,
            template=text.handling.template,
            lower_case=text.handling.lower_case,
            max_length=text.max_length,
        )

    def handling(self) -> PromptHandling:
        """What is done to a prompt before the tokenizer."""
        return PromptHandling(self.template, self.lower_case, self.max_length)


class CheckpointRecord(_Strict):
    """All of `checkpoint.json`."""

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
    ovct: str
    commit: str | None
    torch: str
    created: str
