"""The fields of a MetaImage or NRRD header that say where the volume lies, read from its text.

ITK gives an origin, directions and a spacing whatever the header says: where a field is missing it makes one up, and
of one that is damaged it takes what it can. So what it gives is held against the text.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import ScanError
from ..geometry import UNIT_TOLERANCE
from .data_files import NRRD, TEXT_HEADER_BYTES

# MetaIO has several names for a field.
META_SPACING = ("ElementSpacing", "ElementSize")
META_AXES = ("TransformMatrix", "Rotation", "Orientation")
META_ORIGIN = ("Offset", "Position", "Origin")
META_LAST = "ElementDataFile"
META_REQUIRED = ("NDims", "DimSize", "ElementType", META_LAST)
# Fields with a number for each axis.
META_SIZED = ("DimSize", "CenterOfRotation", *META_SPACING, *META_AXES, *META_ORIGIN)
# What voxels are multiplied by, and what is added, with the numbers that change nothing.
META_INTENSITY = {"ElementToIntensityFunctionSlope": 1.0, "ElementToIntensityFunctionOffset": 0.0}
META_TYPES = {f"MET_{sign}{size}" for sign in ("", "U") for size in ("CHAR", "SHORT", "INT", "LONG", "LONG_LONG")} | {
    "MET_FLOAT",
    "MET_DOUBLE",
}
# The spaces of NRRD that say which way is left and which is up; others only number the axes.
ANATOMICAL = re.compile(r"(left|right)-(posterior|anterior)-(superior|inferior)|[lr][pa][si]", re.IGNORECASE)
# Units by their length in mm. A header without one is in mm, as its programs take it.
UNITS = {
    **dict.fromkeys(("", "mm", "millimeter", "millimetre", "?"), 1.0),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 10.0),
    **dict.fromkeys(("m", "meter", "metre"), 1000.0),
    **dict.fromkeys(("um", "µm", "μm", "micron", "micrometer", "micrometre"), 1e-3),
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-6),
}
# Kinds of an axis of a NRRD file along which there are not places, but other values of the same place.
NOT_IN_SPACE = ("list", "time", "vector", "point", "covariant-vector", "normal", "stub", "scalar")
_AGAIN = "Put it right, or export the scan once more"


class TextHeader(NamedTuple):
    """The fields of a header by their names, and at which byte of the file its voxels begin.

    Names of NRRD's fields are in lower case and without blanks, as `spacedirections`.
    """

    path: Path
    is_nrrd: bool
    fields: dict[str, str]
    end: int


class SaidOfSpace(NamedTuple):
    """What a header says of space: mm of a unit of its numbers, doubts, and whether it says too little to be used."""

    scale: float
    doubts: tuple[str, ...]
    blank: bool


def read_text_header(path: Path) -> TextHeader:
    """Read the fields of a MetaImage or NRRD header. Raises `ScanError` for a line of a MetaImage that is no field."""
    with path.open("rb") as file:
        head = file.read(TEXT_HEADER_BYTES)
    is_nrrd = head.startswith(NRRD)
    end = re.search(rb"\r?\n\r?\n" if is_nrrd else rb"ElementDataFile[^\r\n]*(?:\r?\n|$)", head)
    text = head[: end.end() if end else len(head)].decode("utf-8", "replace")
    fields: dict[str, str] = {}
    for line in re.split(r"[\r\n]+", text):
        name, parts, value = _parted(line, is_nrrd)
        if parts:
            fields.setdefault(name, value)
        elif line.strip() and not is_nrrd and META_LAST in text:
            raise ScanError(
                f"{path}: damaged, {line[:60]!r} in its header is not understood. Copy or export it once more"
            )
    return TextHeader(path, is_nrrd, fields, end.end() if end else len(head))


def _parted(line: str, is_nrrd: bool) -> tuple[str, bool, str]:
    if not is_nrrd:
        name, sign, value = re.split(r"(\s*[=:])", line, maxsplit=1) if re.search("[=:]", line) else (line, "", "")
        return name.strip(), bool(sign), value.strip()
    if line.startswith("#") or ":=" in line:
        return line, False, ""
    name, sign, value = line.partition(":")
    return re.sub(r"\s", "", name).lower(), bool(sign), value.strip()


def said_of_space(header: TextHeader) -> SaidOfSpace:
    """Return what a header says of where its volume lies.

    Raises:
        ScanError: a number of it is none, a direction is no unit vector, or its unit is not known.
    """
    return _said_by_nrrd(header) if header.is_nrrd else _said_by_metaimage(header)


def check_axes(header: TextHeader) -> None:
    """Raise `ScanError` for a NRRD file with an axis of times or the like, along which there are several volumes."""
    sizes, kinds = header.fields.get("sizes", "").split(), header.fields.get("kinds", "").split()
    directions = re.findall(r"none|\([^)]*\)", header.fields.get("spacedirections", ""))
    for axis, size in enumerate(sizes if len(sizes) > 3 else ()):
        kind = kinds[axis].lower() if axis < len(kinds) else ""
        if size != "1" and (kind in NOT_IN_SPACE or (not kind and directions[axis : axis + 1] == ["none"])):
            raise ScanError(
                f"{header.path}: several volumes in one file ({' x '.join(sizes)}; axis {axis + 1} is of kind "
                f"{kind or 'none'}). Save the one you want as a file of its own"
            )


def _check_metaimage(header: TextHeader) -> None:
    """Raise `ScanError` for a MetaImage header that MetaIO cannot parse; MetaIO itself would name no file."""
    names = list(header.fields)
    for name in META_REQUIRED:
        if name not in names:
            raise ScanError(f"{header.path}: damaged, its header has no field {name}. Copy or export it once more")
    early = next((name for name in names[: names.index("NDims")] if name in META_SIZED), None)
    if early:
        raise ScanError(f"{header.path}: damaged, {early} stands before NDims in its header. {_AGAIN}")
    for length in _numbers(header, "DimSize", _dimensions(header)):
        if length != int(length):
            raise _refusal(header, "DimSize", "whole numbers")
    if "CenterOfRotation" in names:
        _numbers(header, "CenterOfRotation", _dimensions(header))
    if header.fields["ElementType"] not in META_TYPES:
        raise _refusal(header, "ElementType", "a type of numbers, such as MET_SHORT")
    if header.fields.get("BinaryData", "True").lower() == "false":
        raise _refusal(header, "BinaryData", "True, for voxels as text are not read")
    for name, same in META_INTENSITY.items():
        # ITK passes these over.
        if name in names and _numbers(header, name, 1) != [same]:
            raise _refusal(header, name, f"{same:g}, with values that are HU as they are stored")


def _said_by_metaimage(header: TextHeader) -> SaidOfSpace:
    _check_metaimage(header)
    dimensions = _dimensions(header)
    spacing, axes = _named(header, META_SPACING), _named(header, META_AXES)
    if spacing and any(value <= 0 for value in _numbers(header, spacing, dimensions)[:3]):
        raise _refusal(header, spacing, "numbers above 0")
    for name in filter(None, (_named(header, META_ORIGIN),)):
        _numbers(header, name, dimensions)
    if axes:
        matrix = np.reshape(_numbers(header, axes, dimensions**2), (dimensions, dimensions))[:3, :3]
        # A shear is told where the affine is looked at.
        if np.abs(np.linalg.norm(matrix, axis=1) - 1).max() > UNIT_TOLERANCE:
            raise _refusal(header, axes, "directions, which are unit vectors")
    scale = _unit(header, "DistanceUnits", header.fields.get("DistanceUnits", ""))
    return _judged(scale, bool(spacing), bool(axes), "ElementSpacing", "TransformMatrix")


def _said_by_nrrd(header: TextHeader) -> SaidOfSpace:
    fields = header.fields
    directions, spacings = fields.get("spacedirections", ""), fields.get("spacings", "")
    vectors = re.findall(r"\(([^)]*)\)", directions)
    for text in (*vectors, *re.findall(r"\(([^)]*)\)", fields.get("spaceorigin", ""))):
        if not all(_is_number(part) for part in text.split(",")):
            raise _refusal(header, "spacedirections" if text in vectors else "spaceorigin", "vectors of numbers")
    # ITK takes 1 mm for an axis whose vector is missing.
    in_space = [text for text in vectors if any(float(part) for part in text.split(","))]
    if "spacedirections" in fields and (len(in_space) < len(vectors) or len(in_space) < 3):
        raise _refusal(header, "spacedirections", "a vector other than 0 for each of the three axes")
    unknown = [
        size
        for size, word in zip(fields.get("sizes", "").split(), spacings.split(), strict=False)
        if size != "1" and not _is_number(word)
    ]
    if unknown and not vectors:
        raise _refusal(header, "spacings", "numbers above 0")
    words = [word for word in spacings.split() if word.lower() not in ("nan", "none")]
    if not all(_is_number(word) and float(word) > 0 for word in words):
        raise _refusal(header, "spacings", "numbers above 0")
    units = re.findall(r'"([^"]*)"', fields.get("spaceunits", "") or fields.get("units", ""))
    scales = {_unit(header, "spaceunits", unit) for unit in units if unit or not vectors} or {1.0}
    if len(scales) > 1:
        raise _refusal(header, "spaceunits" if "spaceunits" in fields else "units", "one unit for all axes")
    lies = bool(vectors) and bool(ANATOMICAL.match(fields.get("space", "")))
    return _judged(scales.pop(), bool(vectors) or len(words) >= 3, lies, "space directions", "space")


def _judged(scale: float, has_spacing: bool, has_axes: bool, spacing: str, axes: str) -> SaidOfSpace:
    doubts = []
    if not has_spacing:
        missing = f"its header has neither its voxel spacing nor how it lies in the body ({spacing} is missing)"
        doubts.append(missing if not has_axes else f"its header does not say its voxel spacing ({spacing} is missing)")
    elif not has_axes:
        doubts.append(
            f"its header does not say how it lies in the body ({axes} is missing or names no sides): left and right "
            "may be exchanged"
        )
    if scale != 1:
        doubts.append(f"its header is in units of {scale:g} mm: its geometry is converted to mm")
    return SaidOfSpace(scale, tuple(doubts), not has_spacing)


def _dimensions(header: TextHeader) -> int:
    text = header.fields.get("NDims", "3")
    if not text.isdecimal() or not 1 <= int(text) <= 10:
        raise _refusal(header, "NDims", "a number of axes")
    return int(text)


def _named(header: TextHeader, names: Sequence[str]) -> str | None:
    return next((name for name in names if name in header.fields), None)


def _numbers(header: TextHeader, name: str, count: int) -> list[float]:
    words = header.fields[name].split()
    if len(words) != count or not all(_is_number(word) for word in words):
        raise _refusal(header, name, "a number" if count == 1 else f"{count} numbers, any fraction behind a point")
    return [float(word) for word in words]


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _unit(header: TextHeader, name: str, unit: str) -> float:
    text = unit.strip().lower()
    scale = UNITS.get(text, UNITS.get(text.removesuffix("s")))
    if scale is None:
        raise _refusal(header, name if name in header.fields else "units", "mm, cm, m or um")
    return scale


def _refusal(header: TextHeader, name: str, expected: str) -> ScanError:
    value = header.fields.get(name, "")
    shown = {"spacedirections": "space directions", "spaceorigin": "space origin", "spaceunits": "space units"}
    return ScanError(
        f"{header.path}: {shown.get(name, name)} in its header is {value[:80]!r}, expected {expected}. {_AGAIN}"
    )
