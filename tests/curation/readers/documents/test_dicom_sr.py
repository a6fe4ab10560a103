"""DICOM Structured Reports, made after TID 2000."""

from __future__ import annotations

import base64

import pytest

from curation.readers.documents.dicom_sr import is_dicom, read_structured_report, refusal_of_dicom
from curation.readers.rows import DamagedError
from tests.curation.readers.documents.samples import (
    CDA,
    CDA_TEXT,
    code,
    item,
    measurement,
    structured_report,
    text_item,
)

CONTENT = (
    item("CODE", "Language of Content Item", "HAS CONCEPT MOD", ConceptCodeSequence=[code("English")]),
    item("PNAME", "Person Observer Name", "HAS OBS CONTEXT", PersonName="Doe^J"),
    item("CONTAINER", "History", inner=(text_item("History", "Pain."),), ContinuityOfContent="SEPARATE"),
    item(
        "CONTAINER",
        "Findings",
        inner=(
            text_item("Finding", "The liver is enlarged,\r\nno cyst."),
            measurement(
                "Length",
                "52",
                "mm",
                item("CODE", "Finding Site", "HAS PROPERTIES", ConceptCodeSequence=[code("Spleen")]),
            ),
            measurement("Attenuation ratio", "1.5", "{ratio}"),
            item("CODE", "Stone", ConceptCodeSequence=[code("Présent")]),
            item("IMAGE", "Source"),
        ),
    ),
    item("CONTAINER", "Recommendations"),
    item("CONTAINER", "Impressions", inner=(text_item("Impression", "Hepatomegaly."),)),
)
TEXT = """History:
Pain.

Findings:
The liver is enlarged,
no cyst.
Length: 52 mm (Finding Site: Spleen)
Attenuation ratio: 1.5
Stone: Présent

Impressions:
Hepatomegaly."""


def test_content_tree_as_text() -> None:
    report = read_structured_report(structured_report(*CONTENT, BodyPartExamined="ABDOMEN", ModalitiesInStudy="CT"))
    assert report.text == TEXT
    assert (report.report_id, report.examination, report.modality) == ("ACC-7", "CT Abdomen; ABDOMEN", "CT")


def test_without_an_accession_number_the_object_names_the_report() -> None:
    assert read_structured_report(structured_report(*CONTENT, accession="")).report_id == "1.2.3.4"


def test_rank_of_versions() -> None:
    verified, partial, later = (
        read_structured_report(structured_report(*CONTENT, **fields))[2:4]
        for fields in ({"VerificationFlag": "VERIFIED"}, {"CompletionFlag": "PARTIAL"}, {"ContentTime": "130000"})
    )
    first = read_structured_report(structured_report(*CONTENT))[2:4]
    assert verified > later > first > partial


def test_an_encapsulated_document() -> None:
    kind = "1.2.840.10008.5.1.4.1.1.104.2"
    report = read_structured_report(structured_report(sop_class=kind, EncapsulatedDocument=CDA.encode()))  # type: ignore[arg-type]
    assert report.text == CDA_TEXT and report.report_id == "ACC-7"


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", "CT Image"),
        ("1.2.840.10008.5.1.4.1.1.88.67", "X-Ray Radiation Dose SR"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "pdftotext"),
    ],
)
def test_other_objects_are_told_by_their_header(kind: str, what: str) -> None:
    raw = structured_report(sop_class=kind)
    assert is_dicom(raw) and what in str(refusal_of_dicom(raw[:1000]))
    with pytest.raises(DamagedError, match=what):
        read_structured_report(raw)
    assert refusal_of_dicom(structured_report()) is None


@pytest.mark.parametrize(("charset", "right"), [(b"ISO_IR 192", True), (b"ISO_IR 999", False)])
def test_character_sets(charset: bytes, right: bool) -> None:
    raw = structured_report(text_item("Finding", "Größe normal.")).replace(b"ISO_IR 192", charset)
    if right:
        assert read_structured_report(raw).text == "Finding: Größe normal."
        raw = raw.replace("ö".encode(), b"\xf6\xf6")
    with pytest.raises(DamagedError, match="not in the character set that it names"):
        read_structured_report(raw)


def test_damaged_objects() -> None:
    whole = structured_report(*CONTENT)
    for raw in (whole[:-40], whole[:400], b"\0" * 128 + b"DICM", base64.b64encode(whole)):
        with pytest.raises(DamagedError, match=r"cut off or corrupt|of no class"):
            read_structured_report(raw)
    deep = text_item("Finding", "x")
    for _ in range(70):
        deep = item("CONTAINER", "Findings", inner=(deep,))
    with pytest.raises(DamagedError, match="nested deeper than 60"):
        read_structured_report(structured_report(deep))
