"""Values of a DICOM header as the standard has them: what holds is kept, what can be mended is, the rest is left out.

Scanners, archives and anonymisers write what their value representation (VR) forbids. pydicom's own rules for each VR
decide; a few habits with one meaning (1950-01-31, 12:30:00, 45Y, male) are written as the standard has them.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from datetime import date
from typing import Any

import pydicom.config
from pydicom.charset import convert_encodings, decode_bytes, python_encoding
from pydicom.datadict import dictionary_VM, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import RE_VALID_UID
from pydicom.valuerep import DT, PN_DELIMS, TEXT_VR_DELIMS, TM, format_number_as_ds, validate_value

LONG_TEXT = ("LT", "ST", "UT")
LONGEST = {"LO": 64, "SH": 16, "ST": 1024, "LT": 10240, "CS": 16, "UI": 64}
# Values that the standard allows, where it lists them.
ENUMERATED = {
    "PatientSex": ("M", "F", "O"),
    "PatientIdentityRemoved": ("YES", "NO"),
    "PatientSexNeutered": ("ALTERED", "UNALTERED"),
    "SmokingStatus": ("YES", "NO", "UNKNOWN"),
    "LossyImageCompression": ("00", "01"),
}
# What an item of a code sequence has.
OF_A_CODE = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
# What is shown of a value in a message.
SHOWN = 40
_DATE = re.compile(r"(\d{4})([-./]?)(\d\d)\2(\d\d)")
_TIME = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]+")
_CONTROL_OF_LONG_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]+")
_LARGEST_IS = 2**31
# Nobody who was born or examined before has a CT.
FIRST_YEAR = 1800


class TextReader:
    """Reads the texts of a header by its SpecificCharacterSet; `oddity` is its value if the standard has none such."""

    def __init__(self, header: Dataset) -> None:
        declared = _raw_text(header, "SpecificCharacterSet")
        terms = [term.strip() for term in (declared or "").split("\\")]
        self.oddity = None if declared is None or _is_character_set(terms) else declared
        self._is_known = bool(declared) and self.oddity is None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._encodings = convert_encodings(terms)

    def read(self, value: bytes, vr: str) -> str:
        """Return a text; bytes of no character set that is known are read as UTF-8 or, if that fails, as Latin-1."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = decode_bytes(value, self._encodings, PN_DELIMS if vr == "PN" else TEXT_VR_DELIMS)
        if "\ufffd" not in text and (self._is_known or value.isascii()):
            return text
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")


def kept_element(header: Dataset, keyword: str, reader: TextReader) -> tuple[DataElement | None, str | None]:
    """Return an attribute as the standard has it, None if there is none, and its value as it stood if that was odd."""
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    vr = dictionary_VR(tag)
    if tag not in header:
        return None, None
    if vr == "SQ":
        return _kept_sequence(header, keyword, reader)
    found = _found_text(header, keyword, vr, reader)
    parts = [found] if vr in LONG_TEXT or dictionary_VM(tag) == "1" else found.split("\\")
    mended = [mended_text(keyword, vr, part) for part in parts]
    values = [value for value in mended if value]
    odd = mended != [part.strip(" \0") for part in parts]
    try:
        element = element_of(keyword, values[0] if len(values) == 1 else values) if values else None
    except (ValueError, TypeError, OverflowError, Warning):
        return None, shown(found)
    return element, shown(found) if odd else None


def element_of(keyword: str, value: Any) -> DataElement:
    """Return a data element whose value holds by its VR. Raises ValueError, TypeError, OverflowError or a warning."""
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    vr = dictionary_VR(tag)
    if vr in ("US", "SS", "UL", "SL", "FL", "FD"):
        value = float(value) if vr in ("FL", "FD") else int(value)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return DataElement(tag, vr, value, validation_mode=pydicom.config.RAISE)


def mended_text(keyword: str, vr: str, text: str) -> str | None:
    """Return one value as its VR has it, empty if it is; None if that cannot be told from what stands there."""
    text = text.strip(" \0")
    if not text:
        return ""
    mend = _MENDERS.get(vr)
    mended = mend(text) if mend else _mended_words(keyword, vr, text)
    if mended and keyword in ENUMERATED and mended not in ENUMERATED[keyword]:
        # "Male", "female": by their first letter; "?" or "W" say nothing that is sure.
        mended = {"MALE": "M", "FEMALE": "F", "OTHER": "O"}.get(mended) if keyword == "PatientSex" else None
    if not mended:
        return None
    try:
        validate_value(vr, mended, pydicom.config.RAISE)
    except ValueError:
        return None
    return mended


def valid_uid(value: Any) -> str | None:
    """Return a UID as text, None if it is none."""
    uid = str(value or "").strip(" \0")
    return uid if "." in uid and len(uid) <= LONGEST["UI"] and re.fullmatch(RE_VALID_UID, uid) else None


def shown(value: str) -> str:
    """Return a value for a message: quoted, on one line and not long."""
    value = value.strip(" \0")
    return repr(value if len(value) <= SHOWN else value[: SHOWN - 1] + "…")


def _is_character_set(terms: Sequence[str]) -> bool:
    """Whether these values of SpecificCharacterSet are some that the standard allows together."""
    if len(set(terms)) != len(terms) or not all(term in python_encoding for term in terms[1:]):
        return False
    if len(terms) == 1:
        return bool(terms[0]) and terms[0] in python_encoding and not terms[0].startswith("ISO 2022")
    return all(term.startswith("ISO 2022") for term in terms if term)


def _raw_text(header: Dataset, keyword: str) -> str | None:
    """Return the text of an attribute as it stands in the file, None if it is not there; ASCII, the rest replaced."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    if tag not in header:
        return None
    value = header.get_item(tag).value
    if isinstance(value, bytes):
        return value.decode("ascii", "replace").strip(" \0")
    return _joined(value)


def _joined(value: Any) -> str:
    if isinstance(value, (list, tuple, MultiValue)):
        return "\\".join(map(str, value))
    return "" if value is None else str(value)


def _found_text(header: Dataset, keyword: str, vr: str, reader: TextReader) -> str:
    """Return the value of an attribute as text, several values parted by backslashes, whatever VR the file gives it."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    value: Any = header.get_item(tag).value
    if isinstance(value, bytes) and vr not in ("US", "SS", "UL", "SL", "FL", "FD"):
        return reader.read(value, vr)
    try:
        value = header[tag].value
    except Exception:  # pydicom raises anything where bytes and VR do not fit
        return repr(value)
    return _joined(value)


def _kept_sequence(header: Dataset, keyword: str, reader: TextReader) -> tuple[DataElement | None, str | None]:
    """Return a sequence with those of its items that hold whole, without private attributes."""
    try:
        items = list(header[keyword].value or [])
    except Exception as error:  # pydicom raises anything where bytes are no sequence
        return None, shown(str(error))
    kept, odd = [], []
    for item in items:
        copy, oddities = Dataset(), []
        for tag in list(item.keys()):
            name = keyword_for_tag(tag)
            if not name or tag.is_private or tag.element == 0:
                continue
            element, oddity = kept_element(item, name, reader)
            if element is not None:
                copy.add(element)
            oddities += [f"{name} {oddity}"] if oddity else []
        lacking = [name for name in OF_A_CODE if keyword.endswith("CodeSequence") and name not in copy]
        if len(copy) and not oddities and not lacking:
            kept.append(copy)
        odd += oddities or [f"an item without {name}" for name in lacking]
    return (element_of(keyword, kept) if kept else None), ", ".join(odd) or None


def _mended_words(keyword: str, vr: str, text: str) -> str | None:
    plain = (_CONTROL_OF_LONG_TEXT if vr in LONG_TEXT else _CONTROL).sub(" ", text).strip()
    is_identifier = keyword.endswith(("ID", "IDs", "Number"))
    if vr == "CS":
        return plain.upper()
    if len(plain) > LONGEST.get(vr, len(plain)) or plain != text:
        # Part of an identifier is another identifier.
        return None if is_identifier else plain[: LONGEST.get(vr)].strip()
    return plain


def _mended_name(text: str) -> str | None:
    groups = [group.strip() for group in _CONTROL.sub(" ", text).split("=")][:3]
    mended = []
    for group in groups:
        components = group.split("^")
        # A name has five components: what is more belongs to the last.
        components[4:] = [" ".join(part for part in components[4:] if part)] if len(components) > 4 else []
        mended.append("^".join(components).rstrip("^ "))
    name = "=".join(mended).rstrip("=")
    return name if all(len(group) <= LONGEST["LO"] for group in mended) else None


def _mended_date(text: str) -> str | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        day = date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        return None
    return f"{day:%Y%m%d}" if day.year >= FIRST_YEAR else None


def _mended_time(text: str) -> str | None:
    match = _TIME.fullmatch(text)
    digits = "".join(part or "" for part in match.groups()) if match else text
    whole, dot, fraction = digits.partition(".")
    digits = whole + (dot + fraction[:6] if fraction else "")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return digits if TM(digits) else None
    except (ValueError, TypeError, UserWarning):
        return None


def _mended_moment(text: str) -> str | None:
    try:
        return text if DT(text) else None
    except (ValueError, TypeError):
        return None


def _mended_age(text: str) -> str | None:
    match = re.fullmatch(r"(\d{1,3})\s*([DWMYdwmy])", text)
    return f"{int(match[1]):03}{match[2].upper()}" if match else None


def _mended_decimal(text: str) -> str | None:
    try:
        number = float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return text if len(text) <= 16 and "," not in text else format_number_as_ds(number)


def _mended_integer(text: str) -> str | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return str(int(number)) if number.is_integer() and -_LARGEST_IS <= number < _LARGEST_IS else None


_MENDERS = {
    "PN": _mended_name,
    "DA": _mended_date,
    "TM": _mended_time,
    "DT": _mended_moment,
    "AS": _mended_age,
    "DS": _mended_decimal,
    "IS": _mended_integer,
    "UI": valid_uid,
}
