"""Convert HTML to text: what its page shows, without scripts, comments, hidden and struck-out text.

lxml parses, as browsers do: it closes what is left open, and it neither runs scripts nor fetches anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from curation.readers.rows import DamagedError

from .charset import decode_document
from .page_text import CELL_END, ROW_END, tidy

PAGE_START = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
# Where the start of a page is, if it has one.
START_WITHIN = 4096
UNCLOSED_TAG = re.compile(r"<[a-zA-Z/!][^>]*$")
NOT_ON_THE_PAGE = frozenset((
    "audio", "button", "canvas", "datalist", "del", "head", "iframe", "noscript", "object", "s", "script", "strike",
    "style", "svg", "template", "title", "video",
))  # fmt: skip
HIDING_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|text-decoration[^;]*line-through", re.IGNORECASE)
LINES = frozenset((
    "address", "article", "aside", "center", "dd", "div", "dt", "fieldset", "figcaption", "footer", "form", "header",
    "legend", "li", "main", "nav", "section", "tbody", "tfoot", "thead",
))  # fmt: skip
PARAGRAPHS = frozenset((
    "blockquote", "dl", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "table", "ul",
))  # fmt: skip
TICKED = frozenset(("checkbox", "radio"))
SPACE = re.compile(r"[ \t\r\n\f]+")


class PageReader:
    """Takes the elements of a page from the parser (its *target*) and gathers the text."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._breaks = 0  # line ends that stand before the next text
        self._hidden = 0  # open elements that are not shown, counted from the outermost one
        self._preformatted = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take the start of an element."""
        if not self._hidden:
            self._break(tag)
        if self._hidden or _is_hidden(tag, attributes):
            self._hidden += 1
            return
        self._preformatted += tag == "pre"
        if tag == "br":
            self._breaks += 1
        elif tag == "input":
            self._add(_input_text(attributes))

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        if self._hidden:
            self._hidden -= 1
            if not self._hidden:
                self._break(tag)
            return
        self._preformatted -= tag == "pre"
        if mark := {"td": CELL_END, "th": CELL_END, "tr": ROW_END}.get(tag):
            self._breaks = 0
            self._text.append(mark)
        self._break(tag)

    def data(self, text: str) -> None:
        """Take text; white space is one space, as browsers show it, but for preformatted text."""
        if not self._hidden:
            self._add(text if self._preformatted else SPACE.sub(" ", text))

    def comment(self, text: str) -> None:
        """Pass over a comment."""

    def close(self) -> str:
        """Return the text of the page."""
        return tidy("".join(self._text))

    def _add(self, text: str) -> None:
        if text.strip() or not self._breaks:
            self._text.append("\n" * self._breaks + text)
            self._breaks = 0

    def _break(self, tag: str) -> None:
        self._breaks = max(self._breaks, 2 if tag in PARAGRAPHS else 1 if tag in LINES else 0)


def _is_hidden(tag: str, attributes: Mapping[str, str]) -> bool:
    if tag in NOT_ON_THE_PAGE or "hidden" in attributes:
        return True
    if tag == "option":
        return "selected" not in attributes
    return bool(HIDING_STYLE.search(attributes.get("style", "")))


def _input_text(attributes: Mapping[str, str]) -> str:
    """Return what the page shows of a form field: the mark of a tick box, or what was typed."""
    kind = attributes.get("type", "text").lower()
    if kind in TICKED:
        return "[x] " if "checked" in attributes else "[ ] "
    return attributes.get("value", "") if kind in ("text", "number", "date") else ""


def is_html_page(head: str) -> bool:
    """Return whether a document or cell that begins so is a whole page."""
    return bool(PAGE_START.match(head.lstrip("\ufeff")))


def html_text(source: bytes | str) -> str:
    """Return the text that an HTML page, or a piece of one, shows, tables as lines of ``cell | cell``.

    Raises:
        DamagedError: it is cut off, declares an unknown charset, or is more than any page.
    """
    from lxml import etree

    html = decode_document(source) if isinstance(source, bytes) else source
    _check_whole(html)
    # Half a surrogate pair cannot be encoded.
    raw = html.encode("utf-8", "replace")
    parser: etree.HTMLParser = etree.HTMLParser(target=PageReader(), encoding="utf-8")
    try:
        text = str(etree.fromstring(raw, parser) or "")
    except etree.XMLSyntaxError as error:  # nothing but white space and comments
        raise DamagedError(f"HTML that cannot be parsed ({error.msg})") from error
    fatal = [entry for entry in parser.error_log if entry.level == etree.ErrorLevels.FATAL]
    if fatal:
        raise DamagedError(f"HTML that cannot be read from line {fatal[0].line} on ({fatal[0].message.strip()})")
    return text


def _check_whole(html: str) -> None:
    """Raise ``DamagedError`` for a page whose end is missing: an open tag, an open comment, or no ``</html>``."""
    lower = html.lower()
    last_start, last_line = html.rfind("<!--"), html.count("\n") + 1
    if last_start > html.rfind("-->"):
        first_line = html.count("\n", 0, last_start) + 1
        raise DamagedError(f"HTML cut off: the comment at line {first_line} is not closed")
    if UNCLOSED_TAG.search(html, html.rfind(">") + 1):
        raise DamagedError(f"HTML cut off at line {last_line}: its last tag is not closed")
    if "<html" in lower[:START_WITHIN] and "</html" not in lower and "</body" not in lower:
        raise DamagedError(f"HTML cut off at line {last_line}: there is no </html>")
