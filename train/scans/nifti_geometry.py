"""Where a NIfTI header lays its volume: the sform, else the qform, else pixdim alone; in mm, whatever its unit."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .errors import ScanError
from .geometry import lost_spacing, spacing_of

# mm by the codes of xyzt_units. Most files that say none are in mm, as NIfTI's own programs take it.
UNITS = {0: ("", 1.0), 1: ("metre", 1000.0), 2: ("mm", 1.0), 3: ("micrometre", 0.001)}
# The squares of a quaternion's three numbers add up to 1 at most; float32 rounds them to a little more.
QUATERNION_ROUNDING = 1e-3
# Spacings of sform and pixdim that differ by less are the same.
SAME_SPACING = 0.01


class NiftiPlacement(NamedTuple):
    """The affine (4, 4) to RAS mm, doubts on it, and whether the header says nothing of it at all.

    `hint` is what an error on the size of the volume says of the header's unit.
    """

    affine: np.ndarray[Any, Any]
    doubts: tuple[str, ...]
    blank: bool
    hint: str


def place(path: Path, fields: Any, pixdim: Sequence[float], unit: int) -> NiftiPlacement:
    """Return where a header lays its volume. `pixdim` and `unit` are its own, before anything was mended.

    Raises:
        ScanError: its qform is taken, for want of an sform, and is none; or a spacing that is taken is no number.
    """
    name, scale = UNITS.get(unit, ("", 1.0))
    qform, sform = int(fields["qform_code"]), int(fields["sform_code"])
    doubts: list[str] = []
    if unit not in UNITS:
        doubts.append(f"the field xyzt_units of its header is {unit}, which is no unit of length: mm is taken")
    if scale != 1:
        doubts.append(f"its header is in {name}s (xyzt_units is {unit}): its geometry is converted to mm")
    rotation, problem = _qform(fields) if qform else (None, "")
    if sform > 0:
        affine = fields.get_sform()
        if problem:
            doubts.append(f"its qform cannot be used ({problem}); the sform is taken")
            _drop_qform(fields)
        else:
            doubts += _contradictions(affine, rotation, pixdim, scale)
    else:
        _check_pixdim(path, pixdim)
        if problem:
            raise ScanError(
                f"{path}: its qform cannot be used ({problem}), and it has no sform. Put one of them right, or export "
                "the scan once more"
            )
        doubts += _negative_pixdim(pixdim)
        affine = rotation if rotation is not None else fields.get_base_affine()
    unit_spacing = np.allclose(np.abs(pixdim[1:4]), 1)
    blank = qform == sform == 0 and bool(unit_spacing)
    if qform == sform == 0:
        doubt = "its header does not say how it lies in the body (qform and sform codes are 0)"
        doubts.insert(0, doubt + (" nor its voxel spacing" if blank else ": left and right may be exchanged"))
    # Not a product of matrices, which warns where a number is none: that is looked at later, and told.
    affine = np.array(affine, np.float64)
    affine[:3] *= scale
    if qform or sform:
        doubts += lost_spacing(affine)
    hint = f"; its unit is the {name}, by its field xyzt_units" if scale != 1 else ""
    return NiftiPlacement(affine, tuple(doubts), blank, hint)


def _qform(fields: Any) -> tuple[np.ndarray[Any, Any] | None, str]:
    """Return the affine of the qform, or None and why there is none."""
    names = ("quatern_b", "quatern_c", "quatern_d")
    values = [float(fields[name]) for name in names]
    written = ", ".join(f"{name} {value:.6g}" for name, value in zip(names, values, strict=True))
    squares = sum(value**2 for value in values)
    if not np.isfinite(squares):
        return None, f"{written} are not numbers"
    if squares > 1 + QUATERNION_ROUNDING:
        return None, f"the squares of {written} add up to {squares:.6g}, more than 1"
    if squares > 1:
        # Also a mask that is saved with this header has a rotation then.
        for name, value in zip(names, values, strict=True):
            fields[name] = value / squares**0.5
    fields.quaternion_threshold = -QUATERNION_ROUNDING
    return np.asarray(fields.get_qform()), ""


def _drop_qform(fields: Any) -> None:
    """Take a qform that is none out of the header, which a mask is saved with."""
    fields["qform_code"] = 0
    for name in ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"):
        fields[name] = 0


def _check_pixdim(path: Path, pixdim: Sequence[float]) -> None:
    for axis in (1, 2, 3):
        if not np.isfinite(pixdim[axis]) or pixdim[axis] == 0:
            raise ScanError(
                f"{path}: the field pixdim[{axis}] of its header, a voxel spacing, is {pixdim[axis]:g}. Put it right, "
                "or export the scan once more"
            )


def _negative_pixdim(pixdim: Sequence[float]) -> Iterator[str]:
    if min(pixdim[1:4]) < 0:
        yield f"its spacing (pixdim) is negative, {_format(pixdim[1:4])}: it is taken without the sign"


def _contradictions(sform: Any, qform: Any, pixdim: Sequence[float], scale: float) -> Iterator[str]:
    """Yield a doubt where the sform, which is taken, is not what the qform or the spacing says."""
    spacing, stated = spacing_of(sform), np.asarray(pixdim[1:4])
    if qform is not None and np.isfinite(qform).all():
        if not np.allclose(qform, sform, atol=0.05 / scale, rtol=1e-3):
            yield "its sform and qform say different things; the sform is taken"
        elif min(stated) < 0:
            yield f"its spacing (pixdim) is negative, {_format(stated)}; the sform is taken"
    elif not np.allclose(stated, spacing, rtol=SAME_SPACING):
        yield (
            f"its sform has a spacing of {_format(spacing)}, its pixdim one of {_format(stated)}; the sform is taken"
        )


def _format(values: Any) -> str:
    return " x ".join(f"{value:.4g}" for value in values)
