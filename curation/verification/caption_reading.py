"""A caption as it is compared with its report: its clean text, in normalised words too."""

from __future__ import annotations

from typing import NamedTuple

from curation.cleaning.clean_text import clean_sentence
from curation.language.forms.reader import may_be_form

from .report_statements import normalised


class CaptionReading(NamedTuple):
    """The clean text of a caption, its normalised words, and whether it may be a form line."""

    caption: str
    words: str
    is_form: bool


def read_caption(caption: str) -> CaptionReading:
    """Read a caption, whatever its report."""
    caption = clean_sentence(caption)
    return CaptionReading(caption, normalised(caption), may_be_form(caption))
