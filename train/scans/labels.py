"""Reading label maps: whole numbers, on the axes of their scan or as they are stored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from .errors import ScanError
from .formats import StoredVolume, volume_suffix
from .itk.volumes import read_nrrd_layers
from .scan import Scan
from .volume import named_errors, read_volume

# The corners of a label map and its scan may be this far apart, in voxels: headers store float32.
MAX_CORNER_DISTANCE = 0.1

_RESAMPLE_LABELS = "Resample the labels to the scan, with nearest neighbours"


def read_label_map(path: Path, like: Scan | None = None) -> np.ndarray[Any, Any]:
    """Read the labels (X, Y, Z) of a segmentation, int16 or int32; on the axes of the scan `like` where it is given.

    Raises:
        ScanError: a voxel is no whole number, or the voxels are not those of `like`, of which only the order of the
            axes and their directions may differ.
    """
    with named_errors(path):
        stored = read_volume(path)
        labels = _to_integers(path, stored.array)
        return labels if like is None else _reorient_to(like, path, labels, stored.affine)


def read_mask(path: Path, like: Scan) -> np.ndarray[Any, Any]:
    """Read a mask (X, Y, Z) on the axes of its scan: a structure is where it is not 0. Numbers of 8 bits stay those.

    Raises `ScanError` as `read_label_map`.
    """
    with named_errors(path):
        stored = read_volume(path)
        values = stored.array if stored.array.dtype.itemsize == 1 else _to_integers(path, stored.array)
        mask: np.ndarray[Any, Any] = _reorient_to(like, path, values, stored.affine)
        return mask


def read_stored_labels(path: Path) -> StoredVolume:
    """Read the labels of a segmentation as they are stored, (L, X, Y, Z) where they lie in L layers, else (X, Y, Z).

    Raises `ScanError` as `read_label_map`.
    """
    with named_errors(path):
        stored = read_nrrd_layers(path) if volume_suffix(path) == ".nrrd" else read_volume(path)
        return replace(stored, array=_to_integers(path, stored.array))


def _to_integers(path: Path, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the labels as int16 or, where that does not hold them, int32. Raises `ScanError` for other values."""
    if array.dtype.kind == "f":
        odd = array[~np.isfinite(array) | (np.abs(array - np.rint(array)) > 1e-3)]
        if odd.size:
            raise ScanError(
                f"{path}: labels are whole numbers, but {odd.size:,} voxels are not, such as {odd.flat[0]:g}. Is it an "
                "image or a probability map?"
            )
        array = np.rint(array)
    lowest, highest = int(array.min()), int(array.max())
    if max(-lowest, highest) > np.iinfo(np.int32).max:
        raise ScanError(f"{path}: labels from {lowest} to {highest}: too large for labels. Is it an image?")
    return array.astype(np.int16 if max(-lowest, highest) <= np.iinfo(np.int16).max else np.int32)


def _reorient_to(like: Scan, path: Path, labels: np.ndarray[Any, Any], affine: np.ndarray[Any, Any]) -> Any:
    """Return `labels` with their axes in the order and direction of those of `like`.

    Raises:
        ScanError: they have another shape, spacing or origin than the scan.
    """
    orientation = nibabel.io_orientation(np.linalg.inv(like.affine) @ affine)
    reoriented = nibabel.apply_orientation(labels, orientation)
    affine = affine @ nibabel.orientations.inv_ornt_aff(orientation, labels.shape)
    shape = like.voxels.shape
    if reoriented.shape != shape:
        raise ScanError(
            f"{path}: {_format_shape(reoriented.shape)} voxels, but its scan {like.path} has {_format_shape(shape)}. "
            f"{_RESAMPLE_LABELS}"
        )
    distance = _corner_distance(affine, like.affine, shape)
    if distance > MAX_CORNER_DISTANCE:
        raise ScanError(
            f"{path}: lies elsewhere than its scan {like.path}, by up to {distance:.3g} voxels: spacing "
            f"{_format_spacing(affine)}, not {_format_spacing(like.affine)} mm, first voxel {_format_origin(affine)}, "
            f"not {_format_origin(like.affine)} mm. {_RESAMPLE_LABELS}"
        )
    return reoriented


def _corner_distance(affine: np.ndarray[Any, Any], reference: np.ndarray[Any, Any], shape: tuple[int, ...]) -> float:
    """Return the largest distance of a corner voxel under both affines, in voxels of `reference` along any axis."""
    corners = np.array([[*corner, 1] for corner in np.ndindex(2, 2, 2)], dtype=np.float64).T
    corners[:3] *= np.reshape(shape, (3, 1)) - 1
    return float(np.abs(np.linalg.inv(reference) @ affine @ corners - corners).max())


def _format_shape(shape: tuple[int, ...]) -> str:
    return " x ".join(str(length) for length in shape)


def _format_spacing(affine: np.ndarray[Any, Any]) -> str:
    return " x ".join(f"{value:.4g}" for value in np.linalg.norm(affine[:3, :3], axis=0))


def _format_origin(affine: np.ndarray[Any, Any]) -> str:
    return "(" + ", ".join(f"{value:.1f}" for value in affine[:3, 3]) + ")"
