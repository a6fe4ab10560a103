"""Parse XML that strangers wrote: no entities, nothing fetched, bounded depth and size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from curation.readers.rows import DamagedError

if TYPE_CHECKING:
    from lxml import etree


class ElementReader(Protocol):
    """Takes the elements of a document as the parser meets them; names are in Clark's notation, ``{namespace}name``."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None: ...

    def end(self, tag: str) -> None: ...

    def data(self, text: str) -> None: ...

    def close(self) -> str: ...


def _parser(target: ElementReader | None = None) -> etree.XMLParser:
    from lxml import etree

    # lxml refuses elements nested deeper than 256 and texts over 10 MB unless `huge_tree` is set.
    return etree.XMLParser(
        target=target,
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=target is None,
        remove_pis=target is None,
    )


def parse_tree(xml: str) -> etree._Element:
    """Return the root of an XML document that has been decoded.

    Raises:
        DamagedError: it is not well-formed (the message has the place), or declares entities.
    """
    from lxml import etree

    try:
        root = etree.fromstring(xml.lstrip("\ufeff \t\r\n").encode("utf-8", "replace"), _parser())
    except etree.XMLSyntaxError as error:
        raise DamagedError(_explain(error)) from error
    if root.getroottree().docinfo.doctype:
        raise DamagedError("XML with a document type (DOCTYPE), which may hold entities; take it out of the file")
    return root


def read_elements(pieces: Iterable[bytes], reader: ElementReader) -> str:
    """Return what ``reader`` makes of an XML document in UTF-8 that comes in pieces; no tree is built.

    Raises:
        DamagedError: it is not well-formed; the message has the place.
    """
    from lxml import etree

    parser = _parser(reader)
    try:
        for piece in pieces:
            parser.feed(piece)
        return str(parser.close())
    except etree.XMLSyntaxError as error:
        raise DamagedError(_explain(error)) from error


def local_name(tag: object) -> str:
    """Return the name of an element without its namespace; "" for a comment.

    >>> local_name("{urn:hl7-org:v3}section")
    'section'
    """
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _explain(error: etree.XMLSyntaxError) -> str:
    line, column = error.position
    return f"XML that cannot be read from line {line}, column {column} on ({str(error.msg).partition(', line')[0]})"
