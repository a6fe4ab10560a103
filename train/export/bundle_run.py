"""What the configuration of an exported MONAI bundle is made of: reading a scan, the network, masks and their files.

`python -m monai.bundle run` builds these from `configs/inference.json`. They are the steps of `ovct segment` behind
MONAI's interfaces, and so give the same masks to the voxel; transforms of MONAI's own would resample, blend and judge
presence in other ways, and have no text encoder for prompts that come with the run.

Shapes: B windows, P prompts, D H W voxels of a window.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from monai.inferers.inferer import Inferer
from monai.transforms.transform import MapTransform
from torch import Tensor, nn

from curation.runtime.errors import InputError
from train.inference.engines.asked_texts import AskedTexts
from train.inference.engines.text import TextDrivenEngine, load_segmenter
from train.inference.options import DEFAULT_OPTIONS, SegmentOptions
from train.inference.outputs import Outputs
from train.inference.prompts import checked_prompts
from train.inference.result import SegmentationResult
from train.inference.scan_folder import scans_in
from train.scans.scan import Scan, read_scan


class PromptedSegmenter(nn.Module):
    """A text-driven segmenter with its prompts: windows in, a logit for each prompt out.

    `checkpoint` is the folder of one; `prompts` are texts, or name -> text. With `vocabulary` a prompt that the anatomy
    vocabulary knows as another name of a trained structure, or of several, is asked by theirs, and so is one that the
    model reads as several.

    Raises CheckpointError, SegmentError and TextEncoderError.
    """

    def __init__(
        self,
        checkpoint: str,
        prompts: str | Sequence[str] | Mapping[str, str],
        device: torch.device | str = "cpu",
        vocabulary: bool = DEFAULT_OPTIONS.vocabulary,
    ) -> None:
        super().__init__()
        # From a command line a single prompt comes as a text.
        self.prompts = checked_prompts([prompts] if isinstance(prompts, str) else prompts)
        self.vocabulary = vocabulary
        self.segmenter, record = load_segmenter(checkpoint, str(device))
        self.engine = TextDrivenEngine(self.segmenter, record)
        self.engine.check(self.prompts, DEFAULT_OPTIONS)
        texts = [prompt.text for prompt in self.prompts]
        asked = AskedTexts.of(self.segmenter, texts, self.engine.trained_prompts, vocabulary=vocabulary)
        self.members = [list(numbers) for numbers in asked.numbers()]
        self.register_buffer("embeddings", asked.embeddings.to(device), persistent=False)

    def forward(self, windows: Tensor) -> Tensor:
        """Return logits (B, P, D, H, W) of windows (B, 1, D, H, W) that are prepared as the checkpoint says.

        The logit of a prompt that stands for several structures is the largest of theirs.
        """
        logits = self.segmenter(windows, self.embeddings)
        return torch.stack([logits[:, numbers].amax(dim=1) for numbers in self.members], dim=1)


class ReadScand(MapTransform):
    """Reads the scan at each key: a volume file, or the folder of a DICOM series. Raises ScanError."""

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with scans in place of paths."""
        return {**data, **{key: read_scan(Path(data[key])) for key in self.key_iterator(data)}}


class ScanInferer(Inferer):
    """Segments a whole scan as `ovct segment` does with these options."""

    def __init__(self, options: SegmentOptions = DEFAULT_OPTIONS) -> None:
        super().__init__()
        self.options = options

    def __call__(self, inputs: Any, network: Any, *args: Any, **kwargs: Any) -> SegmentationResult:
        """Return the result for a `Scan` and a `PromptedSegmenter`. Raises ValueError for anything else."""
        if not isinstance(inputs, Scan) or not isinstance(network, PromptedSegmenter):
            raise ValueError(f"a Scan and a PromptedSegmenter, not {type(inputs).__name__}, {type(network).__name__}")
        options = replace(self.options, vocabulary=network.vocabulary)
        return network.engine.segment(inputs, network.prompts, options)


class SaveMaskd(MapTransform):
    """Writes the result at each key as OUTPUT_DIR/NAME.nii.gz, with its label table, NAME.json, beside it.

    Raises SegmentError where a file is there that `ovct segment` has not written, and with `overwrite` false any.
    """

    def __init__(self, keys: str | Sequence[str], output_dir: str, overwrite: bool = True) -> None:
        super().__init__(keys)
        self.output_dir, self.overwrite = Path(output_dir), overwrite

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item as it is, once its files are written. `name` of the item is the name of the files."""
        for key in self.key_iterator(data):
            result: SegmentationResult = data[key]
            outputs = Outputs(self.output_dir / f"{data['name']}.nii.gz", overwrite=self.overwrite)
            prompts = checked_prompts({row.name: row.prompt for row in result.table})
            outputs.prepare(result.scan.path, prompts)
            _, failures = outputs.write(result)
            if failures:
                raise OSError("; ".join(f"{path}: {reason}" for path, reason in failures.items()))
        return dict(data)


class BundleInference:
    """Segments all scans of a data set, one after the other: the bundle's `evaluator`."""

    def __init__(
        self,
        dataset: Iterable[Mapping[Hashable, Any]],
        network: PromptedSegmenter,
        inferer: ScanInferer,
        postprocessing: Any,
    ) -> None:
        self.dataset, self.network, self.inferer, self.postprocessing = dataset, network, inferer, postprocessing

    def run(self) -> None:
        """Read, segment and write each scan. Raises what these raise."""
        self.network.eval()
        for item in self.dataset:
            self.postprocessing({**item, "pred": self.inferer(item["image"], self.network)})


def scans_of(dataset_dir: str) -> list[dict[str, str]]:
    """Return an item, `image` and `name`, for each scan: of a folder, or the one that a file or a DICOM series is.

    Raises InputError where there is none.
    """
    path = Path(dataset_dir)
    if not path.exists():
        raise InputError(f"dataset_dir {dataset_dir}: not there; name a scan, or a folder of scans")
    found = scans_in(path) if path.is_dir() else None
    if found is None:
        return [{"image": str(path), "name": path.name.split(".")[0] or "scan"}]
    for scan in found.scans:
        if scan.problem:
            raise InputError(f"{scan.path}: {scan.problem}")
    return [{"image": str(scan.path), "name": scan.name} for scan in found.scans]
