"""Result -> file, as a DICOM SEG object: binary segments with SNOMED CT codes, on the grid of the scan's own series."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, generate_uid

from curation.runtime.provenance import ovct_version
from prompts.vocabulary import Organ, load_vocabulary
from train.scans.scan import Scan

from .errors import SegmentError

if TYPE_CHECKING:
    from highdicom.seg import SegmentDescription

    from .label_table import LabelRow
    from .result import SegmentationResult

UIDS = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
MAY_BE_EMPTY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("AccessionNumber", "StudyID", "StudyDate", "StudyTime", "ReferringPhysicianName"),
)
# Segments that overlap are written as a mask each if these fit into so much memory, else as the label map shows them.
STACKED_BYTES = 1 << 30
# Characters that DICOM has for a short text.
LONGEST_TEXT = 64
SIDES = {"left": ("7771000", "Left"), "right": ("24028007", "Right")}


def check_is_series(scan: Scan) -> None:
    """Raise SegmentError if a scan is no DICOM series of one file a slice."""
    if scan.kind != "dicom":
        raise SegmentError(f"{scan.path} is no DICOM series, and a DICOM SEG refers to one: --out mask.nii.gz")
    if not scan.dicom_files:
        raise SegmentError(
            f"{scan.path}: its slices were resampled, and a DICOM SEG refers to those that there are: --out mask.nii.gz"
        )
    if len(scan.dicom_files) != scan.voxels.shape[2]:
        raise SegmentError(
            f"{scan.path} holds several slices in one file; a DICOM SEG is written for one file a slice: "
            "--out mask.nii.gz"
        )


def write_dicom_seg(result: SegmentationResult, path: Path) -> str | None:
    """Write a segment for each prompt that has a voxel, in the order of the labels, or for all prompts if none has one.

    Returns a warning, or None: UIDs that had to be made, or overlapping segments that show, for lack of memory, only
    what the label map does. Raises SegmentError as `check_is_series` does.
    """
    import highdicom
    from pydicom.sr.codedict import codes

    check_is_series(result.scan)
    rows = [row for row in result.table if row.volume_ml] or list(result.table)
    sources, made_uids = _sources(result.scan)
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name="ovct segment", version=ovct_version(), family=codes.DCM.ArtificialIntelligence
    )
    pixels, hidden_overlaps = _pixels(result, rows)
    segmentation = highdicom.seg.Segmentation(
        source_images=sources,
        pixel_array=pixels,
        segmentation_type="BINARY",
        segment_descriptions=[_description(row, number, algorithm) for number, row in enumerate(rows, 1)],
        series_instance_uid=highdicom.UID(),
        series_number=_series_number(sources[0]),
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="ovct",
        manufacturer_model_name="ovct segment",
        software_versions=ovct_version(),
        device_serial_number=result.record.weights,
        content_label="SEGMENTATION",
        content_description="Segmented by text",
        omit_empty_frames=bool(pixels.any()),
    )
    segmentation.SeriesDescription = "ovct segmentation"
    segmentation.save_as(path)
    return "; ".join(filter(None, (made_uids, hidden_overlaps))) or None


def _sources(scan: Scan) -> tuple[list[Dataset], str | None]:
    """Return the headers of the series in the order of the scan's slices, and a warning if UIDs had to be made.

    A SEG repeats who was examined and refers to each slice by its UID. Anonymised series may lack either: what may be
    empty is left empty, and UIDs are made from the position of the slice, the same ones for the same series.
    """
    import pydicom

    with warnings.catch_warnings():
        # Values that the standard forbids are copied or not needed.
        warnings.simplefilter("ignore")
        headers: list[Dataset] = [pydicom.dcmread(file, stop_before_pixels=True) for file in scan.dicom_files]
    lacking = [name for name in UIDS if any(not header.get(name) for header in headers)]
    for header in headers:
        for name in MAY_BE_EMPTY:
            if name not in header:
                setattr(header, name, "")
        volume = [str(headers[0].get("FrameOfReferenceUID")), str(scan.affine)]
        for name in lacking:
            position = [str(header.get("ImagePositionPatient"))] if name == "SOPInstanceUID" else []
            uid = CTImageStorage if name == "SOPClassUID" else generate_uid(entropy_srcs=[name, *volume, *position])
            setattr(header, name, header.get(name) or uid)
    warning = (
        f"the series has no {', '.join(lacking)} (anonymised?): made ones stand in the SEG, so it is not linked to it"
    )
    return headers, warning if lacking else None


def _pixels(result: SegmentationResult, rows: list[LabelRow]) -> tuple[np.ndarray, str | None]:
    """Return frames (Z, Y, X) of segment numbers, or (Z, Y, X, segments) of 0 and 1 if masks overlap, and a warning."""
    warning = None
    if len(result.overlaps):
        if result.labels.size * len(rows) <= STACKED_BYTES:
            masks = np.empty((*result.labels.shape[::-1], len(rows)), np.uint8)
            for number, row in enumerate(rows):
                masks[..., number] = result.mask(row.name).transpose()
            return masks, None
        warning = "where masks overlap, the DICOM SEG shows one of them, as a label map does: too many for memory"
    # Segments count without a gap, labels of prompts without a voxel leave some.
    numbers = np.zeros(len(result.table) + 1, np.uint16 if len(rows) > 255 else np.uint8)
    numbers[[row.label for row in rows]] = np.arange(1, len(rows) + 1)
    return numbers[result.labels.transpose()], warning


def _description(row: LabelRow, number: int, algorithm: Any) -> SegmentDescription:
    from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription
    from highdicom.sr import CodedConcept

    vocabulary = load_vocabulary()
    organ_name = vocabulary.resolve(row.prompt) or vocabulary.resolve(row.name)
    organ = vocabulary.organs[organ_name] if organ_name else None
    if organ is not None and organ.snomed:
        category = CodedConcept("123037004", "SCT", "Anatomical Structure")
        property_type = CodedConcept(organ.snomed, "SCT", _without_side(organ)[:LONGEST_TEXT])
    else:
        category = CodedConcept("85756007", "SCT", "Tissue")
        # A private code, the same for the same words.
        code = hashlib.sha256(row.prompt.casefold().encode()).hexdigest()[:12].upper()
        property_type = CodedConcept(code, "99OVCT", row.prompt[:LONGEST_TEXT])
    description = SegmentDescription(
        segment_number=number,
        segment_label=row.name[:LONGEST_TEXT],
        segmented_property_category=category,
        segmented_property_type=property_type,
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm,
    )
    description.SegmentDescription = row.prompt
    if organ is not None and organ.snomed and organ.side:
        value, meaning = SIDES[organ.side]
        modifier = CodedConcept(value, "SCT", meaning)
        description.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [modifier]
    return description


def _without_side(organ: Organ) -> str:
    """Return the meaning of an organ's code, of which the side is no part."""
    name = organ.name.removeprefix(f"{organ.side} ") if organ.side else organ.name
    return name[:1].upper() + name[1:]


def _series_number(source: Any) -> int:
    """Return a number that follows the source series' own: PACS sort by it."""
    number = source.get("SeriesNumber")
    return min(int(number) * 100 + 1, 2**31 - 1) if number else 1
