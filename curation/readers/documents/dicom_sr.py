"""Read DICOM Structured Reports: the text of the content tree, containers as sections; needs pydicom.

After DICOM PS3.3 C.17.3 (content tree) and PS3.16 TID 2000 (basic diagnostic imaging report).
"""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from curation.readers.rows import DamagedError

from .cda import ClinicalDocument, read_cda
from .page_text import tidy

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PREAMBLE_BYTES = 128
MAGIC = b"DICM"
# (0002,0002) Media Storage SOP Class UID, which stands in the file's header.
MEDIA_CLASS = re.compile(rb"\x02\0\x02\0UI..([0-9.]+[\0 ]?)", re.DOTALL)
# Reports that a person reads. Other SR objects are doses, logs, selections of images and what a program detected.
REPORT_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.88.11": "Basic Text SR",
    "1.2.840.10008.5.1.4.1.1.88.22": "Enhanced SR",
    "1.2.840.10008.5.1.4.1.1.88.33": "Comprehensive SR",
    "1.2.840.10008.5.1.4.1.1.88.34": "Comprehensive 3D SR",
    "1.2.840.10008.5.1.4.1.1.88.35": "Extensible SR",
}
ENCAPSULATED_CDA = "1.2.840.10008.5.1.4.1.1.104.2"
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
DEEPEST = 60
UNDEFINED_LENGTH = 0xFFFFFFFF
# The transfer syntax whose objects may unpack to any size.
DEFLATED = b"1.2.840.10008.1.2.1.99"
HEADER_BYTES = 1024
# Relationships that say how an item is to be understood, not what was seen.
CONTEXT = frozenset(("HAS OBS CONTEXT", "HAS ACQ CONTEXT"))
DETAIL = frozenset(("HAS CONCEPT MOD", "HAS PROPERTIES"))
# Titles of items that say no more than the title of their container: "Finding" in "Findings".
PLURAL_END = re.compile(r"s$")


class StructuredReport(NamedTuple):
    """A report with what its object says of it.

    Of several with the same ``document``, one with a higher ``rank`` (verified over unverified, complete over partial)
    is newer, and among those with the same rank the one with the later ``time``.
    """

    report_id: str
    document: str
    rank: int
    time: str
    examination: str
    modality: str
    text: str


def is_dicom(head: bytes) -> bool:
    """Return whether a file that begins so is DICOM."""
    return head[PREAMBLE_BYTES : PREAMBLE_BYTES + len(MAGIC)] == MAGIC


def refusal_of_dicom(head: bytes) -> str | None:
    """Return what a DICOM file that begins so is, None for a report; it takes neither pydicom nor the whole file."""
    match = MEDIA_CLASS.search(head, PREAMBLE_BYTES)
    kind = match[1].rstrip(b"\0 ").decode() if match else ""
    return None if kind in REPORT_CLASSES or kind == ENCAPSULATED_CDA else _kind_of(kind)


def read_structured_report(raw: bytes) -> StructuredReport:
    """Return the report of a DICOM object: a Structured Report, or a CDA document that it encapsulates.

    Raises:
        DamagedError: it is cut off or corrupt, or no report but an image, a list of doses, a PDF, …
        ImportError: pydicom is not installed.
    """
    import pydicom

    if DEFLATED in raw[:HEADER_BYTES]:
        raise DamagedError("a deflated DICOM object: convert it with dcmconv +te of DCMTK")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            report = _read(pydicom.dcmread(io.BytesIO(raw)))
    except DamagedError:
        raise
    except Exception as error:  # pydicom lets whatever its parsers raise through
        raise DamagedError(f"a DICOM object that is cut off or corrupt ({error}); fetch it again") from error
    # Other warnings are of values that are longer, or of other letters, than the standard allows.
    if charset := next((str(warning.message) for warning in caught if "ncoding" in str(warning.message)), None):
        raise DamagedError(f"a DICOM object whose text is not in the character set that it names ({charset})")
    return report


def _read(dataset: Dataset) -> StructuredReport:
    _check_whole(dataset)
    kind = _value(dataset, "SOPClassUID")
    if kind == ENCAPSULATED_CDA:
        return _report(dataset, read_cda(bytes(dataset.EncapsulatedDocument).rstrip(b"\0")))
    if kind not in REPORT_CLASSES:
        raise DamagedError(_kind_of(kind))
    if not dataset.get("ContentSequence"):
        raise EOFError("it has no content")
    return _report(dataset, None)


def _check_whole(dataset: Dataset) -> None:
    """Raise ``EOFError`` where an element is shorter than it says, which pydicom takes as it is."""
    for tag in list(dataset.keys()):
        element: Any = dataset.get_item(tag)  # raw as long as nobody has asked for its value
        length = getattr(element, "length", UNDEFINED_LENGTH)
        if length != UNDEFINED_LENGTH and len(element.value or b"") < length:
            raise EOFError(f"the element {element.tag} has {len(element.value or b'')} of its {length} bytes")
        if dataset[tag].VR == "SQ":
            for item in dataset[tag].value:
                _check_whole(item)


def _kind_of(kind: str) -> str:
    if kind == ENCAPSULATED_PDF:
        return "a PDF in a DICOM object: take it out (dcm2pdf of DCMTK), then run pdftotext -layout"
    return f"DICOM, no report but {_class_name(kind)}"


def _class_name(kind: str) -> str:
    try:
        from pydicom.uid import UID
    except ImportError:
        return f"of class {kind}"
    return UID(kind).name.removesuffix(" Storage") or "of no class"


def _report(dataset: Dataset, cda: ClinicalDocument | None) -> StructuredReport:
    accession = _value(dataset, "AccessionNumber")
    title = _concept(dataset)
    uid = _value(dataset, "SOPInstanceUID")
    examination = [_value(dataset, "StudyDescription"), _procedure(dataset), _value(dataset, "BodyPartExamined")]
    examination.append(cda.examination if cda else "")
    verified = _value(dataset, "VerificationFlag") == "VERIFIED"
    complete = _value(dataset, "CompletionFlag") != "PARTIAL"
    return StructuredReport(
        report_id=accession or (cda.document_id if cda else "") or uid,
        document="\t".join((accession, _value(dataset, "StudyInstanceUID"), title)) if accession else uid,
        rank=2 * verified + complete,
        time=_value(dataset, "ContentDate") + _value(dataset, "ContentTime"),
        examination="; ".join(dict.fromkeys(filter(None, examination))),
        modality=_modality(dataset),
        text=cda.text if cda else tidy("\n".join(_item_lines(dataset, "", 0))),
    )


def _value(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip()


def _procedure(dataset: Dataset) -> str:
    codes = dataset.get("ProcedureCodeSequence") or []
    return ", ".join(_value(code, "CodeMeaning") for code in codes)


def _modality(dataset: Dataset) -> str:
    """Return the modalities of the study, where the object names them; its own is always SR."""
    value = dataset.get("ModalitiesInStudy") or []
    names = [value] if isinstance(value, str) else list(value)
    return "/".join(name for name in names if name not in ("SR", "PR", "KO", "DOC"))


def _concept(item: Dataset) -> str:
    names = item.get("ConceptNameCodeSequence") or []
    return _value(names[0], "CodeMeaning") if names else ""


def _item_lines(item: Dataset, title: str, depth: int) -> list[str]:
    """Return the lines of a content item and of those in it; ``title`` is that of the container around it."""
    if depth > DEEPEST:
        raise DamagedError(f"a DICOM report nested deeper than {DEEPEST} items")
    kind, concept = _value(item, "ValueType"), _concept(item)
    children = [child for child in item.get("ContentSequence") or [] if _relationship(child) not in CONTEXT]
    details = [line for child in children if _relationship(child) in DETAIL for line in _detail(child)]
    inner = [child for child in children if _relationship(child) not in DETAIL]
    if kind == "CONTAINER":
        lines = [line for child in inner for line in _item_lines(child, concept, depth + 1)]
        return [f"{concept.rstrip(' :')}:", *lines, ""] if depth and concept and lines else lines
    value = _item_value(item, kind)
    if value and details and depth:
        value += f" ({'; '.join(details)})"
    label = "" if _says_the_same(concept, title) and kind == "TEXT" else concept
    line = f"{label.rstrip(' :')}: {value}" if label and value else value
    return [*([line] if line else []), *(line for child in inner for line in _item_lines(child, title, depth + 1))]


def _detail(item: Dataset) -> list[str]:
    value = _item_value(item, _value(item, "ValueType"))
    return [f"{_concept(item)}: {value}"] if value else []


def _relationship(item: Dataset) -> str:
    return _value(item, "RelationshipType")


def _item_value(item: Dataset, kind: str) -> str:
    """Return the value of a content item as text; "" for names of persons, references to images and the like."""
    if kind == "TEXT":
        return str(item.get("TextValue") or "").replace("\r\n", "\n").replace("\r", "\n").strip()
    if kind == "CODE":
        codes = item.get("ConceptCodeSequence") or []
        return _value(codes[0], "CodeMeaning") if codes else ""
    if kind == "NUM":
        measured = item.get("MeasuredValueSequence") or []
        return _measured(measured[0]) if measured else ""
    return _value(item, {"DATE": "Date", "TIME": "Time", "DATETIME": "DateTime"}.get(kind, "")) if kind else ""


def _measured(value: Dataset) -> str:
    """Return a number with its unit, whose code is in UCUM; "1", "{ratio}" and the like are no units to read."""
    units = value.get("MeasurementUnitsCodeSequence") or []
    unit = _value(units[0], "CodeValue") if units else ""
    shown = "" if unit.startswith("{") or unit in ("1", "") else unit if unit == "%" else f" {unit}"
    return f"{_value(value, 'NumericValue')}{shown}"


def _says_the_same(concept: str, title: str) -> bool:
    return PLURAL_END.sub("", concept.lower()) == PLURAL_END.sub("", title.lower())
