"""A series as a DICOM SEG or RTSTRUCT refers to it: a clean header for each slice, whatever the series' own are like.

highdicom takes who was examined, and which images a SEG belongs to, from the headers of the series, and refuses many.
So it never sees them: it gets headers made here, of the scan's grid and of those values that hold by the standard
(`dicom_values`). What does not is left out, mended or made, and `Sources.told` says so in a line.
"""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, generate_uid
from pydicom.valuerep import format_number_as_ds

from train.scans.dicom.header import read_dicom_header
from train.scans.dicom.slices import slices_in_file
from train.scans.scan import Scan

from ..errors import SegmentError
from .dicom_values import TextReader, kept_element, mended_text, shown, valid_uid

# What a SEG repeats of the series, and has even if it is empty.
REQUIRED = """
    PatientName PatientID PatientBirthDate PatientSex StudyDate StudyTime ReferringPhysicianName StudyID AccessionNumber
""".split()
# What it repeats where it is there: modules Patient, Clinical Trial, Study, Frame of Reference and Lossy Compression.
OPTIONAL = """
    IssuerOfPatientID TypeOfPatientID PatientBirthTime OtherPatientIDsSequence OtherPatientNames EthnicGroup
    PatientComments PatientIdentityRemoved DeidentificationMethod DeidentificationMethodCodeSequence
    ClinicalTrialSponsorName ClinicalTrialProtocolID ClinicalTrialProtocolName ClinicalTrialSiteID ClinicalTrialSiteName
    ClinicalTrialSubjectID ClinicalTrialSubjectReadingID ClinicalTrialTimePointID ClinicalTrialTimePointDescription
    StudyDescription PhysiciansOfRecord NameOfPhysiciansReadingStudy ProcedureCodeSequence
    AdmittingDiagnosesDescription PatientAge PatientSize PatientWeight Occupation AdditionalPatientHistory AdmissionID
    SmokingStatus PositionReferenceIndicator LossyImageCompression LossyImageCompressionRatio
    LossyImageCompressionMethod
""".split()
SERIES_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
READ = (*REQUIRED, *OPTIONAL, *SERIES_UIDS, "SOPClassUID", "SOPInstanceUID", "SeriesNumber", "SliceThickness")
SEG = "a DICOM SEG"
# Decimals of a position in mm.
DECIMALS = 6


class SourceImage(NamedTuple):
    """The image that a slice of the scan is: its class and UID, and its frame, from 1, where it has several."""

    sop_class: str
    uid: str
    frame: int | None


@dataclass
class Sources:
    """Headers in the order of the scan's slices, the number for the SEG's series, and what was odd in the series' own.

    `references` gives the image of each header by its SOPInstanceUID, which is made where a file holds several slices.
    """

    headers: list[Dataset] = field(default_factory=list)
    references: dict[str, SourceImage] = field(default_factory=dict)
    series_number: int = 1
    empty: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    @property
    def told(self) -> str | None:
        """What is not as the series has it, in one line; None if all is."""
        parts = [f"left empty: {', '.join(self.empty)}"] if self.empty else []
        parts += [f"mended: {', '.join(self.mended)}"] if self.mended else []
        parts += [f"made, so that it is not linked to the series by them: {', '.join(self.made)}"] if self.made else []
        return "; ".join(parts) or None


def check_is_series(scan: Scan, kind: str = SEG) -> None:
    """Raise SegmentError if a scan is no DICOM series, which an object of this kind refers to."""
    if scan.kind != "dicom":
        raise SegmentError(f"{scan.path} is no DICOM series, and {kind} refers to one: --out mask.nii.gz")
    if not scan.dicom_files:
        raise SegmentError(
            f"{scan.path}: its slices were resampled, and {kind} refers to those that there are: --out mask.nii.gz"
        )


def read_sources(scan: Scan, kind: str = SEG) -> Sources:
    """Read what a SEG of this scan refers to and repeats. Raises SegmentError if the scan is no series of slices.

    ``kind`` is what to call the object in the error.
    """
    check_is_series(scan, kind)
    with warnings.catch_warnings():
        # Values that the standard forbids are looked at one by one.
        warnings.simplefilter("ignore")
        places = list(_places(scan, kind))
        by_file = {file: _read(file) for file in dict.fromkeys(file for file, _ in places)}
        sources, files = Sources(), list(by_file.values())
        common = _common_header(files, sources)
        entropy = _entropy(scan, files)
        for name in SERIES_UIDS:
            setattr(common, name, _common_uid(files, name, entropy, sources))
        _set_grid(common, scan, files)
        references = _references(places, by_file, entropy, sources)
        sources.series_number = _series_number(files, sources)
    in_lps = _in_lps(scan.affine)
    for number, reference in enumerate(references):
        header = Dataset()
        header.update(common)
        several = reference.frame is not None
        uid = generate_uid(entropy_srcs=["slice", str(number), *entropy]) if several else reference.uid
        # highdicom knows which attributes a CT image has; of other classes it need not know.
        header.SOPClassUID, header.SOPInstanceUID = CTImageStorage, uid
        header.ImagePositionPatient = [_rounded(value) for value in (in_lps @ [0, 0, number, 1])[:3]]
        sources.headers.append(header)
        sources.references[uid] = reference
    return sources


def _places(scan: Scan, kind: str) -> Iterator[tuple[Path, int | None]]:
    """Yield the file of each of the scan's slices, and the frame in it, from 1, where it holds several."""
    if len(scan.dicom_files) == scan.voxels.shape[2]:
        yield from ((file, None) for file in scan.dicom_files)
        return
    found: dict[int, tuple[Path, int | None]] = {}
    to_index = np.linalg.inv(_in_lps(scan.affine))
    for file in scan.dicom_files:
        frames = list(slices_in_file(read_dicom_header(file)))
        for image in frames:
            number = round(float((to_index @ [*image.position, 1])[2]))
            found[number] = file, image.frame + 1 if len(frames) > 1 else None
    if sorted(found) != list(range(scan.voxels.shape[2])):
        raise SegmentError(
            f"{scan.path}: the volume has other slices than the series, and {kind} refers to these: --out mask.nii.gz"
        )
    yield from (found[number] for number in range(scan.voxels.shape[2]))


def _read(file: Path) -> Dataset:
    return pydicom.dcmread(file, stop_before_pixels=True, force=True, specific_tags=list(READ))


def _common_header(files: Sequence[Dataset], sources: Sources) -> Dataset:
    """Return what the SEG repeats of the series: of each attribute, among the values that hold, what most files have.

    What is odd, or differs between files, is told.
    """
    readers = [TextReader(header) for header in files]
    common = Dataset()
    for odd in dict.fromkeys(reader.oddity for reader in readers if reader.oddity is not None):
        sources.mended.append(f"SpecificCharacterSet {shown(odd)} to ISO_IR 192")
    for name in (*REQUIRED, *OPTIONAL):
        kept = [kept_element(header, name, reader) for header, reader in zip(files, readers, strict=True)]
        elements = {str(element.value): element for element, _ in kept if element is not None}
        counts = Counter(str(element.value) for element, _ in kept if element is not None)
        odd_values = list(dict.fromkeys(odd for _, odd in kept if odd is not None))
        if elements:
            chosen, times = counts.most_common(1)[0]
            common[elements[chosen].tag] = elements[chosen]
            if odd_values:
                mended = shown(chosen) if elements[chosen].VR != "SQ" else "the items that hold"
                sources.mended.append(f"{name} {', '.join(odd_values)} to {mended}")
            if len(counts) > 1:
                others = ", ".join(shown(value) for value in counts if value != chosen)
                sources.mended.append(f"{name}, {shown(chosen)} in {times:,} files, {others} in others, to the former")
        else:
            if odd_values:
                sources.empty.append(f"{name} {', '.join(odd_values)}")
            if name in REQUIRED:
                setattr(common, name, "")
    methods = ("DeidentificationMethod", "DeidentificationMethodCodeSequence")
    if common.get("PatientIdentityRemoved") == "YES" and not any(name in common for name in methods):
        common.DeidentificationMethod = "not stated in the series"
        sources.mended.append(f"DeidentificationMethod (none) to {shown(common.DeidentificationMethod)}")
    common.SpecificCharacterSet = "ISO_IR 192"
    return common


def _entropy(scan: Scan, files: Sequence[Dataset]) -> list[str]:
    """Return what made UIDs depend on: the same ones for the same series, other ones for any other."""
    voxels = hashlib.sha256(scan.voxels[..., scan.voxels.shape[2] // 2].tobytes()).hexdigest()
    names = ("SOPInstanceUID", "PatientID", *SERIES_UIDS)
    return [*(str(_plain(files[0], name)) for name in names), str(scan.affine), voxels]


def _common_uid(files: Sequence[Dataset], name: str, entropy: list[str], sources: Sources) -> str:
    """Return the valid UID that most files have, or a made one; tells where it is not that of all files."""
    found = Counter(_plain(header, name) for header in files)
    valid = Counter({uid: times for value, times in found.items() if (uid := valid_uid(value))})
    if not valid:
        values = ", ".join(shown(value) for value in found if value) or "(none)"
        sources.made.append(f"{name} {values}")
        return generate_uid(entropy_srcs=[name, *entropy])
    chosen, times = valid.most_common(1)[0]
    others = [shown(value) for value in found if value.strip(" \0") != chosen]
    if others:
        shortened = ", ".join(others[:2]) + (", …" if len(others) > 2 else "")
        sources.mended.append(f"{name}, {shown(chosen)} in {times:,} files, {shortened} in others, to the former")
    return chosen


def _references(
    places: Sequence[tuple[Path, int | None]], by_file: dict[Path, Dataset], entropy: list[str], sources: Sources
) -> list[SourceImage]:
    """Return the image of each slice; a UID that is missing, invalid or that of another file too is made."""
    uids: dict[Path, str] = {}
    classes = Counter(filter(None, (valid_uid(_plain(header, "SOPClassUID")) for header in by_file.values())))
    made: dict[str, list[str]] = {"SOPClassUID": [], "SOPInstanceUID": []}
    for file, header in by_file.items():
        value = _plain(header, "SOPInstanceUID")
        uid = valid_uid(value)
        if uid is None or uid in uids.values():
            made["SOPInstanceUID"].append(shown(value) if value else "(none)")
            uid = generate_uid(entropy_srcs=[value, str(len(uids)), *entropy])
        uids[file] = uid
    references = []
    usual = classes.most_common(1)[0][0] if classes else CTImageStorage
    for file, frame in places:
        value = _plain(by_file[file], "SOPClassUID")
        if valid_uid(value) is None:
            made["SOPClassUID"].append(shown(value) if value else "(none)")
        references.append(SourceImage(valid_uid(value) or usual, uids[file], frame))
    for name, values in made.items():
        if values:
            sources.made.append(f"{name} {values[0]} of {len(values):,} slices")
    return references


def _series_number(files: Sequence[Dataset], sources: Sources) -> int:
    """Return a number that follows the source series' own: PACS sort by it."""
    value = _plain(files[0], "SeriesNumber")
    number = int(mended_text("SeriesNumber", "IS", value) or 0)
    if value and number < 1:
        sources.mended.append(f"SeriesNumber {shown(value)} to 1")
    return min(number * 100 + 1, 2**31 - 1) if number > 0 else 1


def _set_grid(header: Dataset, scan: Scan, files: Sequence[Dataset]) -> None:
    """Set the size and the directions of the scan's slices, and how far apart they are."""
    in_lps = _in_lps(scan.affine)
    spacing = np.linalg.norm(in_lps[:3, :3], axis=0)
    across, down = in_lps[:3, 0] / spacing[0], in_lps[:3, 1] / spacing[1]
    header.Rows, header.Columns, header.Modality = scan.voxels.shape[1], scan.voxels.shape[0], "CT"
    header.ImageOrientationPatient = [_rounded(value, 12) for value in (*across, *down)]
    header.PixelSpacing = [_rounded(spacing[1]), _rounded(spacing[0])]
    between = _rounded(abs(float(np.cross(across, down) @ in_lps[:3, 2])))
    thickness = float(mended_text("SliceThickness", "DS", _plain(files[0], "SliceThickness")) or 0)
    header.SliceThickness = _rounded(thickness) if thickness > 0 else between
    header.SpacingBetweenSlices = between


def _plain(header: Dataset, name: str) -> str:
    """Return a value as text, empty if there is none or if it cannot be read."""
    try:
        value: Any = header.get(name)
    except Exception:  # pydicom raises anything where bytes and VR do not fit
        value = header.get_item(name).value
        return value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return "" if value is None else str(value)


def _in_lps(affine: np.ndarray) -> np.ndarray:
    return np.asarray(np.diag([-1.0, -1, 1, 1]) @ affine)


def _rounded(value: float, decimals: int = DECIMALS) -> str:
    """Return a number as DICOM writes it, in at most 16 characters."""
    return format_number_as_ds(round(float(value), decimals) + 0.0)
