"""What stands beside an ONNX model: all that a program needs to prepare a scan, to lay windows and to name prompts.

Shapes: P prompts, E embedding, C channels of the finest features, D H W voxels of a window.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict

from curation.runtime.provenance import ovct_version
from models.preprocessing import Preprocessing
from train.inference.options import DEFAULT_OPTIONS
from train.inference.windows import Patch
from train.scans.hounsfield import LOWEST_HU

from .asked_prompts import SourceModel

MODEL_FILE, JSON_FILE = "segmenter.onnx", "segmenter.json"
# The newest that torch 2.13 writes InstanceNormalization and LayerNormalization of as one node each.
OPSET = 20
OUTPUTS = ("logits", "presence", "features")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OnnxCheck(_Strict):
    """Says how far the logits of onnxruntime were from torch's on one window, and how large logits were there."""

    onnxruntime: str
    torch: str
    largest_difference: float
    largest: float


class NamedPrompt(_Strict):
    """A prompt, and the texts that the model is asked for it: the largest of their logits is the prompt's."""

    name: str
    text: str
    asked: tuple[str, ...]


class PresenceQuery(_Strict):
    """Presence logit = scale x <vector, evidence> + bias, at most `limit`, with the evidence in a mask (C + 2).

    The evidence is that of `models.segmenter`; `limit` is None where the model does not say which words it knows.
    """

    vector: tuple[float, ...]
    scale: float
    bias: float
    limit: float | None


class EmbeddedText(_Strict):
    """The embedding (E) of a text that the model is asked, of length 1, and its presence query."""

    embedding: tuple[float, ...]
    presence: PresenceQuery


class OnnxRecord(_Strict):
    """Holds all of `segmenter.json`.

    `inputs` and `outputs` have the shapes, with names for lengths that are free. `window` (D, H, W) is in voxels of
    `preprocessing`; `overlap` is the share that neighbours cover too, `lowest_hu` what lower values are set to before
    anything else. `check` is None where onnxruntime was not installed.
    """

    format: Literal["ovct onnx 1"] = "ovct onnx 1"
    model: str
    opset: int
    inputs: dict[str, tuple[int | str, ...]]
    outputs: dict[str, tuple[int | str, ...]]
    window: Patch
    overlap: float
    threshold: float
    presence_threshold: float
    lowest_hu: float
    preprocessing: Preprocessing
    check: OnnxCheck | None
    ovct: str
    weights: str
    text_encoder: str
    prompts: tuple[NamedPrompt, ...]
    texts: dict[str, EmbeddedText]


def record_of(source: SourceModel, patch: Patch, check: OnnxCheck | None) -> OnnxRecord:
    """Return the record of a model that was exported with windows of `patch`."""
    asked, model = source.asked, source.model
    assert source.record.text is not None
    channels, embedding = model.image.feature_channels[0], model.connector.embedding_dim
    return OnnxRecord(
        model=MODEL_FILE,
        opset=OPSET,
        inputs={"volume": (1, 1, *patch), "prompts": ("prompts", embedding)},
        outputs={
            "logits": (1, "prompts", *patch),
            "presence": (1, "prompts"),
            "features": (1, channels, *patch),
        },
        window=patch,
        overlap=DEFAULT_OPTIONS.overlap,
        threshold=DEFAULT_OPTIONS.threshold,
        presence_threshold=DEFAULT_OPTIONS.presence_threshold,
        lowest_hu=LOWEST_HU,
        preprocessing=source.record.preprocessing,
        check=check,
        ovct=ovct_version(),
        weights=source.record.weights,
        text_encoder=source.record.text.name,
        prompts=tuple(
            NamedPrompt(name=prompt.name, text=prompt.text, asked=texts)
            for prompt, texts in zip(asked.prompts, asked.asked, strict=True)
        ),
        texts=_embedded_texts(source),
    )


@torch.no_grad()
def _embedded_texts(source: SourceModel) -> dict[str, EmbeddedText]:
    asked = source.asked
    queries = source.model.presence_queries(asked.embeddings)
    tensors = (asked.embeddings, queries.vectors, queries.scale, queries.bias)
    limits = [None] * len(asked.texts) if queries.limit is None else map(_short, queries.limit.tolist())
    columns = zip(*(tensor.tolist() for tensor in tensors), limits, strict=True)
    return {
        text: EmbeddedText(
            embedding=_digits(embedding),
            presence=PresenceQuery(vector=_digits(vector), scale=_short(scale), bias=_short(bias), limit=limit),
        )
        for text, (embedding, vector, scale, bias, limit) in zip(asked.texts, columns, strict=True)
    }


def _digits(values: Any) -> tuple[float, ...]:
    return tuple(map(_short, values))


def _short(value: float) -> float:
    """Return a float32 with the nine digits that give the same float32 back."""
    return float(f"{value:.9g}")
