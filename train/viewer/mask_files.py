"""Masks as files: label maps, folders of one file for each structure, DICOM SEG; and the names of their labels.

Names are those of the table that `ovct segment` puts into a NIfTI file and beside it, else those that other programs
put into its header (Caret's label table, 3D Slicer's segments), else the file's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from lxml import etree
from pydantic import TypeAdapter

from train.inference.label_table import LabelRow, LabelTable
from train.scans.dicom.header import is_dicom
from train.scans.formats import SUFFIXES, volume_suffix
from train.scans.labels import read_stored_labels
from train.scans.nifti import is_nifti
from train.scans.saving import COMMENT

from .dicom_segments import is_dicom_seg, read_segments
from .errors import ViewError
from .mask_note import MaskNote, NotedLabel

# NIfTI's code of an extension with Caret's XML, and the most of it that names can take.
CARET, MOST_XML_BYTES = 30, 5_000_000
LARGEST_LABEL = 100_000
# 3D Slicer's files, and the keys and colours of their headers.
SLICER, NAME_OF_FIRST, SLICER_NAME = ".seg.nrrd", "Segment0_Name", re.compile(r"(Segment\d+)_Name")
SHARE = re.compile(r"0(\.\d+)?|1(\.0+)?")
_RECORD: TypeAdapter[LabelTable | MaskNote] = TypeAdapter(LabelTable | MaskNote)


@dataclass(frozen=True)
class NamedLabel:
    """A label and its name, with the colour and the volumes that its file gives, if it does."""

    label: int
    name: str
    prompt: str = ""
    volume_ml: float = 0.0
    in_label_map_ml: float = 0.0
    colour: tuple[int, int, int] | None = None


@dataclass(frozen=True, eq=False)
class MaskFile:
    """Labels (X, Y, Z), integers, with `affine` (4, 4) from voxel index to RAS mm, and what is known of some of them.

    `scan` is the path of the scan that a table of `ovct segment` names, `notices` say what is not shown as the file has
    it. `other_names` are those of labels that the file does not name.
    """

    path: Path
    labels: np.ndarray[Any, Any]
    affine: np.ndarray[Any, Any]
    named: tuple[NamedLabel, ...] = ()
    scan: Path | None = None
    notices: tuple[str, ...] = ()
    other_names: Mapping[int, str] = field(default_factory=dict)

    def name_of(self, label: int) -> NamedLabel:
        """Return a label with its name: where it has none, that of the file, or its number if there are others."""
        for named in self.named:
            if named.label == label:
                return named
        if label in self.other_names:
            return NamedLabel(label, self.other_names[label])
        return NamedLabel(label, file_stem(self.path) if label == 1 == int(self.labels.max()) else f"label {label}")


def mask_paths(path: Path) -> list[Path]:
    """Return the files of a mask: itself, or all volumes and DICOM SEG right in a folder. Raises ViewError without."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    files = [file for file in files if volume_suffix(file) or is_dicom_seg(file)]
    # 3D Slicer's file has all structures once more, where each has a file of its own.
    files = [file for file in files if not file.name.endswith(SLICER)] or files
    if not files:
        raise ViewError(f"{path}: no masks in this folder: name one with files such as liver.nii.gz")
    return files


def read_mask(path: Path, scan: np.ndarray[Any, Any] | None = None) -> Iterator[MaskFile]:
    """Yield the labels of a file: one for all; where segments may overlap, one for each layer or segment of them.

    `scan` is the affine (4, 4) of the scan that it is shown on, which tells where frames of a DICOM SEG lie.

    Raises ViewError for values that are no labels, ScanError for a file that cannot be read.
    """
    if volume_suffix(path) is None and path.is_file():
        if is_dicom_seg(path):
            for labels, affine, named, notice in read_segments(path, scan):
                names = tuple(NamedLabel(label, name, colour=colour) for label, name, colour in named)
                yield MaskFile(path, labels, affine, names, notices=(notice,) if notice else ())
            return
        if not (is_nifti(path) or is_dicom(path)):
            raise ViewError(f"{path}: no mask: one is {', '.join(SUFFIXES)}, a DICOM SEG, or a folder of such files")
    stored = read_stored_labels(path)
    labels, affine = stored.array, stored.affine
    lowest, highest = int(labels.min()), int(labels.max())
    if lowest < 0 or highest > LARGEST_LABEL:
        raise ViewError(f"{path}: values from {lowest:,} to {highest:,} are no labels: is it an image? Name a mask")
    record = mask_record(path)
    if labels.ndim == 4 or NAME_OF_FIRST in stored.pairs:
        for number, layer in enumerate(labels if labels.ndim == 4 else labels[None]):
            yield MaskFile(path, layer, affine, tuple(_slicer_names(stored.pairs, number)))
    elif record is None:
        yield MaskFile(path, labels, affine, tuple(_caret_names(path)))
    else:
        yield MaskFile(path, labels, affine, tuple(map(_named, record.labels)), Path(record.scan))


def mask_record(path: Path) -> LabelTable | MaskNote | None:
    """Return what `ovct segment` or `ovct evaluate` has put into a NIfTI file, or beside one of another format."""
    texts = [content for code, content in _extensions(path) if code == COMMENT]
    beside = path.with_name(f"{file_stem(path)}.json")
    if not texts and beside.is_file():
        texts.append(beside.read_bytes())
    for text in texts:
        try:
            return _RECORD.validate_json(text.rstrip(b"\0"))
        except ValueError:  # another program's comment
            continue
    return None


def _named(row: LabelRow | NotedLabel) -> NamedLabel:
    if isinstance(row, NotedLabel):
        red, green, blue = bytes.fromhex(row.colour[1:])
        return NamedLabel(row.label, row.name, colour=(red, green, blue))
    return NamedLabel(row.label, row.name, row.prompt, row.volume_ml, row.in_label_map_ml)


def file_stem(path: Path) -> str:
    """Return the name of a file without the ending that tells its format."""
    suffix = SLICER if path.name.lower().endswith(SLICER) else volume_suffix(path)
    return path.name[: -len(suffix)] if suffix else path.stem


def _extensions(path: Path) -> list[tuple[int, bytes]]:
    if volume_suffix(path) not in (".nii", ".nii.gz"):
        return []
    header: Any = nibabel.load(path).header
    return [(extension.get_code(), extension.content) for extension in header.extensions]


def _caret_names(path: Path) -> Iterator[NamedLabel]:
    """Yield the names of a Caret label table, as TotalSegmentator and 3D Slicer write it into a NIfTI header."""
    for code, content in _extensions(path):
        if code != CARET or len(content) > MOST_XML_BYTES:
            continue
        parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
        try:
            root = etree.fromstring(content.rstrip(b"\0").strip(), parser)
        except etree.XMLSyntaxError:
            continue
        for element in () if root is None else root.iter("Label"):
            key, name = element.get("Key", ""), (element.text or "").strip()
            if key.isascii() and key.isdigit() and int(key) and name:
                yield NamedLabel(int(key), name)


def _slicer_names(pairs: Mapping[str, str], layer: int) -> Iterator[NamedLabel]:
    """Yield the segments of a layer of 3D Slicer's file, by the pairs of its header."""
    for key, name in pairs.items():
        if not (match := SLICER_NAME.fullmatch(key)):
            continue
        label, of_layer = (
            pairs.get(f"{match[1]}_{field}", text) for field, text in (("LabelValue", "1"), ("Layer", "0"))
        )
        levels = [
            round(float(level) * 255) for level in pairs.get(f"{match[1]}_Color", "").split() if SHARE.fullmatch(level)
        ]
        if of_layer == str(layer) and label.isascii() and label.isdigit():
            colour = (levels[0], levels[1], levels[2]) if len(levels) == 3 else None
            yield NamedLabel(int(label), name, colour=colour)
