"""The prompts that an exported model knows by name, as `ovct segment` would ask them.

Shapes: T texts that the model is asked, E embedding, C channels of the finest features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from models.checkpoint_record import CheckpointRecord
from models.segmenter import TextSegmenter
from train.inference.engines.asked_texts import AskedTexts
from train.inference.engines.known_prompts import known_prompts
from train.inference.engines.text import TextDrivenEngine, load_segmenter
from train.inference.options import DEFAULT_OPTIONS
from train.inference.prompts import SegmentPrompt, checked_prompts


@dataclass(frozen=True, eq=False)
class AskedPrompts:
    """Prompts, the texts that the model is asked for each of them, and the embeddings (T, E) of all `texts`.

    A prompt that the vocabulary or the model knows as a group is asked by the names of its members, and its mask is
    their union.
    """

    prompts: tuple[SegmentPrompt, ...]
    asked: tuple[tuple[str, ...], ...]
    texts: tuple[str, ...]
    embeddings: Tensor


@dataclass(frozen=True, eq=False)
class SourceModel:
    """A checkpoint of `ovct train segment` that is exported, on the CPU, with what it is asked."""

    folder: Path
    model: TextSegmenter
    record: CheckpointRecord
    asked: AskedPrompts


def open_source(checkpoint: Path, prompts: Sequence[str | SegmentPrompt]) -> SourceModel:
    """Load a checkpoint, and embed the prompts: those given, else a prompt for each structure of the training.

    Raises CheckpointError, TextEncoderError, and SegmentError for a checkpoint that cannot segment by text, and for
    prompts that cannot be asked.
    """
    model, record = load_segmenter(checkpoint, "cpu")
    chosen = checked_prompts(prompts or known_prompts("checkpoint", checkpoint).prompts())
    engine = TextDrivenEngine(model, record)
    engine.check(chosen, DEFAULT_OPTIONS)
    asked = AskedTexts.of(model, [prompt.text for prompt in chosen], engine.trained_prompts, vocabulary=True)
    embeddings = asked.embeddings.float()
    return SourceModel(checkpoint, model, record, AskedPrompts(chosen, asked.of_prompts, asked.texts, embeddings))
