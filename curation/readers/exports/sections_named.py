"""Codes that hospital systems use for parts of a report and for modalities, and how parts become one text."""

from __future__ import annotations

from collections.abc import Sequence

from ..heading_phrases import SECTION_OF
from ..headings import find_headings

# LOINC codes of parts of a report, those of DICOM's imaging report (PS3.20) among them.
LOINC_SECTIONS = {
    "18782-3": "FINDINGS", "59776-5": "FINDINGS", "19005-8": "IMPRESSION", "55107-7": "ADDENDUM",
    "18783-1": "RECOMMENDATION", "18834-2": "COMPARISON", "55111-9": "TECHNIQUE", "18785-6": "REASON FOR STUDY",
    "55752-0": "CLINICAL INFORMATION", "59768-2": "INDICATIONS", "11329-0": "HISTORY", "55109-3": "COMPLICATIONS",
}  # fmt: skip
# Diagnostic services (HL7 table 0074) that are one modality, as DICOM calls it.
MODALITIES = {
    "CT": "CT", "NMR": "MR", "MR": "MR", "MRI": "MR", "RUS": "US", "US": "US", "VUS": "US", "NMS": "NM", "NM": "NM",
    "PT": "PT", "PET": "PT", "MG": "MG", "CR": "CR", "DX": "DX", "XA": "XA", "RF": "RF",
}  # fmt: skip
# Names of parts that hold a whole report, which may have all sections in it.
WHOLE_REPORT = frozenset(name for name, section in SECTION_OF.items() if section == "findings") - {
    "finding",
    "findings",
}
WHOLE_REPORT_HEADING = "REPORT"
# So many characters of a text show whether it begins with a heading of its own.
HEADING_WITHIN = 200


def with_headings(parts: Sequence[tuple[str, str]]) -> str:
    """Return parts, each with its heading or "", as one text with a blank line between them.

    A part that begins with a heading of its own gets no other, nor does one that goes on under the same heading. Text
    without a heading behind a part that has one is set apart from it.
    """
    texts: list[str] = []
    before = ""
    for heading, body in parts:
        heading = heading or (WHOLE_REPORT_HEADING if before else "")
        needs_heading = heading and heading != before and not _begins_with_heading(body)
        texts.append(f"{heading}:\n{body.strip()}" if needs_heading else body.strip())
        before = heading
    return "\n\n".join(filter(None, texts))


def _begins_with_heading(text: str) -> bool:
    beginning = text.lstrip()[:HEADING_WITHIN]
    return any(not beginning[: heading.start].strip() for heading in find_headings(beginning))
