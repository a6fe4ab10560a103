"""Where a header lays a volume in space: refuses what no CT has, before memory is set aside, and tells doubts.

Affines are (4, 4), from voxel index to mm.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ScanError

# World coordinates of SimpleITK and DICOM grow to the left and to the back, of NIfTI to the right and to the front.
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

# A whole body is some 2 m long, and the widest rows and columns of a scanner are reconstructed to 0.8 m.
LONGEST_MM, WIDEST_MM = 3000.0, 1500.0
# A few thick slices may be less than this along one axis; rows and columns of a head or of a temporal bone are not.
THIN_MM, NARROWEST_MM = 20.0, 5.0
# The finest CT slices are a tenth of a millimetre apart.
FINEST_MM = 0.01
SKEW_DEGREES = 1.0
# As float32 stores a spacing of 1.
EXACTLY_1 = 1e-5
# Directions are written with few digits; what is off by more is no direction.
UNIT_TOLERANCE = 0.01


def index_to_lps(origin: tuple[float, ...], direction: tuple[float, ...], spacing: tuple[float, ...]) -> Any:
    """Return SimpleITK's origin, direction and spacing (of the first three axes) as one affine (4, 4), in LPS mm."""
    dimensions = len(origin)
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(direction, (dimensions, dimensions))[:3, :3] * np.asarray(spacing[:3])
    affine[:3, 3] = origin[:3]
    return affine


def check_affine(path: Path, affine: np.ndarray[Any, Any]) -> None:
    """Raise `ScanError` for an affine (4, 4) that does not place a volume in space."""
    problem = f"{path}: the header's geometry cannot be used"
    if not np.isfinite(affine).all():
        raise ScanError(f"{problem}: its affine holds a value that is not a number. Export the scan once more")
    spacing = spacing_of(affine)
    if (spacing < 1e-6).any():
        raise ScanError(f"{problem}: a voxel spacing of 0 mm ({_format(spacing, ', ')}). Export the scan once more")
    if abs(np.linalg.det(affine[:3, :3] / spacing)) < 1e-2:
        raise ScanError(
            f"{problem}: its affine is singular, two of its axes run the same way. Export the scan once more"
        )


def check_place(path: Path, shape: Sequence[int], affine: np.ndarray[Any, Any], hint: str = "") -> tuple[str, ...]:
    """Return what is doubtful about where a volume lies. `hint` is said of a size that no CT has.

    Raises:
        ScanError: the affine places no volume in space, or gives it a size that no CT has.
    """
    check_affine(path, affine)
    spacing = spacing_of(affine)
    extent = np.asarray(shape[:3]) * spacing
    middle = float(np.sort(extent)[1])
    limit = None
    if extent.max() > LONGEST_MM or middle > WIDEST_MM:
        limit = f"more than any CT shows ({WIDEST_MM / 1000:g} m across and {LONGEST_MM / 1000:g} m along)"
    elif middle < NARROWEST_MM or spacing.min() < FINEST_MM:
        limit = f"less than any CT shows ({NARROWEST_MM:g} mm across, voxels of {FINEST_MM:g} mm)"
    if limit:
        raise ScanError(
            f"{path}: by its header the volume is {_format(extent)} mm large ({_format(shape[:3])} voxels of "
            f"{_format(spacing)} mm), {limit}{hint}. Put the spacing, in mm, right, or export the scan once more"
        )
    return (*_thin(extent), *_skewed(affine))


def spacing_of(affine: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the distance of neighbouring voxels along each axis, (3,) in mm."""
    return np.asarray(np.linalg.norm(affine[:3, :3], axis=0))


def lost_spacing(affine: np.ndarray[Any, Any]) -> Iterator[str]:
    """Yield a doubt where the spacing is 1 x 1 x 1 mm: a program that has lost the spacing writes that."""
    if np.array_equal(affine, np.eye(4)):
        yield "its affine is the identity, as programs write it that have lost spacing and orientation"
    elif np.abs(spacing_of(affine) - 1).max() < EXACTLY_1:
        yield (
            "its spacing is 1 x 1 x 1 mm, as programs write it that have lost the spacing: if the CT was not resampled "
            "to that, sizes and masks are wrong"
        )


def are_unit_vectors(vectors: np.ndarray[Any, Any]) -> bool:
    """Whether the rows of `vectors` (n, 3) are unit vectors at right angles, as directions of axes are."""
    return bool(np.abs(vectors @ vectors.T - np.eye(len(vectors))).max() <= UNIT_TOLERANCE)


def _thin(extent: np.ndarray[Any, Any]) -> Iterator[str]:
    if extent.min() < THIN_MM:
        yield f"by its header the volume is only {_format(extent)} mm large: if that is wrong, so is the spacing in it"


def _skewed(affine: np.ndarray[Any, Any]) -> Iterator[str]:
    """Yield a doubt where the axes are not at right angles. The tilt of a DICOM series is told by its reader."""
    unit = affine[:3, :3] / spacing_of(affine)
    angles = np.degrees(np.arccos(np.clip([unit[:, a] @ unit[:, b] for a, b in ((0, 1), (0, 2), (1, 2))], -1, 1)))
    off = float(np.abs(angles - 90).max())
    if off > SKEW_DEGREES:
        yield (
            f"its axes are not at right angles, by {off:.1f} degrees (a tilted gantry?): the network sees the body "
            "sheared, results may be worse"
        )


def _format(values: Any, between: str = " x ") -> str:
    return between.join(f"{value:.4g}" for value in values)
