"""A segmentation as a DICOM SEG object: binary segments with SNOMED CT codes, on the grid of the scan's own series."""

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

from .prompts import SegmentError

if TYPE_CHECKING:
    from highdicom.seg import SegmentDescription

    from .label_table import Row
    from .segmenting import Segmented

UIDS = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
MAY_BE_EMPTY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("AccessionNumber", "StudyID", "StudyDate", "StudyTime", "ReferringPhysicianName"),
)
# Segments that overlap are handed over as a mask each; beyond this the label map is, where each voxel has one.
STACKED_BYTES = 1 << 30
LONGEST = 64
SIDES = {"left": ("7771000", "Left"), "right": ("24028007", "Right")}


def refuse_other_scans(scan: Scan) -> None:
    """SegmentError for a scan that is no DICOM series of one file a slice."""
    if scan.kind != "dicom":
        raise SegmentError(f"{scan.path} is no DICOM series, and a DICOM SEG refers to one: --out mask.nii.gz")
    if len(scan.dicom_files) != scan.voxels.shape[2]:
        raise SegmentError(
            f"{scan.path} holds several slices in one file; a DICOM SEG is written for one file a slice: "
            "--out mask.nii.gz"
        )


def write_dicom_seg(found: Segmented, path: Path) -> str | None:
    """Write it; a segment for each prompt that has a voxel, in the order of the labels, or for all where none has one.

    Returns what has to be said of it: that overlapping segments show, for lack of memory, only what the label map does.
    """
    import highdicom
    from pydicom.sr.codedict import codes

    refuse_other_scans(found.scan)
    rows = [row for row in found.table if row.volume_ml] or list(found.table)
    sources, doubt = _sources(found.scan)
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name="ovct segment", version=ovct_version(), family=codes.DCM.ArtificialIntelligence
    )
    pixels, shortage = _pixels(found, rows)
    segmentation = highdicom.seg.Segmentation(
        source_images=sources,
        pixel_array=pixels,
        segmentation_type="BINARY",
        segment_descriptions=[_described(row, number, algorithm) for number, row in enumerate(rows, 1)],
        series_instance_uid=highdicom.UID(),
        series_number=_series_number(sources[0]),
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="ovct",
        manufacturer_model_name="ovct segment",
        software_versions=ovct_version(),
        device_serial_number=found.record.weights,
        content_label="SEGMENTATION",
        content_description="Segmented by text",
        omit_empty_frames=bool(pixels.any()),
    )
    segmentation.SeriesDescription = "ovct segmentation"
    segmentation.save_as(path)
    return "; ".join(filter(None, (doubt, shortage))) or None


def _sources(scan: Scan) -> tuple[list[Dataset], str | None]:
    """Headers of the series in the order of the scan's slices, and what had to be filled in.

    A SEG repeats who was examined and refers to each slice by its UID. Anonymised series may lack either: what may be
    empty is left empty, and UIDs are made from the place of the slice, the same ones for the same series.
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
        place = [str(headers[0].get("FrameOfReferenceUID")), str(scan.affine)]
        for name in lacking:
            own = [str(header.get("ImagePositionPatient"))] if name == "SOPInstanceUID" else []
            made = CTImageStorage if name == "SOPClassUID" else generate_uid(entropy_srcs=[name, *place, *own])
            setattr(header, name, header.get(name) or made)
    told = (
        f"the series has no {', '.join(lacking)} (anonymised?): made ones stand in the SEG, so it is not linked to it"
    )
    return headers, told if lacking else None


def _pixels(found: Segmented, rows: list[Row]) -> tuple[np.ndarray, str | None]:
    """Frames (Z, Y, X) of segment numbers, or (Z, Y, X, segments) of 0 and 1 where masks overlap."""
    if len(found.claims):
        if found.labels.size * len(rows) <= STACKED_BYTES:
            masks = np.empty((*found.labels.shape[::-1], len(rows)), np.uint8)
            for number, row in enumerate(rows):
                masks[..., number] = found.mask(row.name).transpose()
            return masks, None
        said = "where masks overlap, the DICOM SEG shows one of them, as a label map does: too many for memory"
    else:
        said = None
    # Segments count without a gap, labels of prompts without a voxel leave some.
    numbers = np.zeros(len(found.table) + 1, np.uint16 if len(rows) > 255 else np.uint8)
    numbers[[row.label for row in rows]] = np.arange(1, len(rows) + 1)
    return numbers[found.labels.transpose()], said


def _described(row: Row, number: int, algorithm: Any) -> SegmentDescription:
    from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription
    from highdicom.sr import CodedConcept

    vocabulary = load_vocabulary()
    known = vocabulary.resolve(row.prompt) or vocabulary.resolve(row.name)
    organ = vocabulary.organs[known] if known else None
    if organ is not None and organ.snomed:
        category = CodedConcept("123037004", "SCT", "Anatomical Structure")
        meant = CodedConcept(organ.snomed, "SCT", _without_side(organ)[:LONGEST])
    else:
        category = CodedConcept("85756007", "SCT", "Tissue")
        # A private code, the same for the same words.
        code = hashlib.sha256(row.prompt.casefold().encode()).hexdigest()[:12].upper()
        meant = CodedConcept(code, "99OVCT", row.prompt[:LONGEST])
    described = SegmentDescription(
        segment_number=number,
        segment_label=row.name[:LONGEST],
        segmented_property_category=category,
        segmented_property_type=meant,
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm,
    )
    described.SegmentDescription = row.prompt
    if organ is not None and organ.snomed and organ.side:
        value, meaning = SIDES[organ.side]
        modifier = CodedConcept(value, "SCT", meaning)
        described.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [modifier]
    return described


def _without_side(organ: Organ) -> str:
    """What the code of an organ says: the side is no part of it."""
    name = organ.name.removeprefix(f"{organ.side} ") if organ.side else organ.name
    return name[:1].upper() + name[1:]


def _series_number(source: Any) -> int:
    """Beside the source's own: PACS list by it."""
    number = source.get("SeriesNumber")
    return min(int(number) * 100 + 1, 2**31 - 1) if number else 1
