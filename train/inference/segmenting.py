"""A CT scan and prompts to masks: `segment`, the call behind `ovct segment`, and the one to use in Python.

    result = segment("ct.nii.gz", ["left kidney", "renal organ"], "checkpoints/segment")
    result.labels, result.table, result.mask("renal organ")
    result.save(Path("mask.nii.gz"))

How a prompt becomes a mask with a text-driven checkpoint (`engines.text`):

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
    label map   -> result       `labelling.label_scan`, with `label_table`: volumes and mean HU of each prompt; each
                                prompt's own mask; `blobs`: small ones are removed, what the scan cuts off is marked
    result      -> files        `outputs`: NIfTI and JSON, and in `files` DICOM SEG, .seg.nrrd, tables of colours and a
                                picture

Without any training of ours, `engines.heads` has a network's own classes, such as those of published STU-Net weights,
and `engines.totalsegmentator` the package of that name. Then:

    prompt      -> classes      `engines.class_names`: by the vocabulary; what means no class is refused
    volume      -> scores       `engines.class_scores`: features as above, times the network's own outputs; a voxel
                                belongs to the class with the highest score
    classes     -> label map    as above; the masks of a prompt's classes together are its mask

`options` holds thresholds and other settings. `jobs` reads what a command line asks for, and `run_jobs` runs all of
this for one scan or for many.

Shapes: P prompts, T texts that the model is asked, E embedding, C feature channels, D H W voxels of the network's grid,
X Y Z voxels of the scan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from curation.runtime.progress import Progress
from models.checkpoint import Checkpoint
from train.scans.scan import Scan, read_scan

from .engines.engine import MaskEngine
from .engines.opening import open_engine
from .options import DEFAULT_OPTIONS, SegmentOptions
from .prompts import SegmentPrompt, checked_prompts
from .result import SegmentationResult
from .windows import Windows


def segment(
    volume: Scan | Path | str,
    prompts: Iterable[str | SegmentPrompt] | Mapping[str, str],
    checkpoint: MaskEngine | Checkpoint | Path | str,
    options: SegmentOptions = DEFAULT_OPTIONS,
    *,
    windows: Windows | None = None,
    progress: Progress | None = None,
) -> SegmentationResult:
    """Segment a scan by free text, with prompts as texts or as name -> text.

    `checkpoint` is the folder of one, a file of published STU-Net weights, what was loaded of either, or an engine.

    With a text-driven checkpoint and `options.vocabulary`, a prompt that the anatomy vocabulary knows as another name
    of a structure of the training, or of a group of such, is asked by these structures' own names, and a group's mask
    is the union; the table's warnings say so. Without it, and for any other prompt, the model is asked in the words
    that were given. A network with outputs for classes has those masks alone that the vocabulary finds classes for.

    `windows` (D, H, W on the network's grid) are by default those of the training where the checkpoint records it, else
    128 voxels wide or as large as the volume. `progress` counts windows, and may stop the run.

    Raises ScanError, CheckpointError, WeightsFileError, SegmentError, EngineError, LogitStorageError and
    TextEncoderError for what cannot be used as it is.
    """
    checked = checked_prompts(prompts)
    engine = open_engine(checkpoint, options) if isinstance(checkpoint, Checkpoint | Path | str) else checkpoint
    engine.check(checked, options)
    scan = volume if isinstance(volume, Scan) else read_scan(Path(volume), uneven_slices=options.uneven_slices)
    return engine.segment(scan, checked, options, windows, progress)
