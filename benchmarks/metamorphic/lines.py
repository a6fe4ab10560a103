"""Rewrites: line ends and line breaks, marks of HTML and Markdown, bullets and numbers of lists."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable
from random import Random

from benchmarks.quality.captions.statements import organs_in

from .rewriting import Edit, Rewrite, changed, is_plain, sentences

_LINE_END = re.compile(r"\r\n?|\n")
LONGEST_SENTENCE = 600
_ITEM = re.compile(r"\s*(?:[-*•]|\d{1,2}[.)])\s")
# A sentence that begins so goes on about the one before it: no paragraph of its own.
GOES_ON = re.compile(
    r"^(?:it|its|this|these|that|those|they|which|there|here|also|other|another|additional\w*|otherwise|however|"
    r"the (?:same|largest|other|lesions?|nodules?|mass(?:es)?|described|former|latter)|as|in addition|similar\w*)\b",
    re.IGNORECASE,
)


def one_line_for_each_sentence(text: str) -> str:
    """Return a text that has no line breaks with one behind each sentence, any other as it is."""
    if _LINE_END.search(text):
        return text
    pieces, at = [], 0
    for start, end, _ in sentences(text)[:-1]:
        if text[start:end].endswith((".", "?")) and text[end : end + 1] == " ":
            pieces.append(text[at:end])
            at = end + 1
    return "\n".join([*pieces, text[at:]])


def _line_ends(mark: str) -> Edit:
    """Return the edit that gives line ends another mark."""
    return lambda text, rng: changed(text, _LINE_END.sub(lambda _: mark, one_line_for_each_sentence(text)))


def _paragraphs_of_html(text: str, rng: Random) -> str | None:
    lines = one_line_for_each_sentence(text).split("\n")
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines if line.strip())


def _page_of_html(text: str, rng: Random) -> str | None:
    """Return the text as an export of a web page: entities, line breaks and bold sentences within a paragraph."""
    lines = html.escape(one_line_for_each_sentence(text), quote=True).split("\n")
    body = "<br />\n".join(f"<b>{line}</b>" if number % 4 == 0 else line for number, line in enumerate(lines))
    return f'<div class="report"><p>{body.replace("&quot;", "&#34;")}</p></div>'


def _entities(text: str, rng: Random) -> str | None:
    return changed(text, html.escape(text).replace(" ", "&nbsp;"))


def _wrapped(columns: int) -> Edit:
    def edit(text: str, rng: Random) -> str | None:
        if any(end - start > LONGEST_SENTENCE for start, end, _ in sentences(text)):
            return None  # its capitals or lines, and no full stops, show where a sentence ends
        lines = _LINE_END.split(text)
        wrapped = [
            textwrap.wrap(line, columns, break_long_words=False, break_on_hyphens=False) or [""] for line in lines
        ]
        return changed(text, "\n".join(line for part in wrapped for line in part))

    return edit


def _on_one_line(text: str, rng: Random) -> str | None:
    """Return the text on one line, if each of its lines ends a sentence or a heading with a colon."""
    lines = [line.strip() for line in _LINE_END.split(text) if line.strip()]
    ended = all(line.endswith((".", ":", "?")) for line in lines[:-1])
    return " ".join(lines) if len(lines) > 1 and ended else None


def _each_on_its_line(text: str, rng: Random) -> str | None:
    return changed(text, one_line_for_each_sentence(text))


def _blank_lines(text: str, rng: Random) -> str | None:
    """Return the text with a blank line before each sentence that stands for itself: it names an organ of its own."""
    pieces, at = [], 0
    for start, end, _ in sentences(text)[1:]:
        sentence = text[start:end]
        alone = organs_in(sentence) and not GOES_ON.match(sentence) and is_plain(sentence)
        if alone and text[start - 2 : start] == ". ":
            pieces.append(text[at : start - 1])
            at = start
    return "\n\n".join([*pieces, text[at:]]) if pieces else None


def _lines_doubled(text: str, rng: Random) -> str | None:
    """Return the text with a blank line before each line that stands for itself."""
    lines = text.split("\n")
    alone = [bool(organs_in(line)) and not GOES_ON.match(line) for line in lines]
    return changed(text, "\n".join(f"\n{line}" if new else line for line, new in zip(lines, alone, strict=True)))


def _list(mark: Callable[[int], str]) -> Edit:
    """Return the edit that makes each sentence an item of a list, where the text has no list of its own."""

    def edit(text: str, rng: Random) -> str | None:
        lines = one_line_for_each_sentence(text).split("\n")
        if any(_ITEM.match(line) for line in lines):
            return None
        items = [
            f"{mark(number)} {line}" if is_plain(line) and line[0].isalnum() else line
            for number, line in enumerate(lines, 1)
        ]
        return changed(text, "\n".join(items))

    return edit


REWRITES = (
    Rewrite("crlf", "line ends as in Windows", "lines", _line_ends("\r\n")),
    Rewrite("cr", "line ends as in old Mac OS", "lines", _line_ends("\r")),
    Rewrite("form_feeds", "vertical tabs for line ends", "lines", _line_ends("\v")),
    Rewrite("line_separators", "U+2028 for line ends", "lines", _line_ends("\u2028")),
    Rewrite("x000d", "_x000D_ before line ends", "lines", _line_ends("_x000D_\n")),
    Rewrite("literal_newlines", "a backslash and n for line ends", "lines", _line_ends("\\n")),
    Rewrite("hl7_breaks", "\\.br\\ for line ends", "lines", _line_ends("\\.br\\")),
    Rewrite("tildes", "~ for line ends", "lines", _line_ends("~")),
    Rewrite("html_br", "<br> for line ends", "markup", _line_ends("<br>")),
    Rewrite("html_br_slash", "<br/> before line ends", "markup", _line_ends("<br/>\n")),
    Rewrite("html_paragraphs", "<p>…</p> for each line, with entities", "markup", _paragraphs_of_html),
    Rewrite("html_page", "<div>, <p>, <br /> and <b>, with entities", "markup", _page_of_html),
    Rewrite("html_entities", "entities, and &nbsp; for spaces", "markup", _entities),
    Rewrite("wrapped_40", "hard-wrapped at 40 columns", "lines", _wrapped(40)),
    Rewrite("wrapped_60", "hard-wrapped at 60 columns", "lines", _wrapped(60)),
    Rewrite("wrapped_80", "hard-wrapped at 80 columns", "lines", _wrapped(80)),
    Rewrite("one_line", "all on one line", "lines", _on_one_line),
    Rewrite("line_per_sentence", "each sentence on its line", "lines", _each_on_its_line),
    Rewrite("blank_lines", "a blank line before each sentence that stands for itself", "lines", _blank_lines),
    Rewrite("line_ends_doubled", "blank lines between all lines of a text that has lines", "lines",
            _lines_doubled),
    Rewrite("list_dashes", "each sentence an item behind -", "lines", _list(lambda _: "-")),
    Rewrite("list_dots", "each sentence an item behind •", "lines", _list(lambda _: "•")),
    Rewrite("list_stars", "each sentence an item behind *", "markup", _list(lambda _: "*")),
    Rewrite("list_numbers", "each sentence an item behind 1., 2., …", "lines", _list(lambda number: f"{number}.")),
    Rewrite("markdown_bold", "each sentence in bold", "markup",
            lambda text, rng: changed(text, "\n".join(
                f"**{line}**" if is_plain(line) else line for line in one_line_for_each_sentence(text).split("\n")))),
)  # fmt: skip
