"""The text of a report from its observations: sections by OBX-3, repetitions, documents, and what is not read."""

from __future__ import annotations

import base64

import pytest

from curation.readers.exports.hl7_messages import Hl7Message
from curation.readers.exports.hl7_reports import reports_of
from curation.readers.exports.hl7_segments import Separators, split_fields
from curation.readers.exports.hl7_text import Hl7Text, section_named, text_of
from tests.curation.readers.exports.messages import header, order


def text_from(*observations: str) -> Hl7Text:
    segments = [header(), order(), *(f"OBX|{number}|{rest}" for number, rest in enumerate(observations, 1))]
    separators = Separators()
    (report,) = reports_of(
        Hl7Message(1, separators, [split_fields(line, separators) for line in segments], False, False)
    )
    return text_of(report)


@pytest.mark.parametrize(
    ("observed", "heading"),
    [
        ("&GDT", "FINDINGS"),
        ("18782-3&IMP", "IMPRESSION"),
        ("71020&ADT^CHEST^L", "ADDENDUM"),
        ("IMP", "IMPRESSION"),
        ("REC^^L", "RECOMMENDATION"),
        ("19005-8^Radiology Imaging study [Impression] (narrative)^LN", "IMPRESSION"),
        ("59776-5^Procedure findings^LN", "FINDINGS"),
        ("X1^Impression:", "IMPRESSION"),
        ("X2^CLINICAL_HISTORY", "CLINICAL HISTORY"),
        ("TECHNIQUE", "TECHNIQUE"),
        ("REP^Report", ""),
        ("36643-5^XR Chest 2 Views^LN", ""),
        ("", ""),
    ],
)
def test_sections_are_named_by_suffix_code_or_name(observed: str, heading: str) -> None:
    assert section_named(observed, Separators()) == heading


def test_parts_get_headings_unless_they_have_their_own() -> None:
    assert text_from(
        "TX|&GDT||Lungs clear.||||||F",
        "TX|&GDT||No effusion.||||||F",
        "TX|&IMP||IMPRESSION: No acute||||||F",
        "TX|&IMP||disease.||||||F",
        "TX|REP^Report||Seen by two readers.||||||F",
        "TX|&ADT||Compared with 2020.||||||F",
    ) == Hl7Text(
        "FINDINGS:\nLungs clear.\nNo effusion.\n\nIMPRESSION: No acute\ndisease.\n\n"
        "REPORT:\nSeen by two readers.\n\nADDENDUM:\nCompared with 2020."
    )


def test_repetitions_are_lines_and_types_of_text_are_joined() -> None:
    assert text_from(
        "TX|R||A~B~~C||||||F", r"FT|R||D\.br\E||||||F", "ST|R||F||||||F", "NM|R||7|mm|||||F", "|R||G||||||F"
    ) == Hl7Text("A\nB\n\nC\nD\nE\nF\nG")


def test_what_was_deleted_is_left_out() -> None:
    result = text_from("TX|R||Lungs clear.||||||F", "TX|R||Wrong patient.||||||W", "TX|R||Old.||||||D")
    assert result == Hl7Text(
        "Lungs clear.", ["2 observations that were deleted or posted in error (OBX-11) are left out"]
    )


def test_problems_name_the_observation() -> None:
    result = text_from("TX|R||A||||||F", r"TX|R||B\.brC||||||F", "TX|R||from 3|4 mm||||||F")
    assert result.text == "A\nB\nC\nfrom 3"
    assert result.problems == [
        "OBX 2: 1 escapes of line ends are not closed; lines were ended there",
        "OBX 3: text behind a | that is not escaped is not read",
    ]


def packed(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


DOCUMENTS = {
    "plain": f"^TEXT^PLAIN^Base64^{packed(b'Liver normal.')}",
    "Latin-1": f"^TEXT^PLAIN^BASE64^{packed('Größe normal.'.encode('latin-1'))}",
    "HTML": f"RIS^TEXT^HTML^Base64^{packed(b'<html><body><p>Liver <b>normal.</b></p></body></html>')}",
    "RTF": "^AP^RTF^Base64^" + packed(rb"{\rtf1\ansi Liver normal.\par}"),
    "as it is": r"^TEXT^PLAIN^A^Liver \T\ spleen normal.",
    "hexadecimal": f"^TEXT^PLAIN^Hex^{b'Liver normal.'.hex()}",
    "lines": rf"^TEXT^PLAIN^Base64^{packed(b'Liver normal.')[:8]}\.br\{packed(b'Liver normal.')[8:]}",
    "short": f"TEXT^Base64^{packed(b'Liver normal.')}",
}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_encapsulated_text(kind: str) -> None:
    result = text_from(f"ED|R||{DOCUMENTS[kind]}||||||F")
    assert result.problems == []
    assert result.text in ("Liver normal.", "Größe normal.", "Liver & spleen normal.")


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (f"^AP^PDF^Base64^{packed(b'%PDF-1.4 and so on')}", "OBX 1: a PDF; convert it with pdftotext -layout"),
        (f"^IM^JPEG^Base64^{packed(bytes([255, 216, 255, 224]))}", "OBX 1: a JPEG image, which is not read"),
        (f"^AP^X^Base64^{packed(bytes(range(256)))}", "OBX 1: no text (AP/X), which is not read"),
        ("^TEXT^PLAIN^Base64^TGl2ZX", "OBX 1: base64 that is broken or cut off"),
        ("^TEXT^PLAIN^Base64^TGl2$ZXI=", "OBX 1: base64 that is broken or cut off"),
        ("^TEXT^PLAIN^Base64^§§§§", "OBX 1: base64 that is broken or cut off"),
        ("^TEXT^PLAIN^Hex^4c6", "OBX 1: a document in hexadecimal digits that is broken"),
        ("Liver normal.", "OBX 1: a document (ED) without an encoding"),
        ("^AP^RTF^Base64^" + packed(rb"{\rtf1\ansi Liver"), "OBX 1: "),
    ],
)
def test_documents_that_are_no_text_are_told(document: str, problem: str) -> None:
    result = text_from(f"ED|R||{document}||||||F")
    assert result.text == ""
    assert len(result.problems) == 1
    assert result.problems[0].startswith(problem)
    beside = text_from("TX|R||Liver normal.||||||F", f"ED|R||{document}||||||F")
    assert beside.text == "Liver normal."
    assert beside.problems[0].startswith(problem.replace("OBX 1", "OBX 2"))


def test_a_document_that_repeats_the_lines_is_not_read_twice() -> None:
    document = f"ED|R||^TEXT^PLAIN^Base64^{packed(b'Liver  normal.')}||||||F"
    assert text_from("TX|R||Liver||||||F", "TX|R||normal.||||||F", document).text == "Liver\nnormal."


def test_rtf_and_html_in_lines_are_read_as_such() -> None:
    assert text_from(r"FT|R||{\E\rtf1\E\ansi Liver\E\par normal.}||||||F").text == "Liver\nnormal."
    assert (
        text_from("TX|R||<html><body>Liver<br>normal.||||||F", "TX|R||</body></html>||||||F").text == "Liver\nnormal."
    )
    broken = text_from(r"FT|R||{\E\rtf1\E\ansi Liver||||||F")
    assert broken.text == ""
    assert len(broken.problems) == 1
