"""Sample documents of our own, written after the standards: CDA, Word and DICOM Structured Reports."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

BASIC_TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"
WORD_NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"

CDA = """<?xml version="1.0" encoding="utf-8"?>
<?xml-stylesheet type="text/xsl" href="cda.xsl"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <id root="1.2.3" extension="R-17"/>
  <code code="18748-4" codeSystem="2.16.840.1.113883.6.1" displayName="Diagnostic imaging study"/>
  <title>CT of the abdomen</title>
  <effectiveTime value="20240105103000+0100"/>
  <setId root="1.2.4" extension="S-9"/>
  <versionNumber value="2"/>
  <inFulfillmentOf><order><id root="1.2.5" extension="ACC-5"/></order></inFulfillmentOf>
  <component><structuredBody>
    <component><section>
      <code code="55111-9"/><title>Technique</title>
      <text>Contrast in the portal venous phase.</text>
    </section></component>
    <component><section>
      <title>Findings:</title>
      <text><paragraph>The liver is <content styleCode="Bold">enlarged</content>.</paragraph>
        <list><item>No ascites.</item><item><content revised="delete">old</content>Spleen normal.</item></list>
        <table><tbody><tr><th>Organ</th><th>Size</th></tr><tr><td>Cyst</td><td>5 &#181;m<br/></td></tr></tbody></table>
      </text>
      <component><section><title>Kidneys</title><text>A stone of 4 mm.</text></section></component>
    </section></component>
    <component><section><code code="19005-8"/><text>1. Hepatomegaly.
2. Stone.</text></section></component>
    <component><section><title>Addendum</title><text/></section></component>
  </structuredBody></component>
</ClinicalDocument>
"""
CDA_TEXT = """Technique:
Contrast in the portal venous phase.

Findings:
The liver is enlarged.

No ascites.
Spleen normal.

Organ | Size
Cyst | 5 µm

Kidneys:
A stone of 4 mm.

Impression:
1. Hepatomegaly.
2. Stone."""


def cda_with_body(body: str) -> str:
    """Return a CDA document whose body is a document of another kind."""
    head = '<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.3"/><component><nonXMLBody>'
    return f"{head}{body}</nonXMLBody></component></ClinicalDocument>"


def word_document(body: str, **parts: str) -> bytes:
    """Return a .docx file with the elements of ``body`` in its main part, and further parts by name."""
    main = f'<?xml version="1.0"?><w:document xmlns:w="{WORD_NAMESPACE}"><w:body>{body}</w:body></w:document>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for name, content in {"word/document.xml": main, **parts}.items():
            archive.writestr(name, content)
    return file.getvalue()


def structured_report(
    *content: Dataset, sop_class: str = BASIC_TEXT_SR, accession: str = "ACC-7", **fields: str
) -> bytes:
    """Return a DICOM SR file with these content items."""
    report = Dataset()
    report.SOPClassUID, report.SOPInstanceUID = UID(sop_class), UID(fields.pop("SOPInstanceUID", "1.2.3.4"))
    report.StudyInstanceUID, report.Modality = "1.2.3", "SR"
    report.AccessionNumber, report.StudyDescription = accession, "CT Abdomen"
    report.CompletionFlag, report.VerificationFlag = "COMPLETE", "UNVERIFIED"
    report.ContentDate, report.ContentTime = "20240105", "120000"
    report.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in fields.items():
        setattr(report, keyword, value)
    report.ValueType = "CONTAINER"
    report.ConceptNameCodeSequence = [code("Diagnostic imaging report")]
    report.ContentSequence = list(content)
    report.file_meta = FileMetaDataset()
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    report.file_meta.MediaStorageSOPInstanceUID = report.SOPInstanceUID
    file = io.BytesIO()
    report.save_as(file, enforce_file_format=True)
    return file.getvalue()


def code(meaning: str, value: str = "99") -> Dataset:
    """Return a coded term."""
    term = Dataset()
    term.CodeValue, term.CodingSchemeDesignator, term.CodeMeaning = value, "DCM", meaning
    return term


def item(
    kind: str, name: str, relationship: str = "CONTAINS", inner: tuple[Dataset, ...] = (), **fields: Any
) -> Dataset:
    """Return a content item."""
    content = Dataset()
    content.RelationshipType, content.ValueType = relationship, kind
    content.ConceptNameCodeSequence = [code(name)]
    for keyword, value in fields.items():
        setattr(content, keyword, value)
    if inner:
        content.ContentSequence = list(inner)
    return content


def text_item(name: str, text: str) -> Dataset:
    """Return a content item of text."""
    return item("TEXT", name, TextValue=text)


def measurement(name: str, number: str, unit: str, *inner: Dataset) -> Dataset:
    """Return a content item of a number with its unit."""
    value = Dataset()
    value.NumericValue, value.MeasurementUnitsCodeSequence = number, [code(unit, unit)]
    return item("NUM", name, inner=inner, MeasuredValueSequence=[value])
