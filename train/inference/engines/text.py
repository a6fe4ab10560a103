"""The engine of a text-driven checkpoint: the model is asked in the words of the training, or in the user's own.

Shapes: P prompts, T texts that the model is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

from curation.runtime.progress import Progress
from models.checkpoint import Checkpoint, load_checkpoint, read_record
from models.checkpoint_record import CheckpointRecord, ModelKind
from models.segmenter import TextSegmenter
from train.data.structure_prompts import StructurePrompts
from train.inference.errors import SegmentError
from train.inference.labelling import label_scan
from train.inference.logit_volume import predict_logits
from train.inference.options import AUTO, SegmentOptions, best_device
from train.inference.prompts import SegmentPrompt, check_lengths, is_trained
from train.inference.result import SegmentationResult
from train.inference.windows import Windows, window_size
from train.scans.grid import to_network
from train.scans.scan import Scan

from .asked_texts import AskedTexts
from .class_network import trained_patch

_OTHER_KINDS: dict[ModelKind, str] = {
    "stunet": "an image encoder without text (`ovct train pretrain`)",
    "aligner": "an image and a text encoder without a decoder (`ovct train align`)",
}


class TextDrivenEngine:
    """A text-driven segmenter with its record, as an engine."""

    has_probabilities = True

    def __init__(self, model: TextSegmenter, record: CheckpointRecord) -> None:
        self.model, self.record = model, record
        self.trained_prompts = StructurePrompts.from_training_record(record.trained_on)
        # Scan after scan is asked the same.
        self._asked = lru_cache(maxsize=1)(partial(_read_prompts, model, self.trained_prompts))

    @property
    def weights(self) -> str:
        """The file of the weights."""
        return self.record.weights

    def check(self, prompts: tuple[SegmentPrompt, ...], options: SegmentOptions) -> None:
        """Raise SegmentError without a text encoder, and for a prompt that it would cut short."""
        if self.model.text is None:
            raise SegmentError(
                "this checkpoint has no text encoder: save it with one (`save_checkpoint` of the whole model)"
            )
        check_lengths(prompts, self.model.text)

    def segment(
        self,
        scan: Scan,
        prompts: tuple[SegmentPrompt, ...],
        options: SegmentOptions,
        windows: Windows | None = None,
        progress: Progress | None = None,
    ) -> SegmentationResult:
        """Segment a scan; raises ScanError and LogitStorageError."""
        asked = self._asked(tuple(prompt.text for prompt in prompts), options.vocabulary)
        tensor, grid = to_network(scan, self.record.preprocessing)
        size = window_size(self.model.image.architecture, trained_patch(self.record), grid.shape)
        windows = windows or Windows(size, options.overlap, precision=options.precision)
        logits = predict_logits(self.model, tensor, grid, asked.embeddings, windows, progress)
        del tensor
        logits = logits.unions(asked.numbers(), options.presence_logit)
        unknown = self._unknown_texts(asked, options.presence_logit)
        notices = [*_replaced_prompts(prompts, asked), *self._untrained_prompts(asked.of_prompts, prompts, unknown)]
        return label_scan(scan, logits, prompts, options, self.weights, progress, notices)

    def _unknown_texts(self, asked: AskedTexts, presence_logit: float) -> set[str]:
        """Return the texts that the model does not know, which count as absent: `KnownWords.limit`."""
        known = self.model.connector.known
        if known is None:
            return set()
        limits = known.limit(asked.embeddings.to(known.vectors.device)).tolist()
        return {text for text, limit in zip(asked.texts, limits, strict=True) if limit < presence_logit}

    def _untrained_prompts(
        self, names: Sequence[tuple[str, ...]], prompts: Sequence[SegmentPrompt], unknown: set[str]
    ) -> list[str]:
        """Return a notice for each prompt that names nothing the checkpoint was trained on, where its record says."""
        trained = self.trained_prompts
        if trained is None:
            return []
        return [
            f"{prompt.text!r} is none of the {len(trained.names)} structures that this checkpoint was trained on "
            "(--list-prompts), "
            + (
                "and far from all of its words, or another organ: it counts as absent"
                if names_of_prompt[0] in unknown
                else "so its mask may be of anything"
            )
            for prompt, names_of_prompt in zip(prompts, names, strict=True)
            if len(names_of_prompt) == 1 and not is_trained(names_of_prompt[0], trained)
        ]


def load_segmenter(checkpoint: Checkpoint | Path | str, device: str = AUTO) -> tuple[TextSegmenter, CheckpointRecord]:
    """Return a checkpoint's model on `device`, and its record. Raises SegmentError if it cannot segment by text.

    "auto" is where a loaded model already is, and for one on disk the accelerator, or the CPU if there is none.
    """
    on_disk = isinstance(checkpoint, (str, Path))
    record = read_record(checkpoint) if isinstance(checkpoint, (str, Path)) else checkpoint.record
    if record.kind != "segmenter":
        raise SegmentError(
            f"{checkpoint if on_disk else 'this checkpoint'} is {_OTHER_KINDS[record.kind]}: it cannot segment by text "
            "yet; `ovct train segment DATASET` makes a checkpoint that can"
        )
    if isinstance(checkpoint, (str, Path)):
        checkpoint = load_checkpoint(checkpoint, best_device() if device == AUTO else device)
    model = checkpoint.model
    assert isinstance(model, TextSegmenter)
    return (model if device == AUTO else model.to(device)), record


def _read_prompts(
    model: TextSegmenter, trained: StructurePrompts | None, prompts: tuple[str, ...], vocabulary: bool
) -> AskedTexts:
    return AskedTexts.of(model, prompts, trained, vocabulary=vocabulary)


def _replaced_prompts(prompts: tuple[SegmentPrompt, ...], asked: AskedTexts) -> list[str]:
    """Return a notice for each prompt that the model is asked by other words than those given."""
    return [
        f"{prompt.text!r} was taken as {' + '.join(texts)}, "
        + ("which it is nearest to" if number in asked.read_by_model else "as the anatomy vocabulary has it")
        for number, (prompt, texts) in enumerate(zip(prompts, asked.of_prompts, strict=True))
        if texts != (prompt.text,)
    ]
