"""Clean a report's text before anything reads it, and keep the way back to the text as it was given.

The same report comes in many dresses: image references behind each finding, lines broken at 80 characters, HTML of a
web page, the escapes of an interface, marks of a de-identification. Sections, statements, prompts for language models
and the verifier read the clean text; ids, offsets and evidence stay those of the text as it was given.

The passes run in this order, each on what the one before it left; a pass that is not certain leaves the text alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from curation.runtime.caches.recent import Recent

from .capitals import capitals_edits
from .characters import character_edits
from .edits import Edit, EditedText, apply_edits
from .escapes import escape_edits
from .image_references import reference_edits
from .legends import legend_edits
from .line_breaks import line_end_edits, wrap_edits
from .markdown import markdown_edits, struck_edits
from .markup import entity_edits, tag_edits
from .notices import notice_edits
from .redaction_marks import identity_edits, unreadable_edits
from .run_on_items import item_edits
from .short_forms import short_form_edits
from .spoken_marks import spoken_mark_edits
from .white_space import white_space_edits

RECENT_CHARACTERS = 1_000_000
"""Characters of the texts kept as cleaned: sections, engine and verifier read a report one after the other."""
PASSES: tuple[Callable[[str], Iterable[Edit]], ...] = (
    struck_edits,
    escape_edits,
    entity_edits,
    tag_edits,
    character_edits,
    spoken_mark_edits,
    line_end_edits,
    identity_edits,
    markdown_edits,
    unreadable_edits,
    wrap_edits,
    white_space_edits,  # once before what is looked for with single spaces, once for what was taken out
    reference_edits,
    notice_edits,
    legend_edits,
    white_space_edits,
    short_form_edits,
    item_edits,
    capitals_edits,
)


# A sentence of plain words, which no pass changes unless it has one of `_WORDS_OF_PASSES` or `_MARKS_OF_PASSES`.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9,.'%-]*(?: [A-Za-z0-9][A-Za-z0-9,.'%-]*)*")
_BETWEEN_WORDS = str.maketrans(",.%'-", "     ")
_WORDS_OF_PASSES = frozenset(
    "image images img imgs im ims slice slices slc sl frame frames section sections cut cuts series "
    "serial serie ser se srs sr seq sequence informed notified called contacted paged alerted advised "
    "aware told consulted telephoned phoned updated communicated discussed conveyed relayed reported "
    "given transmitted reviewed acknowledged shared provided faxed e mailed emailed spoke supervised "
    "agree concur attest certify confirm interpreted examined read viewed attending teaching supervising "
    "staff thank call notification communication electronically dictated transcribed signed dr rt lt r l period "
    "stop bilat".split()
)
_MARKS_OF_PASSES = ("xxx", "1. ", "a. ", "..", "%0")
_GLUED = re.compile(r"[a-z]{2}\d")


class Removal(NamedTuple):
    """A passage ``source[start:end]`` that the clean text has not, or has in other characters; ``kind`` names it."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class CleanText:
    """A text as it was given (``source``) and as it is read (``text``), with the offsets of one in the other.

    Offsets count characters (Unicode code points) from 0.
    """

    source: str
    text: str
    layers: tuple[EditedText, ...] = ()

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the source that ``text[start:end]`` (at least one character) comes from."""
        for layer in reversed(self.layers):
            start, end = layer.original_start(start), layer.original_end(end)
        return start, end

    def clean_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the clean text that ``source[start:end]`` has become; it may be empty."""
        return self._clean_place(start), self._clean_place(end)

    def removals(self) -> list[Removal]:
        """Return what was removed or written otherwise, in the order of the passes."""
        removals = []
        for number, layer in enumerate(self.layers):
            below = CleanText(self.source, "", self.layers[:number])
            for edit in layer.edits:
                span = below.source_span(edit.start, edit.end) if edit.start < edit.end else (edit.start, edit.end)
                removals.append(Removal(edit.kind, *span))
        return removals

    def _clean_place(self, place: int) -> int:
        for layer in self.layers:
            place = layer.edited_place(place)
        return place


_recent: Recent[str, CleanText] = Recent(RECENT_CHARACTERS)


def clean_text(source: str) -> CleanText:
    """Return a text in the form in which it is read."""
    return _recent.made(source, len(source), lambda: _cleaned(source))


def clean_sentence(source: str) -> str:
    """Return a sentence, such as a caption, as ``clean_text`` writes it; quick where it is plain words."""
    folded = source.lower()
    if source not in (folded, source.upper()) and _PLAIN.fullmatch(source) and _is_plain(folded):
        return source
    return _cleaned(source).text


def _is_plain(folded: str) -> bool:
    """Tell whether a sentence of plain words, in small letters, has nothing that a pass looks for."""
    if not _WORDS_OF_PASSES.isdisjoint(folded.translate(_BETWEEN_WORDS).split()):
        return False
    return not any(mark in folded for mark in _MARKS_OF_PASSES) and _GLUED.search(folded) is None


def _cleaned(source: str) -> CleanText:
    text, layers = source, []
    for edits_of in PASSES:
        layer = apply_edits(text, edits_of(text))
        if layer is not None:
            text = layer.text
            layers.append(layer)
    return CleanText(source, text, tuple(layers))
