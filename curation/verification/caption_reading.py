"""A caption as it is compared: with its report in clean text and words, with other captions in its claims."""

from __future__ import annotations

from typing import NamedTuple

from curation.caption import Reason
from curation.cleaning.clean_text import clean_sentence
from curation.language.forms.reader import may_be_form
from curation.language.parser import StatementParser

from .answers import Verification, refused
from .report_statements import normalised

LONGEST_CAPTION = 4_000
"""Characters of a caption: more than any statement that is read, and twenty times what a prompt asks for."""
LONGEST_ORGAN = 200
"""Characters of an organ's name: three times the longest in the vocabulary."""


class CaptionReading(NamedTuple):
    """The clean text of a caption, its normalised words, and whether it may be a form line."""

    caption: str
    words: str
    is_form: bool


def refusal_unread(organ: str, caption: str) -> Verification | None:
    """Return the refusal of a caption that is not read at all, since it has no word or no end; else None."""
    if len(organ) > LONGEST_ORGAN:
        named = f"“{organ[:40]}…” ({len(organ):,} characters)"
        return refused(organ, Reason.UNKNOWN_ORGAN, f"{named} is no name of an organ: {LONGEST_ORGAN} at most")
    if len(caption) > LONGEST_CAPTION:
        detail = f"a caption of {len(caption):,} characters; cut it up, more than {LONGEST_CAPTION:,} are not read"
        return refused(organ, Reason.SCHEMA, detail)
    if not any(map(str.isalnum, caption)):
        return refused(organ, Reason.SCHEMA, "the caption has no word" if caption.strip() else "the caption is empty")
    return None


def read_caption(caption: str) -> CaptionReading:
    """Read a caption, whatever its report."""
    caption = clean_sentence(caption)
    return CaptionReading(caption, normalised(caption), may_be_form(caption))


def on_side_of_organ(parser: StatementParser, caption: str, organ: str) -> str:
    """Return a caption that states no side with the side of ``organ``, which it is filed under.

    "Patent popliteal artery", filed under the right popliteal artery or the vessels of the right leg, is about the
    right one. What is a part of no organ on that side, or is in the plural, stays as it is.
    """
    if organ not in parser.vocabulary.organs or (side := parser.vocabulary.organs[organ].side) is None:
        return caption
    parse = parser.parse(caption)
    if any(term.kind == "side" for term in parse.terms):
        return caption
    for term in reversed(parse.terms):
        if term.mention is None or term.mention.place or term.mention.plural or len(term.mention.names) != 1:
            continue
        pair = parser.vocabulary.sided(term.mention.names[0])
        if pair is not None and parser.organ_finder.related(pair[side == "right"], organ):
            start = parse.tokens[term.start].start
            caption = f"{caption[:start]}{side} {caption[start:]}"
    return caption


def claims_of(parser: StatementParser, caption: str, organ: str) -> frozenset[tuple[str, object]]:
    """Return what a caption about canonical ``organ`` claims, for comparing captions.

    That are its findings, grades and sizes, with how each is meant, and the sites and sides that say more than the
    organ.
    """
    claims: set[tuple[str, object]] = set()
    vocabulary = parser.vocabulary
    around = {organ, *vocabulary.ancestors(organ)} if organ in vocabulary.organs else {organ}
    for term in parser.parse(caption).terms:
        if term.mention:
            sites = {site for name in term.mention.names for site in (name, *vocabulary.ancestors(name))}
            claims |= {("site", site) for site in sites - around}
        elif term.kind in ("finding", "modifier", "measure", "side") and not term.attribute:
            claims.add((term.key, term.measure.values if term.measure else term.polarity))
    return frozenset(claims)
