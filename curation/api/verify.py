"""`ovct.verify`: captions against the text of their report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from curation.runtime.errors import InputError

if TYPE_CHECKING:
    from pandas import DataFrame

    from curation.caption import Spans
    from curation.language.site_words import SiteWords
    from curation.verify_table import ClaimVerifier

    Captions = DataFrame | Iterable[tuple[str, str] | Mapping[str, str]]


class VerifiedCaption(NamedTuple):
    """A caption held against its report.

    ``report[evidence_start:evidence_end]`` is the evidence of an accepted caption, and of a refused one the passage
    that comes nearest, or None. ``evidence_spans`` has the bounds of all passages, where there are several the first
    of them as before. ``reason`` and ``detail`` say why it was refused. ``score`` is 0 to 100.
    """

    organ: str
    caption: str
    accepted: bool
    reason: str | None
    detail: str | None
    evidence: str | None
    evidence_start: int | None
    evidence_end: int | None
    score: float
    evidence_spans: Spans | None


def verify(
    report: str, captions: Captions, *, lexicon: str | Path | None = None, organs: str | Path | None = None
) -> list[VerifiedCaption]:
    """Verify captions against the text of their report.

    Args:
        report: the report's text.
        captions: pairs of organ and caption, mappings or a DataFrame with ``organ`` and ``caption``.
        lexicon, organs: files of your own words and organs, beside ours.

    Returns:
        One result for each caption, in order.

    Raises:
        InputError: a caption that is none of these, or a file that cannot be used.
    """
    from curation.language.site_words import read_site_words
    from curation.readers.captions import CaptionClaim, ClaimBatch
    from curation.readers.sections import split_sections
    from curation.readers.site_headings import site_headings

    words = read_site_words(lexicon, organs)
    sections = split_sections(report, of_site=site_headings(words.headings))

    # The verifier keeps prepared reports by their id: here the text is its own.
    claims = [CaptionClaim(report, organ, caption, None) for organ, caption in _pairs(captions)]
    rows = _judge(words)(ClaimBatch(claims, {report: (report, sections)}))
    return [VerifiedCaption(*row[1:]) for row in rows]


def _pairs(captions: Captions) -> Iterator[tuple[str, str]]:
    rows: Iterable[Any] = captions.to_dict("records") if hasattr(captions, "to_dict") else captions
    for number, row in enumerate(rows, 1):
        try:
            organ, caption = _named(row) if isinstance(row, Mapping) else row
        except (KeyError, TypeError, ValueError):
            organ = caption = None
        if not isinstance(organ, str) or not isinstance(caption, str):
            raise InputError(f"caption {number}: an organ and a caption are expected, not {row!r}")
        yield organ, caption


def _named(row: Mapping[Any, Any]) -> tuple[Any, Any]:
    """Return organ and caption of a mapping, whose keys may be in any case."""
    cells = {str(name).strip().lower(): cell for name, cell in row.items()}
    return cells["organ"], cells["caption"]


@lru_cache(maxsize=2)
def _judge(words: SiteWords) -> ClaimVerifier:
    from curation.verification.verifier import build_verifier
    from curation.verify_table import ClaimVerifier

    return ClaimVerifier(partial(build_verifier, words))
