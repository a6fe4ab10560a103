"""Result -> file, as a DICOM SEG object: binary segments with SNOMED CT codes, on the grid of the scan's own series."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from curation.runtime.provenance import ovct_version
from train.scans.scan import Scan

from ..errors import SegmentError
from ..prompts import SegmentPrompt
from .codes import LONGEST_TEXT, plain_text, structure_code
from .colours import Colour, structure_colours
from .seg_sources import Sources, read_sources

if TYPE_CHECKING:
    import highdicom
    from highdicom.seg import SegmentDescription

    from ..label_table import LabelRow
    from ..result import SegmentationResult

# Segments that overlap are written as a mask each if these fit into so much memory, else as the label map shows them.
STACKED_BYTES = 1 << 30
# Characters that DICOM has for a description.
LONGEST_DESCRIPTION = 1024


def check_dicom_seg(scan: Scan, prompts: Sequence[SegmentPrompt]) -> str | None:
    """Make a SEG of this scan and these prompts, with a single slice in which each has a voxel, and throw it away.

    Returns what is not as the series has it, in a line. Raises SegmentError if no SEG can be made.
    """
    sources = read_sources(scan)
    named = [(prompt.name, prompt.text) for prompt in prompts]
    slice_of_labels = np.zeros((1, scan.voxels.shape[1], scan.voxels.shape[0]), np.uint16)
    count = min(len(named), slice_of_labels.size)
    slice_of_labels.reshape(-1)[:count] = np.arange(1, count + 1)
    _segmentation(sources, slice_of_labels, named, "weights-0000000000000000.safetensors").save_as(BytesIO())
    return sources.told


def write_dicom_seg(result: SegmentationResult, path: Path) -> list[str]:
    """Write a segment for each prompt that has a voxel, in the order of the labels, or for all prompts if none has one.

    Returns warnings: what is not as the series has it (`seg_sources`), and overlapping segments that show, for lack of
    memory, only what the label map does. Raises SegmentError if the scan is no DICOM series.
    """
    sources = read_sources(result.scan)
    rows = [row for row in result.table if row.volume_ml] or list(result.table)
    pixels, hidden_overlaps = _pixels(result, rows)
    seg = _segmentation(sources, pixels, [(row.name, row.prompt) for row in rows], result.record.weights)
    seg.save_as(path)
    return [warning for warning in (sources.told, hidden_overlaps) if warning]


def _segmentation(
    sources: Sources, pixels: np.ndarray, named: Sequence[tuple[str, str]], weights: str
) -> highdicom.seg.Segmentation:
    """Return the SEG of frames, as `_pixels` returns them, with a segment for each pair of name and prompt.

    Raises SegmentError with what highdicom says where it takes something not.
    """
    import highdicom
    from pydicom.sr.codedict import codes

    colours = structure_colours(named)
    try:
        with warnings.catch_warnings():
            # Lines on names without a ^ and on oblique series, with a path into another package.
            warnings.simplefilter("ignore")
            algorithm = highdicom.AlgorithmIdentificationSequence(
                name="ovct segment", version=ovct_version(), family=codes.DCM.ArtificialIntelligence
            )
            segmentation = highdicom.seg.Segmentation(
                source_images=sources.headers,
                pixel_array=pixels,
                plane_positions=[
                    highdicom.PlanePositionSequence("PATIENT", header.ImagePositionPatient)
                    for header in sources.headers[: len(pixels)]
                ],
                segmentation_type="BINARY",
                segment_descriptions=[
                    _description(name, prompt, colours[name], number, algorithm)
                    for number, (name, prompt) in enumerate(named, 1)
                ],
                series_instance_uid=highdicom.UID(),
                series_number=sources.series_number,
                sop_instance_uid=highdicom.UID(),
                instance_number=1,
                manufacturer="ovct",
                manufacturer_model_name="ovct segment",
                software_versions=ovct_version(),
                device_serial_number=weights[:LONGEST_TEXT],
                content_label="SEGMENTATION",
                content_description="Segmented by text",
                omit_empty_frames=bool(pixels.any()),
            )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SegmentError(f"a DICOM SEG of this series cannot be made ({reason}): --out mask.nii.gz") from error
    segmentation.SeriesDescription = "ovct segmentation"
    _refer_to_images(segmentation, sources)
    return segmentation


def _refer_to_images(segmentation: Dataset, sources: Sources) -> None:
    """Have the SEG refer to the images of the series, where the headers that highdicom saw had made UIDs or classes."""
    if all(reference == (CTImageStorage, uid, None) for uid, reference in sources.references.items()):
        return
    derivations = (
        derivation
        for group in segmentation.PerFrameFunctionalGroupsSequence
        for derivation in group.get("DerivationImageSequence", [])
    )
    # Segments of the same slice may share an item.
    items = {id(item): item for derivation in derivations for item in derivation.SourceImageSequence}
    for item in items.values():
        reference = sources.references[item.ReferencedSOPInstanceUID]
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = reference.sop_class, reference.uid
        if reference.frame is not None:
            item.ReferencedFrameNumber = reference.frame
    listed, images = [], (reference[:2] for reference in sources.references.values())
    for sop_class, uid in dict.fromkeys(images):
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
        listed.append(item)
    segmentation.SourceImageSequence = listed
    segmentation.ReferencedSeriesSequence[0].ReferencedInstanceSequence = listed


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


def _description(name: str, prompt: str, colour: Colour, number: int, algorithm: Any) -> SegmentDescription:
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription
    from highdicom.sr import CodedConcept

    code = structure_code(name, prompt)
    description = SegmentDescription(
        segment_number=number,
        segment_label=plain_text(name, LONGEST_TEXT),
        segmented_property_category=CodedConcept(*code.category),
        segmented_property_type=CodedConcept(*code.type),
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm,
        display_color=CIELabColor.from_rgb(*colour),
    )
    description.SegmentDescription = plain_text(prompt, LONGEST_DESCRIPTION)
    if code.side is not None:
        modifier = CodedConcept(*code.side)
        description.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [modifier]
    return description
