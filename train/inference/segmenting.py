"""A CT scan and prompts to masks: `segment`, the call behind `ovct segment`, and the one to use in Python.

    result = segment("ct.nii.gz", ["left kidney", "renal organ"], "checkpoints/segment")
    result.labels, result.table, result.mask("renal organ")
    result.save(Path("mask.nii.gz"))

How a prompt becomes a mask:

    prompt      -> embedding    `prompts`: checked, and replaced by a name of the training if the vocabulary knows it
                                (`train.data.structure_prompts` has these names);
                                `models.text`: the text encoder turns it into a vector (E)
    scan        -> volume       `train.scans.grid`: resampled to the network's grid, intensities scaled (1, D, H, W)
    volume      -> windows      `windows`: overlapping windows run through the network (`models.stunet`), whose finest
                                features are blended
    embedding   -> logits       `models.connectors`: the embedding becomes a query (C), `models.segmenter` says
                                whether its structure is there at all; `logit_volume`: query times
                                features is a logit for each voxel, on the network's grid
    logits      -> label map    `label_map`: interpolated to the scan's voxels, above the threshold, and assigned to one
                                prompt each; a prompt whose structure is judged absent has no voxel
    label map   -> result       `label_table`: volumes and mean HU of each prompt; `result`: each prompt's own mask
    result      -> files        `outputs`: NIfTI, JSON, DICOM SEG (`dicom_seg`), a picture (`preview`)

`options` holds thresholds and other settings. `jobs` reads what a command line asks for, and `run_jobs` runs all of
this for one scan or for many.

Shapes: P prompts, T texts that the model is asked, E embedding, C feature channels, D H W voxels of the network's grid,
X Y Z voxels of the scan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from curation.runtime.progress import Progress
from models.checkpoint import Checkpoint, load_checkpoint, read_record
from models.checkpoint_record import CheckpointRecord, ModelKind
from models.segmenter import TextSegmenter
from train.data.structure_prompts import StructurePrompts
from train.scans.grid import to_network
from train.scans.scan import Scan, read_scan

from .errors import SegmentError
from .label_map import LabelMapBuilder, nesting_depths, shared_voxels
from .label_table import LabelTable, label_rows
from .logit_volume import LogitVolume, predict_logits
from .options import AUTO, DEFAULT_OPTIONS, SegmentOptions, best_device
from .prompts import SegmentPrompt, check_lengths, checked_prompts, training_names
from .result import SegmentationResult
from .windows import Windows, window_size

_OTHER_KINDS: dict[ModelKind, str] = {
    "stunet": "an image encoder without text (`ovct train pretrain`)",
    "aligner": "an image and a text encoder without a decoder (`ovct train align`)",
}


def segment(
    volume: Scan | Path | str,
    prompts: Iterable[str | SegmentPrompt] | Mapping[str, str],
    checkpoint: Checkpoint | Path | str,
    options: SegmentOptions = DEFAULT_OPTIONS,
    *,
    windows: Windows | None = None,
    progress: Progress | None = None,
) -> SegmentationResult:
    """Segment a scan by free text, with prompts as texts or as name -> text.

    With `options.vocabulary`, a prompt that the anatomy vocabulary knows as another name of a structure of the
    training, or of a group of such, is asked by these structures' own names, and a group's mask is the union; the
    table's warnings say so. Without it, and for any other prompt, the model is asked in the words that were given.

    `windows` (D, H, W on the network's grid) are by default those of the training where the checkpoint records it, else
    128 voxels wide or as large as the volume. `progress` counts windows, and may stop the run.

    Raises ScanError, CheckpointError, SegmentError, LogitStorageError and TextEncoderError for what cannot be used as
    it is.
    """
    checked = checked_prompts(prompts)
    model, record = load_segmenter(checkpoint, options.device)
    structure_prompts = StructurePrompts.from_training_record(record.trained_on) if options.vocabulary else None
    names = [training_names(prompt.text, structure_prompts) for prompt in checked]
    texts = list(dict.fromkeys(name for names_of_prompt in names for name in names_of_prompt))
    embeddings = _embed(model, checked, texts)
    scan = volume if isinstance(volume, Scan) else read_scan(Path(volume))
    tensor, grid = to_network(scan, record.preprocessing)
    windows = windows or Windows(window_size(record, grid.shape), options.overlap, precision=options.precision)
    logits = predict_logits(model, tensor, grid, embeddings, windows, progress)
    del tensor
    members = [tuple(map(texts.index, names_of_prompt)) for names_of_prompt in names]
    logits = logits.unions(members, options.presence_logit)
    scan = replace(scan, warnings=(*scan.warnings, *_replaced_prompts(checked, names)))
    return label_scan(scan, logits, checked, options, record.weights, progress)


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


@torch.no_grad()
def label_scan(
    scan: Scan,
    logits: LogitVolume,
    prompts: tuple[SegmentPrompt, ...],
    options: SegmentOptions,
    weights: str,
    progress: Progress | None = None,
) -> SegmentationResult:
    """Return the result for logits of P prompts: label map, label table, and the overlaps that a label map cannot show.

    `weights` is the name of the checkpoint's weights, for the table.
    """
    presence = logits.presence.sigmoid()
    present = presence >= options.presence_threshold
    numbers, threshold_logit = present.nonzero()[:, 0], options.threshold_logit
    builder = LabelMapBuilder.empty(scan, len(prompts), numbers)
    shared = torch.zeros(len(prompts), len(prompts), dtype=torch.float64)
    if len(numbers):
        shared_by_present = shared_voxels(logits.network_slabs(numbers), len(numbers), threshold_logit)
        shared[numbers[:, None], numbers] = shared_by_present
        builder.assign(logits, numbers, nesting_depths(shared_by_present), threshold_logit, progress or Progress())
    voxel_ml = float(abs(np.linalg.det(scan.affine[:3, :3]))) / 1000
    record = LabelTable(
        scan=str(scan.path),
        weights=weights,
        threshold=options.threshold,
        presence_threshold=options.presence_threshold,
        vocabulary=options.vocabulary,
        warnings=scan.warnings,
        labels=label_rows(prompts, presence.numpy(), present.numpy(), builder.totals, shared.numpy(), voxel_ml),
    )
    return SegmentationResult(scan, builder.labels, record, logits, builder.overlaps)


def _replaced_prompts(prompts: tuple[SegmentPrompt, ...], names: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a warning for each prompt that the model is asked by other words than those given."""
    return [
        f"{prompt.text!r} was taken as {' + '.join(names_of_prompt)}, as the anatomy vocabulary has it"
        for prompt, names_of_prompt in zip(prompts, names, strict=True)
        if names_of_prompt != (prompt.text,)
    ]


def _embed(model: TextSegmenter, prompts: tuple[SegmentPrompt, ...], texts: list[str]) -> Tensor:
    """Return the embeddings (T, E) of texts. Raises SegmentError without a text encoder, and for a prompt too long."""
    if model.text is None:
        raise SegmentError(
            "this checkpoint has no text encoder: save it with one (`save_checkpoint` of the whole model)"
        )
    check_lengths(prompts, model.text)
    return model.text.encode(texts)
