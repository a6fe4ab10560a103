"""Writes a text-driven segmenter as a MONAI bundle, which `python -m monai.bundle run` executes.

    OUT/configs/inference.json, metadata.json    what is run, and what it is (`bundle_config`)
    OUT/models/                                  the checkpoint as it is: safetensors, of which nothing is unpickled
    OUT/docs/README.md

A bundle needs ovct where it runs. Its users expect prompts that can be changed and the masks of `ovct segment`: for the
first it takes the text encoder, for the second ovct's own resampling, blending and judgement of presence. A network for
fixed prompts that runs without ovct is what `ovct export onnx` writes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from curation.runtime.errors import InputError
from curation.runtime.files import write_text
from models.checkpoint_record import RECORD, check_text, check_weights, names_of
from train.inference.engines.class_network import trained_patch
from train.inference.prompts import SegmentPrompt
from train.inference.windows import USUAL_SIDE, window_size

from .asked_prompts import SourceModel, open_source
from .bundle_config import inference_config, metadata, readme
from .whole_folder import check_replaceable, whole_folder

KIND = "MONAI bundle"


def export_bundle(
    checkpoint: Path, out: Path, prompts: Sequence[str | SegmentPrompt] = (), *, overwrite: bool = False
) -> tuple[SegmentPrompt, ...]:
    """Write the checkpoint of `ovct train segment` as a bundle into the folder `out`; return its prompts.

    `prompts` are those that the bundle asks unless a run names others; without any, one for each structure of the
    training.

    Raises InputError where `out` is there already, and for a prompt that MONAI's configuration would not read as a
    text, and what `open_source` raises.
    """
    check_replaceable(out, KIND, overwrite=overwrite)
    source = open_source(checkpoint, prompts)
    for prompt in source.asked.prompts:
        _check_readable(prompt)
    architecture = source.model.image.architecture
    window = window_size(architecture, trained_patch(source.record), (USUAL_SIDE, USUAL_SIDE, USUAL_SIDE))
    with whole_folder(out, KIND, overwrite=overwrite) as folder:
        (folder / "configs").mkdir()
        (folder / "docs").mkdir()
        _copy_checkpoint(source, folder / "models")
        for name, content in (
            ("inference.json", inference_config(source.asked.prompts)),
            ("metadata.json", metadata(source, window)),
        ):
            write_text(folder / "configs" / name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        write_text(folder / "docs" / "README.md", readme(source))
    return source.asked.prompts


def _check_readable(prompt: SegmentPrompt) -> None:
    """Raise InputError for a text that MONAI's configuration takes for an expression, a reference or a macro."""
    for text in (prompt.name, prompt.text):
        if text.startswith(("$", "%")) or "@" in text:
            raise InputError(f"prompt {text!r}: MONAI reads $, % and @ as signs of its own; word it without them")


def _copy_checkpoint(source: SourceModel, folder: Path) -> None:
    """Copy the record, the weights and the text encoder, where it is stored. Raises CheckpointError for a bad copy."""
    folder.mkdir()
    for name in (RECORD, *sorted(names_of(source.record))):
        path = source.folder / name
        if path.is_dir():
            shutil.copytree(path, folder / name)
        else:
            shutil.copyfile(path, folder / name)
    check_weights(folder / source.record.weights)
    check_text(folder, source.record)
