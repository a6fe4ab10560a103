"""The engine TotalSegmentator: the package's own inference, with our prompts in and their unions out.

The package is not installed with ovct. It fetches its weights when they are first needed; here it may only do so when
the user has said that it may. Checked against the Python API of version 2.18.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from curation.runtime.progress import Progress
from train.inference.errors import EngineError, SegmentError
from train.inference.labelling import label_scan
from train.inference.options import SegmentOptions
from train.inference.prompts import SegmentPrompt
from train.inference.result import SegmentationResult
from train.inference.windows import Windows
from train.scans.scan import Scan

from .class_labels import ClassLabels
from .class_names import ClassNames, union_notices
from .heads import check_no_thresholds

SOURCE = "TotalSegmentator"
TASK = "total"
# The networks of its task `total`, and the coarse one that finds where the classes of a subset lie.
NETWORKS = (291, 292, 293, 294, 295, 298)


class TotalSegmentatorEngine:
    """The installed package as an engine. Raises SegmentError where it is not installed, or would fetch weights.

    `fetch`: whether it may fetch weights that are not here.
    """

    has_probabilities = False

    def __init__(self, options: SegmentOptions, *, fetch: bool) -> None:
        self.ids = class_ids()
        self.names = ClassNames(tuple(self.ids), SOURCE)
        self._device = _device_name(str(options.torch_device()))
        self._check_weights(fetch)

    @property
    def weights(self) -> str:
        """The version of the package, and its task."""
        return f"{SOURCE} {package_version()} {TASK}"

    def check(self, prompts: tuple[SegmentPrompt, ...], options: SegmentOptions) -> None:
        """Raise SegmentError for a prompt that means no class, and for options that the package does not have."""
        self.names.find_all(prompts)
        check_no_thresholds(options, SOURCE)

    def segment(
        self,
        scan: Scan,
        prompts: tuple[SegmentPrompt, ...],
        options: SegmentOptions,
        windows: Windows | None = None,
        progress: Progress | None = None,
    ) -> SegmentationResult:
        """Segment a scan. Raises EngineError for what the package raises, and for labels that fit no scan."""
        unions = self.names.find_all(prompts)
        classes = sorted({label for union in unions for label in union.labels}, key=list(self.ids).index)
        if _sends_statistics() and progress is not None:
            progress.message(
                "TotalSegmentator sends anonymous statistics of its use (task and classes, no images), unless its "
                'config.json has "send_usage_stats": false'
            )
        labels = self._run(scan, classes)
        volume = ClassLabels.of(scan, labels, [tuple(self.ids[label] for label in union.labels) for union in unions])
        notices = union_notices(prompts, unions, SOURCE)
        return label_scan(scan, volume, prompts, options, self.weights, progress, notices)

    def _run(self, scan: Scan, classes: Sequence[str]) -> np.ndarray:
        """Return the package's labels (X, Y, Z) on the scan's voxels."""
        image = nibabel.Nifti1Image(scan.voxels, scan.affine)
        subset = None if len(classes) == len(self.ids) else list(classes)
        try:
            # What it prints is no part of our output.
            with contextlib.redirect_stdout(sys.stderr):
                result = _module("python_api").totalsegmentator(
                    image, None, ml=True, task=TASK, roi_subset=subset, device=self._device, quiet=True
                )
        except (Exception, SystemExit) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise EngineError(f"{scan.path}: TotalSegmentator failed ({reason})") from error
        return _on_scan(result, scan)

    def _check_weights(self, fetch: bool) -> None:
        folder = Path(_module("config").get_weights_dir())
        missing = [number for number in NETWORKS if not any(folder.glob(f"Dataset{number}_*"))]
        if missing and not fetch:
            raise SegmentError(
                f"TotalSegmentator's weights are not in {folder} (networks {', '.join(map(str, missing))}), and it "
                "would fetch them from github.com: say --fetch-weights, or copy the folder from a machine that has "
                "them and set TOTALSEG_WEIGHTS_PATH"
            )


def class_ids() -> dict[str, int]:
    """Return the classes of the installed package with their ids. Raises SegmentError where it is not installed."""
    class_map = _module("map_to_binary").class_map[TASK]
    return {str(name): int(number) for number, name in sorted(class_map.items())}


def package_version() -> str:
    """Return the version of the installed package."""
    try:
        return importlib.metadata.version(SOURCE)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def _module(name: str) -> Any:
    if importlib.util.find_spec("totalsegmentator") is None:
        raise SegmentError(
            "TotalSegmentator is not installed: `pip install TotalSegmentator` beside ovct (Apache-2.0; it brings "
            "nnU-Net and fetches its weights at first use)"
        )
    try:
        return importlib.import_module(f"totalsegmentator.{name}")
    except ImportError as error:
        raise SegmentError(
            f"TotalSegmentator {package_version()} cannot be used ({error}): `pip install --upgrade TotalSegmentator`"
        ) from error


def _device_name(device: str) -> str:
    """Return a torch device as the package calls it."""
    kind, _, number = device.partition(":")
    return {"cuda": f"gpu:{number}" if number else "gpu"}.get(kind, kind)


def _sends_statistics() -> bool:
    value = _module("config").get_config_key("send_usage_stats")
    return value is not False


def _on_scan(result: Any, scan: Scan) -> np.ndarray:
    """Return the labels of an image on the axes of the scan. Raises EngineError where it lies elsewhere."""
    labels: np.ndarray = np.asarray(result.dataobj)
    turn = nibabel.io_orientation(np.linalg.inv(scan.affine) @ result.affine)
    if np.isnan(turn).any() or labels.ndim != 3:
        raise EngineError(f"{scan.path}: TotalSegmentator's labels have no place in the scan")
    affine = result.affine @ nibabel.orientations.inv_ornt_aff(turn, labels.shape)
    labels = np.asarray(nibabel.apply_orientation(labels, turn))
    step = np.linalg.norm(scan.affine[:3, :3], axis=0).min()
    if labels.shape != scan.voxels.shape or np.abs(affine - scan.affine).max() > 0.1 * step:
        raise EngineError(
            f"{scan.path}: TotalSegmentator's labels are {labels.shape} voxels on another grid than the scan's "
            f"{scan.voxels.shape}"
        )
    return labels
