"""Values of DICOM headers: what holds is kept, habits with one meaning are mended, the rest is left out."""

import pydicom
import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from train.inference.files.dicom_values import TextReader, kept_element, mended_text, valid_uid


def header(keyword: str, value: bytes, vr: str | None = None, charset: bytes | None = None) -> Dataset:
    """A header as a file has it, with values that pydicom would not write."""
    found = Dataset()
    for name, content in (("SpecificCharacterSet", charset), (keyword, value)):
        if content is not None:
            tag = Tag(tag_for_keyword(name) or 0)
            kind = vr if vr and name == keyword else dictionary_VR(tag)
            found[tag] = RawDataElement(tag, kind, len(content), content, 0, False, True)
    return found


@pytest.mark.parametrize(
    ("keyword", "value", "mended"),
    [
        ("PatientBirthDate", "19500131", "19500131"),
        ("PatientBirthDate", "1950-01-31", "19500131"),
        ("PatientBirthDate", "1950", None),
        ("PatientBirthDate", "00000000", None),
        ("PatientBirthDate", "19500231", None),
        ("StudyDate", "02-01-2020", None),
        ("StudyTime", "1230", "1230"),
        ("StudyTime", "12:30:00", "123000"),
        ("StudyTime", "250000", None),
        ("PatientSex", "female", "F"),
        ("PatientSex", "W", None),
        ("PatientAge", "45y", "045Y"),
        ("PatientAge", "45", None),
        ("PatientWeight", "70,5", "70.5"),
        ("PatientWeight", "NaN", None),
        ("PatientWeight", "70.123456789012345678", "70.1234567890123"),
        ("SeriesNumber", "2.0", "2"),
        ("SeriesNumber", "99999999999", None),
        ("PatientName", "Doe^John", "Doe^John"),
        ("PatientName", "a^b^c^d^e^f", "a^b^c^d^e f"),
        ("PatientName", "A=B=C=D", "A=B=C"),
        ("PatientName", "x" * 65, None),
        ("PatientID", "a\\b", None),
        ("PatientID", "1" * 65, None),
        ("StudyDescription", "chest\n" + "x" * 70, "chest " + "x" * 58),
        ("PatientComments", "a\r\nb\x01c", "a\r\nb c"),
        ("StudyInstanceUID", "1.2.03", None),
    ],
)
def test_one_value(keyword: str, value: str, mended: str | None) -> None:
    vr = dictionary_VR(tag_for_keyword(keyword) or 0)
    found = mended_text(keyword, vr, value)
    assert found is None or mended is None or len(found) == len(mended)
    assert (found and found[:14]) == (mended and mended[:14])
    assert mended_text(keyword, vr, f" {value} \0") == found


@pytest.mark.parametrize(
    ("charset", "value", "text", "is_odd"),
    [
        (b"ISO_IR 100", b"M\xfcller^A", "Müller^A", False),
        (b"ISO_IR 192", "Müller^A".encode(), "Müller^A", False),
        (b"\\ISO 2022 IR 87", b"Yamada^T=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "Yamada^T=山田^太郎", False),
        (None, "山田^A".encode(), "山田^A", False),
        (b"", b"M\xfcller^A", "Müller^A", True),
        (b"LATIN-NINE", "Müller^A".encode(), "Müller^A", True),
        (b"ISO_IR 100\\ISO_IR 100", b"M\xfcller^A", "Müller^A", True),
        (b"ISO 2022 IR 100", b"M\xfcller^A", "Müller^A", True),
    ],
)
def test_names_in_any_character_set(charset: bytes | None, value: bytes, text: str, is_odd: bool) -> None:
    found = header("PatientName", value, charset=charset)
    reader = TextReader(found)
    assert (reader.oddity is not None) == is_odd
    element, _ = kept_element(found, "PatientName", reader)
    assert element is not None and str(element.value) == text


def test_a_value_of_another_vr_is_read_by_its_own() -> None:
    for vr, value in (("LO", b"20200131"), ("UN", b"20200131"), ("SH", b"2020.01.31")):
        found = header("StudyDate", value, vr)
        element, odd = kept_element(found, "StudyDate", TextReader(found))
        assert element is not None and element.VR == "DA" and element.value == "20200131"
        assert odd == ("'2020.01.31'" if vr == "SH" else None)
    assert kept_element(Dataset(), "StudyDate", TextReader(Dataset())) == (None, None)


def test_items_of_a_sequence_that_hold_are_kept() -> None:
    whole, partial = Dataset(), Dataset()
    whole.CodeValue, whole.CodingSchemeDesignator, whole.CodeMeaning = "1", "99X", "CT of the chest"
    partial.CodeValue = "2"
    whole.add_new(0x00091001, "LO", "private")
    found = Dataset()
    found.ProcedureCodeSequence = [whole, partial]
    element, odd = kept_element(found, "ProcedureCodeSequence", TextReader(found))
    assert element is not None and [item.CodeValue for item in element.value] == ["1"]
    assert 0x00091001 not in element.value[0]
    assert odd == "an item without CodingSchemeDesignator, an item without CodeMeaning"
    found = header("ProcedureCodeSequence", b"abcd", "UN")
    element, odd = kept_element(found, "ProcedureCodeSequence", TextReader(found))
    assert element is None and odd


def test_uids() -> None:
    assert valid_uid("1.2.3 \0") == "1.2.3" and valid_uid(pydicom.uid.CTImageStorage) is not None
    assert [valid_uid(value) for value in ("", "0", "1.2.03", "x", "1.2.", "1" * 70, None)] == [None] * 7
