"""Opens stage 3: the data sets, and the segmenter from the checkpoint that it starts from, as the settings say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from pydantic import JsonValue

from models.aligner import Aligner
from models.checkpoint import open_text
from models.preprocessing import Preprocessing
from models.segmenter import ConnectorRecord, TextSegmenter
from train.config.options import ConfigError, SegmentConfig
from train.config.prompting import Prompting
from train.data.training_set import open_training_set

from .segment import SegmentTask
from .starting_point import check_patch, starting_point


def open_segmentation(paths: Sequence[Path], config: SegmentConfig, cache: Path) -> SegmentTask:
    """Return the task of stage 3. Raises ConfigError, DataError, CheckpointError, TextEncoderError."""
    torch.manual_seed(config.running.seed)
    model, preprocessing, earlier, store_text = _segmenter(config)
    _check_held_out(config.prompting, earlier)
    labelled, seed = config.labelling.labelled, config.running.seed
    data = open_training_set(paths, config.data, preprocessing, cache, labelled=labelled, seed=seed)
    check_patch(model.image, config.crops.patch, "patch")
    bank = cache / "prompts.sqlite"
    return SegmentTask(model, data, preprocessing, config, bank, store_text=store_text, earlier=earlier)


def _check_held_out(options: Prompting, earlier: Sequence[Mapping[str, JsonValue]]) -> None:
    """Raise ConfigError where `train words` has taught the text encoder what this run holds out to measure it."""
    if options.hold_out == "none":
        return
    for record in earlier:
        learned = record.get("options")
        if record.get("stage") != "words" or not isinstance(learned, Mapping):
            continue
        # Records from before there was a choice have the first third.
        third = learned.get("held_out_third", 1)
        if learned.get("hold_out") != "all" or third != options.held_out_third:
            raise ConfigError(
                f"hold_out: the text encoder has learned words that this run would hold out (train words with hold_out "
                f"{learned.get('hold_out')}, held_out_third {third}): take one of `ovct train words --hold-out all "
                f"--held-out-third {options.held_out_third}`, or measure nothing, with --hold-out none"
            )


def _segmenter(config: SegmentConfig) -> tuple[TextSegmenter, Preprocessing, tuple[dict[str, JsonValue], ...], bool]:
    """Return model, preprocessing, the trainings so far, and whether the text encoder is stored in the checkpoint."""
    options = config.segmenting
    if not options.start:
        raise ConfigError("start: name the checkpoint of `ovct train align`, or of `ovct train pretrain` with --text")
    start = starting_point(Path(options.start))
    model, preprocessing, earlier, stores_text = start
    if isinstance(model, TextSegmenter) and model.text is not None:
        record = ConnectorRecord.of(model)
        if (record.kind, record.queries_per_prompt) != (options.connector, options.queries_per_prompt):
            raise ConfigError(
                f"connector: that of {options.start} goes on as it is: say --connector {record.kind} "
                f"--queries-per-prompt {record.queries_per_prompt}, or start from the checkpoint of `ovct train align`"
            )
        return model, preprocessing, earlier, stores_text
    text = model.text if isinstance(model, Aligner) else None
    if text is None:
        if not options.text:
            raise ConfigError(
                f"{options.start} has no text encoder: name one with --text, or start from `ovct train align`"
            )
        # By its name on the hub it can be loaded again, and its licence may not let it be passed on.
        opened, stores_text = open_text(options.text), Path(options.text).is_dir()
        text, earlier = opened.encoder, (*earlier, *opened.trained_on)
    segmenter = TextSegmenter(
        start.image,
        text,
        options.connector,
        hidden=options.hidden,
        levels=options.levels,
        queries_per_prompt=options.queries_per_prompt,
    )
    return segmenter, preprocessing, earlier, stores_text
