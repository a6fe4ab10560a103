"""Telephone, record and insurance numbers, addresses of all kinds, and high ages in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .identifiers import Identifier, IdentifierKind

# Patterns of digits begin with the digit, and look at what stands before it behind it: a search then skips all
# that is no digit at once.
_PHONES = (
    # North America: (555) 123-4567, 555-123-4567, 1.555.123.4567
    re.compile(r"[(\d](?<![\w.,/+-].)(?:(?<=1)[-. ]\(?[2-9])?(?<=[(2-9])(?:(?<=\()[2-9])?\d\d(?:\)[ -]{0,2}|[-. ])"
               r"[2-9]\d\d[-. ]\d{4}(?![\d]|[-/.]\d)"),
    # With the code of a country, or with the 0 of a long-distance call: +44 20 7946 0958, 0532 123 45 67
    re.compile(r"\+(?<!\w\+)\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,6}(?!\d)"),
    re.compile(r"0(?<![\w.,/+:-]0)\d{1,4}(?:[ -]\d{2,4}){2,4}(?!\d)(?![.,/-]\d)"),
)  # fmt: skip
_LABELLED_PHONE = re.compile(
    r"\b(?:tele(?:phone|fax)|tel|phone|ph|fax|facsimile|pager|beeper|mobile|cell|ext(?:ension)?|call(?:ed)?(?: back)?"
    r"|reached|contact(?:ed)?|dial)\b\.?(?:\s{1,3}(?:phone|number|no|is|at|on)\b\.?)*\s{0,5}[:#.]?\s{0,5}"
    r"(?P<number>\(?\+?\d[\d ().-]{2,17}\d)(?!\w)(?![./]\d)"
    r"(?!\s?(?:mm|cm|ml|cc|hu|mg|degrees?)\b)",
    re.IGNORECASE,
)
_SSN = re.compile(r"\d(?<![\w./-]\d)\d\d-\d\d-\d{4}(?![\w-])")
# Labels of which each number is a record number; then those that also stand before other numbers, and need a "number",
# "no." or "#" behind them; then those that a colon is enough for.
_RECORD_LABEL = re.compile(
    r"\b(?:mrn|m\.r\.n\.|accession|medical\s+record|med\.?\s+rec\w*|ssn|ssan|social\s+security|nhs|uhid|npi|hicn|medicare"
    r"|medicaid|passport|acc\.?(?=\s*[#:])|id(?=\s*[#:])|mr(?=\s*[#:])"
    r"|(?:case|order|account|acct|visit|encounter|chart|csn|fin)(?=:)"
    r"|(?:patient|pt|hospital|unit|chart|file|case|visit|encounter|account|acct|exam|examination|study|order|requisition"
    r"|request|protocol|insurance|policy|member|group|claim|licen[cs]e|serial|specimen|report|record|identity|national"
    r"|identification|registration|health|mr|acc|dossier|folder|ref|reg|ip|op|bill|lab|cr)"
    r"(?=(?:\s+\w+)?[\s.]*(?:number\b|num\b|no\b|nos\b|nr\b|id\b|i\.d\.|[#№])))"
    r"(?:\s+(?:record|insurance|identification|security|card|plan))?"
    r"(?:[\s.]*(?:numbers?|num|nos?|nr|ids?|i\.d|is)\b)*[\s.:#№=-]*(?P<letters>(?-i:(?:[A-Z]{1,5}[- ]?)?))$",
    re.IGNORECASE,
)
_LONGEST_LABEL = 50
_RECORD = re.compile(r"\d(?<!\d\d)(?: (?=\d{3})|[-/.](?=\w)|[A-Za-z\d])*")
_LEAST_RECORD_DIGITS = 4
_LONG_NUMBER = re.compile(r"\d(?<![\w.,/+-]\d)\d{6,}(?!\w)(?![.,/-]\d)")
_GROUPED_NUMBER = re.compile(r"\d(?<![\w./-]\d)\d\d-\d\d-\d\d-\d\d?(?![\w-])")
_LETTERED_NUMBER = re.compile(r"\b(?<![.-])[A-Z]{1,3}-?(?:\d{6,}|\d{2,}[/-]\d{4,})(?!\w)(?!\.\d)")
_DICOM_UID = re.compile(r"[12]\.(?<![\w.]..)\d+(?:\.\d+){3,}(?!\w)")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+")
_URL = re.compile(r"(?:https?://|ftp://|www\.)[^\s<>\"')\]]+", re.IGNORECASE)
_STREET = re.compile(
    r"\d(?<![\w./-]\d)\d{0,4}[A-Z]?\s{1,3}(?:[NSEW]\.?\s{1,3})?(?:[A-Z][\w'’.-]{0,40}\s{1,3}){1,4}?"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Court|Place|Square|Sq|Terrace|Highway|Hwy|Parkway|Pkwy"
    r"|STREET|ST|AVENUE|AVE|ROAD|RD|BOULEVARD|BLVD|LANE|LN|DRIVE|SQUARE|TERRACE|HIGHWAY|PARKWAY)\b\.?"
    r"(?:,?\s+(?:Apt|Suite|Ste|Unit|APT|SUITE|STE|UNIT|#)\.?\s*#?\w+)?"
)
_STATE = (
    r"(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]"
    r"|W[AIVY])"
)
_ZIP = re.compile(
    rf"(?:\b[A-Z][\w'’.-]{{1,40}} ){{0,2}}\b[A-Z][\w'’.-]{{1,40}},\s{{0,3}}{_STATE}\.?,?\s+\d{{5}}(?:-\d{{4}})?(?!\d)"
)
_LABELLED_ADDRESS = re.compile(
    r"\b(?:zip(?:\s*code)?|post\s?code|postal\s+code)\s*[:#]?\s*"
    r"(?P<code>(?=[A-Z ]{0,3}\d)[A-Z\d][A-Z\d -]{2,8}[A-Z\d])(?!\w)"
    r"|\b(?P<box>P\.?\s?O\.?\s+Box\s+\d+)",
    re.IGNORECASE,
)
# London SW1A 1AA; not those of one letter that vertebrae and stages of tumours have.
_UK_CODE = re.compile(r"\b(?:[BEW]|[A-PR-UWYZ][A-HK-Y])\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}(?!\w)")
_AGE = re.compile(
    r"[91]\d(?<![\w.,]\d\d)(?:(?<=9\d)|(?<=1[0-2])\d)\s{0,3}-?\s{0,3}(?:years?|yrs?|y)[\s/.-]{0,3}(?:old|of\s+age|o\b)",
    re.IGNORECASE,
)
_LABELLED_AGE = re.compile(
    r"\b(?:ninet(?:y|ies)(?:-\w+)?[\s-]years?[\s-]old"
    r"|aged?\s{0,3}[:=]?\s{0,3}(?:is\s+)?0?(?:9\d|1[0-2]\d)y?(?![\w.])(?!\s?[-–]?\s?\d))",
    re.IGNORECASE,
)
# Needed of what the slow patterns look for, so that they are not tried where it is missing.
_DIGITS_4 = re.compile(r"\d\d\d|\d[-. ]\d\d|\d[A-Z]{2}\d")


def numbers_in(text: str) -> Iterator[Identifier]:
    """Yield numbers that stand for a person, addresses and high ages; passages may overlap."""
    if "@" in text:
        yield from _matches(_EMAIL, text, IdentifierKind.EMAIL)
    if "://" in text or "www." in text or "WWW." in text:
        yield from _matches(_URL, text, IdentifierKind.URL)
    yield from _matches(_AGE, text, IdentifierKind.AGE)
    if "9" in text or "1" in text or "ninet" in text:
        yield from _matches(_LABELLED_AGE, text, IdentifierKind.AGE)
    for pattern in (_STREET, _UK_CODE):
        yield from _matches(pattern, text, IdentifierKind.ADDRESS)
    if not _DIGITS_4.search(text):
        return
    for pattern in (_SSN, _DICOM_UID, _GROUPED_NUMBER):
        yield from _matches(pattern, text, IdentifierKind.RECORD)
    yield from _labelled_records(text)
    for pattern in _PHONES:
        yield from _matches(pattern, text, IdentifierKind.PHONE)
    for match in _LABELLED_PHONE.finditer(text):
        if sum(map(str.isdigit, match["number"])) >= _LEAST_RECORD_DIGITS:
            yield Identifier(*match.span("number"), IdentifierKind.PHONE)
    for pattern in (_LONG_NUMBER, _LETTERED_NUMBER):
        yield from _matches(pattern, text, IdentifierKind.RECORD)
    yield from _matches(_ZIP, text, IdentifierKind.ADDRESS)
    for match in _LABELLED_ADDRESS.finditer(text):
        yield Identifier(*match.span(match.lastgroup or 0), IdentifierKind.ADDRESS)


def _labelled_records(text: str) -> Iterator[Identifier]:
    for match in _RECORD.finditer(text):
        if sum(map(str.isdigit, match[0])) >= _LEAST_RECORD_DIGITS:
            label = _RECORD_LABEL.search(text, max(0, match.start() - _LONGEST_LABEL), match.start())
            if label:
                yield Identifier(label.start("letters"), match.end(), IdentifierKind.RECORD)


def _matches(pattern: re.Pattern[str], text: str, kind: IdentifierKind) -> Iterator[Identifier]:
    for match in pattern.finditer(text):
        yield Identifier(match.start(), match.end(), kind)
