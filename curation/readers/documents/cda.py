"""Read clinical documents (HL7 CDA): sections with their titles, the document's id, and what was examined."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, NamedTuple

from curation.readers.rows import DamagedError

from .charset import decode_document
from .html import PageReader, html_text
from .page_text import tidy
from .rtf import rtf_text
from .xml_parsing import local_name, parse_tree

if TYPE_CHECKING:
    from lxml import etree

ROOT = "ClinicalDocument"
# Behind the declaration, style sheets and comments; with or without the prefix of a namespace.
CDA_START = re.compile(rf"(?:<[?!][^<]{{0,2000}}>\s*){{0,20}}<(?:[\w.-]+:)?{ROOT}[\s>]")
# Elements of a section's text, as those of HTML that look the same.
AS_HTML = {
    "paragraph": "p", "list": "ul", "item": "li", "content": "span", "linkHtml": "a", "footnote": "div",
    "caption": "div",
}  # fmt: skip
# Titles of sections that have none, by their LOINC code, as in the DICOM templates for imaging reports (PS3.20).
TITLES = {
    "59776-5": "Findings", "18782-3": "Findings", "19005-8": "Impression", "55110-1": "Conclusion",
    "55111-9": "Technique", "18834-2": "Comparison", "18785-6": "Indication", "11329-0": "History",
    "18783-1": "Recommendation", "55107-7": "Addendum",
}  # fmt: skip


class ClinicalDocument(NamedTuple):
    """What a CDA document holds: ``set_id`` is the same in all its versions, "" where it has none."""

    document_id: str
    set_id: str
    version: int
    time: str
    accession: str
    examination: str
    text: str


def is_cda(head: str) -> bool:
    """Return whether an XML document that begins so is a CDA document."""
    return CDA_START.match(head.lstrip("\ufeff \t\r\n")) is not None


def read_cda(source: bytes | str) -> ClinicalDocument:
    """Return what a CDA document says.

    Raises:
        DamagedError: it is not well-formed (the message has the place), no CDA, or its body is a PDF or picture.
    """
    root = parse_tree(decode_document(source) if isinstance(source, bytes) else source)
    if local_name(root.tag) != ROOT:
        raise DamagedError(f"XML whose root is {local_name(root.tag)!r}; expected {ROOT}")
    return ClinicalDocument(
        document_id=_instance_id(_child(root, "id")),
        set_id=_instance_id(_child(root, "setId")),
        version=_number(_child(root, "versionNumber")),
        time=_time(_child(root, "effectiveTime")),
        accession=_accession(root),
        examination=_examination(root),
        text=tidy(_body_text(root)),
    )


def _children(element: etree._Element | None, name: str) -> list[etree._Element]:
    return [] if element is None else [child for child in element if local_name(child.tag) == name]


def _child(element: etree._Element | None, *path: str) -> etree._Element | None:
    for name in path:
        element = next(iter(_children(element, name)), None)
    return element


def _instance_id(element: etree._Element | None) -> str:
    return "" if element is None else str(element.get("extension") or element.get("root") or "").strip()


def _number(element: etree._Element | None) -> int:
    value = "" if element is None else str(element.get("value") or "")
    return int(value) if value.isdecimal() else 0


def _time(element: etree._Element | None) -> str:
    """Return a time as a text that sorts by time: YYYYMMDDHHMMSS, "" where it is not given."""
    digits = "" if element is None else re.match(r"\d*", str(element.get("value") or ""))[0]  # type: ignore[index]
    return digits.ljust(14, "0")[:14] if len(digits) >= 8 else ""


def _accession(root: etree._Element) -> str:
    """Return the accession number of the order: its own element in the DICOM template, else the order's id."""
    order = _child(root, "inFulfillmentOf", "order")
    number = _child(order, "accessionNumber")
    return _instance_id(number if number is not None else _child(order, "id"))


def _examination(root: etree._Element) -> str:
    """Return what was examined, as the title, the service and the code of the document name it."""
    service = _child(root, "documentationOf", "serviceEvent", "code")
    names = [_line(_child(root, "title")), _display_name(service), _display_name(_child(root, "code"))]
    return "; ".join(dict.fromkeys(filter(None, names)))


def _display_name(element: etree._Element | None) -> str:
    return "" if element is None else str(element.get("displayName") or "").strip()


def _line(element: etree._Element | None) -> str:
    """Return the text of an element on one line."""
    return "" if element is None else " ".join("".join(element.itertext()).split())


def _body_text(root: etree._Element) -> str:
    components = _children(root, "component")
    structured = [section for component in components for section in _sections(_child(component, "structuredBody"))]
    unstructured = [_child(component, "nonXMLBody", "text") for component in components]
    return "\n\n".join([*structured, *(_encoded_text(text) for text in unstructured if text is not None)])


def _sections(parent: etree._Element | None) -> list[str]:
    """Return the sections in a body or in another section, each with its title and those within it."""
    sections = (_child(component, "section") for component in _children(parent, "component"))
    return [text for section in sections if section is not None and (text := _section_text(section))]


def _section_text(section: etree._Element) -> str:
    narrative = _child(section, "text")
    parts = [_narrative_text(narrative) if narrative is not None else "", *_sections(section)]
    body = "\n\n".join(filter(None, parts))
    code = _child(section, "code")
    title = _line(_child(section, "title")) or TITLES.get("" if code is None else str(code.get("code")), "")
    title = title or _display_name(code)
    return f"{title.rstrip(' :')}:\n{body}" if title and body else body


def _narrative_text(narrative: etree._Element) -> str:
    """Return the text that a section shows; plain text without elements keeps its lines."""
    if len(narrative) == 0:
        return tidy(narrative.text or "")
    reader = PageReader()
    _read(narrative, reader)
    return reader.close()


def _read(element: etree._Element, reader: PageReader) -> None:
    """Pass an element to ``reader``; how deep they nest, the parser has bounded."""
    name = local_name(element.tag)
    tag = "del" if element.get("revised") == "delete" else AS_HTML.get(name, name)
    reader.start(tag, {key: str(element.get(key)) for key in ("style", "hidden") if element.get(key) is not None})
    reader.data(element.text or "")
    for child in element:
        _read(child, reader)
        reader.data(child.tail or "")
    reader.end(tag)


def _encoded_text(element: etree._Element) -> str:
    """Return the text of a body that is a document of another kind."""
    media_type = str(element.get("mediaType") or "text/plain").lower()
    content = element.text or ""
    if str(element.get("representation")).upper() != "B64":
        return html_text(content) if "html" in media_type else tidy(content)
    if not media_type.startswith(("text/", "application/rtf", "application/xhtml")):
        raise DamagedError(f"a CDA document whose body is {media_type}; take its text out, as with pdftotext -layout")
    try:
        raw = base64.b64decode("".join(content.split()), validate=True)
    except binascii.Error as error:
        raise DamagedError(f"a CDA document whose body is no base64 ({error})") from error
    if "rtf" in media_type:
        return rtf_text(raw)
    return html_text(raw) if "html" in media_type else tidy(decode_document(raw))
