"""Result -> file, as a DICOM RT Structure Set: closed contours of each structure on the slices of the scan's series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import ImplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from curation.runtime.provenance import ovct_version
from train.scans.scan import Scan

from ..errors import SegmentError
from ..prompts import SegmentPrompt
from .codes import LONGEST_TEXT, plain_text, structure_code
from .colours import structure_colours
from .contours import closed_contours
from .seg_sources import OPTIONAL, REQUIRED, SourceImage, Sources, read_sources

if TYPE_CHECKING:
    from ..result import SegmentationResult

RTSTRUCT = "an RTSTRUCT"
STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"
# Attributes of an image, which a structure set has none of.
OF_IMAGES = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")
CONTOUR_DATA = Tag("ContourData")
# Characters that DICOM has for a short text.
LONGEST_SHORT_TEXT = 1024


def check_rtstruct(scan: Scan, prompts: Sequence[SegmentPrompt]) -> str | None:
    """Make an RTSTRUCT of this scan and these prompts, without contours, and throw it away.

    Returns what is not as the series has it, in a line. Raises SegmentError if none can be made.
    """
    sources = read_sources(scan, RTSTRUCT)
    _save(_structure_set(sources, [(prompt.name, prompt.text) for prompt in prompts], "weights"), BytesIO())
    return sources.told


def write_rtstruct(result: SegmentationResult, path: Path) -> list[str]:
    """Write a structure for each prompt that has a voxel, in the order of the labels, or for all prompts if none has.

    Each has the contours of its whole mask, whatever a label map has room for. Returns warnings: what is not as the
    series has it (`seg_sources`). Raises SegmentError if the scan is no DICOM series.
    """
    sources = read_sources(result.scan, RTSTRUCT)
    rows = [row for row in result.table if row.volume_ml] or list(result.table)
    structures = _structure_set(sources, [(row.name, row.prompt) for row in rows], result.record.weights)
    images = list(sources.references.values())
    in_lps = np.diag([-1.0, -1, 1, 1]) @ result.scan.affine
    for row, structure in zip(rows, structures.ROIContourSequence, strict=True):
        contours = list(_contours(result.mask(row.name), in_lps, images)) if row.volume_ml else []
        if contours:
            structure.ContourSequence = contours
    _save(structures, path)
    return [sources.told] if sources.told else []


def _contours(mask: np.ndarray, in_lps: np.ndarray, images: Sequence[SourceImage]) -> Iterator[Dataset]:
    """Yield the contours of a mask (X, Y, Z), slice by slice, with the image that each lies on."""
    for number in np.flatnonzero(mask.any(axis=(0, 1))).tolist():
        for points in closed_contours(mask[:, :, number]):
            places = points @ in_lps[:3, :2].T + in_lps[:3, 2] * number + in_lps[:3, 3]
            contour = Dataset()
            contour.ContourImageSequence = [_image(images[number])]
            contour.ContourGeometricType = "CLOSED_PLANAR"
            contour.NumberOfContourPoints = len(places)
            text = "\\".join(f"{value:.3f}" for value in places.ravel()).encode()
            text += b" " * (len(text) % 2)
            # As bytes: pydicom makes an object of each number, of which there may be millions.
            contour[CONTOUR_DATA] = RawDataElement(CONTOUR_DATA, "DS", len(text), text, 0, True, True)
            yield contour


def _structure_set(sources: Sources, named: Sequence[tuple[str, str]], weights: str) -> FileDataset:
    """Return an RT Structure Set with a structure for each pair of name and prompt, without contours."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = RTStructureSetStorage, generate_uid()
    # Explicit VR has two bytes for the length of a contour: 64 kB.
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    structures, header, now = (
        FileDataset("", {}, file_meta=meta, preamble=bytes(128)),
        sources.headers[0],
        datetime.now(),
    )
    for name in (*REQUIRED, *OPTIONAL, "StudyInstanceUID", "FrameOfReferenceUID", "SpecificCharacterSet"):
        if name in header and name not in OF_IMAGES:
            structures[name] = header[name]
    if "PositionReferenceIndicator" not in structures:
        structures.PositionReferenceIndicator = ""
    structures.SOPClassUID, structures.SOPInstanceUID = RTStructureSetStorage, meta.MediaStorageSOPInstanceUID
    structures.Modality, structures.SeriesInstanceUID = "RTSTRUCT", generate_uid()
    structures.SeriesNumber, structures.InstanceNumber = min(sources.series_number + 1, 2**31 - 1), 1
    structures.SeriesDescription, structures.OperatorsName = "ovct structures", ""
    structures.Manufacturer, structures.ManufacturerModelName = "ovct", "ovct segment"
    structures.SoftwareVersions, structures.DeviceSerialNumber = ovct_version(), weights[:LONGEST_TEXT]
    structures.StructureSetLabel = "ovct"
    structures.StructureSetDate, structures.StructureSetTime = f"{now:%Y%m%d}", f"{now:%H%M%S}"
    structures.ApprovalStatus = "UNAPPROVED"
    structures.ReferencedFrameOfReferenceSequence = [_frame_of_reference(header, sources)]
    colours = structure_colours(named)
    structures.StructureSetROISequence, structures.ROIContourSequence = [], []
    structures.RTROIObservationsSequence = []
    for number, (name, prompt) in enumerate(named, 1):
        structures.StructureSetROISequence.append(
            _dataset(
                ROINumber=number,
                ReferencedFrameOfReferenceUID=header.FrameOfReferenceUID,
                ROIName=plain_text(name, LONGEST_TEXT),
                ROIDescription=plain_text(prompt, LONGEST_SHORT_TEXT),
                ROIGenerationAlgorithm="AUTOMATIC",
                ROIGenerationDescription=f"ovct segment {ovct_version()}"[:LONGEST_TEXT],
            )
        )
        structures.ROIContourSequence.append(_dataset(ROIDisplayColor=list(colours[name]), ReferencedROINumber=number))
        code = structure_code(name, prompt).type
        term = _dataset(CodeValue=code.value, CodingSchemeDesignator=code.scheme, CodeMeaning=code.meaning)
        structures.RTROIObservationsSequence.append(
            _dataset(
                ObservationNumber=number,
                ReferencedROINumber=number,
                RTROIIdentificationCodeSequence=[term],
                RTROIInterpretedType="ORGAN",
                ROIInterpreter="",
            )
        )
    return structures


def _frame_of_reference(header: Dataset, sources: Sources) -> Dataset:
    """Return what a structure set says of the images that it was made from."""
    images = [_image(reference) for reference in sources.references.values()]
    series = _dataset(SeriesInstanceUID=header.SeriesInstanceUID, ContourImageSequence=images)
    study = _dataset(
        ReferencedSOPClassUID=STUDY_CLASS,
        ReferencedSOPInstanceUID=header.StudyInstanceUID,
        RTReferencedSeriesSequence=[series],
    )
    return _dataset(FrameOfReferenceUID=header.FrameOfReferenceUID, RTReferencedStudySequence=[study])


def _image(reference: SourceImage) -> Dataset:
    image = _dataset(ReferencedSOPClassUID=reference.sop_class, ReferencedSOPInstanceUID=reference.uid)
    if reference.frame is not None:
        image.ReferencedFrameNumber = reference.frame
    return image


def _dataset(**values: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def _save(structures: FileDataset, file: Path | BytesIO) -> None:
    """Write a structure set. Raises SegmentError with what pydicom says where it takes something not."""
    try:
        structures.save_as(file, enforce_file_format=True)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SegmentError(f"an RTSTRUCT of this series cannot be made ({reason}): --out mask.nii.gz") from error
